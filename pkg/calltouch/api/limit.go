package api

import (
	"context"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/wait"
)

// PerSecond is how many requests Calltouch's API takes from one address in a second, over all
// methods (its help, 2024).
const PerSecond = 5

// Limiter spaces the requests to each host evenly: no bursts, and in no second more than allowed.
// Share one among all clients of a process. The zero value allows PerSecond.
type Limiter struct {
	// Allowed says how many requests a second are allowed now; nil means PerSecond. It is asked
	// before each request.
	Allowed func(ctx context.Context) int

	mu    sync.Mutex
	hosts map[string]*schedule
}

// schedule is when one host may be asked again, and who asks next.
type schedule struct {
	next chan struct{} // holds one token: who has it goes next

	mu   sync.Mutex
	last time.Time // when the last request went
	held time.Time // none before this
}

// Wait returns when a request to host may go. Its only error is that of ctx.
func (l *Limiter) Wait(ctx context.Context, host string) error {
	s := l.at(host)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.next:
	}
	defer func() { s.next <- struct{}{} }()
	allowed := PerSecond
	if l.Allowed != nil {
		allowed = l.Allowed(ctx)
	}
	for {
		left := time.Until(s.due(spacing(allowed)))
		if left <= 0 {
			s.sent()
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, left); err != nil {
			return err
		}
	}
}

// Hold lets no request to host go for d: Calltouch asked for it.
func (l *Limiter) Hold(host string, d time.Duration) {
	s := l.at(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(d); until.After(s.held) {
		s.held = until
	}
}

// at is the schedule of a host.
func (l *Limiter) at(host string) *schedule {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == nil {
		l.hosts = map[string]*schedule{}
	}
	s := l.hosts[host]
	if s == nil {
		s = &schedule{next: make(chan struct{}, 1)}
		s.next <- struct{}{}
		l.hosts[host] = s
	}
	return s
}

// due is when the next request may go, with such a gap behind the last one.
func (s *schedule) due(gap time.Duration) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if due := s.last.Add(gap); due.After(s.held) {
		return due
	}
	return s.held
}

// sent notes that a request goes now.
func (s *schedule) sent() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
}

// spacing is the time between two requests: a tenth longer than the rate asks, so that one
// request slow on its way does not make six arrive within a second.
func spacing(perSecond int) time.Duration {
	return time.Second * 11 / 10 / time.Duration(max(perSecond, 1))
}
