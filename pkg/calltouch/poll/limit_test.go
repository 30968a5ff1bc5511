package poll_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
)

// flood sends n requests through each limiter at once and returns the most within a second.
func flood(t *testing.T, n int, limiters ...*api.Limiter) int {
	var mu sync.Mutex
	var sent []time.Time
	var all sync.WaitGroup
	for _, l := range limiters {
		for range n {
			all.Go(func() {
				if err := l.Wait(t.Context(), "calltouch.example"); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, time.Now())
			})
		}
	}
	all.Wait()
	most, first := 0, 0
	for i := range sent {
		for sent[i].Sub(sent[first]) > time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

func TestLimiter(t *testing.T) {
	t.Run("five a second", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			if most := flood(t, 100, &api.Limiter{}); most != 5 {
				t.Errorf("%d requests within a second", most)
			}
			if took := time.Since(start); took > 23*time.Second {
				t.Errorf("100 requests took %s", took)
			}
		})
	})
	t.Run("three beside a command's two", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newShared().as("command")
			lease, err := s.Lease(t.Context(), "calltouch.command", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			defer lease.Release()
			poller := &api.Limiter{Allowed: poll.Announced(newSharedView(s, "poller"))}
			if most := flood(t, 50, poller, poll.CommandLimiter()); most != 5 {
				t.Errorf("%d requests within a second", most)
			}
		})
	})
	t.Run("hosts do not share", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var l api.Limiter
			start := time.Now()
			for _, host := range []string{"a", "b", "c"} {
				_ = l.Wait(t.Context(), host)
			}
			if took := time.Since(start); took != 0 {
				t.Errorf("took %s", took)
			}
		})
	})
	t.Run("held", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var l api.Limiter
			start := time.Now()
			l.Hold("a", time.Minute)
			l.Hold("a", time.Second) // no shorter
			_ = l.Wait(t.Context(), "a")
			if took := time.Since(start); took != time.Minute {
				t.Errorf("took %s", took)
			}
		})
	})
	t.Run("who gives up does not block the next", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var l api.Limiter
			l.Hold("a", time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if l.Wait(ctx, "a") == nil {
				t.Error("went")
			}
			if err := l.Wait(t.Context(), "a"); err != nil {
				t.Error(err)
			}
		})
	})
}

func newSharedView(s *state, process string) *state { return s.shared.as(process) }
