// Package email turns e-mail addresses as people paste them into ones that Mindbox takes. It knows nothing of events.
package email

import (
	"html"
	"net/url"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/spelling"
)

const (
	// maxRaw bounds the work on what strangers send, in bytes: a comment with an address in it may be long.
	maxRaw = 4096
	// Bounds of an address and of its parts in bytes (RFC 5321, 4.5.3.1; RFC 1035, 2.3.4).
	maxAddress, maxLocal, maxLabel = 254, 64, 63
)

// Normalize returns the first address in raw, as it is spelt but without what was pasted around it: invisible signs, blanks, quotes,
// brackets, a name before it, "mailto:" and what follows a "?". It returns "" when raw holds no address to which a letter
// could go: a messenger's @nick, an address without a domain, with letters of two alphabets, or with none of a mailbox.
//
// Mindbox answers Success to a customer whose only identifier is a malformed address and saves nothing, so what is doubtful is "".
func Normalize(raw string) string {
	if len(raw) > maxRaw || !strings.ContainsAny(raw, "@＠%") {
		return ""
	}
	for _, word := range words(spelling.Fold(html.UnescapeString(raw))) {
		if address := unwrapped(word); valid(address) {
			return address
		}
	}
	return ""
}

var beside = strings.NewReplacer(" @ ", "@", " @", "@", "@ ", "@")

// words takes a text apart where an address can begin or end.
func words(s string) []string {
	s = strings.Join(strings.Fields(s), " ")
	if !isNick(s) {
		s = beside.Replace(s)
	}
	return strings.FieldsFunc(s, func(r rune) bool {
		return r == ' ' || strings.ContainsRune(`,;|<>()[]"«»“”„‘`, r)
	})
}

// isNick reports whether an @ begins a word that is no domain: joined to the word before it, a messenger's name would become an address.
func isNick(s string) bool {
	for word := range strings.FieldsSeq(s) {
		if name, ok := strings.CutPrefix(word, "@"); ok && name != "" && !strings.Contains(name, ".") {
			return true
		}
	}
	return false
}

// unwrapped takes off what stands around an address without a blank between.
func unwrapped(word string) string {
	if strings.Contains(word, "%") {
		if plain, err := url.PathUnescape(word); err == nil && strings.Contains(plain, "@") {
			word = spelling.Fold(plain)
		}
	}
	if i := strings.LastIndex(word, ":"); i >= 0 && i < strings.Index(word, "@") {
		word = word[i+1:] // mailto:, e-mail:, почта:
	}
	if at := strings.LastIndex(word, "@"); at >= 0 {
		if i := strings.IndexAny(word[at:], "?/\\:!*…—–"); i >= 0 {
			word = word[:at+i] // ?subject=, a path, the end of a sentence
		}
	}
	return strings.Trim(word, ".'`’*_…—–-")
}

func valid(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	return ok && len(address) <= maxAddress && validLocal(local) && validDomain(domain)
}

// validLocal takes the dot-atoms of RFC 5322 but for slash and back-quote, which mean that a page's address was pasted.
func validLocal(s string) bool {
	if s == "" || len(s) > maxLocal || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, c := range []byte(s) {
		if !isAlphanumeric(rune(c)) && !strings.ContainsRune("!#$%&'*+-=?^_{|}~.", rune(c)) {
			return false
		}
	}
	return true
}

// validDomain takes at least two labels of letters, digits and hyphens, in the spelling of one alphabet each, and a last one of
// letters.
func validDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return false
		}
	}
	last := labels[len(labels)-1]
	isName := strings.HasPrefix(strings.ToLower(last), "xn--") || !strings.ContainsFunc(last, func(r rune) bool { return !unicode.IsLetter(r) })
	return len(labels) > 1 && isName && len([]rune(last)) > 1
}

func validLabel(s string) bool {
	if s == "" || len(s) > maxLabel || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	latin, other := false, false
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.IsLetter(r):
			other = true
		case r != '-' && !('0' <= r && r <= '9'):
			return false
		}
	}
	return !latin || !other
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
