package calltouch

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/email"
)

// isNothing reports whether a value stands for the absence of one. Calltouch has many spellings
// of it, all seen in real hooks and records; "(direct)" is none, it is a source.
func isNothing(s string) bool {
	s = strings.TrimSpace(s)
	if s == "" {
		return true
	}
	switch s[0] {
	case 'n', 'u':
		return s == "null" || s == "undefined"
	case '<':
		return s == "<не указано>" || s == "<не заполнено>"
	case '(':
		return s == "(not set)" || s == "(not provided)"
	case '[':
		return s == "[]"
	case '{':
		return s == "{}" || isPlaceholder(s)
	}
	return false
}

// isPlaceholder reports whether s is {name}: a hook's template that Calltouch did not fill, as in
// its test.
func isPlaceholder(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) < 3 || s[0] != '{' || s[len(s)-1] != '}' {
		return false
	}
	for _, c := range []byte(s[1 : len(s)-1]) {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// printable takes control characters out, those of C1 too, but for line breaks and tabs, what is no
// UTF-8 and what once was none, U+FFFD: what is left may stand in any JSON.
func printable(s string) string {
	if isPrintable(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r >= 0x7f && r < 0xa0 || r == '\ufeff' || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f || s[i] == 0xef || s[i] == 0xc2 { // 0xc2 begins the C1 and the « of Russian texts
			return false
		}
	}
	return utf8.ValidString(s)
}

// valueOf reads a field's text into a value of its type; nil when it is nothing.
func valueOf(f *Field, text string) any {
	if isNothing(text) {
		return nil
	}
	if text = strings.TrimSpace(printable(text)); isNothing(text) {
		return nil
	}
	return convert(f, text)
}

// convert turns a value that is something into its field's type. What cannot be converted stays
// text, so that a condition on it fails loudly instead of passing for nothing.
func convert(f *Field, s string) any {
	switch f.Type {
	case Number:
		if n, ok := number(s); ok {
			return n
		}
		return s
	case Boolean:
		if b, ok := boolean(s); ok {
			return b
		}
		return s
	}
	switch f.Name {
	case "ip":
		return something(address(s))
	case "email":
		return something(email.Normalize(s))
	case "calltime", "requestDate":
		return asHookTime(s)
	case "medium":
		if s == "(none)" {
			return nil
		}
	}
	if f.Values != nil {
		return word(f, s)
	}
	return s
}

// something is a text as a value: nil when it is empty, because the vocabulary has no empty texts.
func something(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// number reads a decimal number: an int64, or a float64 where it is not integral.
func number(s string) (any, bool) {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return nil, false // "Inf", "0x1p4", "1_000"
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, false
	}
	if f == math.Trunc(f) && math.Abs(f) <= exactInteger {
		return int64(f), true
	}
	return f, true
}

// boolean reads what the API and the hooks have used for true and false over the years.
func boolean(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// word finds the value of a closed list that s means; an unknown one stays as it is.
func word(f *Field, s string) string {
	for _, v := range f.Values {
		if s == v {
			return v
		}
	}
	for _, v := range f.Values {
		if same(s, v) {
			return v
		}
	}
	if yes, ok := boolean(s); ok && f.twoSided() {
		if yes {
			return f.Values[0]
		}
		return f.Values[1]
	}
	return s
}

// twoSided reports whether the API has a boolean where the hook has a word and its opposite.
func (f *Field) twoSided() bool {
	switch f.Name {
	case "status", "targetcall", "uniqtargetcall", "callback", "worktime", "uniquerequest", "targetrequest", "uniqtargetrequest":
		return true
	}
	return false
}

// address strips the length of the network that the requests API writes behind an address.
func address(s string) string {
	s, _, _ = strings.Cut(s, "/")
	return strings.TrimSpace(s)
}

// same reports whether two names or words are equal but for case, "_" and "-".
func same(a, b string) bool {
	if len(a) == len(b) && strings.EqualFold(a, b) {
		return true
	}
	return strings.EqualFold(bare(a), bare(b))
}

var signs = strings.NewReplacer("_", "", "-", "")

func bare(s string) string {
	if strings.ContainsAny(s, "_-") {
		return signs.Replace(s)
	}
	return s
}
