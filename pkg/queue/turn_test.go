package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// Parked: Turn blocks, nothing is taken; then one probe at a time; then all goes on.
func TestTurn(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 20 {
		queuetest.Publish(t, q, queuetest.Call(i))
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
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
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
	h.ConsumeBy(t, queuetest.OpenLink(t, q, queuetest.Calls("a")), queue.Consumption{Turn: turn})
	time.Sleep(100 * time.Millisecond)
	if n := len(h.Deliveries()); n != 0 {
		t.Fatalf("a parked link took %d events", n)
	}
	for i := range 3 {
		release <- struct{}{}
		queuetest.Eventually(t, "the probe", func() bool { return len(h.Deliveries()) == i+1 })
	}
	if most.Load() != 1 {
		t.Errorf("%d probes at a time", most.Load())
	}
	seen := map[string]bool{}
	for _, d := range h.Deliveries() {
		if !d.Probe || seen[d.Event.Key.ID] {
			t.Errorf("no probe, or the same event again: %+v", d)
		}
		seen[d.Event.Key.ID] = true
	}
	open.Store(true)
	close(release)
	queuetest.Eventually(t, "all others", func() bool { return h.Outcomes()[event.Delivered] == 18 })
	if r := queuetest.Retries(t, q, queue.Filter{}); len(r) != 2 {
		t.Errorf("%d wait", len(r))
	}
}

// Events that are refused whenever they are probed, and are due again at once, do not keep a fresh one
// from being the probe.
func TestProbesAreOfFreshEventsToo(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	bad := map[string]bool{}
	for i := range 3 {
		queuetest.Publish(t, q, queuetest.Call(i))
		bad[queuetest.Call(i).Key.ID] = true
	}
	var good, probed atomic.Int64
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		probed.Add(1)
		if bad[d.Event.Key.ID] {
			return queue.Decision{Outcome: event.Waiting, Parked: true}
		}
		good.Add(1)
		return queue.Decision{Outcome: event.Delivered}
	}}
	stop := h.Consume(t, l) // all three wait in RETRIES and are due
	queuetest.Eventually(t, "all wait", func() bool {
		return len(queuetest.Retries(t, q, queue.Filter{})) == 3 && queuetest.Stats(t, q, "a").Unread == 0
	})
	stop()
	queuetest.Publish(t, q, queuetest.Call(7))
	probed.Store(0)
	h.ConsumeBy(t, queuetest.OpenLink(t, q, queuetest.Calls("a")), queue.Consumption{Turn: func(ctx context.Context) (queue.Turn, error) {
		for ctx.Err() == nil && len(due(q)) == 0 { // probes are seconds apart
			time.Sleep(10 * time.Millisecond)
		}
		return queue.Turn{Max: 1, Probe: true}, ctx.Err()
	}})
	queuetest.Eventually(t, "some probes", func() bool { return good.Load() > 0 || probed.Load() > 4 })
	if good.Load() == 0 {
		t.Errorf("%d probes, none of the fresh event", probed.Load())
	}
}

// due are the retries whose time has come.
func due(q *queue.Queue) (list []queue.Retry) {
	for r, err := range q.Retries(context.Background(), queue.Filter{}) {
		if err == nil && r.Due {
			list = append(list, r)
		}
	}
	return list
}

// TestTurnHearsWhenAProbeIsDone: also of one for which there was no event.
func TestTurnHearsWhenAProbeIsDone(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	var asked, done atomic.Int64
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Waiting, Parked: true, Until: time.Now().Add(time.Hour)}
	}}
	h.ConsumeBy(t, queuetest.OpenLink(t, q, queuetest.Calls("a")), queue.Consumption{Turn: func(context.Context) (queue.Turn, error) {
		if asked.Add(1)-done.Load() > 1 {
			t.Error("asked again before the probe was done")
		}
		return queue.Turn{Probe: true, Done: func() { done.Add(1) }}, nil
	}})
	queuetest.Eventually(t, "a probe in vain is done", func() bool { return done.Load() > 0 })
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "the probe is made", func() bool { return len(h.Deliveries()) == 1 })
	before := done.Load()
	queuetest.Eventually(t, "the probe is done", func() bool { return done.Load() > before })
}

func TestNoMoreThanWorkersAtOnce(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 40 {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	var handling, most atomic.Int64
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
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
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "all", func() bool { return h.Outcomes()[event.Delivered] == 40 })
	if most.Load() > 4 || most.Load() < 2 {
		t.Errorf("%d at once, want up to 4", most.Load())
	}
}

func TestWhatIsInHandIsFinishedAtTheEnd(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	started, end := make(chan struct{}), make(chan struct{})
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		close(started)
		<-end
		return queue.Decision{Outcome: event.Delivered}
	}}
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Consume(ctx, queue.Consumption{Handle: h.Handle, Settled: h.Settled}) }()
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
	if h.Outcomes()[event.Delivered] != 1 {
		t.Error("what was in hand is not settled")
	}
	queuetest.Eventually(t, "the ack", queuetest.SettledAll(t, q, "a"))
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
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1))
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
	if st := queuetest.Stats(t, q, "a"); st.InHand != 1 {
		t.Errorf("the event is lost: %+v", st)
	}
}

func TestLongHandlingIsNotDeliveredTwice(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "longer than an AckWait")
	q := queuetest.New(t)
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		time.Sleep(7 * time.Second) // AckWait is 6 s: the server is told in between
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "delivered", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Eventually(t, "settled", queuetest.SettledAll(t, q, "a"))
	if n := len(h.Deliveries()); n != 1 {
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

// TestUncountedBacklogIsNoFullOne: while nobody can say how much waits in RETRIES, nothing is taken, and nothing
// is said of too much.
func TestUncountedBacklogIsNoFullOne(t *testing.T) {
	log := &queuetest.Buffer{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Connection: queue.Connection{Log: zerolog.New(log)}})
	l := queuetest.OpenLink(t, q, queuetest.Calls("calls"))
	if err := queue.DeleteStream(t.Context(), q, event.RetriesStream); err != nil {
		t.Fatal(err)
	}
	_, stop := queuetest.Consume(t, l, func(*queue.Delivery) queue.Decision { return queue.Decision{Outcome: event.Delivered} })
	queuetest.Eventually(t, "the missing stream is told of", func() bool { return log.Has("taking events was interrupted") })
	if log.Has("too many events wait") {
		t.Error("a count that failed is taken for too many events")
	}
	stop()
}
