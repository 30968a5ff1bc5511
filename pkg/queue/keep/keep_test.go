package keep_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// later is a clock by which all that is stored is older than the keep times.
func later() time.Time { return time.Now().Add(40 * 24 * time.Hour) }

// retain makes one pass by that clock.
func retain(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := keep.Once(t.Context(), q, keep.Config{Now: later}); err != nil {
		t.Fatal(err)
	}
}

func ids(from, to int) []string {
	out := []string{}
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprint(i))
	}
	return out
}

func wantKept(t testing.TB, q *queue.Queue, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, queuetest.Kept(t, q)); diff != "" {
		t.Errorf("the log holds (-want +got):\n%s", diff)
	}
}

func TestRetentionKeepsWhatALinkHasToTake(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, q *queue.Queue) // publishes the calls 0 to 9
		want []string
	}{
		{"everything is done", func(t *testing.T, q *queue.Queue) {
			l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.PublishCalls(t, q, 0, 10)
			queuetest.SettleAll(t, q, l)
		}, ids(0, 0)},
		{"no link at all", func(t *testing.T, q *queue.Queue) { queuetest.PublishCalls(t, q, 0, 10) }, ids(0, 0)},
		{"a link whose filter matches nothing", func(t *testing.T, q *queue.Queue) {
			l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.OpenLink(t, q, queuetest.Requests("nothing"))
			queuetest.PublishCalls(t, q, 0, 10)
			queuetest.SettleAll(t, q, l)
		}, ids(0, 0)},
		{"a stopped link", func(t *testing.T, q *queue.Queue) {
			a, stopped := queuetest.OpenLink(t, q, queuetest.Calls("a")), queuetest.OpenLink(t, q, queuetest.Calls("stopped"))
			queuetest.PublishCalls(t, q, 0, 4)
			queuetest.SettleAll(t, q, stopped)
			if err := q.PauseLink(t.Context(), "stopped", queue.Stopped); err != nil {
				t.Fatal(err)
			}
			queuetest.PublishCalls(t, q, 4, 10)
			queuetest.SettleAll(t, q, a)
		}, ids(4, 10)},
		{"a link that left the file", func(t *testing.T, q *queue.Queue) {
			a := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.OpenLink(t, q, queuetest.Calls("gone"))
			if err := q.PauseLink(t.Context(), "gone", queue.Gone); err != nil {
				t.Fatal(err)
			}
			queuetest.PublishCalls(t, q, 0, 10)
			queuetest.SettleAll(t, q, a)
		}, ids(0, 10)},
		{"a new link that no worker has opened yet", func(t *testing.T, q *queue.Queue) {
			a := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.PublishCalls(t, q, 0, 6)
			queuetest.SettleAll(t, q, a)
			spec := queuetest.Calls("new")
			spec.Since = time.Now()
			if _, err := q.Register(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			queuetest.PublishCalls(t, q, 6, 10)
			queuetest.SettleAll(t, q, a)
		}, ids(6, 10)},
		{"a link without its consumer", func(t *testing.T, q *queue.Queue) {
			l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.PublishCalls(t, q, 0, 10)
			queuetest.SettleAll(t, q, l)
			queuetest.DeleteConsumers(t, q, "a")
		}, ids(0, 10)},
		{"a link with one unread event far back", func(t *testing.T, q *queue.Queue) {
			a := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.OpenLink(t, q, queuetest.Requests("rare"))
			queuetest.PublishCalls(t, q, 0, 3)
			queuetest.Publish(t, q, queuetest.Request(100))
			queuetest.PublishCalls(t, q, 3, 10)
			queuetest.SettleAll(t, q, a)
		}, append([]string{"100"}, ids(3, 10)...)},
		{"an unread event between what was done out of turn", func(t *testing.T, q *queue.Queue) {
			l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
			queuetest.PublishCalls(t, q, 0, 10)
			hold := make(chan struct{})
			h := &queuetest.Handler{}
			h.Decide = func(d *queue.Delivery) queue.Decision {
				if d.Event.Key.ID == "2" {
					<-hold
				}
				return queue.Decision{Outcome: event.Delivered}
			}
			h.Consume(t, l)
			t.Cleanup(func() { close(hold) })
			queuetest.Eventually(t, "all but one", func() bool { return h.Outcomes()[event.Delivered] == 9 })
		}, ids(2, 10)},
		{"what no link takes goes by its age", func(t *testing.T, q *queue.Queue) {
			queuetest.OpenLink(t, q, queuetest.Calls("a"))
			if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
				t.Fatal(err)
			}
			for i := range 8 {
				e := queuetest.Call(i)
				e.Origin = event.Backfill
				queuetest.Publish(t, q, e)
			}
			queuetest.PublishCalls(t, q, 8, 10)
		}, ids(8, 10)},
		{"several filters", func(t *testing.T, q *queue.Queue) {
			s := queuetest.Calls("a")
			s.Subjects = append(s.Subjects, event.SubjectOf("10001", event.Request), event.SubjectOf("10002", event.Request))
			l := queuetest.OpenLink(t, q, s)
			queuetest.PublishCalls(t, q, 0, 4)
			queuetest.SettleAll(t, q, l)
			queuetest.Publish(t, q, queuetest.Request(100))
			queuetest.PublishCalls(t, q, 4, 10)
		}, append([]string{"100"}, ids(4, 10)...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := queuetest.New(t)
			tt.make(t, q)
			retain(t, q)
			wantKept(t, q, tt.want)
		})
	}
}

