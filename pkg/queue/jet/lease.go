package jet

import (
	"context"
	"errors"
	"time"

	"github.com/touchbox/touchbox/pkg/wait"
)

// Lease says that this process alone does something: it polls, it purges. It runs out when nobody
// renews it, by the server's clock alone.
type Lease struct {
	b        *Bucket
	key      string
	holder   Holder
	ttl      time.Duration
	revision uint64

	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
}

// Holder is what the bucket shows of whoever holds a lease.
type Holder struct {
	Name  string    `json:"name"`
	Since time.Time `json:"since"`
}

// Lease takes the lease under a key, or returns ErrHeld. It is renewed every third of ttl (whole seconds,
// at least 1 s) until ctx ends, it is lost, or Release is called.
func (b *Bucket) Lease(ctx context.Context, key string, ttl time.Duration) (*Lease, error) {
	l := &Lease{b: b, key: key, ttl: max(ttl, time.Second), ended: make(chan struct{})}
	l.holder = Holder{Name: b.c.opts.Name, Since: time.Now().UTC()}
	revision, err := b.create(ctx, l.key, l.holder, l.ttl)
	if errors.Is(err, ErrConflict) {
		return nil, ErrHeld
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
	for wait.Sleep(l.ctx, l.ttl/3) == nil {
		ctx, cancel := context.WithDeadline(l.ctx, renewed.Add(l.ttl))
		began := time.Now()
		revision, err := l.b.write(ctx, l.key, l.holder, terms{over: &l.revision, life: l.ttl})
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), RequestTimeout)
	defer cancel()
	var h Holder
	revision, err := l.b.Get(ctx, l.key, &h)
	if err == nil && h.Name == l.holder.Name && h.Since.Equal(l.holder.Since) {
		l.remove(ctx, revision)
	}
}

// giveBack removes the lease where it is still ours.
func (l *Lease) giveBack() {
	if l.revision == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), RequestTimeout)
	defer cancel()
	l.remove(ctx, l.revision)
}

func (l *Lease) remove(ctx context.Context, revision uint64) {
	_ = l.b.DeleteAt(ctx, l.key, revision) // else it runs out by itself
}
