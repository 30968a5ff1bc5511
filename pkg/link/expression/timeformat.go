package expression

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// TimeFormat is a compiled pattern such as yyyy-MM-dd HH:mm:ss.fff. The zero value prints nothing.
type TimeFormat []timePart

// timePart is a run of one letter, or literal text.
type timePart struct {
	letter byte // 0 = literal
	width  int
	text   string
}

var errTimeFormat = errors.New("no form of a time")

// maxWidths are the letters of a pattern and how often each may stand in a row: .NET's, which
// Mindbox's documentation uses, with S for Java's fraction.
var maxWidths = map[byte]int{'y': 4, 'M': 2, 'd': 2, 'H': 2, 'm': 2, 's': 2, 'f': 9, 'S': 9, 'z': 3}

// ParseTimeFormat reads a pattern. T and Z stand for themselves, other text in single quotes.
func ParseTimeFormat(pattern string) (TimeFormat, error) {
	var f TimeFormat
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return nil, errTimeFormat
			}
			f = append(f, timePart{text: pattern[i+1 : i+1+end]})
			i += end + 2
		case maxWidths[c] > 0:
			n := len(pattern[i:]) - len(strings.TrimLeft(pattern[i:], string(c)))
			if n > maxWidths[c] || c == 'y' && n%2 == 1 || c == 'z' && n != 3 {
				return nil, errTimeFormat
			}
			f = append(f, timePart{letter: c, width: n})
			i += n
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z':
			return nil, errTimeFormat
		default:
			f = append(f, timePart{text: pattern[i : i+1]})
			i++
		}
	}
	if len(f) == 0 {
		return nil, errTimeFormat
	}
	return f, nil
}

// format prints t, in the zone that it carries.
func (f TimeFormat) format(t time.Time) string {
	buf := make([]byte, 0, 40)
	for _, p := range f {
		buf = p.append(buf, t)
	}
	return string(buf)
}

func (p timePart) append(b []byte, t time.Time) []byte {
	switch p.letter {
	case 'y':
		if p.width == 2 {
			return appendPadded(b, t.Year()%100, 2)
		}
		return appendPadded(b, t.Year(), 4)
	case 'M':
		return appendPadded(b, int(t.Month()), p.width)
	case 'd':
		return appendPadded(b, t.Day(), p.width)
	case 'H':
		return appendPadded(b, t.Hour(), p.width)
	case 'm':
		return appendPadded(b, t.Minute(), p.width)
	case 's':
		return appendPadded(b, t.Second(), p.width)
	case 'f', 'S':
		fraction := appendPadded(make([]byte, 0, 9), t.Nanosecond(), 9)
		return append(b, fraction[:p.width]...)
	case 'z':
		return t.AppendFormat(b, "-07:00")
	}
	return append(b, p.text...)
}

// prints reports whether the format may print a text, digit for digit; with part, whether it may begin what the format prints.
func (f TimeFormat) prints(text string, part bool) bool {
	var signs []string
	for _, p := range f {
		signs = append(signs, p.signs()...)
	}
	pattern := strings.Join(signs, "")
	if part {
		pattern = strings.Join(signs, "(?:") + strings.Repeat(")?", len(signs)-1)
	}
	re, err := regexp.Compile("^" + pattern + "$")
	return err != nil || re.MatchString(text) // no person writes a format that is too long for a pattern
}

// signs are patterns of the signs that the part prints, one after the other.
func (p timePart) signs() []string {
	const digit = `\d`
	switch {
	case p.letter == 'z':
		return []string{`[+-]`, digit, digit, ":", digit, digit}
	case p.letter == 'y' || p.letter == 'f' || p.letter == 'S' || p.width == 2:
		return slices.Repeat([]string{digit}, p.width)
	case p.letter != 0:
		return []string{digit, `\d?`} // one letter prints as many digits as there are
	}
	var signs []string
	for _, c := range p.text {
		signs = append(signs, regexp.QuoteMeta(string(c)))
	}
	return signs
}

// appendPadded appends n with leading zeros up to the width.
func appendPadded(b []byte, n, width int) []byte {
	var digits [20]byte
	i := len(digits)
	for n > 0 || len(digits)-i < width {
		i--
		digits[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, digits[i:]...)
}
