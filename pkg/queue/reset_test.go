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
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// polled is a call that the journal brought and that began so long ago.
func polled(id int, ago time.Duration) event.Event {
	e := queuetest.Call(id)
	e.Origin, e.Time = event.Journal, time.Now().Add(-ago)
	return e
}

// both is the spec of a link on calls and requests.
func both(id string) queue.LinkSpec {
	s := queuetest.Calls(id)
	s.Subjects = append(s.Subjects, event.SubjectOf("10001", event.Request))
	return s
}

func reset(t testing.TB, q *queue.Queue, s queue.LinkSpec) queue.LinkState {
	t.Helper()
	state, err := q.ResetLink(t.Context(), s, queue.Watching{})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// Rule 9: going back, what is older and what it did not read is taken, and nothing is sent twice; a
// worker that runs takes it up.
func TestResetBackAndForward(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Since = time.Now().Add(-10 * time.Minute)
	queuetest.Publish(t, q, polled(1, 30*time.Minute), polled(2, 20*time.Minute), queuetest.Call(3), queuetest.Request(4), queuetest.Call(5), queuetest.Call(6))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "5":
			return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour)}
		case "6":
			return queue.Decision{Outcome: event.Dead, Attempts: 1}
		}
		return queue.Decision{Outcome: event.Delivered, Attempts: 1}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	queuetest.Eventually(t, "three are settled and two passed over", func() bool { o := h.Outcomes(); return o[event.Untaken] == 2 && len(h.IDs()) == 3 })
	queuetest.Eventually(t, "all is read", queuetest.SettledAll(t, q, "a"))

	back := both("a")
	back.Since = time.Now().Add(-25 * time.Minute)
	state := reset(t, q, back)
	if !state.Start.Equal(back.Since) || len(state.Subjects) != 2 || state.Resetting {
		t.Errorf("state %+v", state)
	}
	queuetest.Eventually(t, "the older call and the request", func() bool { return len(h.IDs()) == 5 })
	queuetest.Publish(t, q, queuetest.Call(7), queuetest.Request(8))
	queuetest.Eventually(t, "what comes", func() bool { return len(h.IDs()) == 7 })
	queuetest.Eventually(t, "all is read again", queuetest.SettledAll(t, q, "a"))
	for id, n := range h.IDs() {
		if n != 1 || id == "1" {
			t.Errorf("call %s was handled %d times", id, n)
		}
	}

	forward := queuetest.Calls("a")
	forward.Since = time.Now().Add(time.Minute)
	reset(t, q, forward)
	late := queuetest.Call(10)
	late.Received = forward.Since.Add(time.Second)
	queuetest.Publish(t, q, queuetest.Call(9), late, queuetest.Request(11))
	queuetest.Eventually(t, "what arrives behind the new start", func() bool { return h.IDs()["10"] == 1 })
	queuetest.Eventually(t, "all is read once more", queuetest.SettledAll(t, q, "a"))
	if n := h.IDs(); len(n) != 8 || n["9"]+n["11"] != 0 {
		t.Errorf("handled %v", n)
	}
	before := queuetest.Stats(t, q, "a")
	if again := reset(t, q, forward); again.Resetting || queuetest.Stats(t, q, "a") != before {
		t.Errorf("a reset to what holds changed something: %+v", again)
	}
}

func TestResetKeepsAStoppedLinkStopped(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	queuetest.Publish(t, q, queuetest.Request(1))
	if state := reset(t, q, both("a")); state.Paused != queue.Stopped {
		t.Errorf("it is %q", state.Paused)
	}
	if st := queuetest.Stats(t, q, "a"); !st.Paused || st.Unread != 1 {
		t.Errorf("stats %+v", st)
	}
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "it goes on", func() bool { return h.Outcomes()[event.Delivered] == 1 })
}