// Killed, the server has forgotten acks: retention may keep more then, never less.
func TestRetentionAfterAKill(t *testing.T) {
	waittest.Slow(t, "the server is killed")
	p := queuetest.Spawn(t)
	q := p.Open(queue.Options{})
	a := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.OpenLink(t, q, queuetest.Requests("rare"))
	nothing := queuetest.Requests("nothing")
	nothing.Subjects = []string{event.SubjectOf("10002", event.Request)}
	queuetest.OpenLink(t, q, nothing)
	queuetest.PublishCalls(t, q, 0, 50)
	queuetest.Publish(t, q, queuetest.Request(1000))
	queuetest.PublishCalls(t, q, 50, 100)
	queuetest.SettleAll(t, q, a)
	queuetest.PublishCalls(t, q, 100, 110)
	p.Kill()
	p.Start()
	queuetest.Eventually(t, "ready", func() bool { return q.Ready(t.Context()) == nil })
	retain(t, q)
	got := queuetest.Kept(t, q)
	want := append([]string{"1000"}, ids(50, 110)...)
	if len(got) < len(want) || cmp.Diff(want, got[len(got)-len(want):]) != "" {
		t.Errorf("the log holds %v", got)
	}
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Requests("rare")))
	queuetest.Eventually(t, "the rest", func() bool { return queuetest.SettledAll(t, q, "a")() && queuetest.SettledAll(t, q, "rare")() })
	if n := len(h.Deliveries()); n < 11 {
		t.Errorf("%d of the 11 undone events were handled", n)
	}
	retain(t, q)
	wantKept(t, q, ids(0, 0))
}

func TestRetentionKeepsTheKeepTime(t *testing.T) {
	q := queuetest.New(t)
	queuetest.PublishCalls(t, q, 0, 3)
	time.Sleep(5 * time.Millisecond)
	queuetest.PublishCalls(t, q, 3, 6)
	fourth, err := q.GetEvent(t.Context(), queuetest.Call(3).Key)
	if err != nil {
		t.Fatal(err)
	}
	c := keep.Config{Events: time.Hour, Now: func() time.Time { return fourth.Stored.Add(time.Hour) }}
	if err := keep.Once(t.Context(), q, c); err != nil {
		t.Fatal(err)
	}
	wantKept(t, q, ids(3, 6))
	third, err := q.Horizon(t.Context())
	if err != nil || !third.Before(fourth.Stored) || fourth.Stored.Sub(third) > time.Minute {
		t.Errorf("horizon %s, %v: want just before %s", third, err, fourth.Stored)
	}
}

// What stands in the place of the last night and is no moment does not keep the next night from coming.
func TestRetentionAfterANightThatCannotBeRead(t *testing.T) {
	q := queuetest.New(t)
	queuetest.PublishCalls(t, q, 0, 3)
	if _, err := q.State().Put(t.Context(), event.RetainedKey, "by hand"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- keep.Run(ctx, q, keep.Config{Every: 20 * time.Millisecond, Events: time.Hour, Now: later, Location: time.UTC})
	}()
	queuetest.Eventually(t, "the night", func() bool {
		var last time.Time
		_, err := q.State().Get(t.Context(), event.RetainedKey, &last)
		return err == nil && !last.IsZero()
	})
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	wantKept(t, q, ids(0, 0))
}

func TestRetentionIsOneProcess(t *testing.T) {
	q := queuetest.New(t)
	lease, err := q.Lease(t.Context(), "retention", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	queuetest.PublishCalls(t, q, 0, 3)
	if err := keep.Once(t.Context(), q, keep.Config{Now: later}); !errors.Is(err, queue.ErrHeld) {
		t.Errorf("a second one: %v", err)
	}
	wantKept(t, q, ids(0, 3))
	lease.Release()
	retain(t, q)
	wantKept(t, q, ids(0, 0))
}

func TestNightDue(t *testing.T) {
	zone := time.FixedZone("", 3*3600)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 30, 0, 0, zone) }
	tests := []struct {
		name      string
		now, last time.Time
		want      bool
	}{
		{"the first run of all", at(10, 14), time.Time{}, true},
		{"this night", at(10, 3), at(9, 3), true},
		{"a little later this night", at(10, 4), at(9, 3), true},
		{"done this night", at(10, 4), at(10, 3), false},
		{"before the hour", at(10, 2), at(9, 3), false},
		{"missed, and it is day", at(10, 12), at(9, 3), false},
		{"missed for long", at(10, 16), at(9, 3), true},
		{"done at day because it was missed", at(11, 3), at(10, 16), true},
		{"done in years to come, by a wrong clock", at(10, 3), at(10, 3).AddDate(9, 0, 0), true},
		{"done just now by a clock that is a little ahead", at(10, 3), at(10, 3).Add(time.Minute), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := keep.NightDue(tt.now, tt.last); got != tt.want {
				t.Errorf("due = %v, want %v", got, tt.want)
			}
		})
	}
}
