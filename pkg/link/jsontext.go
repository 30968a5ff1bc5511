package link

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// string reads a text in quotes.
func (p *pasted) string() string {
	quote := p.text[p.i]
	start := p.i
	p.i++
	var b strings.Builder
	for p.i < len(p.text) {
		switch c := p.text[p.i]; c {
		case quote:
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
