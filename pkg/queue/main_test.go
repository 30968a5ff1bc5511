package queue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestMain(m *testing.M) { queuetest.Main(m) }

// call makes an ended call that a hook has just brought.
func call(id int) event.Event {
	key, err := event.NewKey("10001", event.CallEnded, fmt.Sprint(id))
	if err != nil {
		panic(err)
	}
	now := time.Now().UTC()
	return event.Event{
		Key: key, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: fmt.Appendf(nil, "id=%d&callphase=calldisconnected", id), Received: now, Time: now.Truncate(time.Second),
	}
}

// calls is the spec of a link on those.
func calls(id string) queue.LinkSpec {
	return queue.LinkSpec{ID: id, Subjects: []string{queue.EventSubject("10001", event.CallEnded)},
		Since: time.Now().Add(-time.Hour), Workers: 4, Timeout: time.Second}
}

func publish(t testing.TB, q *queue.Queue, events ...event.Event) {
	t.Helper()
	for _, e := range events {
		if got, err := q.Publish(t.Context(), e); err != nil || got != event.ReceiptStored {
			t.Fatalf("publish %s: %v, %v", e.Key, got, err)
		}
	}
}

func openLink(t testing.TB, q *queue.Queue, s queue.LinkSpec) *queue.Link {
	t.Helper()
	l, err := q.OpenLink(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// handler remembers what it was given and answers as it is told.
type handler struct {
	mu     sync.Mutex
	seen   []queue.Delivery
	at     []time.Time
	decide func(d *queue.Delivery) queue.Decision // nil: delivered
	done   []queue.Decision
}

func (h *handler) handle(_ context.Context, d *queue.Delivery) queue.Decision {
	h.mu.Lock()
	h.seen = append(h.seen, *d)
	h.at = append(h.at, time.Now())
	h.mu.Unlock()
	if h.decide == nil {
		return queue.Decision{Outcome: event.Delivered, Status: 200, Attempts: d.Attempts + 1}
	}
	return h.decide(d)
}

func (h *handler) settled(_ *queue.Delivery, x queue.Decision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done = append(h.done, x)
}

func (h *handler) deliveries() []queue.Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]queue.Delivery(nil), h.seen...)
}

// outcomes counts what was settled.
func (h *handler) outcomes() map[event.Outcome]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[event.Outcome]int{}
	for _, x := range h.done {
		out[x.Outcome]++
	}
	return out
}

// consume runs the link with the handler until stop, or the end of the test.
func (h *handler) consume(t testing.TB, l *queue.Link) (stop func()) {
	return h.consumeBy(t, l, queue.Consumption{})
}

func (h *handler) consumeBy(t testing.TB, l *queue.Link, c queue.Consumption) (stop func()) {
	t.Helper()
	c.Handle, c.Settled = h.handle, h.settled
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Consume(ctx, c) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("consume: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// eventually waits until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

func stats(t testing.TB, q *queue.Queue, link string) queue.LinkStats {
	t.Helper()
	st, err := q.LinkStats(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// settledAll reports whether a link has nothing unread and nothing in hand.
func settledAll(t testing.TB, q *queue.Queue, link string) func() bool {
	return func() bool {
		st := stats(t, q, link)
		return st.Unread == 0 && st.InHand == 0
	}
}

func deadLetters(t testing.TB, q *queue.Queue, f queue.Filter) []queue.DeadLetter {
	t.Helper()
	var out []queue.DeadLetter
	for d, err := range q.DeadLetters(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
	}
	return out
}

func retries(t testing.TB, q *queue.Queue, f queue.Filter) []queue.Retry {
	t.Helper()
	var out []queue.Retry
	for r, err := range q.Retries(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func history(t testing.TB, q *queue.Queue, e event.Event) []queue.Record {
	t.Helper()
	records, err := q.History(t.Context(), e.Key)
	if err != nil {
		t.Fatal(err)
	}
	return records
}
