// Package erase removes what the queue holds of a person.
//
// Whoever calls says which events are about the person; the package finds them in every stream, puts a
// tombstone in the place of each event, overwrites the bodies, and looks again until nothing is left,
// also of what was in flight. It knows neither phones nor addresses, and leaves what is not the queue's.
package erase

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Whom says whom to erase.
type Whom struct {
	// Match reports whether an event is about the person. It is asked about what was set aside too:
	// of that only the site, the origin, the receipt and what came are known. Required.
	Match func(event.Event) bool
	// Progress, where not nil, is told how far it is, by one goroutine.
	Progress func(Progress)
}

// Step is what an erasure is at.
type Step string

// The steps, in their order. From Look on they repeat until nothing is left.
const (
	Look   Step = "look"   // reading all that is stored
	Remove Step = "remove" // event by event
	Wait   Step = "wait"   // until what was in flight when it began is through
)

// Progress is how far an erasure is.
type Progress struct {
	Step        Step
	Done, Total int // messages of Look, events of Remove, seconds of Wait
	Found       int // what this round has found so far
}

// Traces count what is, or was, stored of a person.
type Traces struct {
	Events      int `json:"events"` // of EVENTS, their raw bodies
	Aside       int `json:"aside"`
	Retries     int `json:"retries"`
	DeadLetters int `json:"deadletters"`
	History     int `json:"history"` // records of those events

	Unfinished bool `json:"unfinished,omitempty"` // an erasure was interrupted, or is under way: the next one ends it
}

// None reports whether there is nothing, and nothing to end.
func (t Traces) None() bool { return t == Traces{} }

// Sum is how much there is of all sorts.
func (t Traces) Sum() int { return t.Events + t.Aside + t.Retries + t.DeadLetters + t.History }

func (t *Traces) add(u Traces) {
	t.Events += u.Events
	t.Aside += u.Aside
	t.Retries += u.Retries
	t.DeadLetters += u.DeadLetters
	t.History += u.History
}

// Find says what is stored of a person, and what an interrupted erasure, of whomever, has
// left to do. It changes nothing.
func Find(ctx context.Context, q *queue.Queue, whom Whom) (Traces, error) {
	r, err := newErasure(ctx, q, whom)
	if err != nil {
		return Traces{}, err
	}
	f, err := r.look(ctx)
	if err != nil {
		return Traces{}, err
	}
	t := f.traces()
	t.Unfinished = len(r.marks) > 0
	return t, nil
}

// Erase removes all that is stored of a person from what had come when it was called, and counts
// it. The key of each event stays taken by a tombstone, so that a repeated hook or a sweep does not
// bring it back. A new call of the person is another event.
//
// The tombstones come first: from then on nothing of these events is stored anew, but for what was
// in flight. A look that finds something is followed by another one, and the last begins when all
// that was in flight is through, or has been for as long as the server waits for it. It ends without
// an error only when that look found nothing. Interrupted at any line, or after an error, the same
// call again ends it.
func Erase(ctx context.Context, q *queue.Queue, whom Whom) (Traces, error) {
	r, err := newErasure(ctx, q, whom)
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
		if f.none() && !began.Before(r.until) {
			return gone, r.end(ctx)
		}
		if f.none() {
			err = r.wait(ctx)
		} else {
			err = r.remove(ctx, f, &gone)
		}
		if err != nil {
			return gone, err
		}
	}
}

// erasure is one that is under way.
type erasure struct {
	whom  Whom
	q     *queue.Queue
	jet   *jet.Client
	began time.Time
	last  uint64 // sequence of EVENTS when it began
	links []queue.LinkState

	from   uint64                  // EVENTS is read from here on: what lies before it was looked at
	erased map[string]*erasedEvent // events that are erased, by the end of their subject
	until  time.Time               // something of them may be in flight up to then
	// marks are keys of STATE, of erasures that have begun and not ended. One that is there at the next
	// erasure was interrupted: what was in flight then may be so still.
	marks  []string
	marked bool // one of them is this one's
}

// erasedEvent is an event that is erased, as its tombstone says.
type erasedEvent struct {
	links []string // that had taken it
	clean bool     // nothing is left of it, and nothing will come
}

func newErasure(ctx context.Context, q *queue.Queue, whom Whom) (*erasure, error) {
	r := &erasure{whom: whom, q: q, jet: q.Client(), began: time.Now(), from: 1, erased: map[string]*erasedEvent{}}
	var err error
	if r.last, err = q.Client().LastSequence(ctx, event.EventsStream); err != nil {
		return nil, err
	}
	if r.links, err = q.Links(ctx); err != nil {
		return nil, err
	}
	marks, err := q.State().List(ctx, string(event.EraseKeys))
	if err != nil || len(marks) == 0 {
		return r, err
	}
	for _, m := range marks {
		r.marks = append(r.marks, m.Key)
	}
	reaches, err := q.Reaches(ctx, r.links)
	for _, one := range reaches {
		r.mayBeInFlight(one)
	}
	return r, err
}

// mark notes in STATE that something is being removed.
func (r *erasure) mark(ctx context.Context) error {
	if r.marked {
		return nil
	}
	key := event.EraseKeys.Of(uuid.NewString())
	_, err := r.q.State().Create(ctx, key, r.began.UTC())
	r.marks, r.marked = append(r.marks, key), err == nil
	return err
}

// end takes the marks away.
func (r *erasure) end(ctx context.Context) error {
	for _, key := range r.marks {
		if err := r.q.State().Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// cameBefore reports whether an event had come when the erasure began. What comes since then is what the
// person does now, and is taken.
func (r *erasure) cameBefore(e event.Event) bool {
	return e.Sequence <= r.last || e.Received.Before(r.began)
}

// tell reports progress.
func (r *erasure) tell(p Progress) {
	if r.whom.Progress != nil {
		r.whom.Progress(p)
	}
}

// wait waits until what was in flight is through.
func (r *erasure) wait(ctx context.Context) error {
	began := time.Now()
	total := r.until.Sub(began)
	for {
		left := time.Until(r.until)
		r.tell(Progress{Step: Wait, Done: int((total - left).Seconds()), Total: int(total.Seconds())})
		if left <= 0 {
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, min(left, time.Second)); err != nil {
			return err
		}
	}
}