func TestResetBeforeAnyWorker(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if _, err := q.ResetLink(t.Context(), queuetest.Calls("a"), queue.Watching{}); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("an unknown link: %v", err)
	}
	if _, err := q.Register(t.Context(), queuetest.Calls("a")); err != nil {
		t.Fatal(err)
	}
	queuetest.Publish(t, q, queuetest.Request(1))
	wide := both("a")
	reset(t, q, wide)
	h := &queuetest.Handler{}
	l := queuetest.OpenLink(t, q, wide)
	h.Consume(t, l)
	if l.Differs != "" {
		t.Errorf("differs: %s", l.Differs)
	}
	queuetest.Eventually(t, "the request", func() bool { return h.Outcomes()[event.Delivered] == 1 })
}

// An event in hand is finished before the consumer is replaced: it is not handled a second time
// beside itself.
func TestResetFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	inHand, goOn := make(chan bool, 3), make(chan bool)
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		inHand <- true
		<-goOn
		return queue.Decision{Outcome: event.Delivered, Attempts: 1}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	<-inHand
	queuetest.Publish(t, q, queuetest.Call(2))
	time.AfterFunc(300*time.Millisecond, func() { close(goOn) })
	reset(t, q, both("a"))
	if h.Outcomes()[event.Delivered] == 0 {
		t.Error("it did not wait for the event in hand")
	}
	queuetest.Publish(t, q, queuetest.Request(3))
	queuetest.Eventually(t, "all", func() bool { return len(h.IDs()) == 3 })
	queuetest.Eventually(t, "all is read", queuetest.SettledAll(t, q, "a"))
	if n := h.IDs(); n["1"] != 1 || n["2"] != 1 {
		t.Errorf("handled %v", n)
	}
}

// A worker whose turn blocks, because the link is parked, asks for no message and so does not notice
// that the consumer is another one.
func TestResetWhileParked(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Since = time.Now().Add(-10 * time.Minute)
	queuetest.Publish(t, q, polled(1, 30*time.Minute), queuetest.Call(2))
	var parked atomic.Bool
	h := &queuetest.Handler{}
	h.ConsumeBy(t, queuetest.OpenLink(t, q, spec), queue.Consumption{Turn: func(ctx context.Context) (queue.Turn, error) {
		for parked.Load() {
			select {
			case <-ctx.Done():
				return queue.Turn{}, ctx.Err()
			case <-time.After(5 * time.Millisecond):
			}
		}
		return queue.Turn{}, nil
	}})
	queuetest.Eventually(t, "the new call", func() bool { return h.Outcomes()[event.Delivered] == 1 && h.Outcomes()[event.Untaken] == 1 })
	queuetest.Eventually(t, "all is read", queuetest.SettledAll(t, q, "a"))
	parked.Store(true)
	queuetest.Publish(t, q, queuetest.Call(3)) // ends the request that waits
	queuetest.Eventually(t, "it is handled", func() bool { return h.IDs()["3"] == 1 })
	spec.Since = time.Now().Add(-time.Hour)
	reset(t, q, spec)
	parked.Store(false)
	queuetest.Eventually(t, "the old call", func() bool { return h.IDs()["1"] == 1 })
	queuetest.Eventually(t, "all is read again", queuetest.SettledAll(t, q, "a"))
	if n := h.IDs(); n["2"] != 1 || n["3"] != 1 {
		t.Errorf("handled %v", n)
	}
}

// Interrupted at any line, a reset is ended by the same call, or by the next worker that opens the link.
func TestResetGoesOnAfterACrashAtAnyLine(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, polled(1, 30*time.Minute), queuetest.Request(2), queuetest.Call(3))
	h := &queuetest.Handler{}
	died := 0
	for n, done := 1, false; !done; n += 1 + n/4 {
		id := "a" + strings.Repeat("x", died)
		narrow, wide := queuetest.Calls(id), both(id)
		narrow.Since, wide.Since = time.Now().Add(-10*time.Minute), time.Now().Add(-time.Hour)
		stop := (&queuetest.Handler{}).Consume(t, queuetest.OpenLink(t, q, narrow))
		queuetest.Eventually(t, "the calls are read", queuetest.SettledAll(t, q, id))
		if died%2 == 0 {
			stop()
		}
		_, err := q.ResetLink(queuetest.DieAt(t, q, n), wide, queue.Watching{})
		if done = err == nil; !done {
			died++
			breakLease(t, q, id)
		}
		stop()
		if died%3 == 0 {
			reset(t, q, wide)
		}
		l := queuetest.OpenLink(t, q, wide)
		if l.Differs != "" { // it died before anything was changed
			reset(t, q, wide)
			l = queuetest.OpenLink(t, q, wide)
		}
		h = &queuetest.Handler{}
		stop = h.Consume(t, l)
		queuetest.Eventually(t, "the rest is taken", func() bool { return len(h.IDs()) == 2 })
		queuetest.Eventually(t, "all is read", queuetest.SettledAll(t, q, id))
		if seen := h.IDs(); seen["1"] != 1 || seen["2"] != 1 || l.State.Resetting {
			t.Fatalf("died at %d: handled %v, %+v", n, seen, l.State)
		}
		stop()
		queuetest.Publish(t, q, queuetest.Call(100+n)) // the next link begins with something new
		queuetest.DeleteConsumers(t, q, id)
	}
	if died < 5 {
		t.Errorf("it died %d times", died)
	}
}

