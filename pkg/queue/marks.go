package queue

import (
	"context"
	"errors"
	"time"
)

// horizonKey holds the arrival of the newest event that retention has purged.
const horizonKey = "horizon"

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

// Leased reports whether any process holds the lease called name.
func (q *Queue) Leased(ctx context.Context, name string) (bool, error) {
	var h holder
	_, err := q.State().Get(ctx, leaseKeys+name, &h)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
