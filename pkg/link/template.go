package link

import (
	"strings"

	"github.com/expr-lang/expr/vm"
)

// template is a text with ${...} in it.
type template struct {
	source string
	parts  []part
}

// part is a literal text or an expression.
type part struct {
	text string
	expr *expression
}

// static reports whether there is no expression in the template.
func (t *template) static() bool {
	return len(t.parts) == 0 || len(t.parts) == 1 && t.parts[0].expr == nil
}

// text is the value of a static template.
func (t *template) text() string {
	if len(t.parts) == 0 {
		return ""
	}
	return t.parts[0].text
}

func (t *template) personal() bool {
	for _, p := range t.parts {
		if p.expr != nil && p.expr.personal {
			return true
		}
	}
	return false
}

// reads lists what the template reads of an event.
func (t *template) reads() []string {
	var out []string
	for _, p := range t.parts {
		if p.expr != nil {
			out = append(out, p.expr.reads...)
		}
	}
	return out
}

// value computes the template. One ${...} alone keeps its type; in mixed text nil is empty, and
// when every ${...} is nil, so is the whole.
func (t *template) value(m *vm.VM, fields map[string]any) (any, error) {
	if len(t.parts) == 1 {
		if e := t.parts[0].expr; e != nil {
			return e.run(m, fields)
		}
		return t.parts[0].text, nil
	}
	var b strings.Builder
	some, asked := false, false
	for _, p := range t.parts {
		if p.expr == nil {
			b.WriteString(p.text)
			continue
		}
		asked = true
		v, err := p.expr.run(m, fields)
		if err != nil {
			return nil, err
		}
		text, err := asText(v)
		if err != nil {
			return nil, &ExpressionError{p.expr.source, p.expr.pos, p.expr.reads}
		}
		some = some || !isNil(v)
		b.WriteString(text)
	}
	if asked && !some {
		return nil, nil
	}
	return b.String(), nil
}

// template reads a scalar with ${...}; nil after a mistake.
func (l *loader) template(n *node, s scope) *template {
	pieces, ok := l.pieces(n, n.text)
	if !ok {
		return nil
	}
	t := &template{source: n.text}
	w := wantText
	if len(pieces) == 1 {
		w = wantValue
	}
	good := true
	for _, p := range pieces {
		if !p.isExpr {
			t.parts = append(t.parts, part{text: p.text})
			continue
		}
		e := l.compile(origin{n, p.offset, p.text}, s, w)
		good = good && e != nil
		t.parts = append(t.parts, part{expr: e})
	}
	if !good {
		return nil
	}
	return t
}

// piece is a literal or the source of an expression, with its place in the text.
type piece struct {
	text   string
	isExpr bool
	offset int
}

// pieces splits a text at its ${...}; $${ is a literal ${.
func (l *loader) pieces(n *node, text string) ([]piece, bool) {
	var out []piece
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			out = append(out, piece{text: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			literal.WriteString("${")
			i += 3
		case strings.HasPrefix(text[i:], "${"):
			end := closing(text[i+2:])
			if end < 0 {
				l.mistake(l.at(n, i), "${ has no closing }").hint("a literal ${ is written $${")
				return nil, false
			}
			flush()
			out = append(out, piece{text[i+2 : i+2+end], true, i + 2})
			i += end + 3
		default:
			literal.WriteByte(text[i])
			i++
		}
	}
	flush()
	return out, true
}

// closing finds the } that ends an expression, past braces and texts inside it; -1 without one.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		case '"', '\'', '`':
			end := endOfText(s[i+1:], c)
			if end < 0 {
				return -1
			}
			i += end + 1
		}
	}
	return -1
}

// endOfText finds the quote that ends a text; in backquotes a backslash is itself.
func endOfText(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quote != '`':
			i++
		case s[i] == quote:
			return i
		}
	}
	return -1
}
