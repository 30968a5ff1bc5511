package queue_test

import (
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Rule 10: what comes behind an interruption may have been settled before.
func TestWhatInterruptsAConsumer(t *testing.T) {
	t.Parallel()
	c := &queue.Checks{}
	for _, step := range []struct {
		what             string
		before           func()
		epoch, place, of uint64
		want             bool
	}{
		{"the first message", nil, 0, 10, 1, true},
		{"the next", nil, 0, 11, 1, false},
		{"one that comes again", nil, 0, 10, 2, false},
		{"one behind a gap", nil, 0, 20, 1, false},
		{"a step back", nil, 0, 12, 1, true},
		{"the next after it", nil, 0, 13, 1, false},
		{"the same once more", nil, 0, 13, 1, true},
		{"a reconnect", nil, 1, 14, 1, true},
		{"the next after that", nil, 1, 15, 1, false},
		{"a pause", c.Wait, 1, 16, 1, true},
		{"the next after the pause", nil, 1, 17, 1, false},
		{"an error", c.Restart, 1, 18, 1, true},
		{"the next after the error", nil, 1, 19, 1, false},
	} {
		if step.before != nil {
			step.before()
		}
		if got := c.Interrupted(step.epoch, step.place, step.of); got != step.want {
			t.Errorf("%s: interrupted: %v", step.what, got)
		}
	}
}

// Links that begin with a backlog do not ask HISTORY about each event, though others have settled it.
func TestABacklogIsNotLookedUpSingly(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const n = 600
	for i := range n {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	asked, err := queue.CountAsked(t.Context(), q, "$JS.API.DIRECT.GET.TOUCHBOX_HISTORY.>")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "b"} {
		spec := queuetest.Calls(id)
		spec.Since = time.Now().Add(-time.Hour)
		h := &queuetest.Handler{}
		stop := h.Consume(t, queuetest.OpenLink(t, q, spec))
		queuetest.Eventually(t, "all is delivered", func() bool { return h.Outcomes()[event.Delivered] == n })
		stop()
	}
	if got := asked(); got > n/10 {
		t.Errorf("HISTORY was asked %d times about %d events", got, n)
	}
}

// What is marked as redelivered is looked up, whatever else is known.
func TestWhatIsLookedUp(t *testing.T) {
	t.Parallel()
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
