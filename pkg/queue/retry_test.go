package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Rule 4: a retry comes not before its time, and carries on what was known.
func TestRetryComesWithItsTrailAndNotEarly(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	first := time.Now().UTC().Add(-time.Minute)
	until := time.Now().Add(1200 * time.Millisecond)
	pin := &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch", Revision: "r1"}
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Until: until, Attempts: 3, First: first, Pin: pin, Reason: "server_error", Status: 500, Answer: "oops"}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	e := queuetest.Call(1)
	queuetest.Publish(t, q, e)
	queuetest.Eventually(t, "the retry waits", func() bool { return len(queuetest.Retries(t, q, queue.Filter{Link: "a"})) == 1 })
	r := queuetest.Retries(t, q, queue.Filter{})[0]
	if r.Due || r.Until.Before(until) || r.Status != 500 || r.Attempts != 3 || r.Event.Key != e.Key {
		t.Errorf("waiting: %+v", r)
	}
	queuetest.Eventually(t, "the retry", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	d := h.Deliveries()[1]
	if at := h.Times()[1]; at.Before(until) || at.After(until.Add(2*time.Second)) {
		t.Errorf("retried at %v, asked for %v", at, until)
	}
	if d.Attempts != 3 || !d.First.Equal(first) || d.LastError() != "oops" || !d.Retry || string(d.Event.Body) != string(e.Body) {
		t.Errorf("delivery %+v", d)
	}
	if diff := cmp.Diff(pin, d.Pin); diff != "" {
		t.Error(diff)
	}
	if d.Event.Sequence != h.Deliveries()[0].Event.Sequence || !d.Event.Stored.Equal(h.Deliveries()[0].Event.Stored) {
		t.Error("the retry does not know its place in the log")
	}
	queuetest.Eventually(t, "nothing waits", func() bool { return queuetest.Stats(t, q, "a").Waiting == 0 })
	records := queuetest.History(t, q, e)
	if len(records) != 2 || records[0].Outcome != event.Waiting || records[1].Outcome != event.Delivered {
		t.Errorf("history %+v", records)
	}
}

func TestRunAndCancelRetry(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	far := time.Now().Add(time.Hour)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Until: far, Attempts: 1, Reason: "timeout"}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2))
	queuetest.Eventually(t, "both wait", func() bool { return len(queuetest.Retries(t, q, queue.Filter{Reason: "timeout"})) == 2 })
	for _, r := range queuetest.Retries(t, q, queue.Filter{Key: queuetest.Call(1).Key}) {
		if err := q.RunRetry(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := q.RunRetry(t.Context(), r); err == nil {
			t.Error("run twice")
		}
	}
	queuetest.Eventually(t, "the first", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Cancel(t, q, queue.Filter{Key: queuetest.Call(2).Key})
	queuetest.Eventually(t, "nothing waits", func() bool { return queuetest.Stats(t, q, "a").Waiting == 0 })
	dead := queuetest.DeadLetters(t, q, queue.Filter{Reason: "cancelled"})
	if len(dead) != 1 || dead[0].Event.Key != queuetest.Call(2).Key || dead[0].Attempts != 1 {
		t.Errorf("dead letters %+v", dead)
	}
}

// Rule 5: one dead letter an event and link; the second death replaces the first; removing the
// first by its sequence leaves the second.
func TestSecondDeathReplacesTheFirst(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	reason := make(chan string, 2)
	reason <- "refused"
	reason <- "refused_again"
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: <-reason, Status: 400, Answer: "no", Attempts: 1, Version: "v1"}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	e := queuetest.Call(1)
	queuetest.Publish(t, q, e)
	queuetest.Eventually(t, "the first death", func() bool { return h.Outcomes()[event.Dead] == 1 })
	first := queuetest.DeadLetters(t, q, queue.Filter{Link: "a"})[0]
	if first.Reason != "refused" || first.Status != 400 || first.Answer != "no" || string(first.Event.Body) != string(e.Body) || first.Died.IsZero() || first.Version != "v1" {
		t.Errorf("dead letter %+v", first)
	}
	if err := q.Replay(t.Context(), first, queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "the second death", func() bool { return h.Outcomes()[event.Dead] == 2 })
	second := queuetest.DeadLetters(t, q, queue.Filter{Status: 400})
	if len(second) != 1 || second[0].Reason != "refused_again" || !second[0].Replayed {
		t.Fatalf("dead letters %+v", second)
	}
	if err := q.DropDeadLetter(t.Context(), first); err != nil {
		t.Errorf("removing what has died again is right: %v", err)
	}
	if len(queuetest.DeadLetters(t, q, queue.Filter{})) != 1 {
		t.Error("the second death was removed with the first")
	}
	if err := q.Replay(t.Context(), first, queue.ReplayOptions{}); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("an old dead letter was replayed: %v", err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	pin := &event.Pin{Endpoint: "e", Operation: "o"}
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused", Attempts: 12, First: time.Now().Add(-100 * time.Hour), Pin: pin}
	}}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "the dead letter", func() bool { return h.Outcomes()[event.Dead] == 1 })
	stop()
	dead := queuetest.DeadLetters(t, q, queue.Filter{})[0]
	if err := q.Replay(t.Context(), dead, queue.ReplayOptions{Revision: "r2", As: "b"}); err != nil {
		t.Fatal(err)
	}
	if left := queuetest.DeadLetters(t, q, queue.Filter{}); len(left) != 0 {
		t.Errorf("still dead: %+v", left)
	}
	hb := &queuetest.Handler{}
	hb.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("b")))
	queuetest.Eventually(t, "the replay", func() bool {
		for _, d := range hb.Deliveries() {
			if d.Replayed {
				return true
			}
		}
		return false
	})
	for _, d := range hb.Deliveries() {
		if !d.Replayed {
			continue
		}
		if d.Attempts != 0 || !d.First.IsZero() || d.Revision != "r2" || d.As != "a" || d.Link != "b" || d.Pin == nil || *d.Pin != *pin {
			t.Errorf("replayed %+v", d)
		}
	}
}

