package show

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/spelling"
)

// advertised are the parameters of a page's address that say by which advertisement somebody came.
// Their values are shown; all others may be what a form or a mailing put there.
var advertised = regexp.MustCompile(`(?i)^(?:utm_[a-z_]+|[a-z]{0,3}clid|[gw]braid|_?openstat|etext|roistat[a-z_]*|calltouch_tm|_ga|_gl|gad_source|` +
	`block|position|position_type|device_type|match_?type|region|region_id|source_type|campaign_?id|ad_?id|banner_?id|group_?id|page|sort|lang)$`)

// named are the parameters that are about a person wherever they stand, also outside of an address.
var named = regexp.MustCompile(`(?i)name|fio|phone|tel|mail|contact|client|user|login|passw|addr|имя|фамил|фио|отчеств|тел|почт|адрес|контакт`)

// maskParameters hides the values of the parameters in the addresses that a text is or holds.
func maskParameters(text string) string {
	if !strings.Contains(text, "=") {
		return text
	}
	var b strings.Builder
	address := isAddress(text)
	for {
		equals := strings.IndexByte(text, '=')
		if equals < 0 {
			b.WriteString(text)
			return b.String()
		}
		name, mark := parameterName(text[:equals])
		b.WriteString(text[:equals+1])
		text = text[equals+1:]
		if name == "" || advertised.MatchString(name) || !strings.ContainsRune("?&#;/", mark) && !named.MatchString(name) {
			continue
		}
		n := lengthOfValue(text, address)
		b.WriteString(maskParameter(text[:n]))
		text = text[n:]
	}
}

// isAddress reports whether a text is an address as a whole, so that blanks are part of it.
func isAddress(text string) bool {
	text = strings.TrimSpace(text)
	scheme, _, found := strings.Cut(text, "://")
	return found && !strings.ContainsFunc(scheme, func(r rune) bool { return !unicode.IsLetter(r) }) ||
		strings.HasPrefix(text, "/") || strings.HasPrefix(text, "?") || strings.HasPrefix(text, "www.")
}

// parameterName is the name that ends there and the sign before it, a blank for none.
func parameterName(before string) (name string, mark rune) {
	const longest = 64 // bytes
	begin := strings.LastIndexAny(before, "?&#;/=\"'<>(){}[], \t\r\n\\") + 1
	if name = before[begin:]; len(name) > longest {
		return "", ' '
	}
	if begin == 0 {
		return name, ' '
	}
	return name, rune(before[begin-1])
}

// lengthOfValue is where a parameter's value ends. A blank ends it where the address stands in a
// sentence and no other parameter follows.
func lengthOfValue(text string, address bool) int {
	end := strings.IndexAny(text, "&#\"<>\r\n\\")
	if end < 0 {
		end = len(text)
	}
	if blank := strings.IndexFunc(text[:end], unicode.IsSpace); blank >= 0 && !address && !goesOn(text[end:]) {
		return blank
	}
	return end
}

// goesOn reports whether the next parameter begins there.
func goesOn(rest string) bool {
	next, _, found := strings.Cut(strings.TrimLeft(rest, "&#"), "=")
	return rest != "" && (rest[0] == '&' || rest[0] == '#') && found && !strings.ContainsFunc(next, unicode.IsSpace)
}

// maskParameter hides a value in which there are letters; digits and signs are looked at with the
// rest of the text.
func maskParameter(value string) string {
	readings, _ := spelling.Readings(value)
	for _, reading := range readings {
		if email.MatchString(reading) {
			return hiddenEmail
		}
	}
	for _, reading := range readings {
		if strings.ContainsFunc(reading, unicode.IsLetter) {
			return Hidden
		}
	}
	return value
}
