package queue_test

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
	e := call(id)
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
		publish(t, q, bigCall(from))
	}
	return from
}

func retainNow(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := q.RetainOnce(t.Context(), queue.RetentionConfig{}); err != nil {
		t.Fatal(err)
	}
}

func TestRoomIsMadePastTheKeepTime(t *testing.T) {
	t.Parallel()
	q := small(t)
	l := openLink(t, q, calls("a"))
	next := fillTo(t, q, 0, 0.75)
	settleAll(t, q, l)
	retainNow(t, q)
	wantKept(t, q, ids(0, next)) // the keep time alone, below 80 %
	next = fillTo(t, q, next, 0.82)
	settleAll(t, q, l)
	retainNow(t, q)
	got := kept(t, q)
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
	openLink(t, q, calls("stopped"))
	next := fillTo(t, q, 0, 0.91)
	retainNow(t, q)
	wantKept(t, q, ids(0, next))
	if r := history(t, q, call(0)); len(r) != 0 {
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
	stopped, live := openLink(t, q, calls("stopped")), openLink(t, q, calls("live"))
	if err := q.PauseLink(t.Context(), "stopped", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	h := &handler{}
	h.consume(t, live)
	var lost abandoned
	var seen atomic.Pointer[queue.Look]
	c := queue.RetentionConfig{Every: 20 * time.Millisecond, Observe: queue.RetentionObserver{
		Abandoned: lost.add, Looked: func(l queue.Look) { seen.Store(&l) },
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.Retain(ctx, c) }()
	const n = 145
	var longest time.Duration
	for i := range n {
		began := time.Now()
		eventually(t, "stored", func() bool {
			got, err := q.Publish(t.Context(), bigCall(i))
			return err == nil && got == event.ReceiptStored
		})
		longest = max(longest, time.Since(began))
	}
	eventually(t, "the live link", func() bool { return h.outcomes()[event.Delivered] == n })
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := q.RetainOnce(t.Context(), c); err != nil { // ends what the end interrupted, and tells nothing twice
		t.Fatal(err)
	}
	if l := seen.Load(); l == nil || l.Horizon.IsZero() || l.Streams[0].Share() < 0.5 {
		t.Errorf("the last look saw %+v", l)
	}
	if longest > 10*time.Second {
		t.Errorf("an event was refused for %s", longest)
	}
	left := kept(t, q)
	if !slices.Equal(left, ids(n-len(left), n)) || len(left) < 90 {
		t.Fatalf("the log holds %d: %v", len(left), left)
	}
	gone := n - len(left)
	if lost.of("stopped") != gone || lost.of("live") != 0 {
		t.Errorf("told of %v, %d are gone", lost.n, gone)
	}
	for i := range n {
		var outcomes []event.Outcome
		for _, r := range history(t, q, call(i)) {
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
	rest := &handler{}
	rest.consume(t, stopped)
	eventually(t, "the rest", func() bool { return rest.outcomes()[event.Delivered] == len(left) })
}

// What a link has an outcome of is not lost to it, though its place is before it.
func TestWhatHasAnOutcomeIsNotAbandoned(t *testing.T) {
	t.Parallel()
	q := small(t)
	l := openLink(t, q, calls("a"))
	publish(t, q, bigCall(0), bigCall(1), bigCall(2))
	hold := make(chan struct{})
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "0":
			<-hold
		case "1":
			return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Attempts: 1}
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	stop := h.consume(t, l)
	eventually(t, "all but one", func() bool { o := h.outcomes(); return o[event.Delivered] == 1 && o[event.Waiting] == 1 })
	if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	for i := 3; ; i++ {
		if _, err := q.Publish(t.Context(), bigCall(i)); err != nil {
			break // full
		}
	}
	var lost abandoned
	err := q.RetainOnce(t.Context(), queue.RetentionConfig{Observe: queue.RetentionObserver{Abandoned: lost.add}})
	if err != nil {
		t.Fatal(err)
	}
	close(hold)
	stop()
	for id, want := range []event.Outcome{event.Delivered, event.Waiting, event.Delivered, event.Abandoned} {
		records := history(t, q, call(id))
		if len(records) == 0 || records[len(records)-1].Outcome != want {
			t.Errorf("event %d: %+v, want %s", id, records, want)
		}
	}
	gone, err := strconv.Atoi(kept(t, q)[0])
	if err != nil || lost.of("a") != gone-2 {
		t.Errorf("%d told of, %d gone of which two have an outcome, %v", lost.of("a"), gone, err)
	}
}
