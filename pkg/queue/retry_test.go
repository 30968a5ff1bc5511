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
	pin := &queue.Pin{Endpoint: "clinic.Website", Operation: "CallTouch", Revision: "r1"}
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Until: until, Attempts: 3, First: first, Pin: pin, Reason: "server_error", Status: 500, Answer: "oops"}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	e := call(1)
	publish(t, q, e)
	eventually(t, "the retry waits", func() bool { return len(retries(t, q, queue.Filter{Link: "a"})) == 1 })
	r := retries(t, q, queue.Filter{})[0]
	if r.Due || r.Until.Before(until) || r.Status != 500 || r.Attempts != 3 || r.Event.Key != e.Key {
		t.Errorf("waiting: %+v", r)
	}
	eventually(t, "the retry", func() bool { return h.outcomes()[event.Delivered] == 1 })
	d := h.deliveries()[1]
	if at := h.at[1]; at.Before(until) || at.After(until.Add(2*time.Second)) {
		t.Errorf("retried at %v, asked for %v", at, until)
	}
	if d.Attempts != 3 || !d.First.Equal(first) || d.LastError != "oops" || !d.Retry || string(d.Event.Body) != string(e.Body) {
		t.Errorf("delivery %+v", d)
	}
	if diff := cmp.Diff(pin, d.Pin); diff != "" {
		t.Error(diff)
	}
	if d.Event.Sequence != h.deliveries()[0].Event.Sequence || !d.Event.Stored.Equal(h.deliveries()[0].Event.Stored) {
		t.Error("the retry does not know its place in the log")
	}
	eventually(t, "nothing waits", func() bool { return stats(t, q, "a").Waiting == 0 })
	records := history(t, q, e)
	if len(records) != 2 || records[0].Outcome != event.Waiting || records[1].Outcome != event.Delivered {
		t.Errorf("history %+v", records)
	}
}

func TestRunAndCancelRetry(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	far := time.Now().Add(time.Hour)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Retry {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Waiting, Until: far, Attempts: 1, Reason: "timeout"}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1), call(2))
	eventually(t, "both wait", func() bool { return len(retries(t, q, queue.Filter{Reason: "timeout"})) == 2 })
	for _, r := range retries(t, q, queue.Filter{Key: call(1).Key}) {
		if err := q.RunRetry(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := q.RunRetry(t.Context(), r); err == nil {
			t.Error("run twice")
		}
	}
	eventually(t, "the first", func() bool { return h.outcomes()[event.Delivered] == 1 })
	for _, r := range retries(t, q, queue.Filter{Key: call(2).Key}) {
		if err := q.CancelRetry(t.Context(), r, "cancelled"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "nothing waits", func() bool { return stats(t, q, "a").Waiting == 0 })
	dead := deadLetters(t, q, queue.Filter{Reason: "cancelled"})
	if len(dead) != 1 || dead[0].Event.Key != call(2).Key || dead[0].Attempts != 1 {
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
	h := &handler{decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: <-reason, Status: 400, Answer: "no", Attempts: 1, Version: "v1"}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	e := call(1)
	publish(t, q, e)
	eventually(t, "the first death", func() bool { return h.outcomes()[event.Dead] == 1 })
	first := deadLetters(t, q, queue.Filter{Link: "a"})[0]
	if first.Reason != "refused" || first.Status != 400 || first.Answer != "no" || string(first.Event.Body) != string(e.Body) || first.Died.IsZero() || first.Version != "v1" {
		t.Errorf("dead letter %+v", first)
	}
	if err := q.Replay(t.Context(), first, queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second death", func() bool { return h.outcomes()[event.Dead] == 2 })
	second := deadLetters(t, q, queue.Filter{Status: 400})
	if len(second) != 1 || second[0].Reason != "refused_again" || !second[0].Replayed {
		t.Fatalf("dead letters %+v", second)
	}
	if err := q.DropDeadLetter(t.Context(), first); err != nil {
		t.Errorf("removing what has died again is right: %v", err)
	}
	if len(deadLetters(t, q, queue.Filter{})) != 1 {
		t.Error("the second death was removed with the first")
	}
	if err := q.Replay(t.Context(), first, queue.ReplayOptions{}); !errors.Is(err, queue.ErrConflict) {
		t.Errorf("an old dead letter was replayed: %v", err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	pin := &queue.Pin{Endpoint: "e", Operation: "o"}
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused", Attempts: 12, First: time.Now().Add(-100 * time.Hour), Pin: pin}
	}}
	stop := h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1))
	eventually(t, "the dead letter", func() bool { return h.outcomes()[event.Dead] == 1 })
	stop()
	dead := deadLetters(t, q, queue.Filter{})[0]
	if err := q.Replay(t.Context(), dead, queue.ReplayOptions{Revision: "r2", As: "b"}); err != nil {
		t.Fatal(err)
	}
	if left := deadLetters(t, q, queue.Filter{}); len(left) != 0 {
		t.Errorf("still dead: %+v", left)
	}
	hb := &handler{}
	hb.consume(t, openLink(t, q, calls("b")))
	eventually(t, "the replay", func() bool {
		for _, d := range hb.deliveries() {
			if d.Replayed {
				return true
			}
		}
		return false
	})
	for _, d := range hb.deliveries() {
		if !d.Replayed {
			continue
		}
		if d.Attempts != 0 || !d.First.IsZero() || d.Revision != "r2" || d.As != "a" || d.Link != "b" || d.Pin == nil || *d.Pin != *pin {
			t.Errorf("replayed %+v", d)
		}
	}
}

func TestReplayIsRefusedWhileOneIsUnderWay(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	stop := h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1))
	eventually(t, "the dead letter", func() bool { return h.outcomes()[event.Dead] == 1 })
	stop()
	dead := deadLetters(t, q, queue.Filter{})[0]
	if err := queue.PublishReplay(t.Context(), q, dead); err != nil { // and dies before the removal
		t.Fatal(err)
	}
	if err := q.Replay(t.Context(), dead, queue.ReplayOptions{}); !errors.Is(err, queue.ErrUnderWay) {
		t.Errorf("got %v, want ErrUnderWay", err)
	}
	if len(deadLetters(t, q, queue.Filter{})) != 1 {
		t.Error("the dead letter is gone although its replay was refused")
	}
	h2 := &handler{}
	h2.consume(t, openLink(t, q, calls("a")))
	eventually(t, "the replay", func() bool { return h2.outcomes()[event.Delivered] == 1 })
	if left := deadLetters(t, q, queue.Filter{}); len(left) != 0 {
		t.Errorf("a delivered event is still dead: %+v", left)
	}
}
