package spec

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// clean is a text without what word processors and messengers put between its signs: every kind of blank is a blank, every
// kind of line's end is a line's end, what nobody sees is gone. Lines stay where they are.
func clean(text string) string {
	text, _ = spelling.Decode(text, "")
	text = plainHTML(text)
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\v", "\n").Replace(text)
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case spelling.Invisible(c) || c == '\ufeff':
			return -1
		case unicode.IsSpace(c):
			return ' '
		}
		return c
	}, text)
}

// What is of HTML in a text that was copied or saved from a page: ends of lines and cells, other tags, entities. A placeholder such as <phone> is
// none of it.
var (
	htmlEnd    = regexp.MustCompile(`(?i)</(?:td|th|tr|p|div|li|span|pre|code|table)>|<br\s*/?>`)
	htmlCell   = regexp.MustCompile(`(?i)</t[dh]>\s*(<t[dh])`)
	htmlLine   = regexp.MustCompile(`(?i)<br\s*/?>|</(?:p|div|li|tr|pre|h[1-6])>`)
	htmlTag    = regexp.MustCompile(`(?is)<!--.*?-->|<(style|script|head)\b.*?</(?:style|script|head)>|<!doctype[^<>]*>|</?(?:html|body|table|tbody|thead|tfoot|caption|colgroup|col|tr|td|th|p|div|ul|ol|li|span|b|i|u|s|em|strong|code|pre|a|font|h[1-6]|sup|sub|img|hr|meta|link)\b[^<>]*>`)
	htmlEntity = regexp.MustCompile(`(?i)&(?:quot|lt|gt|amp|apos|nbsp|laquo|raquo|mdash|ndash|#\d{1,7}|#x[0-9a-f]{1,6});`)
)

// plainHTML is a text without HTML; one that has none stays.
func plainHTML(text string) string {
	if htmlEnd.MatchString(text) {
		text = htmlCell.ReplaceAllString(text, "\t$1")
		text = htmlTag.ReplaceAllString(htmlLine.ReplaceAllString(text, "\n"), "")
	}
	return htmlEntity.ReplaceAllStringFunc(text, html.UnescapeString)
}

// lineOf is the line of a byte of the text, from 1.
func lineOf(text string, at int) int { return 1 + strings.Count(text[:at], "\n") }

// secrets find what stands behind the words for a secret, in the first group.
var secrets = []*regexp.Regexp{
	regexp.MustCompile(`(?i)secretKey\s*=\s*\\?["'“”«]?([^"'“”»\\\s,;}]+)`),
	regexp.MustCompile(`(?i)\bSecretKey\s+([^\s"'\\,;}]+)`),
	regexp.MustCompile(`(?i)authorization\s*:\s*(?:mindbox|secretkey|bearer|basic)\s+(?:secretkey\s*=?\s*)?\\?["'“”«]?([^"'“”»\\\s,;}]+)`),
	regexp.MustCompile(`(?i)(?:секретн\pL+ ключ\pL*|секрет\pL*|secret[ _-]?key|secret|api[ _-]?key|ключ доступа|токен\pL*|token|парол\pL+|password)\s*["'“”»]?\s*[:=—–-]+\s*["'“”«]?([^\s"'“”»<>,;{}]+)`),
}

// secretPlaceholder is what stands where a secret belongs and is none.
var secretPlaceholder = regexp.MustCompile(`^(?:[<{\[$%*.…].*|[xXхХ*.]+|(?i:secret|secretkey|секрет|ключ|your\w*|key))$`)

// longToken is what may be a key although nothing says so.
var longToken = regexp.MustCompile(`[0-9A-Za-z_-]{24,}`)

// withoutSecrets covers the secrets of a text with stars, before anything else is read of it.
func (r *reader) withoutSecrets(text string) string {
	for _, pattern := range secrets {
		for {
			found := firstSecret(pattern, text)
			if found == nil {
				break
			}
			if !r.spec.Secret {
				r.note(lineOf(text, found[0]), "a secret stands here: it goes into no file and is shown nowhere")
			}
			r.spec.Secret = true
			text = strings.ReplaceAll(text, text[found[0]:found[1]], show.Hidden)
		}
	}
	return longToken.ReplaceAllStringFunc(text, func(token string) string {
		digits := strings.Count(strings.Map(toDigit, token), "0")
		if digits >= 4 && digits < len(token) {
			return show.Hidden
		}
		return token
	})
}

func toDigit(c rune) rune {
	if unicode.IsDigit(c) {
		return '0'
	}
	return 'a'
}

func firstSecret(pattern *regexp.Regexp, text string) []int {
	for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
		if value := text[m[2]:m[3]]; len(value) >= 6 && !secretPlaceholder.MatchString(value) {
			return m[2:4]
		}
	}
	return nil
}

// longestSaid is how much is kept of what is said of a field.
const longestSaid = 120

// said is a remark as it may be shown: on one line, without what may be about a person.
func said(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return show.Cell(show.Mask(show.Printable(text)), longestSaid)
}
