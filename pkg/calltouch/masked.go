package calltouch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/touchbox/touchbox/pkg/show"
)

// Masked is a value of the field as anybody may see it: hidden where the field is about a person;
// otherwise without what a person may have written into it or into the address of a page. Numbers,
// times, and ids where they look like ids, stay. Nothing stays nil.
func (f Field) Masked(value any) any {
	if f.Harmless(value) {
		return value
	}
	hide := show.Mask
	if f.Personal || f.Type == Attributes { // anything may be in attributes
		hide = show.Hide
	}
	switch v := value.(type) {
	case string:
		return hide(v)
	case []string:
		masked := make([]string, len(v))
		for i, one := range v {
			masked[i] = hide(one)
		}
		return masked
	case map[string]string:
		masked := make(map[string]string, len(v))
		for name, one := range v {
			masked[show.Mask(name)] = hide(one)
		}
		return masked
	}
	return hide(fmt.Sprint(value))
}

// Withheld reports whether a text is what telephony says in the place of a number that the caller has withheld. It is about nobody.
func Withheld(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "anonymous", "unknown", "private", "restricted", "unavailable":
		return true
	}
	return false
}

// Harmless reports whether a value of the field can say nothing about a person: it is nothing, a
// number, a time, a word of a closed list, an id that looks like one, or says that a number was withheld.
func (f Field) Harmless(value any) bool {
	if value == nil {
		return true
	}
	if text, ok := value.(string); ok && Withheld(text) {
		return true
	}
	if f.Personal {
		return false
	}
	switch v := value.(type) {
	case bool, time.Time:
		return true
	case int64:
		return f.plausible(float64(v))
	case float64:
		return f.plausible(v)
	case string:
		return slices.Contains(f.Values, v) || f.Whole && !strings.ContainsFunc(v, func(r rune) bool { return unicode.IsLetter(r) || strings.ContainsRune("@=%", r) })
	}
	return false
}

// plausible reports whether a number is none that was dialled: a duration of four months is none.
func (f Field) plausible(n float64) bool {
	const until = 4_102_444_800 // the year 2100, Unix seconds
	if f.Whole {
		return math.Abs(n) <= until
	}
	return math.Abs(n) < 10_000_000
}
