package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

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
	First         *time.Time `json:"first,omitempty"` // first attempt
	Until         *time.Time `json:"until,omitempty"` // waiting: not before
	Parked        bool       `json:"parked,omitempty"`
	Probe         bool       `json:"probe,omitempty"`
	Status        int        `json:"status,omitempty"`
	Answer        string     `json:"answer,omitempty"`
	DurationMS    float64    `json:"duration_ms,omitempty"`
	TransactionID string     `json:"transaction_id,omitempty"`
	Version       string     `json:"version,omitempty"` // hash of the link that decided
	Revision      string     `json:"revision,omitempty"`
	As            string     `json:"as,omitempty"`
	Replayed      bool       `json:"replayed,omitempty"`

	Detail json.RawMessage `json:"detail,omitempty"`

	// Source and Sequence name the message that this record settled: "events" or "retries", and
	// its place there. Empty for a note.
	Source   string `json:"source,omitempty"`
	Sequence uint64 `json:"sequence,omitempty"`

	stored time.Time // when HISTORY took it, by the server's clock
}

// The sources of a settled message.
const (
	fromEvents  = "events"
	fromRetries = "retries"
)

// History returns the records of an event, oldest first.
func (q *Queue) History(ctx context.Context, key event.Key) ([]Record, error) {
	return q.records(ctx, key.Subject())
}

// records reads the history of the event whose subject ends with key. A batch of which nobody knew
// whether it was stored was written again singly, so the same record twice counts once.
func (q *Queue) records(ctx context.Context, key string) ([]Record, error) {
	var out []Record
	seen := map[string]bool{}
	for m, err := range q.scan(ctx, historyStream, historyPrefix+key, 1) {
		if err != nil {
			return nil, err
		}
		if seen[string(m.Data)] {
			continue
		}
		seen[string(m.Data)] = true
		if event.CheckFormat(m.Header.Get(headerFormat)) != nil {
			continue // written by a newer Touchbox
		}
		r := Record{}
		if err := json.Unmarshal(m.Data, &r); err != nil {
			return nil, fmt.Errorf("history of %s at %d of %s: %w", key, m.Sequence, historyStream, err)
		}
		r.stored = m.Time
		out = append(out, r)
	}
	return out, nil
}

// KeyedRecord is a record with the event that it is about.
type KeyedRecord struct {
	Key event.Key
	Record
}

// Records iterates over the whole history, oldest first. What a newer Touchbox wrote, or what
// cannot be read, is left out.
func (q *Queue) Records(ctx context.Context) iter.Seq2[KeyedRecord, error] {
	return func(yield func(KeyedRecord, error) bool) {
		for m, err := range q.scan(ctx, historyStream, historyPrefix+">", 1) {
			if err != nil {
				yield(KeyedRecord{}, err)
				return
			}
			key, err := event.ParseSubject(strings.TrimPrefix(m.Subject, historyPrefix))
			r := KeyedRecord{Key: key}
			if err != nil || event.CheckFormat(m.Header.Get(headerFormat)) != nil || json.Unmarshal(m.Data, &r.Record) != nil {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Note writes a record that settles no message: what a person did, what came again.
func (q *Queue) Note(ctx context.Context, key event.Key, r Record) error {
	return q.record(ctx, key.Subject(), r)
}

// record writes a record and returns when it is stored.
func (q *Queue) record(ctx context.Context, key string, r Record) error {
	if q.history == nil {
		return nil
	}
	if r.Time.IsZero() {
		r.Time = time.Now().UTC()
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record of %s: %w", key, err)
	}
	m := &nats.Msg{Subject: historyPrefix + key, Data: data, Header: nats.Header{
		headerFormat: {strconv.Itoa(event.Format)},
	}}
	if r.Link != "" {
		m.Header.Set(headerLink, r.Link)
	}
	if r.Outcome != "" {
		m.Header.Set(headerOutcome, string(r.Outcome))
	}
	return describe("record of "+key, q.history.add(ctx, m))
}
