package queue

import (
	"context"
	"encoding/json"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Consumption says how a link's events are handled.
type Consumption struct {
	// Turn is asked before events are taken and blocks while the link is parked. It is called
	// often, by one goroutine at a time. Nil: no limits.
	Turn func(ctx context.Context) (Turn, error)
	// Handle decides about one event. Its context ends when the time to finish is over.
	Handle func(ctx context.Context, d *Delivery) Decision
	// Settled, where not nil, is told of each event for which a decision was carried out, those of
	// the queue's own included: untaken, damaged, panic. Many goroutines call it.
	Settled func(d *Delivery, x Decision)
	// Finish bounds the work on what is in hand when the context of Consume ends; 0 means 20 s.
	Finish time.Duration
}

// Turn is a permission to take events.
type Turn struct {
	Max   int  // how many; 0 means as many as there is room for
	Probe bool // take one event and handle it alone, to see whether the far end is back
}

// Delivery is an event in hand, with what is known of earlier attempts.
type Delivery struct {
	Event event.Event
	Link  string
	Start time.Time // of the link

	Attempts  int       // counted so far; 0 on the first delivery
	First     time.Time // first attempt; zero when there was none
	LastError string    // masked words of the last failure; empty when there was none
	Pin       *Pin      // nil until an attempt that may have been executed
	Revision  string    // of a replay: part of the transaction's id
	As        string    // of a replay for a renamed link: the id that the transaction keeps; else empty
	Replayed  bool      // a person asked for it
	Retry     bool      // it came from RETRIES
	Probe     bool      // it was taken as a probe
}

// Pin holds what the first attempt that Mindbox may have executed was sent as.
type Pin struct {
	Endpoint  string `json:"endpoint"`
	Operation string `json:"operation"`
	Revision  string `json:"revision,omitempty"`
}

// Decision is what a handler makes of a delivery. An unknown Outcome means Waiting: repeating is
// better than losing.
type Decision struct {
	Outcome event.Outcome // Waiting, Delivered, Shadow, Filtered, Undeliverable or Dead

	Until    time.Time // Waiting: not before; zero means at once
	Parked   bool      // Waiting without an attempt: the link is parked
	Attempts int       // counted by now
	First    time.Time // first attempt; zero: as in the delivery
	Pin      *Pin      // nil: as in the delivery

	Reason        string        // closed snake_case words: expired, refused, expression, ...
	Status        int           // of Mindbox's HTTP answer; 0 when there was none
	Answer        string        // Mindbox's words, masked and cut
	Duration      time.Duration // of the attempt
	TransactionID string
	Version       string // hash of the link that decided
	Detail        any    // more for the history record, as JSON; nil: nothing
}

// Reasons of the queue's own decisions.
const (
	ReasonDamaged = "damaged" // the message's headers cannot be read; its bytes are kept
	ReasonPanic   = "panic"   // handling the event panicked
)

// known returns the outcome that is carried out.
func (x Decision) known() event.Outcome {
	switch x.Outcome {
	case event.Delivered, event.Shadow, event.Filtered, event.Undeliverable, event.Dead:
		return x.Outcome
	}
	return event.Waiting
}

// trail is what goes with the event when it waits or dies: the delivery's, brought up to date.
func (d *Delivery) trail(x Decision) trail {
	t := trail{
		Link: d.Link, Attempts: x.Attempts, First: x.First, Reason: x.Reason, Status: x.Status, Answer: x.Answer,
		Pin: x.Pin, Revision: d.Revision, As: d.As, Replayed: d.Replayed, Version: x.Version,
		Sequence: d.Event.Sequence, Stored: d.Event.Stored,
	}
	if t.First.IsZero() {
		t.First = d.First
	}
	if t.Pin == nil {
		t.Pin = d.Pin
	}
	return t
}

// record is the line of history that a carried out decision leaves.
func (d *Delivery) record(x Decision, m *message) (Record, error) {
	r := Record{
		Time: time.Now().UTC(), Link: d.Link, Outcome: x.known(), Reason: x.Reason, Attempts: x.Attempts,
		Parked: x.Parked, Probe: d.Probe, Status: x.Status, Answer: x.Answer,
		DurationMS: float64(x.Duration.Microseconds()) / 1000, TransactionID: x.TransactionID, Version: x.Version,
		Revision: d.Revision, As: d.As, Replayed: d.Replayed, Source: m.source(), Sequence: m.sequence(),
	}
	if first := d.trail(x).First; !first.IsZero() {
		r.First = &first
	}
	if r.Outcome == event.Waiting && !x.Until.IsZero() {
		r.Until = &x.Until
	}
	if x.Detail == nil {
		return r, nil
	}
	detail, err := json.Marshal(x.Detail)
	r.Detail = detail
	return r, err
}

// fill sets what the trail of a message from RETRIES says.
func (d *Delivery) fill(t trail) {
	d.Attempts, d.First, d.Pin = t.Attempts, t.First, t.Pin
	d.Revision, d.As, d.Replayed = t.Revision, t.As, t.Replayed
	d.Event.Sequence, d.Event.Stored = t.Sequence, t.Stored
	if d.LastError = t.Answer; d.LastError == "" {
		d.LastError = t.Reason
	}
}
