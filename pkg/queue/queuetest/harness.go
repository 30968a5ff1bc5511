package queuetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// Site is the site of the harness' events.
const Site = "10001"

// Call makes an ended call that a hook has just brought.
func Call(id int) event.Event {
	now := time.Now().UTC()
	return event.Event{
		Key: event.Key{Site: Site, Kind: event.CallEnded, ID: fmt.Sprint(id)}, Origin: event.Webhook,
		ContentType: "application/x-www-form-urlencoded",
		Body:        fmt.Appendf(nil, "id=%d&callphase=calldisconnected", id), Received: now, Time: now.Truncate(time.Second),
	}
}

// Request makes a form request that is like Call's call.
func Request(id int) event.Event {
	e := Call(id)
	e.Key.Kind = event.Request
	return e
}

// Calls is the spec of a link on ended calls.
func Calls(id string) queue.LinkSpec {
	return queue.LinkSpec{ID: id, Subjects: []string{event.SubjectOf(Site, event.CallEnded)},
		Since: time.Now().Add(-time.Hour), Handlers: 4, AckWait: 6 * time.Second}
}

// Requests is the spec of a link on form requests.
func Requests(id string) queue.LinkSpec {
	s := Calls(id)
	s.Subjects = []string{event.SubjectOf(Site, event.Request)}
	return s
}

// Publish stores events, each of which is new.
func Publish(t testing.TB, q *queue.Queue, events ...event.Event) {
	t.Helper()
	for _, e := range events {
		if got, err := q.Publish(t.Context(), e); err != nil || got != event.ReceiptStored {
			t.Fatalf("publish %s: %v, %v", e.Key, got, err)
		}
	}
}

// PublishCalls stores the calls from one id up to another.
func PublishCalls(t testing.TB, q *queue.Queue, from, to int) {
	t.Helper()
	for id := from; id < to; id++ {
		Publish(t, q, Call(id))
	}
}

// OpenLink opens a link.
func OpenLink(t testing.TB, q *queue.Queue, s queue.LinkSpec) *queue.Link {
	t.Helper()
	l, err := q.OpenLink(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Handler remembers what it was given and decides as it is told.
type Handler struct {
	Decide func(*queue.Delivery) queue.Decision // nil: delivered

	mu   sync.Mutex
	seen []queue.Delivery
	at   []time.Time
	done []queue.Decision
}

// Handle is a queue.Consumption's.
func (h *Handler) Handle(_ context.Context, d *queue.Delivery) queue.Decision {
	h.mu.Lock()
	h.seen = append(h.seen, *d)
	h.at = append(h.at, time.Now())
	h.mu.Unlock()
	if h.Decide == nil {
		return queue.Decision{Outcome: event.Delivered, Status: 200, Attempts: d.Attempts + 1}
	}
	return h.Decide(d)
}

// Settled is a queue.Consumption's.
func (h *Handler) Settled(_ *queue.Delivery, x queue.Decision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done = append(h.done, x)
}

// Deliveries is what it was given, in order.
func (h *Handler) Deliveries() []queue.Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]queue.Delivery(nil), h.seen...)
}

// Times are when it was given that.
func (h *Handler) Times() []time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]time.Time(nil), h.at...)
}

// IDs counts how often each event was handled.
func (h *Handler) IDs() map[string]int {
	n := map[string]int{}
	for _, d := range h.Deliveries() {
		n[d.Event.Key.ID]++
	}
	return n
}

// Outcomes counts what was settled.
func (h *Handler) Outcomes() map[event.Outcome]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[event.Outcome]int{}
	for _, x := range h.done {
		out[x.Outcome]++
	}
	return out
}

// Consume runs the link with the handler until stop, or the end of the test.
func (h *Handler) Consume(t testing.TB, l *queue.Link) (stop func()) {
	return h.ConsumeBy(t, l, queue.Consumption{})
}

