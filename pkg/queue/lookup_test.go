package queue_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/queue"
)

// Rule 10: after a break, what the consumer had to give then is looked up, the first 2,000 of it at most, and all that
// is marked as redelivered.
func TestWhatIsLookedUp(t *testing.T) {
	t.Parallel()
	const many, few = 100_000, 10
	c, place := &queue.Checks{}, uint64(0)
	next := func(epoch, pending uint64) bool {
		place++
		return c.Due(epoch, place, pending)
	}
	looksUp := func(after string, most int, epoch, pending uint64) {
		t.Helper()
		n := 0
		for n <= most && next(epoch, pending) {
			n++
		}
		if n < most || n > most+100 || n > 2000 {
			t.Errorf("after %s %d messages are looked up, want %d", after, n, most)
		}
	}
	looksUp("the start", 2000, 0, many)
	looksUp("a reconnect", 2000, 1, many)
	c.Resume()
	looksUp("a pause", 2000, 1, many)
	place /= 2
	looksUp("a step back", 2000, 1, many)
	for range few + 1 {
		if !next(2, few) {
			t.Fatal("a message that waited at a reconnect is not looked up")
		}
	}
	for range 100 { // the count of what waited may be a little wrong
		next(2, 0)
	}
	if next(2, 0) {
		t.Error("what was stored long after the reconnect is looked up")
	}
	tests := []struct {
		name      string
		first     bool
		delivered uint64
		want      bool
	}{
		{"among the first", true, 1, true},
		{"later", false, 1, false},
		{"later and redelivered", false, 2, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := queue.Suspect(tt.first, tt.delivered); got != tt.want {
				t.Errorf("looked up: %v", got)
			}
		})
	}
}
