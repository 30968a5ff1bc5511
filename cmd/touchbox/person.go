package main

import (
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
)

// person is looked for by a number, an address, or both: one of the two is enough.
type person struct {
	phone string // as phone.Normalize writes it; empty: none
	email string // in lower case; empty: none

	tail  uint64   // the last digits of phone
	codes []string // of the countries that a number of ten digits may belong to
}

// tailDigits is how many digits at its end a number has in a row, however it is written: signs
// between them do not count, an extension or a second number stands behind.
const tailDigits, tailModulus = 7, 10_000_000

// newPerson looks for a person at the sites with these codes before numbers of ten digits. A number
// of ten digits is Russian in any case: a hook may have come before the setting was made.
func newPerson(number, email string, codes []string) person {
	p := person{phone: number, email: strings.ToLower(strings.TrimSpace(email)), codes: append([]string{"7"}, codes...)}
	for _, c := range []byte(number) {
		p.tail = (p.tail*10 + uint64(c-'0')) % tailModulus
	}
	return p
}

// in reports whether an event says anything about the person, in any field.
func (p person) in(e event.Event) bool {
	for text := range calltouch.Texts(e) {
		if p.phone != "" && p.mayHold(text) && p.holdsPhone(text) || p.email != "" && p.holdsEmail(text) {
			return true
		}
	}
	return false
}

// mayHold reports whether the last digits of the number stand in text. It is quick, and few texts
// pass it.
func (p person) mayHold(text string) bool {
	var tail uint64
	n := 0
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			continue
		}
		tail = (tail*10 + uint64(c-'0')) % tailModulus
		if n++; n >= tailDigits && tail == p.tail {
			return true
		}
	}
	return false
}

// holdsPhone reports whether text is the number or holds it, in any spelling.
func (p person) holdsPhone(text string) bool {
	if p.is(text) {
		return true
	}
	for len(text) > 0 {
		begin := strings.IndexFunc(text, partOfNumber)
		if begin < 0 {
			return false
		}
		text = text[begin:]
		end := strings.IndexFunc(text, func(r rune) bool { return !partOfNumber(r) })
		if end < 0 {
			end = len(text)
		}
		if p.holdsRun(text[:end]) {
			return true
		}
		text = text[end:]
	}
	return false
}

// longest is how many digits a number has at most, with what may stand before its country's code.
const longest = 18

// holdsRun looks at every way to take whole groups of digits out of a run of digits and signs: other
// numbers, and years and prices, may stand beside the number.
func (p person) holdsRun(run string) bool {
	groups := digitGroups(run)
	for i := range groups {
		digits := 0
		for j := i; j < len(groups) && digits <= longest; j++ {
			digits += groups[j].end - groups[j].begin
			if digits >= tailDigits && p.is(run[groups[i].sign:groups[j].end]) && !foreign(run, groups[:i], groups[j].end) {
				return true
			}
		}
	}
	return false
}

// foreign reports whether what ends there is the end of a number that begins further in front, with
// the code of another country.
func foreign(run string, before []group, end int) bool {
	for _, g := range before {
		if run[g.sign] == '+' && phone.Normalize(run[g.sign:end], phone.Options{}) != "" {
			return true
		}
	}
	return false
}

// group is where digits stand in a row, and the plus or bracket before them.
type group struct{ sign, begin, end int }

func digitGroups(run string) []group {
	var groups []group
	for i := 0; i < len(run); i++ {
		if !isDigit(run[i]) {
			continue
		}
		g := group{sign: i, begin: i}
		for g.sign > 0 && (run[g.sign-1] == '+' || run[g.sign-1] == '(') {
			g.sign--
		}
		for i < len(run) && isDigit(run[i]) {
			i++
		}
		g.end = i
		groups = append(groups, g)
	}
	return groups
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// partOfNumber reports whether a number may have r in it, see phone.Normalize.
func partOfNumber(r rune) bool {
	return r >= '0' && r <= '9' || strings.ContainsRune("+-().", r) || unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf)
}

// is reports whether text is the number.
func (p person) is(text string) bool {
	for _, code := range p.codes {
		if phone.Normalize(text, phone.Options{TenDigits: code}) == p.phone {
			return true
		}
	}
	return false
}

// holdsEmail reports whether the address stands in text, and not only the end or the beginning of
// another one.
func (p person) holdsEmail(text string) bool {
	if !strings.Contains(text, "@") {
		return false
	}
	text = strings.ToLower(text)
	for {
		before, after, found := strings.Cut(text, p.email)
		if !found {
			return false
		}
		if !endsInAddress(before) && !beginsInAddress(after) {
			return true
		}
		text = after
	}
}

func endsInAddress(s string) bool {
	return s != "" && (isLetterOrDigit(s[len(s)-1]) || strings.ContainsRune("._%+-", rune(s[len(s)-1])))
}

// beginsInAddress: behind an address may stand the dot of a sentence.
func beginsInAddress(s string) bool {
	dotted := strings.TrimPrefix(s, ".")
	return s != "" && (s[0] == '-' || dotted != "" && isLetterOrDigit(dotted[0]))
}

func isLetterOrDigit(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'z' || c >= 0x80 }
