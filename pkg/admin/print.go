package admin

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable makes a text that a stranger may have chosen safe for a terminal: escape sequences,
// control characters and marks of text direction are shown as Go writes them (\x1b, \u202e), not
// obeyed, and a line stays one line. Invalid bytes are shown the same way.
func Printable(s string) string {
	if strings.IndexFunc(s, dangerous) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == unicode.ReplacementChar && !strings.HasPrefix(s[i:], string(unicode.ReplacementChar)):
			quoted := strconv.Quote(s[i : i+1])
			b.WriteString(quoted[1 : len(quoted)-1])
		case dangerous(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// dangerous reports whether a terminal would do something else with r than show it. The
// replacement character is among them, because invalid bytes come as it.
func dangerous(r rune) bool {
	return r == unicode.ReplacementChar || !unicode.IsPrint(r)
}

// MaskValue hides what a person said or left: letters and digits, but for the last two digits
// where there are at least four. Signs and the length stay, so that one sees what kind of value
// it was.
func MaskValue(s string) string {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	hidden := digits
	if digits >= 4 {
		hidden = digits - 2
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r) && hidden > 0:
			hidden--
			return '*'
		case unicode.IsLetter(r) || unicode.IsMark(r):
			return '*'
		}
		return r
	}, s)
}
