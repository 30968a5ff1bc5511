package queue

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// LinkSpec is what the queue must know of a link.
type LinkSpec struct {
	ID       string        // [a-z0-9][a-z0-9-]{0,31}
	Subjects []string      // of the events that it reads; see EventSubject
	Since    time.Time     // its start; zero: the moment of the first Register or OpenLink
	Delay    time.Duration // an event is handled no sooner than this after it was stored
	Workers  int           // how many events are handled at once; 0 means 16
	Timeout  time.Duration // how long handling one event takes at most; 0 means 30 s
}

// Consumption says how a link's events are handled.
type Consumption struct {
	// Turn is asked before events are taken. It blocks while the link is parked. Nil: no limits.
	Turn func(ctx context.Context) (Turn, error)
	// Handle decides about one event. Its context ends when the time to finish is over.
	Handle func(ctx context.Context, d *Delivery) Decision
	// Finish bounds the work on what is in hand when the context of Consume ends; 0 means 20 s.
	Finish time.Duration
}

// Turn is a permission to take events.
type Turn struct {
	Max   int  // how many; 0 means as many as there are workers
	Probe bool // take one event and handle it alone, to see whether the far end is back
}

// Delivery is an event in hand, with what is known of earlier attempts.
type Delivery struct {
	Event event.Event
	Link  string
	Start time.Time // of the link

	Attempts  int       // counted so far; 0 on the first delivery
	First     time.Time // first attempt; zero when there was none
	LastError string    // masked text of the last failure
	Pin       *Pin      // nil until an attempt that may have been executed
	Revision  string    // of a replay: part of the transaction's id
	As        string    // of a replay for a renamed link: the id that the transaction keeps; empty otherwise
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
	First    time.Time // first attempt
	Pin      *Pin

	Reason        string // closed snake_case words: expired, refused, expression, ...
	Status        int    // of Mindbox's HTTP answer; 0 when there was none
	Answer        string // Mindbox's words, masked and cut
	Duration      time.Duration
	TransactionID string
	Version       string // hash of the link that decided
	Detail        any    // more for the history record, as JSON; nil: nothing
}
