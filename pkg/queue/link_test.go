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
		queuetest.Publish(t, q, queuetest.Call(i))
	}
	for _, id := range []string{"a", "b"} {
		h := &queuetest.Handler{}
		h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls(id)))
		queuetest.Eventually(t, "50 deliveries", func() bool { return h.Outcomes()[event.Delivered] == 50 })
		queuetest.Eventually(t, "nothing in hand", queuetest.SettledAll(t, q, id))
		seen := map[string]bool{}
		for _, d := range h.Deliveries() {
			if seen[d.Event.Key.String()] || d.Retry || d.Link != id || d.Event.Sequence == 0 {
				t.Errorf("unexpected delivery %+v", d)
			}
			seen[d.Event.Key.String()] = true
		}
	}
	records := queuetest.History(t, q, queuetest.Call(7))
	if len(records) != 2 || records[0].Link != "a" || records[1].Link != "b" || records[0].Outcome != event.Delivered {
		t.Errorf("history: %+v", records)
	}
}

func TestLinkPassesOverWhatItDoesNotTake(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Since = time.Now().Add(-10 * time.Minute)
	old := func(e event.Event, o event.Origin) event.Event {
		e.Origin, e.Time = o, spec.Since.Add(-time.Minute)
		return e
	}
	early := queuetest.Call(4)
	early.Received = spec.Since.Add(-time.Second)
	queuetest.Publish(t, q, old(queuetest.Call(1), event.Poll), old(queuetest.Call(2), event.Journal), old(queuetest.Call(3), event.Backfill), early,
		old(queuetest.Call(5), event.Webhook), queuetest.Call(6))
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	queuetest.Eventually(t, "all settled", func() bool { return h.Outcomes()[event.Untaken] == 4 && h.Outcomes()[event.Delivered] == 2 })
	for i := range 4 {
		if r := queuetest.History(t, q, queuetest.Call(i+1)); len(r) != 0 {
			t.Errorf("an untaken event has records: %+v", r)
		}
	}
}

// Rule 9, its part here: a link's start and subjects are written once.
func TestLinkRunsByState(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	first := queuetest.OpenLink(t, q, spec)
	if first.Differs != "" {
		t.Errorf("differs: %s", first.Differs)
	}
	changed := spec
	changed.Subjects = append(changed.Subjects, event.SubjectOf("10001", event.Request))
	changed.Since = spec.Since.Add(time.Minute)
	second := queuetest.OpenLink(t, q, changed)
	for _, want := range []string{"`touchbox links reset a`", "the file reads 10001 call.ended, 10001 request, the link runs on 10001 call.ended", "starts it at"} {
		if !strings.Contains(second.Differs, want) {
			t.Errorf("%q does not say %q", second.Differs, want)
		}
	}
	if !second.State.Start.Equal(spec.Since) || len(second.State.Subjects) != 1 {
		t.Errorf("STATE was changed: %+v", second.State)
	}
	request := queuetest.Call(1)
	request.Key, _ = event.NewKey("10001", event.Request, "1")
	queuetest.Publish(t, q, request, queuetest.Call(2))
	h := &queuetest.Handler{}
	h.Consume(t, second)
	queuetest.Eventually(t, "the call", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Eventually(t, "the rest", queuetest.SettledAll(t, q, "a"))
	if got := h.Deliveries(); len(got) != 1 || got[0].Event.Key != queuetest.Call(2).Key {
		t.Errorf("delivered %+v", got)
	}
	open := spec
	open.Since = time.Time{}
	if l := queuetest.OpenLink(t, q, open); l.Differs != "" {
		t.Errorf("no since in the file is no difference: %s", l.Differs)
	}
}

func TestStartIsTheFirstRunOfEither(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Since = time.Time{}
	before := time.Now()
	registered, err := q.Register(t.Context(), spec) // as ingest does
	if err != nil {
		t.Fatal(err)
	}
	queuetest.Publish(t, q, queuetest.Call(1))
	l := queuetest.OpenLink(t, q, spec)
	if !l.State.Start.Equal(registered.Start) || l.State.Start.Before(before) {
		t.Errorf("start %v, registered %v", l.State.Start, registered.Start)
	}
	h := &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Eventually(t, "the event from before the worker", func() bool { return h.Outcomes()[event.Delivered] == 1 })
}

// Rule 9, its part here: stopping pauses both consumers, over restarts and updates.
func TestPauseStopsBothConsumers(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{})
	spec := queuetest.Calls("a")
	l := queuetest.OpenLink(t, q, spec)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1}
	}}
	stop := h.Consume(t, l)
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "the first attempt", func() bool { return h.Outcomes()[event.Waiting] == 1 })
	if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
		t.Fatal(err)
	}
	stop()
	queuetest.Publish(t, q, queuetest.Call(2))
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "ready", func() bool { return q.Ready(t.Context()) == nil })
	spec.AckWait = 12 * time.Second // an update of both consumers
	l = queuetest.OpenLink(t, q, spec)
	if l.State.Paused != queue.Stopped {
		t.Errorf("STATE says %q", l.State.Paused)
	}
	h.Consume(t, l)
	queuetest.Eventually(t, "the retry is due", func() bool { r := queuetest.Retries(t, q, queue.Filter{Link: "a"}); return len(r) == 1 && r[0].Due })
	time.Sleep(300 * time.Millisecond)
	if got := len(h.Deliveries()); got != 1 {
		t.Errorf("a stopped link delivered: %d", got)
	}
	if st := queuetest.Stats(t, q, "a"); !st.Paused || st.Unread != 1 || st.Waiting != 1 {
		t.Errorf("stats %+v", st)
	}
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "both go on", func() bool { return h.Outcomes()[event.Delivered] >= 1 && h.Outcomes()[event.Waiting] == 2 })
}

