package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// AuditEntry is one line of the audit: who did what. It holds no value of an event; whoever fills it in has
// masked what a person wrote.
type AuditEntry struct {
	Time    time.Time `json:"time"`
	Who     string    `json:"who"`               // a person's name
	Role    string    `json:"role,omitempty"`    // what that person may do, where people have roles
	By      string    `json:"by"`                // cli, console or api
	Address string    `json:"address,omitempty"` // from where: a host, or the address of a browser
	Verb    string    `json:"verb"`              // one word
	On      string    `json:"on,omitempty"`      // a link's id, an event's key, a selection in words
	Why     string    `json:"why,omitempty"`
	Found   int       `json:"found,omitempty"` // how many things it was to be
	Done    int       `json:"done,omitempty"`  // and how many it was
	Job     string    `json:"job,omitempty"`   // the id of the job that does it or did it
	Request string    `json:"request,omitempty"`
	Version string    `json:"version,omitempty"` // of the link

	Sequence uint64 `json:"sequence,omitempty"` // its place in AUDIT
}

// WriteAudit writes an entry and returns when it is stored. ErrFull: there is no room for one, and whoever
// wanted to do something must not. An error means undecided; twice written is harmless.
func (q *Queue) WriteAudit(ctx context.Context, a AuditEntry) error {
	if !token(a.Verb) {
		return fmt.Errorf("audit: the verb %q is no single word", a.Verb)
	}
	if a.Time.IsZero() {
		a.Time = time.Now().UTC()
	}
	a.Sequence = 0
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	m := &nats.Msg{Subject: event.AuditSubjects.Of(a.Verb), Data: data, Header: nats.Header{event.HeaderFormat: {strconv.Itoa(event.Format)}}}
	looked := false
	err = q.jet.Insist(ctx, func(ctx context.Context) error {
		_, err := q.jet.Publish(ctx, m)
		if jet.Away(err) && !looked { // the version that runs may be older than this one
			looked = true
			_ = q.Make(ctx, event.AuditStream) // where it cannot, the next try says why
		}
		return err
	})
	return jet.Describe("write the audit", err)
}

// AuditBack iterates over the entries with a verb, "" is any, before a sequence, 0 is the end: the newest first. Who wants the newest few
// reads little more than these. What a newer Touchbox wrote, or what cannot be read, is left out.
func (q *Queue) AuditBack(ctx context.Context, verb string, before uint64) iter.Seq2[AuditEntry, error] {
	return func(yield func(AuditEntry, error) bool) {
		if !mayStand(verb) {
			return
		}
		for m, err := range q.jet.Back(ctx, event.AuditStream, event.AuditSubjects.Of(orAny(verb)), before) {
			if err != nil {
				yield(AuditEntry{}, err)
				return
			}
			var a AuditEntry
			if event.CheckFormat(m.Header.Get(event.HeaderFormat)) != nil || json.Unmarshal(m.Data, &a) != nil {
				continue
			}
			a.Sequence = m.Sequence
			if !yield(a, nil) {
				return
			}
		}
	}
}

// CountAudit counts the entries with a verb, "" is any, that were written at a moment or later; the zero moment is before all.
func (q *Queue) CountAudit(ctx context.Context, verb string, since time.Time) (int, error) {
	if !mayStand(verb) {
		return 0, nil
	}
	return q.countSince(ctx, event.AuditStream, event.AuditSubjects.Of(orAny(verb)), since)
}
