package calltouch

import (
	"iter"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// readHook reads a webhook: the parameters of its URL, then those of its body, which win.
func (r *reader) readHook(e event.Event) error {
	body, err := unwrap(e)
	if err != nil {
		return err
	}
	charset := spelling.Charset(e.ContentType)
	r.readForm(e.Query, charset)
	r.readForm(body.form, charset)
	for name, value := range body.object {
		if f := r.view.hookField(name); f != nil {
			r.setJSON(f, joined(value))
		}
	}
	return nil
}

// joined writes a list of texts as hooks write lists of tags: with commas.
func joined(value any) any {
	l, ok := value.([]any)
	if !ok {
		return value
	}
	texts := make([]string, len(l))
	for i, element := range l {
		if texts[i], ok = element.(string); !ok {
			return value
		}
	}
	return strings.Join(texts, ",")
}

func (r *reader) readForm(encoded, charset string) {
	for name, value := range parameters(encoded) {
		if f := r.view.hookField(name); f != nil {
			text, doubtful := spelling.Decode(unescape(value), charset)
			r.doubts.Charset = r.doubts.Charset || doubtful
			r.set(f, text)
		}
	}
}

// hookField returns the field that a parameter of this name sets; nil when none.
func hookField(name string) *Field {
	f := byName[name]
	if f == nil || f.Derived && name != "email" && name != "comment" {
		return nil
	}
	return f
}

// parameters iterates over the names and values of url-encoded text. Names are decoded, values
// still encoded: who needs few of them pays for few. Nothing is an error, because nobody could
// be told: a broken escape stays as it is, blanks around a name are none of it, and "&amp;" parts parameters as "&" does, since in a value both would be escaped.
func parameters(encoded string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for encoded != "" {
			var pair string
			pair, encoded = cut(encoded, '&')
			if pair == "" {
				continue
			}
			name, value := cut(pair, '=')
			if !yield(strings.TrimSpace(unescape(strings.TrimPrefix(name, "amp;"))), value) {
				return
			}
		}
	}
}

// cut is strings.Cut by one byte, in half of its time.
func cut(s string, sign byte) (before, after string) {
	if i := strings.IndexByte(s, sign); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, ""
}

// unescape undoes percent-encoding, and JavaScript's escape() with its %u041F.
func unescape(s string) string {
	first := 0
	for first < len(s) && s[first] != '%' && s[first] != '+' {
		first++
	}
	if first == len(s) {
		return s
	}
	out := make([]byte, first, len(s))
	copy(out, s)
	for i := first; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			out = append(out, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		case c == '%' && unit(s[i:]) >= 0:
			r := unit(s[i:])
			if low := unit(s[min(i+6, len(s)):]); utf16.IsSurrogate(r) && low >= 0 {
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
			i += 5
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// unit reads the UTF-16 unit of "%u041F" at the beginning of s; -1 when there is none.
func unit(s string) rune {
	if len(s) < 6 || s[0] != '%' || s[1] != 'u' {
		return -1
	}
	var r rune
	for _, c := range []byte(s[2:6]) {
		if !isHex(c) {
			return -1
		}
		r = r<<4 | rune(unhex(c))
	}
	return r
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c <= 'F':
		return c - 'A' + 10
	}
	return c - 'a' + 10
}
