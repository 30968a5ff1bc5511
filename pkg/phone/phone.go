// Package phone turns phone numbers as people and telephone exchanges write them into the digits
// that Mindbox takes. It knows nothing of events.
package phone

import (
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"
)

// Options are the choices of a site. The zero value is the safe one.
type Options struct {
	// TenDigits is the country code put before a number of ten digits ("7" makes 9161234567
	// Russian). Empty means that ten digits are no number: nobody can know their country.
	TenDigits string
}

const (
	// maxRaw bounds the work on what strangers send; no number, however decorated, is longer.
	maxRaw = 64
	// Digits of the shortest (Niue) and of the longest (E.164) number with its country's code.
	minDigits, maxDigits = 7, 15
)

// Normalize returns the digits of raw with their country code, "79161234567", or "" when raw is
// no number that can be called back: hidden, short, internal, malformed.
//
// Eleven digits that begin with 7 or 8 are Russian (or Kazakh: they share the 7), as Calltouch
// and people at home write them. Otherwise the number begins with its country's code, with a
// plus, with 00 or 8 10 instead of the plus, or bare: 375291234567 is Belarus. A bare one must
// be a number that exists in its country's plan; behind a plus the right length is enough.
// Normalize is for what came, not for its own results: those of ten digits have lost their plus.
func Normalize(raw string, o Options) string {
	if isRussian(raw) {
		return russian(raw)
	}
	if len(raw) > maxRaw {
		return ""
	}
	digits, plus, ok := split(raw)
	switch {
	case !ok:
		return ""
	case plus:
		return international(digits, possible)
	case isRussian(digits):
		return russian(digits)
	case len(digits) == 10 && o.TenDigits != "" && digits[0] != '0':
		return o.TenDigits + digits
	case len(digits) > 13 && strings.HasPrefix(digits, "810"): // the way out of the Russian network
		return international(digits[3:], possible)
	case len(digits) > 11 && strings.HasPrefix(digits, "00"):
		return international(digits[2:], possible)
	case len(digits) > 10:
		return international(digits, existing)
	}
	return ""
}

// isRussian reports whether s is eleven bare digits from 7 or 8.
func isRussian(s string) bool {
	if len(s) != 11 || s[0] != '7' && s[0] != '8' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// russian turns the 8 of long distance calls into the country's 7. Ten zeros stand for a hidden
// number.
func russian(digits string) string {
	switch {
	case digits[1:] == "0000000000":
		return ""
	case digits[0] == '7':
		return digits
	}
	return "7" + digits[1:]
}

// split takes raw apart into its digits and whether a plus stood before them. It is not ok when
// raw is no number: a word, a SIP address.
func split(raw string) (digits string, plus, ok bool) {
	raw = strings.TrimPrefix(strings.TrimSpace(raw), "tel:")
	var b strings.Builder
	before := ' '
	for _, r := range raw {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && b.Len() == 0 && !plus:
			plus = true
		case endsNumber(r) || unicode.IsLetter(r) && !unicode.IsDigit(before):
			// An extension may follow a whole number: "+7 916 123-45-67 доб. 5".
			return b.String(), plus, b.Len() >= 10
		case !decoration(r):
			return "", false, false
		}
		before = r
	}
	return b.String(), plus, b.Len() > 0
}

// endsNumber reports whether what follows is an extension or a second number.
func endsNumber(r rune) bool { return strings.ContainsRune(",;#/", r) }

// decoration reports whether r only makes a number easier to read. Invisible marks of text
// direction come with numbers copied from a contact card.
func decoration(r rune) bool {
	return strings.ContainsRune("-().", r) || unicode.IsSpace(r) || unicode.In(r, unicode.Pd, unicode.Cf)
}

// check says which numbers of a country are taken.
type check int

const (
	existing check = iota // those of its plan
	possible              // all of a possible length: a country's plan grows faster than anybody's copy of it
)

// international reads digits that begin with a country's code.
func international(digits string, which check) string {
	if len(digits) < minDigits || len(digits) > maxDigits {
		return ""
	}
	if len(digits) == 11 && digits[0] == '7' {
		return russian(digits)
	}
	n, err := phonenumbers.Parse("+"+digits, "")
	switch {
	case err == nil && phonenumbers.IsValidNumber(n):
	case which == possible && isRussian(digits): // +8 916 123-45-67
		return russian(digits)
	case err != nil || which != possible || !phonenumbers.IsPossibleNumber(n):
		return ""
	}
	return strings.TrimPrefix(phonenumbers.Format(n, phonenumbers.E164), "+")
}