// Two workers with different files run side by side; whichever file is reset to, no backlog is lost.
func TestWorkersWithDifferentFiles(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "it looks again and again")
	q := queuetest.New(t)
	h := &queuetest.Handler{}
	narrow := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	wide := queuetest.OpenLink(t, q, both("a"))
	if narrow.Differs != "" || !strings.Contains(wide.Differs, "touchbox links reset a") {
		t.Errorf("differ: %q, %q", narrow.Differs, wide.Differs)
	}
	h.Consume(t, narrow)
	h.Consume(t, wide)
	count := 0
	batch := func() {
		for range 100 {
			queuetest.Publish(t, q, queuetest.Call(count), queuetest.Request(count))
			count++
		}
	}
	batch()
	reset(t, q, both("a"))
	batch()
	if l := queuetest.OpenLink(t, q, queuetest.Calls("a")); !strings.Contains(l.Differs, "touchbox links reset a") {
		t.Errorf("the other file differs: %q", l.Differs)
	}
	queuetest.Eventually(t, "all calls and requests", func() bool { return h.Outcomes()[event.Delivered] >= 400 })
	reset(t, q, queuetest.Calls("a"))
	batch()
	queuetest.Eventually(t, "the calls behind it", func() bool { return h.Outcomes()[event.Delivered] >= 500 })
	queuetest.Eventually(t, "all is read", queuetest.SettledAll(t, q, "a"))
	if n := len(h.Deliveries()); n != 500 {
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
			batch = append(batch, queuetest.Call(id))
		}
		if err := queue.PublishAsBatch(t.Context(), q, batch...); err != nil {
			t.Fatal(err)
		}
	}
	spec := queuetest.Calls("a")
	spec.Since, spec.Handlers = time.Now().Add(-10*time.Minute), 64
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	queuetest.Eventually(t, "all new calls", func() bool { return h.Outcomes()[event.Delivered] == many })
	queuetest.Eventually(t, "all is read", queuetest.SettledAll(t, q, "a"))
	spec.Since = time.Now().Add(-time.Hour)
	reset(t, q, spec)
	queuetest.Eventually(t, "the old ones", func() bool { return h.Outcomes()[event.Delivered] == many+many/250 })
	queuetest.Eventually(t, "all is read again", queuetest.SettledAll(t, q, "a"))
	if n := len(h.Deliveries()); n != many+many/250 {
		t.Errorf("%d deliveries, want %d", n, many+many/250)
	}
}

// A look at the link's state that a replica answers which is behind does not bring the old start back.
func TestLinkNeverTakesAnOlderState(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	revision := queue.Revision(l)
	older, newer := time.Now().Add(-time.Minute), time.Now().Add(-time.Second)
	if got := queue.Adopt(l, newer, revision+2); !got.Equal(newer) {
		t.Errorf("a newer state is not taken up: %v", got)
	}
	for _, r := range []uint64{revision, revision + 1, revision + 2} {
		if got := queue.Adopt(l, older, r); !got.Equal(newer) {
			t.Errorf("revision %d after %d is taken up", r, revision+2)
		}
	}
}
