package expression

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// Template is a text with ${...} in it. It is safe for concurrent use.
type Template struct {
	source string
	parts  []part
	text   bool // what comes of it is a text, whatever type it has
}

// part is a literal text or an expression.
type part struct {
	text string
	expr *Expression
}

// Template compiles a text with ${...} in it; nil after a mistake. One ${...} alone keeps its type.
func (s *Scope) Template(text string, r Reporter) *Template {
	return s.template(&Template{source: text}, r)
}

// TextTemplate is Template for what stands in quotes in JSON: what comes of it is a text.
func (s *Scope) TextTemplate(text string, r Reporter) *Template {
	return s.template(&Template{source: text, text: true}, r)
}

func (s *Scope) template(t *Template, r Reporter) *Template {
	pieces, ok := pieces(t.source, r)
	if !ok {
		return nil
	}
	w := wantText
	if len(pieces) == 1 && !t.text {
		w = wantValue
	}
	good := true
	for _, p := range pieces {
		if !p.isExpr {
			s.warnOfUnmarked(p, r)
			t.parts = append(t.parts, part{text: p.text})
			continue
		}
		e := s.compile(&origin{text: p.text, offset: p.offset, reporter: r}, w)
		good = good && e != nil
		t.parts = append(t.parts, part{expr: e})
	}
	if !good {
		return nil
	}
	return t
}

// Source is the template as it stands in the file.
func (t *Template) Source() string { return t.source }

// Constant is the text of a template without an expression; ok is false where it has one.
func (t *Template) Constant() (text string, ok bool) {
	switch {
	case len(t.parts) == 0:
		return "", true
	case len(t.parts) == 1 && t.parts[0].expr == nil:
		return t.parts[0].text, true
	}
	return "", false
}

// Personal reports whether an expression of the template reads a person's data.
func (t *Template) Personal() bool {
	for _, p := range t.parts {
		if p.expr != nil && p.expr.personal {
			return true
		}
	}
	return false
}

// Reads lists what the template reads of an event.
func (t *Template) Reads() []string {
	var out []string
	for _, p := range t.parts {
		if p.expr != nil {
			out = append(out, p.expr.reads...)
		}
	}
	return out
}

// Value computes the template. One ${...} alone keeps its type, see Template; in mixed text nil is empty, and
// when every ${...} is nil, so is the whole.
func (t *Template) Value(m *Machine, fields map[string]any) (any, error) {
	if len(t.parts) == 1 && !t.text {
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
		text, err := Text(v)
		if err != nil {
			return nil, p.expr.failed(err)
		}
		if b.Len()+len(text) > maxText {
			return nil, p.expr.failed(errTooMuch)
		}
		some = some || !IsNil(v)
		b.WriteString(text)
	}
	if asked && !some {
		return nil, nil
	}
	return b.String(), nil
}

// Text computes the template as a text; ok is false where it comes to nil.
func (t *Template) Text(m *Machine, fields map[string]any) (text string, ok bool, err error) {
	v, err := t.Value(m, fields)
	if err != nil || v == nil {
		return "", false, err
	}
	if text, err = Text(v); err != nil {
		return "", false, t.failed(err)
	}
	return text, true, nil
}

// AppendJSON appends a value of the template to a body, which must stay within MaxBody.
func (t *Template) AppendJSON(body []byte, v any) ([]byte, error) {
	out, err := AppendJSON(body, v)
	if err == nil && len(out) > MaxBody {
		err = errTooMuch
	}
	if err != nil {
		return body, t.failed(err)
	}
	return out, nil
}

// failed is the error of a template whose value is of no use.
func (t *Template) failed(err error) error {
	for _, p := range t.parts {
		if p.expr != nil {
			return p.expr.failed(err)
		}
	}
	return err
}

// unmarked is a name as other languages of templates, or a slip, mark one: $city, {city}, {{city}}, %city%, #city#, [city].
var unmarked = regexp.MustCompile(`\$\(?(\w+)|\{\{? ?(\w+) ?\}?\}|%(\w+)%|#(\w+)#|\[(\w+)\]`)

// warnOfUnmarked warns of a field of Calltouch's that stands in a literal as if it would be replaced.
func (s *Scope) warnOfUnmarked(literal piece, r Reporter) {
	for _, m := range unmarked.FindAllStringSubmatchIndex(literal.text, -1) {
		if m[0] > 0 && literal.text[m[0]-1] == '$' {
			continue // $${city}: it is meant so
		}
		name := ""
		for group := 2; group < len(m); group += 2 {
			if m[group] >= 0 {
				name = literal.text[m[group]:m[group+1]]
			}
		}
		if _, ok := calltouch.Lookup(name); ok || slices.Contains(Functions(), name) {
			r.Warn(literal.offset+m[0], "%s would be sent as it stands", literal.text[m[0]:m[1]]).Code("${%s}", name)
		}
	}
}

// Unmarked is the expression that a text without ${...} was meant to be: a field of Calltouch's, or a call
// of a function; "" where it is none for certain. Such words as city and status are texts too.
func Unmarked(text string) string {
	if callee, _, call := strings.Cut(text, "("); call && strings.HasSuffix(text, ")") && slices.Contains(Functions(), callee) {
		return text
	}
	if _, ok := calltouch.Lookup(text); ok && (strings.ContainsFunc(text, unicode.IsUpper) || strings.Contains(text, "_") || slices.Contains(phoneFields, text)) {
		return text
	}
	return ""
}

// piece is a literal or the source of an expression, with its place in the text.
type piece struct {
	text   string
	isExpr bool
	offset int
}

// pieces splits a text at its ${...}; $${ is a literal ${.
func pieces(text string, r Reporter) ([]piece, bool) {
	var out []piece
	var literal strings.Builder
	start := 0 // of the literal
	flush := func() {
		if literal.Len() > 0 {
			out = append(out, piece{text: literal.String(), offset: start})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			literal.WriteString("${")
			i += 3
		case strings.HasPrefix(text[i:], "${"):
			end := Closing(text[i+2:])
			if end < 0 {
				r.Mistake(i, "${ has no closing }").Hint("a literal ${ is written $${")
				return nil, false
			}
			flush()
			out = append(out, piece{text[i+2 : i+2+end], true, i + 2})
			i += end + 3
			start = i
		default:
			literal.WriteByte(text[i])
			i++
		}
	}
	flush()
	return out, true
}

// Closing finds the } that ends an expression, whose text begins behind ${, past braces and texts inside
// it; -1 without one.
func Closing(s string) int {
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
