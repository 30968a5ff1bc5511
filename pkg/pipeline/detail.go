package pipeline

import (
	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Detail is what a history record says beyond the words that all records have. It holds no
// personal data: values of personal fields are masked, the last two digits of a phone stay.
type Detail struct {
	Conditions []link.Condition `json:"conditions,omitempty"` // filtered: all of `when`, masked
	Missing    []string         `json:"missing,omitempty"`    // undeliverable: the required fields that came out empty
	Notes      []string         `json:"notes,omitempty"`      // what Mindbox may refuse, by field
	Error      string           `json:"error,omitempty"`      // expression: which one failed, without values
	Pinned     *queue.Pin       `json:"pinned,omitempty"`     // sent as an earlier attempt was, other than the file says today
	ErrorID    string           `json:"error_id,omitempty"`   // Mindbox's own id of its error
}

func (d Detail) empty() bool {
	return len(d.Conditions) == 0 && len(d.Missing) == 0 && len(d.Notes) == 0 && d.Error == "" && d.Pinned == nil && d.ErrorID == ""
}

// maxValue bounds a value that a condition saw, in bytes.
const maxValue = 200

// masked makes a verdict's conditions fit to be kept: personal fields are masked by their name,
// and in other texts what looks like a phone or an e-mail address, for people put them anywhere.
func masked(v link.Verdict) []link.Condition {
	conditions := v.Masked().Conditions
	for _, c := range conditions {
		for name, value := range c.Saw {
			c.Saw[name] = presentable(value)
		}
	}
	return conditions
}

func presentable(value any) any {
	switch v := value.(type) {
	case string:
		if uuid.Validate(v) == nil { // a device: one must see it
			return v
		}
		return mindbox.Mask(v, maxValue)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = presentable(s)
		}
		return list
	default:
		return value
	}
}
