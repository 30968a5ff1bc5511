package queue

import (
	"context"
	"iter"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// DeadLetter is an event that a link has given up, untouched, and why.
type DeadLetter struct {
	Link     string
	Key      event.Key
	Event    event.Event // only Key and Body where Damaged
	Damaged  bool        // its headers could not be read
	Reason   string
	Status   int
	Answer   string
	Attempts int
	First    time.Time // first attempt; zero when there was none
	Died     time.Time
	Pin      *Pin
	Revision string
	As       string
	Version  string
	Sequence uint64 // place in DEADLETTERS
}

// Filter selects dead letters or retries. Zero fields select everything.
type Filter struct {
	Link   string
	Site   string
	Kind   event.Kind
	Key    event.Key
	Reason string
	Status int
	Since  time.Time // died, or first published, not before
	Until  time.Time // and before
}

// ReplayOptions say how a dead letter is replayed.
type ReplayOptions struct {
	Revision string // short name of a correction; part of the transaction's id
	As       string // id of the link that handles it, where the link was renamed; empty: its own
}

// DeadLetters iterates over the dead letters that the filter selects, oldest first.
func (q *Queue) DeadLetters(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) { yield(DeadLetter{}, errTodo) }
}

// Replay gives a dead letter back to its link. ErrUnderWay: a replay or retry waits already.
func (q *Queue) Replay(ctx context.Context, d DeadLetter, o ReplayOptions) error { return errTodo }
