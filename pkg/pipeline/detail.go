package pipeline

import (
	"maps"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Detail is what a history record says beyond the words that all records have. It holds no
// personal data: values of personal fields are masked, the last two digits of a phone stay.
type Detail struct {
	Conditions []Condition `json:"conditions,omitempty"` // filtered: all of `when`
	Missing    []string    `json:"missing,omitempty"`    // undeliverable: the required fields that came out empty
	Notes      []string    `json:"notes,omitempty"`      // fields that Mindbox may refuse, by path
	Error      string      `json:"error,omitempty"`      // expression: which one failed, without values
	Pinned     *queue.Pin  `json:"pinned,omitempty"`     // sent as an earlier attempt was, other than the file says today
	ErrorID    string      `json:"error_id,omitempty"`   // Mindbox's own id of the error
}

// Condition is one condition of `when` with what it saw, masked.
type Condition struct {
	Source string         `json:"source"`
	Value  any            `json:"value"`
	Saw    map[string]any `json:"saw,omitempty"`
	Pass   bool           `json:"pass"`
}

// maxValue bounds a masked value, in bytes.
const maxValue = 200

func (d Detail) empty() bool {
	return len(d.Conditions) == 0 && len(d.Missing) == 0 && len(d.Notes) == 0 && d.Error == "" &&
		d.Pinned == nil && d.ErrorID == ""
}

func maskConditions(conditions []link.Condition) []Condition {
	masked := make([]Condition, len(conditions))
	for i, c := range conditions {
		masked[i] = Condition{Source: c.Source, Value: maskResult(c), Pass: c.Pass, Saw: map[string]any{}}
		for name, value := range c.Saw {
			masked[i].Saw[name] = maskField(name, value)
		}
	}
	return masked
}

// maskResult masks what a condition came to: a boolean as a rule, but `callerphone` alone is a
// condition too.
func maskResult(c link.Condition) any {
	switch c.Value.(type) {
	case nil, bool:
		return c.Value
	}
	for name := range c.Saw {
		if personal(name) {
			return hide(c.Value)
		}
	}
	return maskPlain(c.Value)
}

func personal(name string) bool {
	field, ok := calltouch.Lookup(name)
	return ok && field.Personal
}

func maskField(name string, value any) any {
	if personal(name) {
		return hide(value)
	}
	return maskPlain(value)
}

// hide leaves nothing of a personal value but the last two digits of a phone.
func hide(value any) any {
	const hidden = "***"
	switch v := value.(type) {
	case nil, bool:
		return v
	case string:
		if phone.Normalize(v, phone.Options{TenDigits: "7"}) != "" {
			return phone.Mask(v)
		}
	}
	return hidden
}

// maskPlain masks what looks like a phone or an e-mail address in a field that should hold none.
func maskPlain(value any) any {
	switch v := value.(type) {
	case nil, bool, int, int64, float64:
		return v
	case time.Time:
		return v.Format(time.RFC3339)
	case string:
		return mindbox.Mask(v, maxValue)
	case []string:
		list := make([]any, 0, len(v))
		for _, s := range v {
			list = append(list, mindbox.Mask(s, maxValue))
		}
		return list
	case map[string]string:
		masked := map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			masked[mindbox.Mask(name, maxValue)] = mindbox.Mask(v[name], maxValue)
		}
		return masked
	default:
		return "***"
	}
}
