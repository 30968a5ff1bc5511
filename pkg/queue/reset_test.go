package queue_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// polled is a call that the journal brought and that began so long ago.
func polled(id int, ago time.Duration) event.Event {
	e := call(id)
	e.Origin, e.Time = event.Journal, time.Now().Add(-ago)
	return e
}

// both is the spec of a link on calls and requests.
func both(id string) queue.LinkSpec {
	s := calls(id)
	s.Subjects = append(s.Subjects, queue.EventSubject("10001", event.Request))
	return s
}

func reset(t testing.TB, q *queue.Queue, s queue.LinkSpec) queue.LinkState {
	t.Helper()
	state, err := q.ResetLink(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// ids counts how often each event was handled.
func (h *handler) ids() map[string]int {
	n := map[string]int{}
	for _, d := range h.deliveries() {
		n[d.Event.Key.ID]++
	}
	return n
}

// Rule 9: going back, what is older and what it did not read is taken, and nothing is sent twice; a
// worker that runs takes it up.
func TestResetBackAndForward(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Since = time.Now().Add(-10 * time.Minute)
	publish(t, q, polled(1, 30*time.Minute), polled(2, 20*time.Minute), call(3), request(4), call(5), call(6))
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "5":
			return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour)}
		case "6":
			return queue.Decision{Outcome: event.Dead, Attempts: 1}
		}
		return queue.Decision{Outcome: event.Delivered, Attempts: 1}
	}}
	h.consume(t, openLink(t, q, spec))
	eventually(t, "three are settled and two passed over", func() bool { o := h.outcomes(); return o[event.Untaken] == 2 && len(h.ids()) == 3 })
	eventually(t, "all is read", settledAll(t, q, "a"))

	back := both("a")
	back.Since = time.Now().Add(-25 * time.Minute)
	state := reset(t, q, back)
	if !state.Start.Equal(back.Since) || len(state.Subjects) != 2 || state.Resetting {
		t.Errorf("state %+v", state)
	}
	eventually(t, "the older call and the request", func() bool { return len(h.ids()) == 5 })
	publish(t, q, call(7), request(8))
	eventually(t, "what comes", func() bool { return len(h.ids()) == 7 })
	eventually(t, "all is read again", settledAll(t, q, "a"))
	for id, n := range h.ids() {
		if n != 1 || id == "1" {
			t.Errorf("call %s was handled %d times", id, n)
		}
	}

	forward := calls("a")
	forward.Since = time.Now().Add(time.Minute)
	reset(t, q, forward)
	late := call(10)
	late.Received = forward.Since.Add(time.Second)
	publish(t, q, call(9), late, request(11))
	eventually(t, "what arrives behind the new start", func() bool { return h.ids()["10"] == 1 })
	eventually(t, "all is read once more", settledAll(t, q, "a"))
	if n := h.ids(); len(n) != 8 || n["9"]+n["11"] != 0 {
		t.Errorf("handled %v", n)
	}
	before := stats(t, q, "a")
	if again := reset(t, q, forward); again.Resetting || stats(t, q, "a") != before {
		t.Errorf("a reset to what holds changed something: %+v", again)
	}
}

func TestResetKeepsAStoppedLinkStopped(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a")))
	if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	publish(t, q, request(1))
	if state := reset(t, q, both("a")); state.Paused != queue.Stopped {
		t.Errorf("it is %q", state.Paused)
	}
	if st := stats(t, q, "a"); !st.Paused || st.Unread != 1 {
		t.Errorf("stats %+v", st)
	}
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it goes on", func() bool { return h.outcomes()[event.Delivered] == 1 })
}

func TestResetBeforeAnyWorker(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if _, err := q.ResetLink(t.Context(), calls("a")); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("an unknown link: %v", err)
	}
	if _, err := q.Register(t.Context(), calls("a")); err != nil {
		t.Fatal(err)
	}
	publish(t, q, request(1))
	wide := both("a")
	reset(t, q, wide)
	h := &handler{}
	l := openLink(t, q, wide)
	h.consume(t, l)
	if l.Differs != "" {
		t.Errorf("differs: %s", l.Differs)
	}
	eventually(t, "the request", func() bool { return h.outcomes()[event.Delivered] == 1 })
}

// An event in hand is finished before the consumer is replaced: it is not handled a second time
// beside itself.
func TestResetFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	inHand, goOn := make(chan bool, 3), make(chan bool)
	h := &handler{decide: func(*queue.Delivery) queue.Decision {
		inHand <- true
		<-goOn
		return queue.Decision{Outcome: event.Delivered, Attempts: 1}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1))
	<-inHand
	publish(t, q, call(2))
	time.AfterFunc(300*time.Millisecond, func() { close(goOn) })
	reset(t, q, both("a"))
	if h.outcomes()[event.Delivered] == 0 {
		t.Error("it did not wait for the event in hand")
	}
	publish(t, q, request(3))
	eventually(t, "all", func() bool { return len(h.ids()) == 3 })
	eventually(t, "all is read", settledAll(t, q, "a"))
	if n := h.ids(); n["1"] != 1 || n["2"] != 1 {
		t.Errorf("handled %v", n)
	}
}

