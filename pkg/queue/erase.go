package queue

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Erasure says whom to erase.
type Erasure struct {
	// Match reports whether an event is about the person. It is asked about what was set aside too:
	// of that only the site, the origin, the receipt and what came are known. Required.
	Match func(event.Event) bool
	// Progress, where not nil, is told how far it is, by one goroutine.
	Progress func(ErasureProgress)
}

// ErasureStep is what an erasure is at.
type ErasureStep string

// The steps, in their order. From EraseLook on they repeat until nothing is left.
const (
	EraseLook   ErasureStep = "look"   // reading all that is stored
	EraseRemove ErasureStep = "remove" // event by event
	EraseWait   ErasureStep = "wait"   // until what was in hand when it began is through
)

// ErasureProgress is how far an erasure is.
type ErasureProgress struct {
	Step        ErasureStep
	Done, Total int // messages of EraseLook, events of EraseRemove, seconds of EraseWait
	Found       int // what this round has found so far
}

// Traces count what is, or was, stored of a person.
type Traces struct {
	Events      int `json:"events"` // of EVENTS, their raw bodies
	Aside       int `json:"aside"`
	Retries     int `json:"retries"`
	DeadLetters int `json:"deadletters"`
	History     int `json:"history"` // records of those events
}

// None reports whether there is nothing.
func (t Traces) None() bool { return t == Traces{} }

func (t *Traces) add(u Traces) {
	t.Events += u.Events
	t.Aside += u.Aside
	t.Retries += u.Retries
	t.DeadLetters += u.DeadLetters
	t.History += u.History
}

// FindPerson says what is stored of a person, and what an interrupted erasure, of whomever, has
// left to do. It changes nothing.
func (q *Queue) FindPerson(ctx context.Context, e Erasure) (Traces, error) {
	r, err := q.newErasure(ctx, e)
	if err != nil {
		return Traces{}, err
	}
	f, err := r.look(ctx)
	if err != nil {
		return Traces{}, err
	}
	return f.traces(), nil
}

// Erase removes all that is stored of a person from what had come when it was called, and counts
// it. The key of each event stays taken by a tombstone, so that a repeated hook or a sweep does not
// bring it back. A new call of the person is another event.
//
// The tombstones come first: from then on nothing of these events is stored anew, but for what was
// in hand. A look that finds something is followed by another one, and the last begins when all
// that was in hand is through, or has been for as long as the server waits for it. It ends without
// an error only when that look found nothing. Interrupted at any line, or after an error, the same
// call again ends it.
func (q *Queue) Erase(ctx context.Context, e Erasure) (Traces, error) {
	r, err := q.newErasure(ctx, e)
	if err != nil {
		return Traces{}, err
	}
	var gone Traces
	for {
		began := time.Now()
		f, err := r.look(ctx)
		if err != nil {
			return gone, err
		}
		if f.none() {
			if !began.Before(r.until) {
				return gone, q.dropDead(ctx)
			}
			if err := r.wait(ctx); err != nil {
				return gone, err
			}
			continue
		}
		removed, err := r.remove(ctx, f)
		gone.add(removed)
		if err != nil {
			return gone, err
		}
	}
}

// erasure is one on its way.
type erasure struct {
	Erasure
	q     *Queue
	began time.Time
	end   uint64 // last sequence of EVENTS when it began
	links []LinkState

	from   uint64            // EVENTS is read from here on: what lies before it was looked at
	graves map[string]*grave // events that are erased, by the end of their subject
	until  time.Time         // something may be in hand up to then
}

// grave is an event that was erased before, as its tombstone says.
type grave struct {
	links []string // that had taken it
	clean bool     // nothing was left of it
}

func (q *Queue) newErasure(ctx context.Context, e Erasure) (*erasure, error) {
	r := &erasure{Erasure: e, q: q, began: time.Now(), from: 1, graves: map[string]*grave{}}
	var err error
	if r.end, err = q.lastSequence(ctx, eventsStream); err != nil {
		return nil, err
	}
	r.links, err = q.Links(ctx)
	return r, err
}

// old reports whether an event had come when the erasure began. What comes since then is what the
// person does now, and is taken.
func (r *erasure) old(e event.Event) bool { return e.Sequence <= r.end || e.Received.Before(r.began) }

// tell reports progress.
func (r *erasure) tell(p ErasureProgress) {
	if r.Progress != nil {
		r.Progress(p)
	}
}

// wait waits until what was in hand is through.
func (r *erasure) wait(ctx context.Context) error {
	began := time.Now()
	total := r.until.Sub(began)
	for {
		left := time.Until(r.until)
		r.tell(ErasureProgress{Step: EraseWait, Done: int((total - left).Seconds()), Total: int(total.Seconds())})
		if left <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, min(left, time.Second)); err != nil {
			return err
		}
	}
}
