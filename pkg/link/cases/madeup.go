package cases

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/email"
	"github.com/touchbox/touchbox/pkg/phone"
)

// MadeUp makes values in the place of those that say who somebody is: the same for the same one, for as long as the
// key is the same. Nobody without the key can find the original by trying all numbers, and no list of originals is kept.
type MadeUp struct {
	Key       []byte // secret; any length
	TenDigits string // country code put before phones of ten digits, as the site has it
}

// KeySize is how many random bytes a key has.
const KeySize = 32

// dice are endless numbers that depend on the key and a value alone.
type dice struct {
	key, value []byte
	block      uint32
	left       []byte
}

// dice throws for a value of a kind; each attempt throws otherwise.
func (m MadeUp) dice(kind, value string, attempt int) *dice {
	return &dice{key: m.Key, value: fmt.Appendf(nil, "%s\x00%d\x00%s", kind, attempt, value)}
}

// below is a number from 0 to n-1; n is small.
func (d *dice) below(n int) int {
	if len(d.left) < 4 {
		h := hmac.New(sha256.New, d.key)
		h.Write(binary.BigEndian.AppendUint32(nil, d.block))
		h.Write(d.value)
		d.left = h.Sum(nil)
		d.block++
	}
	x := binary.BigEndian.Uint32(d.left)
	d.left = d.left[4:]
	return int(x % uint32(n))
}

// attempts is how often something else is made in the place of what is not fit.
const attempts = 32

// other makes values until one is fit and not the original.
func other(original string, make func(attempt int) string, fit func(string) bool) string {
	made := ""
	for i := range attempts {
		if made = make(i); !strings.EqualFold(made, original) && (fit == nil || fit(made)) {
			return made
		}
	}
	return made
}

// nobody begins the made-up Russian numbers: no code of Russia's begins with 1, so that nobody is called by them.
const nobody = "7100"

// Phone is another number, spelt as the one that came. A number is the same however it is spelt; what is none keeps its form.
func (m MadeUp) Phone(raw string) string {
	options := phone.Options{TenDigits: m.TenDigits}
	number := phone.Normalize(raw, options)
	if number == "" {
		return m.Text(raw)
	}
	made := other(number, func(i int) string { return m.number(number, i) }, func(n string) bool { return phone.Normalize("+"+n, options) == n })
	if spelt := respelt(raw, made); phone.Normalize(spelt, options) == made {
		return spelt
	}
	return "+" + made
}

// number is another number of the same country, as long.
func (m MadeUp) number(number string, attempt int) string {
	d := m.dice("phone", number, attempt)
	made := []byte(number)
	from := max(1, len(made)-7)
	if len(number) == 11 && number[0] == '7' {
		from = copy(made, nobody)
	}
	for i := from; i < len(made); i++ {
		made[i] = byte('0' + d.below(10))
	}
	return string(made)
}

// respelt writes other digits into a spelling, from the last one on; what stands before them stays.
func respelt(raw, digits string) string {
	out := []rune(raw)
	rest := digits
	for i, r := range slices.Backward(out) {
		if r < '0' || r > '9' {
			continue
		}
		if len(rest) == 0 || len(rest) == 1 && r == '8' { // the 8 of calls within Russia
			break
		}
		out[i] = rune(rest[len(rest)-1])
		rest = rest[:len(rest)-1]
	}
	return string(out)
}

// madeUpDomain is that of made-up addresses; nobody can own it (RFC 2606).
const madeUpDomain = "made-up.example"

// Email is another address.
func (m MadeUp) Email(address string) string {
	return m.word("email", strings.ToLower(address), 10) + "@" + madeUpDomain
}

// URL is another address of a page, with nothing of the original.
func (m MadeUp) URL(address string) string {
	return "https://" + madeUpDomain + "/" + m.word("url", address, 10)
}

// word is so many letters and digits.
func (m MadeUp) word(kind, value string, length int) string {
	const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
	d := m.dice(kind, value, 0)
	out := []byte{alphabet[d.below(24)]}
	for len(out) < length {
		out = append(out, alphabet[d.below(len(alphabet))])
	}
	return string(out)
}

// IP is another address, of those that are kept for documentation (RFC 5737, RFC 3849).
func (m MadeUp) IP(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return m.Text(address)
	}
	return other(address, func(i int) string {
		d := m.dice("ip", ip.String(), i)
		if ip.Unmap().Is6() {
			return fmt.Sprintf("2001:db8::%x:%x", 1+d.below(0xfffe), 1+d.below(0xfffe))
		}
		return fmt.Sprintf("%s.%d", []string{"192.0.2", "198.51.100", "203.0.113"}[d.below(3)], 1+d.below(254))
	}, nil)
}

