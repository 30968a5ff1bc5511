package keep_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// recorded lists which of the calls have a history.
func recorded(t testing.TB, q *queue.Queue, n int) []string {
	t.Helper()
	out := []string{}
	for i := range n {
		if len(queuetest.History(t, q, queuetest.Call(i))) > 0 {
			out = append(out, queuetest.Call(i).Key.ID)
		}
	}
	return out
}

func TestHistoryFollowsTheLog(t *testing.T) {
	q := queuetest.New(t)
	a := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.PublishCalls(t, q, 0, 4)
	queuetest.SettleAll(t, q, a)
	queuetest.OpenLink(t, q, queuetest.Requests("rare"))
	queuetest.Publish(t, q, queuetest.Request(100)) // holds the log from here on
	queuetest.PublishCalls(t, q, 4, 8)
	queuetest.SettleAll(t, q, a)
	retain(t, q)
	if got := recorded(t, q, 8); len(got) != 4 || got[0] != "4" {
		t.Errorf("the log begins with the request, the calls %v have a history", got)
	}
	queuetest.SettleAll(t, q, queuetest.OpenLink(t, q, queuetest.Requests("rare")))
	retain(t, q)
	if got := recorded(t, q, 8); len(got) != 0 {
		t.Errorf("the log is empty, the calls %v have a history", got)
	}
}

func TestHistoryKeepsItsTime(t *testing.T) {
	q := queuetest.New(t)
	a := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.PublishCalls(t, q, 0, 4)
	queuetest.SettleAll(t, q, a)
	c := keep.Config{Now: later, History: 50 * 24 * time.Hour}
	if err := keep.Once(t.Context(), q, c); err != nil {
		t.Fatal(err)
	}
	wantKept(t, q, ids(0, 0))
	if got := recorded(t, q, 4); len(got) != 4 {
		t.Errorf("the calls %v have a history", got)
	}
}

// With HISTORY nearly full the log makes way for it, and only the log's done part.
func TestFullHistoryMovesTheLog(t *testing.T) {
	t.Parallel()
	q := small(t)
	rare := queuetest.OpenLink(t, q, queuetest.Requests("rare"))
	queuetest.Publish(t, q, queuetest.Request(1000)) // holds the log
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Filtered, Detail: strings.Repeat("x", big)}
	}}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	next := 0
	for ; share(t, q, "history") < 0.82; next++ {
		queuetest.Publish(t, q, queuetest.Call(next))
		queuetest.Eventually(t, "filtered", func() bool { return h.Outcomes()[event.Filtered] == next+1 })
	}
	stop()
	retainNow(t, q)
	if part := share(t, q, "history"); part < 0.80 || len(queuetest.Kept(t, q)) != next+1 {
		t.Errorf("HISTORY forgot what the log holds: %.2f", part)
	}
	queuetest.SettleAll(t, q, rare)
	retainNow(t, q)
	if part := share(t, q, "history"); part > 0.71 || part < 0.65 {
		t.Errorf("HISTORY fills %.2f of its bound", part)
	}
	left := queuetest.Kept(t, q)
	if len(left) == 0 || len(left) > next*9/10 {
		t.Fatalf("the log holds %d of %d", len(left), next)
	}
	first, err := event.NewKey("10001", event.CallEnded, left[0])
	if err != nil {
		t.Fatal(err)
	}
	if r, err := q.History(t.Context(), first); err != nil || len(r) != 1 {
		t.Errorf("the oldest event's history: %d records, %v", len(r), err)
	}
}

func TestVersionsGoWhenNothingNamesThem(t *testing.T) {
	q := queuetest.New(t)
	put := func(version string) {
		if _, err := q.State().Put(t.Context(), "version."+version, map[string]string{}); err != nil {
			t.Fatal(err)
		}
	}
	there := func(version string) bool {
		var v map[string]string
		_, err := q.State().Get(t.Context(), "version."+version, &v)
		if err != nil && !errors.Is(err, queue.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	for _, version := range []string{"named", "died", "used", "forgotten"} {
		put(version)
	}
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Event.Key.ID == "0" {
			return queue.Decision{Outcome: event.Dead, Version: "died", Reason: "refused"}
		}
		return queue.Decision{Outcome: event.Delivered, Version: "named"}
	}}
	stop := h.Consume(t, l)
	queuetest.PublishCalls(t, q, 0, 2)
	queuetest.Eventually(t, "settled", func() bool { return len(h.Outcomes()) == 2 })
	stop()
	c := keep.Config{Versions: func(context.Context) ([]string, error) { return []string{"used"}, nil }}
	pass := func(now time.Time, history time.Duration) {
		t.Helper()
		c.Now, c.History = func() time.Time { return now }, history
		if err := keep.Once(t.Context(), q, c); err != nil {
			t.Fatal(err)
		}
	}
	pass(time.Now(), 0)
	if !there("forgotten") {
		t.Error("a version that was written just now is gone")
	}
	pass(time.Now().Add(2*time.Hour), 0)
	for version, want := range map[string]bool{"named": true, "died": true, "used": true, "forgotten": false} {
		if there(version) != want {
			t.Errorf("version %s is there: %v", version, !want)
		}
	}
	pass(later(), 0)
	for version, want := range map[string]bool{"named": false, "died": true, "used": true} {
		if there(version) != want {
			t.Errorf("after the history went, version %s is there: %v", version, !want)
		}
	}
}

func TestDeadLettersAreWarnedOfBeforeTheyGo(t *testing.T) {
	var log queuetest.Buffer
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{
		Connection: queue.Connection{
			Log: zerolog.New(&log),
		},
		Limits: queue.Limits{DeadLetters: 90 * 24 * time.Hour},
	})
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision { return queue.Decision{Outcome: event.Dead, Reason: "refused"} }}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.PublishCalls(t, q, 0, 1)
	queuetest.Eventually(t, "dead", func() bool { return h.Outcomes()[event.Dead] == 1 })
	stop()
	pass := func(days time.Duration) {
		t.Helper()
		now := time.Now().Add(days * 24 * time.Hour)
		if err := keep.Once(t.Context(), q, keep.Config{Now: func() time.Time { return now }}); err != nil {
			t.Fatal(err)
		}
	}
	pass(82)
	if log.Has("about to be deleted") {
		t.Error("warned 8 days before")
	}
	pass(84)
	if !log.Has("about to be deleted") {
		t.Error("not warned 6 days before")
	}
}
