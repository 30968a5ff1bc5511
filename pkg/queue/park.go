package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// parkTTL is how long a park counts that no worker renews: each does so while it watches. Without a
// worker nothing is sent anyway, and the first event that is sent then parks again where need be.
const parkTTL = time.Hour

// Park says why nothing is sent over a link or to an endpoint, for every worker to obey.
type Park struct {
	Scope  string        `json:"scope"` // link/<id> or endpoint/<name>
	Since  time.Time     `json:"since"`
	Reason string        `json:"reason"`
	Status int           `json:"status,omitempty"` // of the answer that parked it
	Text   string        `json:"text,omitempty"`   // of that answer, masked, digits taken out
	Next   time.Time     `json:"next"`             // when the next probe is due
	Step   time.Duration `json:"step_ns"`          // from that probe to the one after it

	Revision uint64 `json:"-"` // 0: not stored yet
}

// Parks lists what is parked. What cannot be read, of another version or made by hand, hides no other, and WatchParks tells of it.
func (q *Queue) Parks(ctx context.Context) ([]Park, error) {
	entries, err := q.state.List(ctx, string(event.ParkKeys))
	if err != nil {
		return nil, err
	}
	var out []Park
	for _, e := range entries {
		if p, err := readPark(e); err == nil {
			out = append(out, p)
		}
	}
	return out, nil
}

// PutPark writes a park over its Revision, where that is 0 where there is none, and returns it
// with the new one. ErrConflict: another worker was faster. So it is also how one of several
// workers gets the next probe: by moving Next.
func (q *Queue) PutPark(ctx context.Context, p Park) (Park, error) {
	var err error
	if p.Revision == 0 {
		p.Revision, err = q.state.Create(ctx, event.ParkKey(p.Scope), p)
	} else {
		p.Revision, err = q.state.Update(ctx, event.ParkKey(p.Scope), p, p.Revision)
	}
	return p, err
}

// Unpark removes a park; a missing one is no error.
func (q *Queue) Unpark(ctx context.Context, scope string) error {
	return q.state.Delete(ctx, event.ParkKey(scope))
}

func readPark(e Entry) (Park, error) {
	p := Park{Scope: event.ScopeOf(e.Key), Revision: e.Revision}
	if e.Deleted {
		return p, nil
	}
	if err := json.Unmarshal(e.Value, &p); err != nil {
		return p, fmt.Errorf("state %s: %w", e.Key, err)
	}
	return p, nil
}

// ParkChange is a park that was set or moved or, with Gone, removed; then only its Scope is known.
type ParkChange struct {
	Park
	Gone bool
}

// WatchParks brings every park, then each change, until ctx ends and the channel closes. While it
// lasts it renews the parks that it has brought. One that nobody has renewed in time comes all the
// same, so that what hangs on it can end, and then goes.
func (q *Queue) WatchParks(ctx context.Context) <-chan ParkChange {
	w := &parkWatch{q: q, out: make(chan ParkChange), held: map[string]Entry{}}
	go w.run(ctx, parkTTL/4)
	return w.out
}

type parkWatch struct {
	q    *Queue
	out  chan ParkChange
	held map[string]Entry // what the reader knows to be parked
}

func (w *parkWatch) run(ctx context.Context, every time.Duration) {
	defer close(w.out)
	entries := w.q.state.Watch(ctx, string(event.ParkKeys))
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case e, open := <-entries:
			if !open {
				return
			}
			w.send(ctx, e)
			w.end(ctx, e)
		case <-ticker.C:
			w.renew(ctx, every)
		}
	}
}

// send passes a change on.
func (w *parkWatch) send(ctx context.Context, e Entry) {
	p, err := readPark(e)
	if err != nil {
		w.q.log.Error().Str("key", e.Key).Err(err).Msg("a park in STATE cannot be read")
		return
	}
	if delete(w.held, e.Key); !e.Deleted {
		w.held[e.Key] = e
	}
	select {
	case w.out <- ParkChange{Park: p, Gone: e.Deleted}:
	case <-ctx.Done():
	}
}

// end removes a park that has outlived its time. What fails is left to the next renewal.
func (w *parkWatch) end(ctx context.Context, e Entry) {
	if e.Deleted {
		return
	}
	now, err := w.q.state.Now(ctx)
	if err == nil && !jet.Alive(e.Stored, now, parkTTL) {
		_ = w.q.state.DeleteAt(ctx, e.Key, e.Revision)
	}
}

// renew writes anew each park that nobody has written for a while, as it is. Whoever was faster was
// right, and the watch brings it.
func (w *parkWatch) renew(ctx context.Context, after time.Duration) {
	if len(w.held) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, jet.RequestTimeout)
	defer cancel()
	now, err := w.q.state.Now(ctx)
	for key, e := range w.held {
		switch age := now.Sub(e.Stored); {
		case err != nil || age < after:
		case age < parkTTL:
			_, _ = w.q.state.Update(ctx, key, e.Value, e.Revision)
		default:
			w.end(ctx, e)
		}
	}
}
