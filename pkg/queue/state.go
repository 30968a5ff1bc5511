package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/streams"
)

// State is the bucket of what no stream knows: starts of links, what is parked, leases.
type State = *jet.Bucket

// Entry is a value of STATE.
type Entry = jet.Entry

// State returns the bucket.
func (q *Queue) State() State { return q.state }

// stateOptions describe the bucket.
var stateOptions = jet.BucketOptions{Name: event.StateBucket, MarkerTTL: streams.MarkerTTL, Life: lifeOf}

// lifeOf is how long a value of STATE counts that was written without a time to live; 0: until it is
// removed.
func lifeOf(key string) time.Duration {
	if strings.HasPrefix(key, string(event.ParkKeys)) {
		return parkTTL
	}
	return 0
}

// Lease says that this process alone does something: it polls, it purges.
type Lease = jet.Lease

// Lease takes the lease called name, one word, or returns ErrHeld. It is renewed every third of
// ttl (whole seconds, at least 1 s) until ctx ends, it is lost, or Release is called.
func (q *Queue) Lease(ctx context.Context, name string, ttl time.Duration) (*Lease, error) {
	lease, err := q.state.Lease(ctx, event.LeaseKeys.Of(name), ttl)
	if errors.Is(err, ErrHeld) {
		err = fmt.Errorf("lease %s: %w", name, err)
	}
	return lease, err
}

// BreakLease ends the lease called name, whoever holds it. It is for a process that knows the holder
// to be dead, because no two of its kind can run on one store.
func (q *Queue) BreakLease(ctx context.Context, name string) error {
	return q.state.Delete(ctx, event.LeaseKeys.Of(name))
}

// Leased reports whether any process holds the lease called name.
func (q *Queue) Leased(ctx context.Context, name string) (bool, error) {
	_, err := holderOf(ctx, q, name)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// holderOf is who holds the lease called name. ErrNotFound: nobody.
func holderOf(ctx context.Context, q *Queue, name string) (jet.Holder, error) {
	var h jet.Holder
	_, err := q.state.Get(ctx, event.LeaseKeys.Of(name), &h)
	return h, err
}
