package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// newest is an event's newest outcome for a link, with its reason.
func newest(t testing.TB, q *queue.Queue, e event.Event, link string) string {
	t.Helper()
	text := ""
	for _, r := range queuetest.History(t, q, e) {
		if r.Link == link && r.Outcome != "" {
			text = strings.TrimSpace(string(r.Outcome) + " " + r.Reason)
		}
	}
	return text
}

// leftBehind is a link with something of each sort: delivered, waiting, due, dead, untaken, erased,
// and two events that it has not read.
func leftBehind(t testing.TB, q *queue.Queue, id string) {
	t.Helper()
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "2":
			return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour)}
		case "3":
			return queue.Decision{Outcome: event.Dead, Attempts: 1, Reason: "refused"}
		}
		return queue.Decision{Outcome: event.Delivered, Attempts: 1}
	}}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls(id)))
	queuetest.Eventually(t, "all is settled", func() bool { return len(h.IDs()) >= 3 && queuetest.SettledAll(t, q, id)() })
	stop()
}

func TestRemoveLink(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	leftBehind(t, q, "a")
	leftBehind(t, q, "b")
	old := polled(4, 2*time.Hour)
	theirs := queuetest.Call(5)
	queuetest.Publish(t, q, old, theirs, queuetest.Call(6), queuetest.Call(7), queuetest.Request(8))
	person := erase.Whom{Match: func(e event.Event) bool { return e.Key == theirs.Key }}
	if _, err := erase.Erase(t.Context(), q, person); err != nil {
		t.Fatal(err)
	}
	if _, err := q.PutPark(t.Context(), queue.Park{Scope: "link/a", Reason: "refused", Next: time.Now()}); err != nil {
		t.Fatal(err)
	}
	told := 0
	r, err := q.RemoveLink(t.Context(), "a", queue.Watching{Done: func(n int) { told = n }})
	if err != nil || r != (queue.Removal{DeadLetters: 1, Abandoned: 2}) || told == 0 {
		t.Errorf("removed %+v, %v; told %d", r, err, told)
	}
	for e, want := range map[*event.Event]string{
		{Key: queuetest.Call(1).Key}: "delivered", {Key: queuetest.Call(2).Key}: "dead link_removed", {Key: queuetest.Call(3).Key}: "dead refused",
		{Key: old.Key}: "", {Key: theirs.Key}: "erased", {Key: queuetest.Call(6).Key}: "abandoned link_removed",
		{Key: queuetest.Call(7).Key}: "abandoned link_removed", {Key: queuetest.Request(8).Key}: "",
	} {
		if got := newest(t, q, *e, "a"); got != want {
			t.Errorf("%s is %q, want %q", e.Key, got, want)
		}
	}
	if n := len(queuetest.DeadLetters(t, q, queue.Filter{Link: "a"})); n != 2 || len(queuetest.Retries(t, q, queue.Filter{Link: "a"})) != 0 {
		t.Errorf("%d dead letters, want 2; waiting: %v", n, queuetest.Retries(t, q, queue.Filter{Link: "a"}))
	}
	if _, err := q.LinkStats(t.Context(), "a"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("its consumers: %v", err)
	}
	links, err := q.Links(t.Context())
	if err != nil || len(links) != 1 || links[0].ID != "b" {
		t.Errorf("links %+v, %v", links, err)
	}
	if parks, err := q.Parks(t.Context()); err != nil || len(parks) != 0 {
		t.Errorf("parks %+v, %v", parks, err)
	}
	if st := queuetest.Stats(t, q, "b"); st.Waiting != 1 || st.Unread == 0 || st.Paused {
		t.Errorf("the other link: %+v", st)
	}
	if _, err := q.RemoveLink(t.Context(), "a", queue.Watching{}); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}

func TestRemoveLinkBeforeAnyWorker(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if _, err := q.Register(t.Context(), queuetest.Calls("a")); err != nil {
		t.Fatal(err)
	}
	queuetest.Publish(t, q, queuetest.Call(1))
	if r, err := q.RemoveLink(t.Context(), "a", queue.Watching{}); err != nil || r.Abandoned != 1 {
		t.Errorf("removed %+v, %v", r, err)
	}
}

