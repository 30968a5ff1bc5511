package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const leaseKeys = "lease."

// Lease says that this process alone does something: it polls, it purges. The server lets it run
// out, so no clocks are compared.
type Lease struct {
	q        *Queue
	key      string
	holder   holder
	ttl      time.Duration
	revision uint64

	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
}

// holder is what STATE shows of whoever holds a lease.
type holder struct {
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Lease takes the lease called name, one word, or returns ErrHeld. It is renewed every third of
// ttl (whole seconds, at least 1 s) until ctx ends, it is lost, or Release is called.
func (q *Queue) Lease(ctx context.Context, name string, ttl time.Duration) (*Lease, error) {
	l := &Lease{q: q, key: leaseKeys + name, ttl: max(ttl, time.Second), ended: make(chan struct{})}
	l.holder = holder{Name: q.opts.Name, Since: time.Now().UTC()}
	revision, err := q.State().create(ctx, l.key, l.holder, l.ttl)
	if errors.Is(err, ErrConflict) {
		return nil, fmt.Errorf("lease %s: %w", name, ErrHeld)
	}
	if err != nil {
		l.withdraw(ctx)
		return nil, err
	}
	l.revision = revision
	l.ctx, l.cancel = context.WithCancel(ctx)
	go l.keep()
	return l, nil
}

// BreakLease ends the lease called name, whoever holds it. It is for a process that knows the holder
// to be dead, because no two of its kind can run on one store.
func (q *Queue) BreakLease(ctx context.Context, name string) error {
	return q.State().Delete(ctx, leaseKeys+name)
}

// Context ends when the lease is lost or released: what it covers must stop by then.
func (l *Lease) Context() context.Context { return l.ctx }

// Release gives the lease back at once.
func (l *Lease) Release() {
	l.cancel()
	<-l.ended
}

// keep renews the lease. It is lost when somebody else holds it, or when no renewal was answered
// for so long that the server may have let it run out.
func (l *Lease) keep() {
	defer close(l.ended)
	defer l.giveBack()
	defer l.cancel()
	renewed := time.Now()
	for sleep(l.ctx, l.ttl/3) == nil {
		ctx, cancel := context.WithDeadline(l.ctx, renewed.Add(l.ttl))
		began := time.Now()
		revision, err := l.q.State().write(ctx, l.key, l.holder, &l.revision, l.ttl)
		cancel()
		switch {
		case err == nil:
			l.revision, renewed = revision, began
		case errors.Is(err, ErrConflict) || time.Since(renewed) >= l.ttl:
			l.revision = 0
			return
		}
	}
}

// withdraw removes the lease where a request that came to no answer has taken it after all, so
// that nobody waits for its end.
func (l *Lease) withdraw(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	var h holder
	revision, err := l.q.State().Get(ctx, l.key, &h)
	if err == nil && h.Name == l.holder.Name && h.Since.Equal(l.holder.Since) {
		l.remove(ctx, revision)
	}
}

// giveBack removes the lease where it is still ours.
func (l *Lease) giveBack() {
	if l.revision == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), requestTimeout)
	defer cancel()
	l.remove(ctx, l.revision)
}

func (l *Lease) remove(ctx context.Context, revision uint64) {
	if kv, err := l.q.bucket(ctx); err == nil {
		_ = kv.Purge(ctx, l.key, jetstream.LastRevision(revision), jetstream.PurgeTTL(markerTTL))
	}
}
