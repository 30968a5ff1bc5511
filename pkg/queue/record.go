package queue

import (
	"encoding/json"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Record is one line of an event's history: an outcome, an attempt or a note. It holds no
// personal data; whoever fills it in has masked what it says.
type Record struct {
	Time    time.Time     `json:"time"`
	Link    string        `json:"link,omitempty"`
	Outcome event.Outcome `json:"outcome,omitempty"` // empty for a note
	Note    string        `json:"note,omitempty"`    // repeated, replayed, ...: what happened beside the outcomes

	Reason        string     `json:"reason,omitempty"`
	Attempts      int        `json:"attempts,omitempty"`
	First         *time.Time `json:"first,omitempty"`
	Until         *time.Time `json:"until,omitempty"`
	Parked        bool       `json:"parked,omitempty"`
	Probe         bool       `json:"probe,omitempty"`
	Status        int        `json:"status,omitempty"`
	Answer        string     `json:"answer,omitempty"`
	DurationMS    float64    `json:"duration_ms,omitempty"`
	TransactionID string     `json:"transaction_id,omitempty"`
	Version       string     `json:"version,omitempty"`
	Revision      string     `json:"revision,omitempty"`
	As            string     `json:"as,omitempty"`
	Replayed      bool       `json:"replayed,omitempty"`

	Detail json.RawMessage `json:"detail,omitempty"`

	// Source and Sequence name the message that this record settled: "events" or "retries", and
	// its place there. Empty for a note.
	Source   string `json:"source,omitempty"`
	Sequence uint64 `json:"sequence,omitempty"`
}
