package spelling

import (
	"strings"
	"unicode"
)

// The Russian letters that look like a Latin one, and those Latin ones, in the same order.
const (
	russianAlike = "АВЕКМНОРСТУХаеорсух"
	latinAlike   = "ABEKMHOPCTYXaeopcyx"
)

var toLatin, toRussian = alphabets()

func alphabets() (toLatin, toRussian map[rune]rune) {
	toLatin, toRussian = map[rune]rune{}, map[rune]rune{}
	latin := []rune(latinAlike)
	for i, r := range []rune(russianAlike) {
		toLatin[r], toRussian[latin[i]] = latin[i], r
	}
	return toLatin, toRussian
}

// Latin writes Latin letters for the Russian ones that look the same, so that texts which a person
// cannot tell apart become equal.
func Latin(text string) string {
	if ascii(text) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if l, ok := toLatin[r]; ok {
			return l
		}
		return r
	}, text)
}

// Foreign lists the letters of a name that are of another alphabet than its others and look as if they
// were not: "с" in "сallerphone". A name that is of two alphabets for all to see has none.
func Foreign(name string) (letters string, russian bool) {
	for word := range strings.FieldsFuncSeq(name, betweenWords) {
		if letters, russian = foreignIn(word); letters != "" {
			return letters, russian
		}
	}
	return "", false
}

func betweenWords(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }

func foreignIn(word string) (letters string, russian bool) {
	var latin, cyrillic []rune
	for _, r := range word {
		switch {
		case unicode.Is(unicode.Cyrillic, r):
			cyrillic = append(cyrillic, r)
		case unicode.Is(unicode.Latin, r):
			latin = append(latin, r)
		}
	}
	switch {
	case len(latin) == 0 || len(cyrillic) == 0:
		return "", false
	case allIn(cyrillic, toLatin):
		return listed(cyrillic), true
	case allIn(latin, toRussian):
		return listed(latin), false
	}
	return "", false
}

func allIn(letters []rune, alike map[rune]rune) bool {
	for _, r := range letters {
		if _, ok := alike[r]; !ok {
			return false
		}
	}
	return true
}

// Differing lists the letters of a name that make it another one than the name that looks the same;
// "" where the two do not look the same.
func Differing(name, like string) (letters string, russian bool) {
	a, b := []rune(name), []rune(like)
	if len(a) != len(b) || name == like || Latin(name) != Latin(like) {
		return "", false
	}
	var wrong []rune
	for i, r := range a {
		if r != b[i] {
			wrong = append(wrong, r)
			russian = unicode.Is(unicode.Cyrillic, r)
		}
	}
	return listed(wrong), russian
}

// listed are letters with commas between them, each once.
func listed(letters []rune) string {
	var out []string
	seen := map[rune]bool{}
	for _, r := range letters {
		if !seen[r] {
			seen[r] = true
			out = append(out, string(r))
		}
	}
	return strings.Join(out, ", ")
}