// A full DEADLETTERS refuses: then nothing is lost, and the link is still there.
func TestRemoveLinkWithoutRoomForItsDeadLetters(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	leftBehind(t, q, "a")
	if err := queue.Full(t.Context(), q, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := q.RemoveLink(t.Context(), "a", queue.Watching{}); !errors.Is(err, queue.ErrFull) {
		t.Errorf("removed: %v", err)
	}
	if st := queuetest.Stats(t, q, "a"); st.Waiting != 1 {
		t.Errorf("stats %+v", st)
	}
	if err := queue.Full(t.Context(), q, 1<<20); err != nil {
		t.Fatal(err)
	}
	if r, err := q.RemoveLink(t.Context(), "a", queue.Watching{}); err != nil || r.DeadLetters != 1 {
		t.Errorf("removed %+v, %v", r, err)
	}
}

// breakLease spares a test to wait until the lease of one that died runs out.
func breakLease(t testing.TB, q *queue.Queue, link string) {
	t.Helper()
	if err := q.BreakLease(t.Context(), "reset-"+link); err != nil {
		t.Fatal(err)
	}
}

func TestRemoveLinkGoesOnAfterACrashAtAnyLine(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	step, least := 2, 5
	if testing.Short() {
		step, least = 11, 1
	}
	died := 0
	for n, done := 1, false; !done; n += step {
		id := fmt.Sprintf("a%d", died)
		leftBehind(t, q, id)
		if err := q.PauseLink(t.Context(), id, queue.Gone); err != nil {
			t.Fatal(err)
		}
		queuetest.Publish(t, q, queuetest.Call(1000+n))
		_, err := q.RemoveLink(queuetest.DieAt(t, q, n), id, queue.Watching{})
		if done = err == nil; !done {
			died++
			breakLease(t, q, id)
			if _, err = q.RemoveLink(t.Context(), id, queue.Watching{}); err != nil && !errors.Is(err, queue.ErrNotFound) {
				t.Fatal(err)
			}
		}
		if got := newest(t, q, queuetest.Call(1000+n), id); got != "abandoned link_removed" {
			t.Fatalf("died at %d: what was unread is %q", n, got)
		}
		if n := len(queuetest.DeadLetters(t, q, queue.Filter{Link: id})) + len(queuetest.Retries(t, q, queue.Filter{Link: id})); n != 2 {
			t.Fatalf("died at %d: %d are dead or wait, want 2", n, n)
		}
		if links, err := q.Links(t.Context()); err != nil || len(links) != 0 {
			t.Fatalf("died at %d: links %+v, %v", n, links, err)
		}
		if newest(t, q, queuetest.Call(1), id) != "delivered" {
			t.Fatal("what was delivered is not any more")
		}
	}
	if died < least {
		t.Errorf("it died %d times", died)
	}
}

// A link that was removed and is put back takes what the one before it had abandoned, and nothing that
// that one had delivered, however long ago.
func TestRemovedLinkComesBack(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	first := &queuetest.Handler{}
	stop := first.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "three are delivered", func() bool { return first.Outcomes()[event.Delivered] == 3 && queuetest.SettledAll(t, q, "a")() })
	stop()
	for i := range 40 {
		queuetest.Publish(t, q, queuetest.Call(100+i))
	}
	if r, err := q.RemoveLink(t.Context(), "a", queue.Watching{}); err != nil || r.Abandoned != 40 {
		t.Fatalf("removed %+v, %v", r, err)
	}
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	if l.State.CheckTo < 43 {
		t.Errorf("looked up only to %d: what it had delivered beyond the first messages would be sent again", l.State.CheckTo)
	}
	h := &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Eventually(t, "all is through", func() bool { return len(h.Deliveries()) >= 40 && queuetest.SettledAll(t, q, "a")() })
	for id, n := range h.IDs() {
		if n != 1 || len(id) != 3 {
			t.Errorf("call %s was handled %d times", id, n)
		}
	}
	if got := newest(t, q, queuetest.Call(100), "a"); got != "delivered" {
		t.Errorf("a call that was abandoned is %q", got)
	}
}
