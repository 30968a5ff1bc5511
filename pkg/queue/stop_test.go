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

// consumption runs a link until its end is asked for, and says how long that took.
type consumption struct {
	cancel context.CancelFunc
	done   chan error
}

func consume(l *queue.Link, c queue.Consumption) *consumption {
	ctx, cancel := context.WithCancel(context.Background())
	x := &consumption{cancel: cancel, done: make(chan error, 1)}
	go func() { x.done <- l.Consume(ctx, c) }()
	return x
}

// stop asks for the end, which must come: finish is 200 ms, a minute means never.
func (x *consumption) stop(t testing.TB) error {
	t.Helper()
	x.cancel()
	select {
	case err := <-x.done:
		return err
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
		return nil
	}
}

const shortFinish = 200 * time.Millisecond

// slowly is a link whose events the server gives to nobody else for a minute: what another one gets
// was handed over.
func slowly(id string) queue.LinkSpec {
	s := queuetest.Calls(id)
	s.AckWait, s.Handlers = time.Minute, 1
	return s
}

// The clock of the end runs while a probe hangs, too: it is handled within the loop.
func TestStopWithAProbeOut(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, queuetest.Call(1))
	started := make(chan struct{}, 1)
	x := consume(queuetest.OpenLink(t, q, slowly("a")), queue.Consumption{
		Finish: shortFinish,
		Turn:   func(context.Context) (queue.Turn, error) { return queue.Turn{Max: 1, Probe: true}, nil },
		Handle: func(ctx context.Context, _ *queue.Delivery) queue.Decision {
			started <- struct{}{}
			<-ctx.Done()
			return queue.Decision{Outcome: event.Waiting}
		},
	})
	<-started
	if err := x.stop(t); err == nil {
		t.Error("it does not say that an event was in hand")
	}
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, slowly("a")))
	queuetest.Eventually(t, "another worker has the event", func() bool { return h.Outcomes()[event.Delivered] == 1 })
}

// What is not begun goes to another worker at once, not when the server misses a word about it.
func TestStopHandsOverWhatIsNotBegun(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 5 {
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	started, goOn := make(chan struct{}, 5), make(chan struct{})
	first := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		started <- struct{}{}
		<-goOn
		return queue.Decision{Outcome: event.Delivered}
	}}
	x := consume(queuetest.OpenLink(t, q, slowly("a")), queue.Consumption{Handle: first.Handle, Settled: first.Settled})
	<-started
	queuetest.Eventually(t, "all are in hand", func() bool { return queuetest.Stats(t, q, "a").InHand == 5 })
	x.cancel()
	second := &queuetest.Handler{}
	second.Consume(t, queuetest.OpenLink(t, q, slowly("a")))
	queuetest.Eventually(t, "the others", func() bool { return second.Outcomes()[event.Delivered] == 4 })
	close(goOn)
	if err := x.stop(t); err != nil {
		t.Error(err)
	}
	queuetest.Eventually(t, "all settled", queuetest.SettledAll(t, q, "a"))
	if n := len(first.Deliveries()); n != 1 {
		t.Errorf("%d were begun", n)
	}
}

// A stop does not wait for a server that is away: neither with outcomes that cannot be stored, nor in
// the middle of a probe.
func TestStopWithoutAServer(t *testing.T) {
	t.Parallel()
	for name, probe := range map[string]bool{"events": false, "a probe": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := queuetest.Spawn(t)
			q := server.Open(queue.Options{})
			queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
			var killed atomic.Bool
			started := make(chan struct{}, 3)
			x := consume(queuetest.OpenLink(t, q, queuetest.Calls("a")), queue.Consumption{
				Finish: shortFinish,
				Turn:   func(context.Context) (queue.Turn, error) { return queue.Turn{Probe: probe}, nil },
				Handle: func(context.Context, *queue.Delivery) queue.Decision {
					started <- struct{}{}
					for !killed.Load() {
						time.Sleep(time.Millisecond)
					}
					return queue.Decision{Outcome: event.Waiting, Attempts: 1}
				},
			})
			<-started
			server.Kill()
			killed.Store(true)
			if err := x.stop(t); err == nil {
				t.Error("it does not say that events were in hand")
			}
			server.Start()
			queuetest.Eventually(t, "the server is back", func() bool { return q.Ready(t.Context()) == nil })
			h := &queuetest.Handler{}
			h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
			queuetest.Eventually(t, "all are delivered in the end", func() bool { return h.Outcomes()[event.Delivered] == 3 })
		})
	}
}

// A worker that died is missed after AckWait, whatever the far end's timeout; a consumer of an older
// version is brought to it.
func TestWhatADeadWorkerHadComesSoon(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	old := queuetest.Calls("a")
	old.AckWait = 40 * time.Second
	queuetest.OpenLink(t, q, old)
	spec := queuetest.Calls("a")
	spec.AckWait = 0
	queuetest.OpenLink(t, q, spec)
	waits, err := queue.AckWaits(t.Context(), q, "a")
	if err != nil || waits != [2]time.Duration{10 * time.Second, 10 * time.Second} {
		t.Errorf("the server waits for %v (%v), want 10 s for both consumers", waits, err)
	}
}

// Close does not wait for a server that has stopped answering.
func TestCloseWhileARecordIsUnderWay(t *testing.T) {
	t.Parallel()
	q, asked := scriptedWithin(t, time.Hour, queuetest.AnswerSilence)
	done := make(chan error, 1)
	go func() { done <- q.Note(t.Context(), queuetest.Call(1).Key, queue.Record{Note: "x"}) }()
	queuetest.Eventually(t, "it is under way", func() bool { return asked.Load() == 1 })
	closed := make(chan struct{})
	go func() { q.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(time.Minute):
		t.Fatal("Close waits")
	}
	if err := <-done; err == nil {
		t.Error("a record of which nothing is known counts as written")
	}
}
