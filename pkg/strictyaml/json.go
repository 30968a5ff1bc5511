package strictyaml

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// pasted is a parser of JSON as people paste it out of a specification: trailing commas, comments, keys
// without quotes and bare ${...} are taken. It makes the same nodes as the YAML reader.
type pasted struct {
	*Reader
	block *Node            // the scalar that holds the text
	end   func(string) int // see ReadJSON
	text  string
	i     int
	depth int
	bad   bool
}

// deepest bounds the nesting of pasted JSON.
const deepest = 100

// ReadJSON reads a scalar as JSON; nil after a mistake. The end of an expression, given what follows
// its ${, is the index of its }; below 0 there is none.
func (r *Reader) ReadJSON(n *Node, endOfExpression func(string) int) *Node {
	p := &pasted{Reader: r, block: n, end: endOfExpression, text: n.Text}
	p.blanks()
	if !p.at('{') {
		r.Mistake(r.At(n, p.i), "the body must be a mapping or JSON that begins with {")
		return nil
	}
	out := p.value()
	p.blanks()
	if !p.bad && p.i < len(p.text) {
		p.fail("the JSON ends above, and something follows")
	}
	if p.bad {
		return nil
	}
	return out
}

func (p *pasted) at(c byte) bool { return p.i < len(p.text) && p.text[p.i] == c }

// fail reports the first mistake; the rest of the text is not looked at.
func (p *pasted) fail(format string, args ...any) Note {
	if p.bad {
		return Note{lang: p.Language, problem: &Problem{}}
	}
	p.bad = true
	n := p.Mistake(p.Reader.At(p.block, p.i), format, args...)
	p.i = len(p.text)
	return n
}

// blanks passes over blanks and comments.
func (p *pasted) blanks() {
	for p.i < len(p.text) {
		rest := p.text[p.i:]
		c, n := utf8.DecodeRuneInString(rest)
		switch {
		case unicode.IsSpace(c):
			p.i += n
		case strings.HasPrefix(rest, "//"), c == '#':
			p.i += len(rest) - len(strings.TrimLeftFunc(rest, func(c rune) bool { return c != '\n' }))
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				p.fail("the comment does not end")
				return
			}
			p.i += end + 2
		default:
			return
		}
	}
}

// value reads any value; a node of kind broken after a mistake.
func (p *pasted) value() *Node {
	p.blanks()
	out := &Node{Pos: p.Reader.At(p.block, p.i), size: 1}
	if p.depth++; p.depth > deepest {
		p.fail("the JSON is nested too deeply")
	}
	defer func() { p.depth-- }()
	switch {
	case p.bad:
	case p.i >= len(p.text):
		p.fail("the JSON ends too early")
	case p.at('{'):
		p.object(out)
	case p.at('['):
		p.list(out)
	case p.at('"'), p.at('\''):
		out.Kind, out.Style = Scalar, JSONText
		out.Text = p.string()
	case strings.HasPrefix(p.text[p.i:], "${"):
		p.bareExpression(out)
	default:
		p.word(out)
	}
	return out
}

func (p *pasted) object(out *Node) {
	out.Kind = Mapping
	p.i++
	for p.more('}') {
		e := Entry{Pos: p.Reader.At(p.block, p.i)}
		e.Key = p.key()
		p.blanks()
		if !p.bad && !p.at(':') {
			p.fail("a colon belongs between %s and its value", e.Key)
		}
		p.i++
		if p.bad {
			return
		}
		if e.Value = p.value(); p.bad {
			return
		}
		out.add(p.Reader, e)
		p.comma('}')
	}
}

func (p *pasted) list(out *Node) {
	out.Kind = Sequence
	p.i++
	for p.more(']') {
		item := p.value()
		if p.bad {
			return
		}
		out.Items = append(out.Items, item)
		p.comma(']')
	}
}

// more reports whether another element comes; it passes over the closing bracket.
func (p *pasted) more(closing byte) bool {
	p.blanks()
	switch {
	case p.bad:
		return false
	case p.i >= len(p.text):
		p.fail("the JSON ends before its closing %s", string(closing))
		return false
	case p.at(closing):
		p.i++
		return false
	}
	return true
}

