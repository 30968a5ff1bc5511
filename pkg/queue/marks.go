package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// horizonKey holds the arrival of the newest event that retention has purged.
const horizonKey = "horizon"

// horizonAge is how old what a publisher knows of the horizon may be, and horizonSettles how long
// a purge waits behind telling it, so that every publisher has heard of it by then.
const (
	horizonAge     = 250 * time.Millisecond
	horizonSettles = 2 * horizonAge
)

// Horizon is the moment before which nothing is stored any more, because retention has purged
// what happened then; the zero time while nothing was purged.
func (q *Queue) Horizon(ctx context.Context) (time.Time, error) {
	var horizon time.Time
	_, err := q.State().Get(ctx, horizonKey, &horizon)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return horizon, err
}

// moveHorizon tells everybody that what arrived up to t is about to be purged, and returns when
// they have heard. It never goes back.
func (q *Queue) moveHorizon(ctx context.Context, t time.Time) error {
	before, err := q.Horizon(ctx)
	if err != nil {
		return err
	}
	if t.After(before) {
		if _, err := q.State().Put(ctx, horizonKey, t.UTC()); err != nil {
			return err
		}
	}
	return sleep(ctx, horizonSettles)
}

// horizon is the mark as it was read lately: each polled record asks for it.
type horizon struct {
	mu   sync.Mutex
	at   time.Time
	read time.Time
}

// tooOld reports whether an event that was fetched from Calltouch happened before the horizon: it
// may have been here and been purged, and must not come back. A hook is what happens now.
func (q *Queue) tooOld(ctx context.Context, e event.Event) (bool, error) {
	if e.Origin == event.Webhook || e.Time.IsZero() {
		return false, nil
	}
	h := &q.horizon
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.read) > horizonAge {
		began := time.Now()
		at, err := q.Horizon(ctx)
		if err != nil {
			return false, err
		}
		h.at, h.read = at, began
	}
	return e.Time.Before(h.at), nil
}

// Leased reports whether any process holds the lease called name.
func (q *Queue) Leased(ctx context.Context, name string) (bool, error) {
	var h holder
	_, err := q.State().Get(ctx, leaseKeys+name, &h)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