func TestGoneLinkGoesOnWhenItIsBack(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.OpenLink(t, q, queuetest.Calls("b"))
	for id, why := range map[string]queue.Pause{"a": queue.Gone, "b": queue.Stopped} {
		if err := q.PauseLink(t.Context(), id, why); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.PauseLink(t.Context(), "b", queue.Gone); err != nil {
		t.Fatal(err)
	}
	if l := queuetest.OpenLink(t, q, queuetest.Calls("a")); l.State.Paused != queue.Running {
		t.Errorf("a is %q", l.State.Paused)
	}
	queuetest.Eventually(t, "a runs", func() bool { return !queuetest.Stats(t, q, "a").Paused })
	if l := queuetest.OpenLink(t, q, queuetest.Calls("b")); l.State.Paused != queue.Stopped || !queuetest.Stats(t, q, "b").Paused {
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
		spec := queuetest.Calls(id)
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
	spec := queuetest.Calls("a")
	spec.Delay = time.Second
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	for i := range 5 {
		queuetest.Publish(t, q, queuetest.Call(i))
		time.Sleep(50 * time.Millisecond)
	}
	queuetest.Eventually(t, "all", func() bool { return h.Outcomes()[event.Delivered] == 5 })
	for i, d := range h.Deliveries() {
		if age := h.Times()[i].Sub(d.Event.Stored); age < spec.Delay || age > spec.Delay+500*time.Millisecond {
			t.Errorf("handled %v after it was stored, want %v", age, spec.Delay)
		}
	}
}

// An event that was stored while the clock was ahead is not young until the clock is there again.
func TestDelayAfterTheClockWasSetBack(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		name   string
		stored time.Time
		young  bool
	}{
		{"old enough", now.Add(-10 * time.Minute), false},
		{"young", now.Add(-9 * time.Minute), true},
		{"by the clock of a server that is a little ahead", now.Add(2 * time.Second), true},
		{"by a clock that was set back", now.Add(8 * time.Hour), false},
	} {
		if _, young := queue.RipeAt(tt.stored, now, 10*time.Minute); young != tt.young {
			t.Errorf("%s: young %v", tt.name, young)
		}
	}
}

func TestDelayDoesNotHoldRetries(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	spec := queuetest.Calls("a")
	spec.Delay = time.Second
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused", Status: 400}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, spec))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "the dead letter", func() bool { return len(queuetest.DeadLetters(t, q, queue.Filter{})) == 1 })
	began := time.Now()
	if err := q.Replay(t.Context(), queuetest.DeadLetters(t, q, queue.Filter{})[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "the replay", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	if took := time.Since(began); took > 700*time.Millisecond {
		t.Errorf("a replay waited %v", took)
	}
}

// A worker that read STATE before a person started a link, or stopped it, and makes or pauses its consumers after that, leaves
// them as STATE says by then.
func TestStartedWhileItIsOpened(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.OpenLink(t, q, queuetest.Calls("a"))
	paused := func() bool {
		c, err := q.Client().JetStream().Consumer(t.Context(), event.EventsStream, queue.ConsumerName("a"))
		if err != nil {
			t.Fatal(err)
		}
		return c.CachedInfo().Paused
	}
	for _, step := range []struct {
		now, read queue.Pause
	}{{queue.Stopped, queue.Running}, {queue.Running, queue.Stopped}, {queue.Gone, queue.Running}} {
		if err := q.PauseLink(t.Context(), "a", step.now); err != nil {
			t.Fatal(err)
		}
		if err := queue.EnsureAsOf(t.Context(), q, "a", step.read); err != nil {
			t.Fatal(err)
		}
		queuetest.Eventually(t, "the consumer follows", func() bool { return paused() == (step.now != queue.Running) })
	}
}
