// Package wait holds what the rooms above need of time: a sleep that ends with its context, and a
// throttle for what should be said once in a while. It knows nothing of events.
package wait

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Sleep returns after d, or with the context's error as soon as that ends. It never sleeps where d is
// not positive.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Until is Sleep until a time of day.
func Until(ctx context.Context, at time.Time) error { return Sleep(ctx, time.Until(at)) }

// Throttle lets each name through at most once in an interval: a log line that would come with every
// event comes once a minute, a warning once a day. The zero value is ready; it is safe for concurrent
// use, and must not be copied.
type Throttle struct {
	mu     sync.Mutex
	passed map[string]pass
	swept  time.Time
}

// pass is when a name was let through, and when it may be again.
type pass struct{ at, until time.Time }

// MaxNames bounds how many names a Throttle remembers: a stranger may choose them. While so many wait
// for their interval to end, new ones are not let through.
const MaxNames = 1000

// Due reports whether the name may pass, and takes it as passed now. It passes again when `every` has
// gone by since then, and when the clock has been set back to before it.
func (t *Throttle) Due(name string, every time.Duration) bool {
	return t.DueAt(name, time.Now(), every)
}

// DueAt is Due at another time than now: of a simulated clock, or of a record.
func (t *Throttle) DueAt(name string, now time.Time, every time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, known := t.passed[name]
	if known && !now.Before(last.at) && now.Sub(last.at) < every {
		return false
	}
	if !known && !t.room(now) {
		return false
	}
	if t.passed == nil {
		t.passed = map[string]pass{}
	}
	t.passed[name] = pass{at: now, until: now.Add(every)}
	return true
}

// room reports whether one more name can be remembered. Looking through all of them for each new name
// would cost, so that is done once a minute.
func (t *Throttle) room(now time.Time) bool {
	if len(t.passed) < MaxNames {
		return true
	}
	if now.Sub(t.swept).Abs() >= time.Minute {
		t.swept = now
		maps.DeleteFunc(t.passed, func(_ string, p pass) bool { return now.Before(p.at) || !now.Before(p.until) })
	}
	return len(t.passed) < MaxNames
}