// dead buries one call of the link "a".
func dead(t *testing.T, q *queue.Queue) queue.DeadLetter {
	t.Helper()
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "the dead letter", func() bool { return h.Outcomes()[event.Dead] == 1 })
	stop()
	return queuetest.DeadLetters(t, q, queue.Filter{})[0]
}

func TestReplayIsRefusedWhileAnotherIsUnderWay(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	d := dead(t, q)
	if err := queue.PublishReplay(t.Context(), q, d, queue.ReplayOptions{Revision: "r1"}); err != nil { // and dies before the removal
		t.Fatal(err)
	}
	for _, how := range []queue.ReplayOptions{{}, {Revision: "r2"}} {
		if err := q.Replay(t.Context(), d, how); !errors.Is(err, queue.ErrUnderWay) {
			t.Errorf("got %v, want ErrUnderWay", err)
		}
	}
	if len(queuetest.DeadLetters(t, q, queue.Filter{})) != 1 {
		t.Error("the dead letter is gone although its replay was refused")
	}
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "the replay", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	if left := queuetest.DeadLetters(t, q, queue.Filter{}); len(left) != 0 {
		t.Errorf("a delivered event is still dead: %+v", left)
	}
}

// A replay that died between the two is ended by the same one: at once, and after an attempt that failed.
func TestAReplayThatDiedBeforeTheRemovalIsEndedByTheSameOne(t *testing.T) {
	t.Parallel()
	for name, attempts := range map[string]int{"at once": 0, "after an attempt": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := queuetest.New(t)
			d := dead(t, q)
			how := queue.ReplayOptions{Revision: "r1"}
			if err := queue.PublishReplay(t.Context(), q, d, how); err != nil {
				t.Fatal(err)
			}
			if attempts > 0 {
				h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
					return queue.Decision{Outcome: event.Waiting, Reason: "server_error", Until: time.Now().Add(time.Hour)}
				}}
				stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
				queuetest.Eventually(t, "the attempt", func() bool { return h.Outcomes()[event.Waiting] == attempts })
				stop()
			}
			if err := q.Replay(t.Context(), d, how); !errors.Is(err, queue.ErrGivenBack) {
				t.Errorf("the same replay again: %v", err)
			}
			if left := queuetest.DeadLetters(t, q, queue.Filter{}); len(left) != 0 {
				t.Errorf("the dead letter stands beside its retry: %+v", left)
			}
			if waits := queuetest.Retries(t, q, queue.Filter{}); len(waits) != 1 {
				t.Errorf("%d retries wait", len(waits))
			}
		})
	}
}

// What waits beside a dead letter without being that letter leaves it where it is.
func TestADeadLetterStaysBesideAnotherRetry(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	d := dead(t, q)
	replayed := d
	replayed.Sequence = 0
	if err := q.Replay(t.Context(), replayed, queue.ReplayOptions{}); err != nil { // of the event, not of the letter
		t.Fatal(err)
	}
	if err := q.Replay(t.Context(), d, queue.ReplayOptions{}); !errors.Is(err, queue.ErrUnderWay) {
		t.Errorf("got %v, want ErrUnderWay", err)
	}
	if len(queuetest.DeadLetters(t, q, queue.Filter{})) != 1 {
		t.Error("the dead letter is gone")
	}
}

// A retry that a person cancels while it is in hand stays cancelled: its outcome is the dead letter's,
// and no record says that it waits.
func TestCancelledWhileInHand(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	hold, entered := make(chan struct{}), make(chan struct{}, 1)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			entered <- struct{}{}
			<-hold
			return queue.Decision{Outcome: event.Waiting, Attempts: 2, Until: time.Now().Add(time.Hour), Reason: "timeout"}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1, Reason: "timeout"}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	<-entered
	queuetest.Cancel(t, q, queue.Filter{})
	close(hold)
	queuetest.Eventually(t, "nothing is in hand", queuetest.SettledAll(t, q, "a"))
	if got := newest(t, q, queuetest.Call(1), "a"); got != "dead cancelled" {
		t.Errorf("it is called %q", got)
	}
	if len(queuetest.Retries(t, q, queue.Filter{})) != 0 || len(queuetest.DeadLetters(t, q, queue.Filter{Reason: "cancelled"})) != 1 || queuetest.Stats(t, q, "a").Waiting != 0 {
		t.Error("it waits, or its dead letter is gone")
	}
}