// ID is another id of the same form: as many digits and letters in the same places.
func (m MadeUp) ID(id string) string {
	return other(id, func(i int) string { return m.shaped("id", id, i) }, nil)
}

// inText finds what in a text may say who somebody is and has a form: addresses of pages, e-mail addresses, numbers.
var inText = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://\S+|[^\s"'<>(),;:=&?/\\]+@[^\s"'<>(),;:=&?/\\]+|\+?\d[\d() .-]{5,}\d`)

// Text is another text of the same form: each word another one, as long, of the same letters' kind; addresses and numbers in it
// are those that stand for them elsewhere.
func (m MadeUp) Text(text string) string {
	var b strings.Builder
	done := 0
	for _, at := range inText.FindAllStringIndex(text, -1) {
		b.WriteString(m.words(text[done:at[0]]))
		b.WriteString(m.found(text[at[0]:at[1]]))
		done = at[1]
	}
	b.WriteString(m.words(text[done:]))
	return b.String()
}

// found is what stands for a piece of a text that has a form.
func (m MadeUp) found(piece string) string {
	switch {
	case strings.Contains(piece, "://"):
		return m.URL(piece)
	case email.Normalize(piece) != "":
		return m.Email(email.Normalize(piece))
	case phone.Normalize(piece, phone.Options{TenDigits: m.TenDigits}) != "":
		return m.Phone(piece)
	}
	return m.words(piece)
}

var aWord = regexp.MustCompile(`[\pL\pM]+|\p{N}+`)

// words puts another word in the place of each; an ending of a patronymic stays, because names are told apart by it.
func (m MadeUp) words(text string) string {
	return aWord.ReplaceAllStringFunc(text, func(word string) string {
		stem, ending := word, ""
		if at := patronymic.FindStringIndex(word); at != nil {
			stem, ending = word[:at[0]], word[at[0]:]
		}
		lower := strings.ToLower(stem)
		made := other(lower, func(i int) string { return m.shaped("word", lower, i) }, nil)
		return cased(made, stem) + ending
	})
}

var patronymic = regexp.MustCompile(`(?i)(ович|евич|ьич|овна|евна|инична|ична)$`)

// cased gives a word the capitals of another one that is as long.
func cased(word, as string) string {
	out, model := []rune(word), []rune(as)
	for i := range out {
		if i < len(model) && unicode.IsUpper(model[i]) {
			out[i] = unicode.ToUpper(out[i])
		}
	}
	return string(out)
}

// shapes are the kinds of letters of which each is replaced by another of its kind.
var shapes = []string{
	"0123456789", "аеиоуыэюя", "бвгджзклмнпрстфхцчш", "aeiou", "bcdfghjklmnpqrstvwxyz",
	"АЕИОУЫЭЮЯ", "БВГДЖЗКЛМНПРСТФХЦЧШ", "AEIOU", "BCDFGHJKLMNPQRSTVWXYZ",
}

var hexadecimal = regexp.MustCompile(`^[{]?[0-9a-fA-F]+(-[0-9a-fA-F]+)*[}]?$`)

// shaped replaces each digit and letter by another of its kind; a first digit stays one that can begin a number.
func (m MadeUp) shaped(kind, text string, attempt int) string {
	d := m.dice(kind, text, attempt)
	hex := hexadecimal.MatchString(text) && strings.ContainsAny(text, "abcdefABCDEF") && strings.ContainsAny(text, "0123456789")
	first := true
	return strings.Map(func(r rune) rune {
		begins := first
		first = false
		switch {
		case hex && unicode.IsLower(r):
			return rune("abcdef"[d.below(6)])
		case hex && unicode.IsUpper(r):
			return rune("ABCDEF"[d.below(6)])
		case begins && '1' <= r && r <= '9':
			return rune('1' + d.below(9))
		}
		for _, shape := range shapes {
			if letters := []rune(shape); slices.Contains(letters, r) {
				return letters[d.below(len(letters))]
			}
		}
		if unicode.IsLetter(r) {
			return 'x'
		}
		return r
	}, text)
}

// JSON is another value of the same form, where a text is JSON: names stay, what stands under them is made up. ok is false
// where it is none.
func (m MadeUp) JSON(text string) (made string, ok bool) {
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return "", false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return "", false
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(m.value(v)) != nil {
		return "", false
	}
	return strings.TrimSpace(b.String()), true
}

func (m MadeUp) value(v any) any {
	switch v := v.(type) {
	case string:
		return m.Text(v)
	case json.Number:
		if made := m.ID(v.String()); json.Valid([]byte(made)) {
			return json.Number(made)
		}
		return json.Number("0")
	case []any:
		for i := range v {
			v[i] = m.value(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = m.value(v[name])
		}
	}
	return v
}
