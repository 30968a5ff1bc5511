package link

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// pasted reads JSON as people paste it out of a specification: trailing commas, comments, keys
// without quotes and bare ${...} are taken. It makes the same nodes as the YAML reader.
type pasted struct {
	*loader
	block *node // the scalar that holds the text
	text  string
	i     int
	depth int
	bad   bool
}

// deepest bounds the nesting of pasted JSON.
const deepest = 100

// pastedJSON reads a scalar as JSON; nil after a mistake.
func (l *loader) pastedJSON(n *node) *node {
	p := &pasted{loader: l, block: n, text: n.text}
	p.blanks()
	if !p.at('{') {
		l.mistake(l.at(n, p.i), "the body must be a mapping or JSON that begins with {")
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
func (p *pasted) fail(format string, args ...any) note {
	if p.bad {
		return note{p.lang, &Problem{}}
	}
	p.bad = true
	n := p.mistake(p.loader.at(p.block, p.i), format, args...)
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
func (p *pasted) value() *node {
	p.blanks()
	out := &node{pos: p.loader.at(p.block, p.i), size: 1}
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
		out.kind, out.style = scalar, quoted
		out.text = p.string()
	case strings.HasPrefix(p.text[p.i:], "${"):
		p.bareExpression(out)
	default:
		p.word(out)
	}
	return out
}

func (p *pasted) object(out *node) {
	out.kind = mapping
	p.i++
	for p.more('}') {
		e := entry{pos: p.loader.at(p.block, p.i)}
		e.key = p.key()
		p.blanks()
		if !p.bad && !p.at(':') {
			p.fail("a colon belongs between %s and its value", e.key)
		}
		p.i++
		if p.bad {
			return
		}
		if e.value = p.value(); p.bad {
			return
		}
		out.add(p.reader, e)
		p.comma('}')
	}
}

func (p *pasted) list(out *node) {
	out.kind = sequence
	p.i++
	for p.more(']') {
		item := p.value()
		if p.bad {
			return
		}
		out.items = append(out.items, item)
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
		n.hint(`texts stand in plain quotes: "..."`)
	}
}

func (p *pasted) bareExpression(out *node) {
	end := closing(p.text[p.i+2:])
	if end < 0 {
		p.fail("${ has no closing }")
		return
	}
	out.kind, out.style = scalar, block
	out.text = p.text[p.i : p.i+end+3]
	out.style = plain
	p.i += end + 3
}

// word reads a number, true or false.
func (p *pasted) word(out *node) {
	rest := p.text[p.i:]
	end := strings.IndexFunc(rest, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune(",]}/#:", c) })
	if end < 0 {
		end = len(rest)
	}
	word := rest[:end]
	switch {
	case word == "null":
		p.fail("%s means no value", word).hint("leave the key out, or put a text in quotes")
	case word == "true", word == "false", isNumber(word):
		out.kind, out.text = scalar, word
		p.i += end
	case placeholder(word) != "":
		p.fail("%s is a placeholder that nobody filled in", word).hint("${...} with a field of Calltouch's")
	case word != "" && (unicode.IsLetter([]rune(word)[0]) || unicode.IsDigit([]rune(word)[0])):
		p.fail("%s must stand in quotes", word)
	default:
		p.oddCharacter()
	}
}
