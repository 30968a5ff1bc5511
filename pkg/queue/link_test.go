package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestEachLinkReadsEveryEventOnce(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for i := range 50 {
		publish(t, q, call(i))
	}
	for _, id := range []string{"a", "b"} {
		h := &handler{}
		h.consume(t, openLink(t, q, calls(id)))
		eventually(t, "50 deliveries", func() bool { return h.outcomes()[event.Delivered] == 50 })
		eventually(t, "nothing in hand", settledAll(t, q, id))
		seen := map[string]bool{}
		for _, d := range h.deliveries() {
			if seen[d.Event.Key.String()] || d.Retry || d.Link != id || d.Event.Sequence == 0 {
				t.Errorf("unexpected delivery %+v", d)
			}
			seen[d.Event.Key.String()] = true
		}
	}
	records := history(t, q, call(7))
	if len(records) != 2 || records[0].Link != "a" || records[1].Link != "b" || records[0].Outcome != event.Delivered {
		t.Errorf("history: %+v", records)
	}
}

func TestLinkPassesOverWhatItDoesNotTake(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Since = time.Now().Add(-10 * time.Minute)
	old := func(e event.Event, o event.Origin) event.Event {
		e.Origin, e.Time = o, spec.Since.Add(-time.Minute)
		return e
	}
	early := call(4)
	early.Received = spec.Since.Add(-time.Second)
	publish(t, q, old(call(1), event.Poll), old(call(2), event.Journal), old(call(3), event.Backfill), early,
		old(call(5), event.Webhook), call(6))
	h := &handler{}
	h.consume(t, openLink(t, q, spec))
	eventually(t, "all settled", func() bool { return h.outcomes()[event.Untaken] == 4 && h.outcomes()[event.Delivered] == 2 })
	for i := range 4 {
		if r := history(t, q, call(i+1)); len(r) != 0 {
			t.Errorf("an untaken event has records: %+v", r)
		}
	}
}

// Rule 9, its part here: a link's start and subjects are written once.
func TestLinkRunsByState(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	first := openLink(t, q, spec)
	if first.Differs != "" {
		t.Errorf("differs: %s", first.Differs)
	}
	changed := spec
	changed.Subjects = append(changed.Subjects, queue.EventSubject("10001", event.Request))
	changed.Since = spec.Since.Add(time.Minute)
	second := openLink(t, q, changed)
	for _, want := range []string{"`touchbox links reset a`", "touchbox.event.10001.request.*", "starts it at"} {
		if !strings.Contains(second.Differs, want) {
			t.Errorf("%q does not say %q", second.Differs, want)
		}
	}
	if !second.State.Start.Equal(spec.Since) || len(second.State.Subjects) != 1 {
		t.Errorf("STATE was changed: %+v", second.State)
	}
	request := call(1)
	request.Key, _ = event.NewKey("10001", event.Request, "1")
	publish(t, q, request, call(2))
	h := &handler{}
	h.consume(t, second)
	eventually(t, "the call", func() bool { return h.outcomes()[event.Delivered] == 1 })
	eventually(t, "the rest", settledAll(t, q, "a"))
	if got := h.deliveries(); len(got) != 1 || got[0].Event.Key != call(2).Key {
		t.Errorf("delivered %+v", got)
	}
	open := spec
	open.Since = time.Time{}
	if l := openLink(t, q, open); l.Differs != "" {
		t.Errorf("no since in the file is no difference: %s", l.Differs)
	}
}

func TestStartIsTheFirstRunOfEither(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Since = time.Time{}
	before := time.Now()
	registered, err := q.Register(t.Context(), spec) // as ingest does
	if err != nil {
		t.Fatal(err)
	}
	publish(t, q, call(1))
	l := openLink(t, q, spec)
	if !l.State.Start.Equal(registered.Start) || l.State.Start.Before(before) {
		t.Errorf("start %v, registered %v", l.State.Start, registered.Start)
	}
	h := &handler{}
	h.consume(t, l)
	eventually(t, "the event from before the worker", func() bool { return h.outcomes()[event.Delivered] == 1 })
}

