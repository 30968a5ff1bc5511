package keep_test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// smallDisk is keep.disk of these tests, and big the size of their events: 107 fill it.
const (
	smallDisk = 16_000_000
	big       = 150_000
)

func small(t testing.TB) *queue.Queue {
	t.Helper()
	return queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{Disk: smallDisk}})
}

func bigCall(id int) event.Event {
	e := queuetest.Call(id)
	e.Body = append(e.Body, bytes.Repeat([]byte("x"), big)...)
	return e
}

func share(t testing.TB, q *queue.Queue, stream string) float64 {
	t.Helper()
	sizes, err := q.Sizes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sizes {
		if s.Stream == stream {
			return s.Share()
		}
	}
	t.Fatalf("no size of %s", stream)
	return 0
}

// fillTo publishes big calls from an id on until the log fills this part of its bound.
func fillTo(t testing.TB, q *queue.Queue, from int, part float64) (next int) {
	t.Helper()
	for ; share(t, q, queue.StreamEvents) < part; from++ {
		queuetest.Publish(t, q, bigCall(from))
	}
	return from
}

func retainNow(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := keep.Once(t.Context(), q, keep.Config{}); err != nil {
		t.Fatal(err)
	}
}

func TestRoomIsMadePastTheKeepTime(t *testing.T) {
	t.Parallel()
	q := small(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	next := fillTo(t, q, 0, 0.75)
	queuetest.SettleAll(t, q, l)
	retainNow(t, q)
	wantKept(t, q, ids(0, next)) // the keep time alone, below 80 %
	next = fillTo(t, q, next, 0.82)
	queuetest.SettleAll(t, q, l)
	retainNow(t, q)
	got := queuetest.Kept(t, q)
	if part := share(t, q, queue.StreamEvents); part > 0.70 || part < 0.67 {
		t.Errorf("the log fills %.3f of its bound", part)
	}
	if !slices.Equal(got, ids(next-len(got), next)) {
		t.Errorf("not the oldest went: %v", got)
	}
}

func TestRoomIsNotMadeOfWhatIsUndone(t *testing.T) {
	t.Parallel()
	q := small(t)
	queuetest.OpenLink(t, q, queuetest.Calls("stopped"))
	next := fillTo(t, q, 0, 0.91)
	retainNow(t, q)
	wantKept(t, q, ids(0, next))
	if r := queuetest.History(t, q, queuetest.Call(0)); len(r) != 0 {
		t.Errorf("abandoned at 91 %%: %v", r)
	}
}

// abandoned counts what is told of it.
type abandoned struct {
	mu sync.Mutex
	n  map[string]int
}

func (a *abandoned) add(link string, n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n == nil {
		a.n = map[string]int{}
	}
	a.n[link] += n
}

func (a *abandoned) of(link string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.n[link]
}

// One link is stopped for weeks, the log fills up, another link goes on: events are taken as
// before, and the stopped link loses as little of its oldest as it can.
func TestFullLogAbandonsTheOldestOfTheLinkFarthestBehind(t *testing.T) {
	t.Parallel()
	q := small(t)
	stopped, live := queuetest.OpenLink(t, q, queuetest.Calls("stopped")), queuetest.OpenLink(t, q, queuetest.Calls("live"))
	if err := q.PauseLink(t.Context(), "stopped", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, live)
	var lost abandoned
	var seen atomic.Pointer[keep.Look]
	c := keep.Config{Every: 20 * time.Millisecond, Observe: keep.Observer{
		Abandoned: lost.add, Looked: func(l keep.Look) { seen.Store(&l) },
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- keep.Run(ctx, q, c) }()
	const n = 145
	var longest time.Duration
	for i := range n {
		began := time.Now()
		queuetest.Eventually(t, "stored", func() bool {
			got, err := q.Publish(t.Context(), bigCall(i))
			return err == nil && got == event.ReceiptStored
		})
		longest = max(longest, time.Since(began))
	}
	queuetest.Eventually(t, "the live link", func() bool { return h.Outcomes()[event.Delivered] == n })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := keep.Once(t.Context(), q, c); err != nil { // ends what the end interrupted, and tells nothing twice
		t.Fatal(err)
	}
	if l := seen.Load(); l == nil || l.Horizon.IsZero() || l.Streams[0].Share() < 0.5 {
		t.Errorf("the last look saw %+v", l)
	}
	if longest > 10*time.Second {
		t.Errorf("an event was refused for %s", longest)
	}
	left := queuetest.Kept(t, q)
	if !slices.Equal(left, ids(n-len(left), n)) || len(left) < 90 {
		t.Fatalf("the log holds %d: %v", len(left), left)
	}
	gone := n - len(left)
	if lost.of("stopped") != gone || lost.of("live") != 0 {
		t.Errorf("told of %v, %d are gone", lost.n, gone)
	}
	for i := range n {
		var outcomes []event.Outcome
		for _, r := range queuetest.History(t, q, queuetest.Call(i)) {
			if r.Link == "stopped" {
				outcomes = append(outcomes, r.Outcome)
			}
		}
		if want := i < gone; want != slices.Equal(outcomes, []event.Outcome{event.Abandoned}) {
			t.Fatalf("event %d of %d lost ones has the records %v", i, gone, outcomes)
		}
	}
	if err := q.ResumeLink(t.Context(), "stopped"); err != nil {
		t.Fatal(err)
	}
	rest := &queuetest.Handler{}
	rest.Consume(t, stopped)
	queuetest.Eventually(t, "the rest", func() bool { return rest.Outcomes()[event.Delivered] == len(left) })
}

// What a link has an outcome of is not lost to it, though its place is before it.
func TestWhatHasAnOutcomeIsNotAbandoned(t *testing.T) {
	t.Parallel()
	q := small(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, bigCall(0), bigCall(1), bigCall(2))
	hold := make(chan struct{})
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "0":
			<-hold
		case "1":
			return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Attempts: 1}
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "all but one", func() bool { o := h.Outcomes(); return o[event.Delivered] == 1 && o[event.Waiting] == 1 })
	if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	for i := 3; ; i++ {
		if _, err := q.Publish(t.Context(), bigCall(i)); err != nil {
			break // full
		}
	}
	var lost abandoned
	err := keep.Once(t.Context(), q, keep.Config{Observe: keep.Observer{Abandoned: lost.add}})
	if err != nil {
		t.Fatal(err)
	}
	close(hold)
	stop()
	for id, want := range []event.Outcome{event.Delivered, event.Waiting, event.Delivered, event.Abandoned} {
		records := queuetest.History(t, q, queuetest.Call(id))
		if len(records) == 0 || records[len(records)-1].Outcome != want {
			t.Errorf("event %d: %+v, want %s", id, records, want)
		}
	}
	gone, err := strconv.Atoi(queuetest.Kept(t, q)[0])
	if err != nil || lost.of("a") != gone-2 {
		t.Errorf("%d told of, %d gone of which two have an outcome, %v", lost.of("a"), gone, err)
	}
}
