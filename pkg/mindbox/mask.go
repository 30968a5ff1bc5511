package mindbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minDigits is the length from which a run of digits may be a phone or a card.
const minDigits = 7

var (
	// email also knows the @ as it stands in a URL.
	email = regexp.MustCompile(`[^\s"'<>(),;:=&?/\\@]+(?:@|%40)[^\s"'<>(),;:=&?/\\@]+`)
	// grouped is a run of digits, whole or written like a phone: +7 (900) 123-45-67.
	grouped = regexp.MustCompile(`\p{Nd}(?:[ ().\-]{0,3}\p{Nd})*`)
	// dated is how a date begins. Its groups of digits are no phone, and the time of a
	// refusal is worth reading.
	dated = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:\P{Nd}|$)`)
)

// Mask makes a text fit to be kept and shown: e-mail addresses are taken out, of runs of 7 or more
// digits the last two stay, and so of digits grouped like a phone. The result is valid UTF-8
// on one line without control characters and has at most limit bytes.
func Mask(text string, limit int) string {
	text = plain(text)
	text = email.ReplaceAllString(text, "***@***")
	text = grouped.ReplaceAllStringFunc(text, maskGroup)
	return cut(text, limit)
}

// plain drops what is invisible, so that nothing hides between digits and no terminal is
// driven, and makes every run of white space one blank.
func plain(text string) string {
	var b strings.Builder
	blank := false
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			blank = true
		case unicode.Is(unicode.C, r) && !unicode.Is(unicode.Co, r):
		default:
			if blank && b.Len() > 0 {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

func maskGroup(s string) string {
	if dated.MatchString(s) {
		const date = len("2006-01-02")
		return s[:date] + maskGroup(s[date:])
	}
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	if digits < minDigits {
		return s
	}
	hide := digits - 2
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) && hide > 0 {
			hide--
			return '*'
		}
		return r
	}, s)
}

// cut shortens a text to limit bytes at the border of a character.
func cut(s string, limit int) string {
	const more = "…"
	if len(s) <= limit {
		return s
	}
	if limit < len(more) {
		return ""
	}
	end := limit - len(more)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}
