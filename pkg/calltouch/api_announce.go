package calltouch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
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
			if held, err := state.Leased(ctx, leaseCommand); err == nil {
				asked, yes = time.Now(), held
			}
		}
		if yes {
			return perSecondBeside
		}
		return PerSecond
	}
}

// CommandLimiter is the limiter of backfill and gaps: their share, whether a poller runs or not.
func CommandLimiter() *Limiter {
	return &Limiter{Allowed: func(context.Context) int { return perSecondCommand }}
}

// ErrCommandRuns reports that another backfill or gaps is asking Calltouch just now.
var ErrCommandRuns = errors.New("another backfill or gaps is running: wait until it ends (after a crash, half a minute)")

// courtesy is how long a command waits until every poller has heard of it: each asks STATE once
// a second, and one request may be on its way.
const courtesy = 2 * time.Second

// announce tells the poller that a command is about to ask Calltouch, and runs it. While STATE
// does not hold the announcement any more, the command's context is ended.
func announce(ctx context.Context, state State, run func(ctx context.Context) error) error {
	held, err := state.Lease(ctx, leaseCommand, leaseTTL)
	if err != nil {
		return fmt.Errorf("announce the command: %w", err)
	}
	if !held {
		return ErrCommandRuns
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		keepLease(ctx, state, leaseCommand, func() { cancel(errLeaseLost) })
	}()
	if err = sleep(ctx, courtesy); err == nil {
		err = run(ctx)
	}
	if c := context.Cause(ctx); errors.Is(c, errLeaseLost) {
		err = c
	}
	cancel(nil)
	<-kept
	release(ctx, state, leaseCommand)
	return err
}

var errLeaseLost = errors.New("the connection to the queue was gone for too long")

// keepLease renews a lease until ctx ends. When it is lost, or could not be renewed for so long
// that it may be, lost is called.
func keepLease(ctx context.Context, state State, name string, lost func()) {
	renewed := time.Now()
	for sleep(ctx, leaseRenewal) == nil {
		held, err := state.Lease(ctx, name, leaseTTL)
		switch {
		case err == nil && held:
			renewed = time.Now()
		case err == nil, time.Since(renewed) >= leaseTTL-leaseRenewal:
			lost()
			return
		}
	}
}

// release gives a lease up although ctx has ended, so that another need not wait for its end.
func release(ctx context.Context, state State, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = state.Release(ctx, name) // else it ends by itself
}
