package spelling

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold writes a text with the plainest signs that mean the same: wide letters, signs and digits, and
// digits of any script, become those of ASCII, and what nobody sees is left out.
func Fold(text string) string {
	if ascii(text) {
		return text
	}
	if !norm.NFKC.IsNormalString(text) {
		text = norm.NFKC.String(text)
	}
	if strings.IndexFunc(text, folded) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		switch {
		case Invisible(r):
			return -1
		case r > unicode.MaxASCII && unicode.IsDigit(r):
			return digit(r)
		}
		return r
	}, text)
}

func folded(r rune) bool { return Invisible(r) || r > unicode.MaxASCII && unicode.IsDigit(r) }

// ascii reports whether a text is of visible ASCII signs and white space alone.
func ascii(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= utf8.RuneSelf || c == 0x7f || c < ' ' && !space(c) {
			return false
		}
	}
	return true
}

func space(c byte) bool { return '\t' <= c && c <= '\r' }

// Invisible reports whether r takes no place in a text that is shown: control characters, marks of
// direction, zero-width signs, letters that are fillers. White space and what is no character at
// all are not among them.
func Invisible(r rune) bool {
	if r < utf8.RuneSelf {
		return r == 0x7f || r < ' ' && !space(byte(r))
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// digit is the ASCII digit of the same value. Each range of digits begins with a zero.
func digit(r rune) rune {
	for _, in := range unicode.Nd.R16 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return '0' + (r-rune(in.Lo))%10
		}
	}
	for _, in := range unicode.Nd.R32 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return '0' + (r-rune(in.Lo))%10
		}
	}
	return r
}