// Rule 9, its part here: stopping pauses both consumers, over restarts and updates.
func TestPauseStopsBothConsumers(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{})
	spec := calls("a")
	l := openLink(t, q, spec)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1}
	}}
	stop := h.consume(t, l)
	publish(t, q, call(1))
	eventually(t, "the first attempt", func() bool { return h.outcomes()[event.Waiting] == 1 })
	if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	stop()
	publish(t, q, call(2))
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready", func() bool { return q.Ready(t.Context()) == nil })
	spec.Timeout = 7 * time.Second // an update of both consumers
	l = openLink(t, q, spec)
	if l.State.Paused != queue.Stopped {
		t.Errorf("STATE says %q", l.State.Paused)
	}
	h.consume(t, l)
	eventually(t, "the retry is due", func() bool { r := retries(t, q, queue.Filter{Link: "a"}); return len(r) == 1 && r[0].Due })
	time.Sleep(300 * time.Millisecond)
	if got := len(h.deliveries()); got != 1 {
		t.Errorf("a stopped link delivered: %d", got)
	}
	if st := stats(t, q, "a"); !st.Paused || st.Unread != 1 || st.Waiting != 1 {
		t.Errorf("stats %+v", st)
	}
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both go on", func() bool { return h.outcomes()[event.Delivered] >= 1 && h.outcomes()[event.Waiting] == 2 })
}

func TestGoneLinkGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	openLink(t, q, calls("a"))
	openLink(t, q, calls("b"))
	for id, why := range map[string]queue.Pause{"a": queue.Gone, "b": queue.Stopped} {
		if err := q.PauseLink(t.Context(), id, why); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.PauseLink(t.Context(), "b", queue.Gone); err != nil {
		t.Fatal(err)
	}
	if l := openLink(t, q, calls("a")); l.State.Paused != queue.Running {
		t.Errorf("a is %q", l.State.Paused)
	}
	eventually(t, "a runs", func() bool { return !stats(t, q, "a").Paused })
	if l := openLink(t, q, calls("b")); l.State.Paused != queue.Stopped || !stats(t, q, "b").Paused {
		t.Errorf("b is %q: a stopped link that was away is still stopped", l.State.Paused)
	}
	links, err := q.Links(t.Context())
	if err != nil || len(links) != 2 || links[0].ID != "a" || links[1].Paused != queue.Stopped {
		t.Errorf("links %+v, %v", links, err)
	}
}

func TestLinkIDs(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	for _, id := range []string{"", "-a", "A", "a.b", "a_b", "a b", strings.Repeat("a", 33), "ы"} {
		spec := calls(id)
		if _, err := q.Register(t.Context(), spec); err == nil {
			t.Errorf("id %q was taken", id)
		}
	}
}

// Rule 11: a link with a delay handles an event no sooner than that after it was stored, and not
// much later.
func TestDelay(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Delay = time.Second
	h := &handler{}
	h.consume(t, openLink(t, q, spec))
	for i := range 5 {
		publish(t, q, call(i))
		time.Sleep(50 * time.Millisecond)
	}
	eventually(t, "all", func() bool { return h.outcomes()[event.Delivered] == 5 })
	for i, d := range h.deliveries() {
		if age := h.at[i].Sub(d.Event.Stored); age < spec.Delay || age > spec.Delay+500*time.Millisecond {
			t.Errorf("handled %v after it was stored, want %v", age, spec.Delay)
		}
	}
}

func TestDelayDoesNotHoldRetries(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := calls("a")
	spec.Delay = time.Second
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused", Status: 400}
	}}
	h.consume(t, openLink(t, q, spec))
	publish(t, q, call(1))
	eventually(t, "the dead letter", func() bool { return len(deadLetters(t, q, queue.Filter{})) == 1 })
	began := time.Now()
	if err := q.Replay(t.Context(), deadLetters(t, q, queue.Filter{})[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replay", func() bool { return h.outcomes()[event.Delivered] == 1 })
	if took := time.Since(began); took > 700*time.Millisecond {
		t.Errorf("a replay waited %v", took)
	}
}
