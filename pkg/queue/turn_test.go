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

// Parked: Turn blocks, nothing is taken; then one probe at a time; then all goes on.
func TestTurn(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 20 {
		publish(t, q, call(i))
	}
	var probes, handling, most atomic.Int64
	var open atomic.Bool
	release := make(chan struct{})
	turn := func(ctx context.Context) (queue.Turn, error) {
		if open.Load() {
			return queue.Turn{}, nil
		}
		select {
		case <-release:
			probes.Add(1)
			return queue.Turn{Max: 1, Probe: true}, nil
		case <-ctx.Done():
			return queue.Turn{}, ctx.Err()
		}
	}
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if n := handling.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer handling.Add(-1)
		time.Sleep(time.Millisecond)
		if d.Probe && probes.Load() < 3 {
			return queue.Decision{Outcome: event.Waiting, Parked: true, Until: time.Now().Add(time.Hour)}
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.consumeBy(t, openLink(t, q, calls("a")), queue.Consumption{Turn: turn})
	time.Sleep(100 * time.Millisecond)
	if n := len(h.deliveries()); n != 0 {
		t.Fatalf("a parked link took %d events", n)
	}
	for i := range 3 {
		release <- struct{}{}
		eventually(t, "the probe", func() bool { return len(h.deliveries()) == i+1 })
	}
	if most.Load() != 1 {
		t.Errorf("%d probes at a time", most.Load())
	}
	seen := map[string]bool{}
	for _, d := range h.deliveries() {
		if !d.Probe || seen[d.Event.Key.ID] {
			t.Errorf("no probe, or the same event again: %+v", d)
		}
		seen[d.Event.Key.ID] = true
	}
	open.Store(true)
	close(release)
	eventually(t, "all others", func() bool { return h.outcomes()[event.Delivered] == 18 })
	if r := retries(t, q, queue.Filter{}); len(r) != 2 {
		t.Errorf("%d wait", len(r))
	}
}

func TestNoMoreThanWorkersAtOnce(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 40 {
		publish(t, q, call(i))
	}
	var handling, most atomic.Int64
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if n := handling.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer handling.Add(-1)
		time.Sleep(5 * time.Millisecond)
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "all", func() bool { return h.outcomes()[event.Delivered] == 40 })
	if most.Load() > 4 || most.Load() < 2 {
		t.Errorf("%d at once, want up to 4", most.Load())
	}
}

func TestWhatIsInHandIsFinishedAtTheEnd(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	started, end := make(chan struct{}), make(chan struct{})
	h := &handler{decide: func(*queue.Delivery) queue.Decision {
		close(started)
		<-end
		return queue.Decision{Outcome: event.Delivered}
	}}
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Consume(ctx, queue.Consumption{Handle: h.handle, Settled: h.settled}) }()
	<-started
	cancel()
	select {
	case <-done:
		t.Fatal("ended with an event in hand")
	case <-time.After(50 * time.Millisecond):
	}
	close(end)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if h.outcomes()[event.Delivered] != 1 {
		t.Error("what was in hand is not settled")
	}
	eventually(t, "the ack", settledAll(t, q, "a"))
}

func TestFinishIsBounded(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	started := make(chan struct{})
	handle := func(ctx context.Context, _ *queue.Delivery) queue.Decision {
		close(started)
		<-ctx.Done()
		return queue.Decision{Outcome: event.Waiting}
	}
	l := openLink(t, q, calls("a"))
	publish(t, q, call(1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Consume(ctx, queue.Consumption{Handle: handle, Finish: 50 * time.Millisecond}) }()
	<-started
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it does not say that something was in hand")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it does not end")
	}
	if st := stats(t, q, "a"); st.InHand != 1 {
		t.Errorf("the event is lost: %+v", st)
	}
}

func TestLongHandlingIsNotDeliveredTwice(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes longer than an AckWait")
	}
	q := queuetest.New(t)
	h := &handler{decide: func(*queue.Delivery) queue.Decision {
		time.Sleep(7 * time.Second) // AckWait is 6 s: the server is told in between
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1))
	eventually(t, "delivered", func() bool { return h.outcomes()[event.Delivered] == 1 })
	eventually(t, "settled", settledAll(t, q, "a"))
	if n := len(h.deliveries()); n != 1 {
		t.Errorf("delivered %d times", n)
	}
}

func TestNoFreshEventsWhileTooManyWait(t *testing.T) {
	t.Parallel()
	counted := 0
	count := func(n uint64) func(context.Context) (uint64, error) {
		return func(context.Context) (uint64, error) { counted++; return n, nil }
	}
	b := &queue.Backlog{}
	for _, step := range []struct {
		name  string
		add   int64
		count uint64
		full  bool
		reads int
	}{
		{"the first time the server is asked", 0, 9_998, false, 1},
		{"one more", 1, 0, false, 1},
		{"the bound", 1, 0, true, 1},
		{"one is through", -1, 0, false, 1},
	} {
		b.Add(step.add)
		full, err := b.Full(t.Context(), count(step.count))
		if err != nil || full != step.full || counted != step.reads {
			t.Errorf("%s: full %v after %d reads, want %v after %d (%v)", step.name, full, counted, step.full, step.reads, err)
		}
	}
}