// ConsumeBy is Consume, with a Turn or a time to finish.
func (h *Handler) ConsumeBy(t testing.TB, l *queue.Link, c queue.Consumption) (stop func()) {
	t.Helper()
	c.Handle, c.Settled = h.Handle, h.Settled
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

// Consume runs the link with what decides, nil for delivered, and returns the handler and its stop.
func Consume(t testing.TB, l *queue.Link, decide func(*queue.Delivery) queue.Decision) (*Handler, func()) {
	t.Helper()
	h := &Handler{Decide: decide}
	return h, h.Consume(t, l)
}

// SettleAll lets a link deliver all that there is and stops it.
func SettleAll(t testing.TB, q *queue.Queue, l *queue.Link) {
	t.Helper()
	_, stop := Consume(t, l, nil)
	Eventually(t, "all settled", SettledAll(t, q, l.State.ID))
	stop()
}

// Eventually is waittest's.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	waittest.Eventually(t, what, ok)
}

// Stats are a link's numbers.
func Stats(t testing.TB, q *queue.Queue, link string) queue.LinkStats {
	t.Helper()
	st, err := q.LinkStats(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// SettledAll reports whether a link has nothing unread and nothing in flight. The server counts what is unread a moment after it has
// stored it: the oldest that is not settled says that there is some, unless it is one that waits in RETRIES.
func SettledAll(t testing.TB, q *queue.Queue, link string) func() bool {
	return func() bool {
		st := Stats(t, q, link)
		return st.Unread == 0 && st.InHand == 0 && (st.Oldest.IsZero() || st.Waiting > 0)
	}
}

// Kept are the ids of the events that the log holds, in its order.
func Kept(t testing.TB, q *queue.Queue) []string {
	t.Helper()
	ids := []string{}
	for e, err := range q.Events(t.Context(), queue.ScanOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Key.ID)
	}
	return ids
}

// DeadLetters are those that a filter selects.
func DeadLetters(t testing.TB, q *queue.Queue, f queue.Filter) []queue.DeadLetter {
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

// Retries are those that a filter selects.
func Retries(t testing.TB, q *queue.Queue, f queue.Filter) []queue.Retry {
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

// Cancel makes dead letters of the retries that a filter selects, with the reason "cancelled".
func Cancel(t testing.TB, q *queue.Queue, f queue.Filter) {
	t.Helper()
	for _, r := range Retries(t, q, f) {
		if err := q.CancelRetry(t.Context(), r, queue.Record{Trail: event.Trail{Reason: "cancelled"}}); err != nil {
			t.Fatal(err)
		}
	}
}

// History are the records of an event.
func History(t testing.TB, q *queue.Queue, e event.Event) []queue.Record {
	t.Helper()
	records, err := q.History(t.Context(), e.Key)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// Buffer is waittest's.
type Buffer = waittest.Buffer

// DeleteConsumers removes a link's consumers, as a person may.
func DeleteConsumers(t testing.TB, q *queue.Queue, link string) {
	t.Helper()
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		if err := q.Client().JetStream().DeleteConsumer(t.Context(), stream, queue.ConsumerName(link)); err != nil {
			t.Fatal(err)
		}
	}
}

// PublishRaw stores a message on an event's subject with just these headers.
func PublishRaw(t testing.TB, q *queue.Queue, key event.Key, h map[string][]string, body []byte) {
	t.Helper()
	if _, err := q.Client().Publish(t.Context(), &nats.Msg{Subject: event.LogSubjects.Of(key.Subject()), Header: h, Data: body}); err != nil {
		t.Fatal(err)
	}
}

// DieAt returns a context that ends when the server has been asked for the n-th thing. Others that use
// the server meanwhile count too.
func DieAt(t testing.TB, q *queue.Queue, n int) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var asked atomic.Int64
	sub, err := q.Client().Conn().Subscribe(">", func(m *nats.Msg) {
		if !strings.HasPrefix(m.Subject, "_INBOX") && asked.Add(1) == int64(n) {
			cancel()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
	return ctx
}