// A worker whose turn blocks, because the link is parked, asks for no message and so does not notice
// that the consumer is another one.
func TestResetWhileParked(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Since = time.Now().Add(-10 * time.Minute)
	publish(t, q, polled(1, 30*time.Minute), call(2))
	var parked atomic.Bool
	h := &handler{}
	h.consumeBy(t, openLink(t, q, spec), queue.Consumption{Turn: func(ctx context.Context) (queue.Turn, error) {
		for parked.Load() {
			select {
			case <-ctx.Done():
				return queue.Turn{}, ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
		return queue.Turn{Max: 1}, nil
	}})
	eventually(t, "the new call", func() bool { return h.outcomes()[event.Delivered] == 1 && h.outcomes()[event.Untaken] == 1 })
	eventually(t, "all is read", settledAll(t, q, "a"))
	parked.Store(true)
	publish(t, q, call(3)) // ends the request that waits
	eventually(t, "it is handled", func() bool { return h.ids()["3"] == 1 })
	spec.Since = time.Now().Add(-time.Hour)
	reset(t, q, spec)
	parked.Store(false)
	eventually(t, "the old call", func() bool { return h.ids()["1"] == 1 })
	eventually(t, "all is read again", settledAll(t, q, "a"))
	if n := h.ids(); n["2"] != 1 || n["3"] != 1 {
		t.Errorf("handled %v", n)
	}
}

// Interrupted at any line, a reset is ended by the same call, or by the next worker that opens the link.
func TestResetGoesOnAfterACrashAtAnyLine(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	publish(t, q, polled(1, 30*time.Minute), request(2), call(3))
	h := &handler{}
	died := 0
	for n, done := 1, false; !done; n += 1 + n/4 {
		id := "a" + strings.Repeat("x", died)
		narrow, wide := calls(id), both(id)
		narrow.Since, wide.Since = time.Now().Add(-10*time.Minute), time.Now().Add(-time.Hour)
		stop := (&handler{}).consume(t, openLink(t, q, narrow))
		eventually(t, "the calls are read", settledAll(t, q, id))
		if died%2 == 0 {
			stop()
		}
		_, err := q.ResetLink(dieAt(t, q, n), wide)
		if done = err == nil; !done {
			died++
			breakLease(t, q, id)
		}
		stop()
		if died%3 == 0 {
			reset(t, q, wide)
		}
		l := openLink(t, q, wide)
		if l.Differs != "" { // it died before anything was changed
			reset(t, q, wide)
			l = openLink(t, q, wide)
		}
		h = &handler{}
		stop = h.consume(t, l)
		eventually(t, "the rest is taken", func() bool { return len(h.ids()) == 2 })
		eventually(t, "all is read", settledAll(t, q, id))
		if seen := h.ids(); seen["1"] != 1 || seen["2"] != 1 || l.State.Resetting {
			t.Fatalf("died at %d: handled %v, %+v", n, seen, l.State)
		}
		stop()
		publish(t, q, call(100+n)) // the next link begins with something new
		if err := queue.DeleteConsumers(t.Context(), q, id); err != nil {
			t.Fatal(err)
		}
	}
	if died < 5 {
		t.Errorf("it died %d times", died)
	}
}

// Two workers with different files run side by side; whichever file is reset to, no backlog is lost.
func TestWorkersWithDifferentFiles(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &handler{}
	narrow := openLink(t, q, calls("a"))
	wide := openLink(t, q, both("a"))
	if narrow.Differs != "" || !strings.Contains(wide.Differs, "touchbox links reset a") {
		t.Errorf("differ: %q, %q", narrow.Differs, wide.Differs)
	}
	h.consume(t, narrow)
	h.consume(t, wide)
	count := 0
	batch := func() {
		for range 100 {
			publish(t, q, call(count), request(count))
			count++
		}
	}
	batch()
	reset(t, q, both("a"))
	batch()
	if l := openLink(t, q, calls("a")); !strings.Contains(l.Differs, "touchbox links reset a") {
		t.Errorf("the other file differs: %q", l.Differs)
	}
	eventually(t, "all calls and requests", func() bool { return h.outcomes()[event.Delivered] >= 400 })
	reset(t, q, calls("a"))
	batch()
	eventually(t, "the calls behind it", func() bool { return h.outcomes()[event.Delivered] >= 500 })
	eventually(t, "all is read", settledAll(t, q, "a"))
	if n := len(h.deliveries()); n != 500 {
		t.Errorf("%d deliveries, want 500", n)
	}
}

// Far more is asked about than the first messages after any break.
func TestResetAsksHistoryUpToWhereTheLinkStood(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const many = 2500
	for from := 0; from < many; from += 250 {
		batch := []event.Event{polled(many+from, 30*time.Minute)}
		for id := from; id < from+250; id++ {
			batch = append(batch, call(id))
		}
		if err := queue.PublishAsBatch(t.Context(), q, batch...); err != nil {
			t.Fatal(err)
		}
	}
	spec := calls("a")
	spec.Since, spec.Workers = time.Now().Add(-10*time.Minute), 64
	h := &handler{}
	h.consume(t, openLink(t, q, spec))
	eventually(t, "all new calls", func() bool { return h.outcomes()[event.Delivered] == many })
	eventually(t, "all is read", settledAll(t, q, "a"))
	spec.Since = time.Now().Add(-time.Hour)
	reset(t, q, spec)
	eventually(t, "the old ones", func() bool { return h.outcomes()[event.Delivered] == many+many/250 })
	eventually(t, "all is read again", settledAll(t, q, "a"))
	if n := len(h.deliveries()); n != many+many/250 {
		t.Errorf("%d deliveries, want %d", n, many+many/250)
	}
}
