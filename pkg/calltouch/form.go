package calltouch

import (
	"iter"
	"strings"
)

// parameters iterates over the names and values of url-encoded text. Names are decoded, values
// still encoded: who needs few of them pays for few. Nothing is an error, because nobody could
// be told: a broken escape stays as it is.
func parameters(encoded string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for encoded != "" {
			var pair string
			pair, encoded, _ = strings.Cut(encoded, "&")
			name, value, _ := strings.Cut(pair, "=")
			if pair == "" {
				continue
			}
			if !yield(unescape(name), value) {
				return
			}
		}
	}
}

// unescape undoes percent-encoding.
func unescape(s string) string {
	first := 0
	for first < len(s) && s[first] != '%' && s[first] != '+' {
		first++
	}
	if first == len(s) {
		return s
	}
	out := make([]byte, first, len(s))
	copy(out, s)
	for i := first; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