// comma passes over the comma after an element; the last one may have one too.
func (p *pasted) comma(closing byte) {
	p.blanks()
	switch {
	case p.bad, p.at(closing):
	case p.at(','):
		p.i++
	case p.i >= len(p.text):
		p.fail("the JSON ends before its closing %s", string(closing))
	default:
		p.fail("a comma is missing here")
	}
}

func (p *pasted) key() string {
	if p.at('"') || p.at('\'') {
		return p.string()
	}
	end := strings.IndexFunc(p.text[p.i:], func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '.' && c != '-'
	})
	if end <= 0 {
		p.oddCharacter()
		return ""
	}
	key := p.text[p.i : p.i+end]
	p.i += end
	return key
}

func (p *pasted) oddCharacter() {
	c, _ := utf8.DecodeRuneInString(p.text[p.i:])
	n := p.fail("%s does not belong into JSON here", string(c))
	if unicode.In(c, unicode.Pi, unicode.Pf) || c == '„' {
		n.Hint(`texts stand in plain quotes: "..."`)
	}
}

func (p *pasted) bareExpression(out *Node) {
	end := p.end(p.text[p.i+2:])
	if end < 0 {
		p.fail("${ has no closing }")
		return
	}
	out.Kind, out.Style = Scalar, Plain
	out.Text = p.text[p.i : p.i+end+3]
	p.i += end + 3
}

// word reads a number, true or false.
func (p *pasted) word(out *Node) {
	rest := p.text[p.i:]
	end := strings.IndexFunc(rest, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(",]}/#:", c) })
	if end < 0 {
		end = len(rest)
	}
	word := rest[:end]
	switch {
	case word == "null":
		p.fail("%s means no value", word).Hint("leave the key out, or put a text in quotes")
	case word == "true", word == "false", IsNumber(word):
		out.Kind, out.Text = Scalar, word
		p.i += end
	case Placeholder(word) != "":
		p.fail("%s is a placeholder that nobody filled in", word).Hint("${...} with a field of Calltouch's")
	case word != "" && (unicode.IsLetter([]rune(word)[0]) || unicode.IsDigit([]rune(word)[0])):
		p.fail("%s must stand in quotes", word)
	default:
		p.oddCharacter()
	}
}

// string reads a text in quotes.
func (p *pasted) string() string {
	quote := p.text[p.i]
	start := p.i
	p.i++
	var b strings.Builder
	for p.i < len(p.text) {
		switch c := p.text[p.i]; c {
		case quote:
			if p.insideExpression(b.String()) {
				p.fail("this quote ends the text of the JSON, inside of ${...}").Hint("inside ${...} write single quotes: '...'")
				return ""
			}
			p.i++
			return b.String()
		case '\n':
			p.i = start
			p.fail("the text does not end in its line")
			return ""
		case '\\':
			p.escape(&b)
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	p.i = start
	p.fail("the text does not end in its line")
	return ""
}

// insideExpression reports whether a quote stands in the middle of an expression: one is open before it, and
// behind it comes nothing that may follow a text.
func (p *pasted) insideExpression(before string) bool {
	open := strings.LastIndex(before, "${")
	if open < 0 || p.end(before[open+2:]) >= 0 {
		return false
	}
	behind := strings.TrimLeft(p.text[p.i+1:], " \t")
	return behind != "" && !strings.ContainsAny(behind[:1], ",}]:\n")
}

var escapes = map[byte]byte{'"': '"', '\'': '\'', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *pasted) escape(b *strings.Builder) {
	if p.i+1 >= len(p.text) {
		p.i++
		return
	}
	c := p.text[p.i+1]
	if plain, ok := escapes[c]; ok {
		b.WriteByte(plain)
		p.i += 2
		return
	}
	r, ok := p.unicodeEscape()
	if !ok {
		p.fail("\\%s is no escape of JSON's", string(c))
		return
	}
	if utf16.IsSurrogate(r) {
		low, _ := p.unicodeEscape()
		r = utf16.DecodeRune(r, low)
	}
	b.WriteRune(r)
}

// unicodeEscape reads \uXXXX.
func (p *pasted) unicodeEscape() (rune, bool) {
	rest := p.text[p.i:]
	if len(rest) < 6 || rest[0] != '\\' || rest[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(rest[2:6], 16, 32)
	if err != nil {
		return 0, false
	}
	p.i += 6
	return rune(n), true
}
