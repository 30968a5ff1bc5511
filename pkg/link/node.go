package link

import "strings"

// kind is what a YAML node holds.
type kind int

const (
	broken   kind = iota // a mistake was reported; readers pass over it
	scalar               // one value
	mapping              // keys and values
	sequence             // a list
)

// style is how a scalar is written.
type style int

const (
	plain style = iota
	quoted
	block // | or >
)

// node is one value of the file, after anchors, aliases and merges.
type node struct {
	kind    kind
	style   style
	text    string // of a scalar: as written, escapes undone
	pos     Pos
	entries []entry
	items   []*node
	size    int // nodes in this tree, shared ones counted each time
}

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	pos   Pos
	value *node
}

// get finds a key; nil when it is not there.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// literal reports whether a plain scalar is a number or a boolean, not a text.
func (n *node) literal() bool {
	return n.kind == scalar && n.style == plain && (isNumber(n.text) || n.text == "true" || n.text == "false")
}

// isNumber follows JSON's grammar, so that a number can go on as it is written.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(s, ".")
	if !digits(whole) || len(whole) > 1 && whole[0] == '0' {
		return false
	}
	return !point || digits(fraction)
}

func digits(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// at is the place of the byte offset in a scalar's text. The source is walked beside the text,
// because quotes, escapes, folding and indentation stand in the one and not in the other; where
// the two part, the place reached so far must do.
func (r *reader) at(n *node, offset int) Pos {
	w := walk{lines: r.lines, pos: n.pos, doubleQuoted: false}
	w.start(n.style)
	text := []rune(n.text[:min(offset, len(n.text))])
	for i := 0; i < len(text); {
		i += w.step(text[i:])
		if w.stuck {
			break
		}
	}
	if len(text) < len([]rune(n.text)) {
		w.skipTo([]rune(n.text)[len(text)])
	}
	return w.pos
}

// walk is a place in the source that moves beside a scalar's text.
type walk struct {
	lines        []string
	pos          Pos
	doubleQuoted bool
	quote        rune
	stuck        bool
}

func (w *walk) line() []rune {
	if w.pos.Line < 1 || w.pos.Line > len(w.lines) {
		return nil
	}
	return []rune(w.lines[w.pos.Line-1])
}

// peek is the character i places on; 0 at the end of the line.
func (w *walk) peek(i int) rune {
	if line := w.line(); w.pos.Column-1+i < len(line) && w.pos.Column-1+i >= 0 {
		return line[w.pos.Column-1+i]
	}
	return 0
}

func (w *walk) start(s style) {
	switch s {
	case block:
		w.pos = Pos{w.pos.Line + 1, 1}
	case quoted:
		w.quote = w.peek(0)
		w.doubleQuoted = w.quote == '"'
		w.pos.Column++
	}
}

// step moves past the source of the text's first character and returns how many characters of
// the text that were.
func (w *walk) step(text []rune) int {
	w.skipTo(text[0])
	switch c := w.peek(0); {
	case isBlank(text[0]):
		return len(text) - len(trimBlank(text))
	case w.doubleQuoted && c == '\\':
		w.pos.Column += escapeLength(w.peek(1))
	case w.quote == '\'' && c == '\'':
		w.pos.Column += 2
	case c == text[0]:
		w.pos.Column++
	default:
		w.stuck = true
	}
	return 1
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

func trimBlank(text []rune) []rune {
	for len(text) > 0 && isBlank(text[0]) {
		text = text[1:]
	}
	return text
}

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
