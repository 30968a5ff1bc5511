package calltouch

import (
	"context"
	"sync"
	"time"
)

// PerSecond is how many requests Calltouch's API takes from one address in a second, over all
// methods (its help, 2024). While backfill or gaps runs, the poller leaves them a share.
const (
	PerSecond        = 5
	perSecondBeside  = 3 // the poller's while a command runs
	perSecondCommand = 2 // the command's own
)

// Limiter spaces the requests to each host evenly: no bursts, and in no second more than allowed.
// Share one among all clients of a process. The zero value allows PerSecond.
type Limiter struct {
	// Allowed says how many requests a second are allowed now; nil means PerSecond. It is asked
	// before each request.
	Allowed func(ctx context.Context) int

	mu    sync.Mutex
	hosts map[string]*turn
}

// turn is whose turn it is at one host.
type turn struct {
	mine chan struct{} // holds one token: who has it goes next

	mu   sync.Mutex
	last time.Time // when the last request went
	held time.Time // none before this
}

// Wait returns when a request to host may go. Its only error is that of ctx.
func (l *Limiter) Wait(ctx context.Context, host string) error {
	t := l.at(host)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.mine:
	}
	defer func() { t.mine <- struct{}{} }()
	allowed := PerSecond
	if l.Allowed != nil {
		allowed = l.Allowed(ctx)
	}
	for {
		wait := time.Until(t.due(spacing(allowed)))
		if wait <= 0 {
			t.gone()
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// Hold lets no request to host go for d: Calltouch asked for it.
func (l *Limiter) Hold(host string, d time.Duration) {
	t := l.at(host)
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.held) {
		t.held = until
	}
}

func (l *Limiter) at(host string) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]*turn{}
	}
	t := l.hosts[host]
	if t == nil {
		t = &turn{mine: make(chan struct{}, 1)}
		t.mine <- struct{}{}
		l.hosts[host] = t
	}
	return t
}

func (t *turn) due(gap time.Duration) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if due := t.last.Add(gap); due.After(t.held) {
		return due
	}
	return t.held
}

func (t *turn) gone() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Now()
}

// spacing is the time between two requests: a tenth longer than the rate asks, so that one
// request slow on its way does not make six arrive within a second.
func spacing(perSecond int) time.Duration {
	return time.Second * 11 / 10 / time.Duration(max(perSecond, 1))
}

// sleep waits for d, or until ctx ends; then its error is that of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
