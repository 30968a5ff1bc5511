package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// State is a key-value store that every process and every later run sees. Names are dotted words of
// letters, digits, "-" and "_".
type State interface {
	// Get reads the JSON value under name into v and reports whether there is one.
	Get(ctx context.Context, name string, v any) (bool, error)
	// Put writes v as JSON under name.
	Put(ctx context.Context, name string, v any) error
	// Delete removes name; that there is none is no error.
	Delete(ctx context.Context, name string) error
	// Lease takes the lease called name for this process, and renews it until ctx ends, until it is
	// released, or until it is lost. Another process can take it ttl after it was last renewed, on the
	// store's clock. The error is ErrHeld when another process holds it.
	Lease(ctx context.Context, name string, ttl time.Duration) (Lease, error)
	// Leased reports whether any process holds the lease name.
	Leased(ctx context.Context, name string) (bool, error)
}

// Lease is what a process alone may do for as long as it holds it.
type Lease interface {
	// Context ends when the lease is lost or released.
	Context() context.Context
	// Release gives it up.
	Release()
}

// ErrHeld reports a lease that another process holds.
var ErrHeld = errors.New("held by another process")

// errLeaseLost reports that somebody else may hold the lease by now.
var errLeaseLost = errors.New("the connection to the queue was gone for too long")

// whileHeld runs f while this process holds a lease: the context of f ends when the lease is lost, and
// the error is errLeaseLost then. The lease is held until f has returned, also when ctx has ended.
func whileHeld(ctx context.Context, state State, name string, f func(ctx context.Context) error) error {
	lease, err := state.Lease(context.WithoutCancel(ctx), name, leaseTTL)
	if err != nil {
		return err
	}
	defer lease.Release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(lease.Context(), func() { cancel(errLeaseLost) })()
	err = f(ctx)
	if errors.Is(context.Cause(ctx), errLeaseLost) {
		return errLeaseLost
	}
	return err
}

// Another process takes over within leaseTTL + leaseRetry, 40 s.
const (
	leaseTTL   = 30 * time.Second
	leaseRetry = 10 * time.Second
)

// tellEvery is how often the other processes are told of a good poll, and how long a loop waits that
// cannot read STATE.
const tellEvery = 10 * time.Second

// mark is the watermark of a reading, for other processes and later runs: when the last good one began.
type mark struct {
	Time time.Time       `json:"time"`
	Left []calltouch.Day `json:"left,omitempty"` // days that could not be read then
}

// While backfill or gaps runs, the poller leaves it a share of api.PerSecond.
const (
	perSecondBeside  = 3 // the poller's while a command runs
	perSecondCommand = 2 // the command's own
)

// Announced returns a Limiter.Allowed for the poller: the whole limit, or its share while a
// command has announced itself. It asks STATE at most once a second; while STATE does not answer,
// what was known last holds.
func Announced(state State) func(ctx context.Context) int {
	var mu sync.Mutex
	var asked time.Time
	var yes bool
	return func(ctx context.Context) int {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(asked) >= time.Second {
			if held, err := state.Leased(ctx, event.LeaseCommand); err == nil {
				asked, yes = time.Now(), held
			}
		}
		if yes {
			return perSecondBeside
		}
		return api.PerSecond
	}
}

// CommandLimiter is the limiter of backfill and gaps: their share, whether a poller runs or not.
func CommandLimiter() *api.Limiter {
	return &api.Limiter{Allowed: func(context.Context) int { return perSecondCommand }}
}

// ErrCommandRuns reports that another backfill or gaps is asking Calltouch just now.
var ErrCommandRuns = errors.New("another backfill or gaps is running: wait until it ends (after a crash, half a minute)")

// courtesy is how long a command waits until every poller has heard of it: each asks STATE once
// a second, and one request may be on its way.
const courtesy = 2 * time.Second

// announce tells the poller that a command is about to ask Calltouch, and runs it. When STATE does not
// hold the announcement any more, the command's context is ended.
func announce(ctx context.Context, state State, run func(ctx context.Context) error) error {
	began := false
	err := whileHeld(ctx, state, event.LeaseCommand, func(ctx context.Context) error {
		began = true
		if err := wait.Sleep(ctx, courtesy); err != nil {
			return err
		}
		return run(ctx)
	})
	switch {
	case began, err == nil:
		return err
	case errors.Is(err, ErrHeld):
		return ErrCommandRuns
	}
	return fmt.Errorf("announce the command: %w", err)
}
