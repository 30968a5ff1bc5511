package cases

import (
	"strings"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// span is a piece of a file's text, in bytes. The zero span is none: what stands there cannot be rewritten in its place.
type span struct{ from, to int }

// source is the text of a file, in which places are found.
type source struct {
	text  string
	lines []int // where each line begins
}

func newSource(data []byte) source {
	s := source{text: string(data), lines: []int{0}}
	for i := range len(s.text) {
		if s.text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// offset is where a place is; -1 for one that the text does not have.
func (s source) offset(at strictyaml.Pos) int {
	if at.Line < 1 || at.Line > len(s.lines) {
		return -1
	}
	offset := s.lines[at.Line-1]
	for range at.Column - 1 {
		if offset >= len(s.text) || s.text[offset] == '\n' {
			return -1
		}
		_, size := utf8.DecodeRuneInString(s.text[offset:])
		offset += size
	}
	return offset
}

// scalar is where a value of one line stands, with its quotes.
func (s source) scalar(n *strictyaml.Node) span {
	from := s.offset(n.Pos)
	if from < 0 || n.Style == strictyaml.Block {
		return span{}
	}
	rest := s.text[from:]
	if n.Style == strictyaml.Plain {
		if !strings.HasPrefix(rest, n.Text) {
			return span{}
		}
		return span{from, from + len(n.Text)}
	}
	if end := closing(rest); end > 0 {
		return span{from, from + end}
	}
	return span{}
}

// closing is where a text in quotes that begins here ends in its line; 0 where it does not.
func closing(text string) int {
	if text == "" || text[0] != '"' && text[0] != '\'' {
		return 0
	}
	quote := text[0]
	for i := 1; i < len(text) && text[i] != '\n'; i++ {
		switch {
		case text[i] == '\\' && quote == '"':
			i++
		case text[i] == quote && quote == '\'' && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return 0
}

// block is where a value stands that fills lines of its own below its key: from the line of its first key, or behind
// its |, to the end of the lines that are indented at least as far as that.
func (s source) block(n *strictyaml.Node) (at span, indent int) {
	first := n.Pos.Line
	if n.Kind == strictyaml.Scalar && n.Style == strictyaml.Block {
		first++
	} else if n.Kind != strictyaml.Mapping || !s.alone(n.Pos) {
		return span{}, 0
	}
	if first > len(s.lines) {
		return span{}, 0
	}
	indent = s.indent(first)
	last := first
	for line := first; line <= len(s.lines); line++ {
		if s.blank(line) {
			continue
		}
		if s.indent(line) < indent {
			break
		}
		last = line
	}
	return span{s.lines[first-1], s.end(last)}, indent
}

// alone reports whether nothing but blanks stands before a place in its line.
func (s source) alone(at strictyaml.Pos) bool { return s.indent(at.Line) == at.Column-1 }

// indent is how many blanks begin a line.
func (s source) indent(line int) int {
	text := s.text[s.lines[line-1]:]
	return len(text) - len(strings.TrimLeft(text, " "))
}

func (s source) blank(line int) bool {
	return strings.TrimSpace(s.text[s.lines[line-1]:s.end(line)]) == ""
}

// end is where a line ends, before its line break.
func (s source) end(line int) int {
	if line < len(s.lines) {
		return s.lines[line] - 1
	}
	return len(s.text)
}
