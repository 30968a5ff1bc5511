package strictyaml

import (
	"strings"
	"unicode/utf8"
)

// At is the place of the byte offset in a scalar's text. The source is walked beside the text,
// because quotes, escapes, folding and indentation stand in the one and not in the other. Where they
// do not match, it is the last place at which they did.
func (r *Reader) At(n *Node, offset int) Pos {
	w := r.walked
	if w == nil || w.node != n || w.done > offset { // as a rule one place after the other is asked for
		w = &walk{lines: r.lines, pos: n.Pos, node: n}
		w.start(n.Style)
		r.walked = w
	}
	for end := min(offset, len(n.Text)); w.done < end && !w.stuck; {
		w.done += w.step(n.Text[w.done:end])
	}
	if w.stuck || offset >= len(n.Text) {
		return w.pos
	}
	at := *w
	next, _ := utf8.DecodeRuneInString(n.Text[offset:])
	at.skipTo(next)
	return at.pos
}

// walk is a place in the source that moves beside a scalar's text.
type walk struct {
	node         *Node
	done         int // bytes of the text
	lines        []string
	runes        []rune // of the line
	runesOf      int    // which line that is
	pos          Pos
	doubleQuoted bool
	quote        rune
	stuck        bool
}

func (w *walk) line() []rune {
	if w.pos.Line < 1 || w.pos.Line > len(w.lines) {
		return nil
	}
	if w.runesOf != w.pos.Line {
		w.runes, w.runesOf = []rune(w.lines[w.pos.Line-1]), w.pos.Line
	}
	return w.runes
}

// peek is the character i places on; 0 at the end of the line.
func (w *walk) peek(i int) rune {
	if line := w.line(); w.pos.Column-1+i < len(line) && w.pos.Column-1+i >= 0 {
		return line[w.pos.Column-1+i]
	}
	return 0
}

func (w *walk) start(s Style) {
	switch s {
	case Block:
		w.pos = Pos{w.pos.Line + 1, 1}
	case Quoted, JSONText:
		w.quote = w.peek(0)
		w.doubleQuoted = w.quote == '"'
		w.pos.Column++
	}
}

// step moves past the source of the text's first character and returns how many bytes of the text
// that were.
func (w *walk) step(text string) int {
	first, size := utf8.DecodeRuneInString(text)
	w.skipTo(first)
	switch c := w.peek(0); {
	case isBlank(first):
		return len(text) - len(strings.TrimLeft(text, " \t\n"))
	case w.doubleQuoted && c == '\\':
		w.pos.Column += escapeLength(w.peek(1))
	case w.quote == '\'' && c == '\'':
		w.pos.Column += 2
	case c == first:
		w.pos.Column++
	default:
		w.stuck = true
	}
	return size
}

// skipTo passes over blanks and line ends where the text has something else next.
func (w *walk) skipTo(next rune) {
	if isBlank(next) && w.peek(0) != 0 && !isBlank(w.peek(0)) {
		return
	}
	for w.pos.Line <= len(w.lines) {
		switch c := w.peek(0); {
		case c == 0 && w.pos.Line < len(w.lines):
			w.pos = Pos{w.pos.Line + 1, 1}
		case c == ' ' || c == '\t':
			w.pos.Column++
		default:
			return
		}
	}
}

func isBlank(c rune) bool { return c == ' ' || c == '\t' || c == '\n' }

// escapeLength is the length of an escape in double quotes, by the character after the backslash.
func escapeLength(c rune) int {
	switch c {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}

// place turns a byte offset into line and column.
func place(text string, offset int) Pos {
	before := text[:offset]
	line := 1 + strings.Count(before, "\n")
	return Pos{line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])}
}

func badByte(data []byte) Pos {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n <= 1 {
			return place(string(data[:i]), i)
		}
		i += n
	}
	return Pos{1, 1}
}
