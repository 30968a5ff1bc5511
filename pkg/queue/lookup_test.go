package queue_test

import (
	"context"
	"sync/atomic"
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

// Behind an interruption the first few are looked up singly, and all others that were to be given by what the last records
// are about. Those are held for no longer.
func TestWhatIsComparedWithTheLastRecords(t *testing.T) {
	t.Parallel()
	c := &queue.Checks{}
	c.Expect(1000)
	singly := 0
	for !c.Reads("settled") {
		if singly++; !c.Due("new") {
			t.Fatal("one of the first is not looked up")
		}
	}
	if singly == 0 || singly > 50 {
		t.Errorf("%d were looked up singly", singly)
	}
	if c.Due("new") || !c.Due("settled") {
		t.Error("the last records do not decide")
	}
	for range 1100 {
		c.Due("new")
	}
	if c.Holds() || c.Due("settled") {
		t.Error("it goes on when all was given")
	}
	c.Expect(100)
	for i := range 100 {
		if c.Reads() || !c.Due("new") {
			t.Fatalf("the %dth of a hundred is not looked up singly", i)
		}
	}
}

// What was read for one link serves another one, unless something may have been forgotten since.
func TestTheLastRecordsAreReadAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	known := 0
	for i, step := range []struct {
		what  string
		epoch uint64
		after time.Duration // since the last reading
		again bool
	}{
		{"the first time", 0, -time.Hour, true},
		{"for another link", 0, -time.Hour, false},
		{"behind a pause", 0, time.Hour, true},
		{"behind a reconnect", 1, -time.Hour, true},
		{"for another link again", 1, -time.Hour, false},
	} {
		if err := q.WriteRecord(t.Context(), queuetest.Call(i).Key.Subject(), queue.Record{Link: "a", Outcome: event.Filtered}); err != nil {
			t.Fatal(err)
		}
		n, err := queue.LastRecords(t.Context(), q, step.epoch, time.Now().Add(step.after))
		if err != nil {
			t.Fatal(err)
		}
		if again := n > known; again != step.again {
			t.Errorf("%s: read again: %v", step.what, again)
		}
		known = n
	}
}

// One event at a time, as a parked link takes it, is looked up by itself, however much waits behind it.
func TestAProbeIsLookedUpSingly(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.PublishCalls(t, q, 0, 400)
	read, err := queue.CountAsked(t.Context(), q, "$JS.API.CONSUMER.CREATE.TOUCHBOX_HISTORY.>")
	if err != nil {
		t.Fatal(err)
	}
	spec := queuetest.Calls("a")
	spec.Since = time.Now().Add(-time.Hour)
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Waiting, Parked: true, Until: time.Now().Add(time.Hour)}
	}}
	var probes atomic.Int64
	h.ConsumeBy(t, queuetest.OpenLink(t, q, spec), queue.Consumption{Turn: func(ctx context.Context) (queue.Turn, error) {
		if probes.Add(1) > 5 {
			<-ctx.Done()
		}
		return queue.Turn{Probe: true}, ctx.Err()
	}})
	queuetest.Eventually(t, "some probes", func() bool { return len(h.Deliveries()) == 5 })
	if n := read(); n > 0 {
		t.Errorf("the end of HISTORY was read %d times for some probes", n)
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
