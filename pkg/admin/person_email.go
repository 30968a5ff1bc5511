package admin

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/spelling"
)

// plainAddress writes an e-mail address as it is looked for: its last reading, in lower case, so that
// a domain in punycode is the same domain.
func plainAddress(email string) string {
	readings, _ := spelling.Readings(strings.ToLower(strings.TrimSpace(email)))
	if email = readings[len(readings)-1]; strings.Count(email, "@") != 1 {
		return strings.ToLower(strings.TrimSpace(readings[0]))
	}
	return email
}

var (
	// looseAt is an @ with blanks around it.
	looseAt = regexp.MustCompile(`\s*@\s*`)
	// spokenAt and spokenDot are how people hide an address from machines.
	spokenAt  = regexp.MustCompile(`\s*(?:[(\[{]\s*(?:at|собака|эт|dog)\s*[)\]}]|\s(?:at|собака|dog)\s)\s*`)
	spokenDot = regexp.MustCompile(`\s*(?:[(\[{]\s*(?:dot|точка)\s*[)\]}]|\s(?:dot|точка)\s)\s*`)
	// tagged is what many services pass over: anna+shop@example.ru.
	tagged = regexp.MustCompile(`\+[^@\s+]*@`)
	// alike are letters that nobody can tell from Latin ones.
	alike = strings.NewReplacer("а", "a", "е", "e", "о", "o", "р", "p", "с", "c", "у", "y", "х", "x", "к", "k", "м", "m", "т", "t", "в", "b", "н", "h", "і", "i", "ѕ", "s", "ј", "j")
)

// emailIn says whether the address stands in text, and not only the end or the beginning of another
// one.
func (p Person) emailIn(text string) Trace {
	local, _, _ := strings.Cut(p.email, "@")
	text = strings.ToLower(text)
	if strings.Contains(text, local) {
		if p.holdsEmail(text) || p.holdsEmail(looseAt.ReplaceAllString(text, "@")) {
			return Certain
		}
		spoken := spokenDot.ReplaceAllString(spokenAt.ReplaceAllString(text, "@"), ".")
		if p.holdsEmail(spoken) || p.mistyped(text) || !strings.Contains(p.email, "+") && p.holdsEmail(tagged.ReplaceAllString(spoken, "@")) {
			return Doubtful
		}
	}
	if !strings.Contains(text, "@") {
		return NoTrace
	}
	if ascii(p.email) && !ascii(text) && p.holdsEmail(alike.Replace(text)) {
		return Doubtful
	}
	return NoTrace
}

// looseEmail matches an address whose @ and dots stand there as people mistype or disguise them:
// anna@@example.ru, anna@example,ru, anna(a)example. ru, "anna"@[example.ru].
func looseEmail(email string) *regexp.Regexp {
	const (
		at  = `["'\\\s]*(?:@+|\x{1f436}|[(\[{]\s*(?:at|a|а|собака|эт|dog)\s*[)\]}]|[\s_]+(?:at|собака|dog)[\s_]+)[\[\s]*`
		dot = `\s*(?:[.,\x{3002}]+|[(\[{]\s*(?:dot|точка)\s*[)\]}]|\s(?:dot|точка)\s)\s*`
	)
	local, domain, _ := strings.Cut(email, "@")
	labels := strings.Split(domain, ".")
	for i, label := range labels {
		labels[i] = regexp.QuoteMeta(label)
	}
	return regexp.MustCompile(regexp.QuoteMeta(local) + at + strings.Join(labels, dot))
}

// mistyped reports whether the address stands in a text in lower case as looseEmail finds it.
func (p Person) mistyped(text string) bool {
	for _, found := range p.loose.FindAllStringIndex(text, -1) {
		if !p.goesOnBefore(text[:found[0]]) && !p.goesOnBehind(text[found[1]:]) {
			return true
		}
	}
	return false
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// holdsEmail reports whether the address stands in a text that is in lower case.
func (p Person) holdsEmail(text string) bool {
	for {
		before, after, found := strings.Cut(text, p.email)
		if !found {
			return false
		}
		if !p.goesOnBefore(before) && !p.goesOnBehind(after) {
			return true
		}
		text = after
	}
}

// goesOnBefore reports whether an address that ends with ours begins further in front. Signs alone do
// not begin one: -anna@clinic.ru, _anna@clinic.ru_.
func (p Person) goesOnBefore(before string) bool {
	first, _ := utf8.DecodeRuneInString(p.email)
	for before != "" {
		r, size := utf8.DecodeLastRuneInString(before)
		if like(r, first) {
			return true
		}
		if !strings.ContainsRune("._%+-", r) {
			return false
		}
		before = before[:len(before)-size]
	}
	return false
}

// goesOnBehind reports whether the domain goes on. Behind an address may stand the dot of a sentence,
// or a dash.
func (p Person) goesOnBehind(after string) bool {
	last, _ := utf8.DecodeLastRuneInString(p.email)
	rest := strings.TrimLeft(after, "-")
	if rest == after {
		rest = strings.TrimPrefix(after, ".")
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return rest != "" && like(r, last)
}

// like reports whether r can be part of the same word as a letter of an address: both are of ASCII, or
// neither.
func like(r, letter rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && (r < utf8.RuneSelf || letter >= utf8.RuneSelf)
}
