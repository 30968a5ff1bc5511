package queue_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// later is a clock by which all that is stored is older than the keep times.
func later() time.Time { return time.Now().Add(40 * 24 * time.Hour) }

// retain makes one pass by that clock.
func retain(t testing.TB, q *queue.Queue) {
	t.Helper()
	if err := q.RetainOnce(t.Context(), queue.RetentionConfig{Now: later}); err != nil {
		t.Fatal(err)
	}
}

// kept are the ids of the events that the log holds, in its order.
func kept(t testing.TB, q *queue.Queue) []string {
	t.Helper()
	ids := []string{}
	for e, err := range q.Events(t.Context(), queue.ScanOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.Key.ID)
	}
	return ids
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
	if diff := cmp.Diff(want, kept(t, q)); diff != "" {
		t.Errorf("the log holds (-want +got):\n%s", diff)
	}
}

// settleAll lets a link handle all that there is and stops it.
func settleAll(t testing.TB, q *queue.Queue, l *queue.Link) {
	t.Helper()
	stop := (&handler{}).consume(t, l)
	eventually(t, "all settled", settledAll(t, q, l.State.ID))
	stop()
}

func request(id int) event.Event {
	e := call(id)
	key, err := event.NewKey(e.Key.Site, event.Request, fmt.Sprint(id))
	if err != nil {
		panic(err)
	}
	e.Key = key
	return e
}

// requests is the spec of a link on requests.
func requests(id string) queue.LinkSpec {
	s := calls(id)
	s.Subjects = []string{queue.EventSubject("10001", event.Request)}
	return s
}

func TestRetentionKeepsWhatALinkHasToTake(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, q *queue.Queue) // publishes the calls 0 to 9
		want []string
	}{
		{"everything is done", func(t *testing.T, q *queue.Queue) {
			l := openLink(t, q, calls("a"))
			publishCalls(t, q, 0, 10)
			settleAll(t, q, l)
		}, ids(0, 0)},
		{"no link at all", func(t *testing.T, q *queue.Queue) { publishCalls(t, q, 0, 10) }, ids(0, 0)},
		{"a link whose filter matches nothing", func(t *testing.T, q *queue.Queue) {
			l := openLink(t, q, calls("a"))
			openLink(t, q, requests("nothing"))
			publishCalls(t, q, 0, 10)
			settleAll(t, q, l)
		}, ids(0, 0)},
		{"a stopped link", func(t *testing.T, q *queue.Queue) {
			a, stopped := openLink(t, q, calls("a")), openLink(t, q, calls("stopped"))
			publishCalls(t, q, 0, 4)
			settleAll(t, q, stopped)
			if err := q.PauseLink(t.Context(), "stopped", queue.Stopped); err != nil {
				t.Fatal(err)
			}
			publishCalls(t, q, 4, 10)
			settleAll(t, q, a)
		}, ids(4, 10)},
		{"a link that left the file", func(t *testing.T, q *queue.Queue) {
			a := openLink(t, q, calls("a"))
			openLink(t, q, calls("gone"))
			if err := q.PauseLink(t.Context(), "gone", queue.Gone); err != nil {
				t.Fatal(err)
			}
			publishCalls(t, q, 0, 10)
			settleAll(t, q, a)
		}, ids(0, 10)},
		{"a new link that no worker has opened yet", func(t *testing.T, q *queue.Queue) {
			a := openLink(t, q, calls("a"))
			publishCalls(t, q, 0, 6)
			settleAll(t, q, a)
			spec := calls("new")
			spec.Since = time.Now()
			if _, err := q.Register(t.Context(), spec); err != nil {
				t.Fatal(err)
			}
			publishCalls(t, q, 6, 10)
			settleAll(t, q, a)
		}, ids(6, 10)},
		{"a link without its consumer", func(t *testing.T, q *queue.Queue) {
			l := openLink(t, q, calls("a"))
			publishCalls(t, q, 0, 10)
			settleAll(t, q, l)
			if err := queue.DeleteConsumers(t.Context(), q, "a"); err != nil {
				t.Fatal(err)
			}
		}, ids(0, 10)},
		{"a link with one unread event far back", func(t *testing.T, q *queue.Queue) {
			a := openLink(t, q, calls("a"))
			openLink(t, q, requests("rare"))
			publishCalls(t, q, 0, 3)
			publish(t, q, request(100))
			publishCalls(t, q, 3, 10)
			settleAll(t, q, a)
		}, append([]string{"100"}, ids(3, 10)...)},
		{"an unread event between what was done out of turn", func(t *testing.T, q *queue.Queue) {
			l := openLink(t, q, calls("a"))
			publishCalls(t, q, 0, 10)
			hold := make(chan struct{})
			h := &handler{}
			h.decide = func(d *queue.Delivery) queue.Decision {
				if d.Event.Key.ID == "2" {
					<-hold
				}
				return queue.Decision{Outcome: event.Delivered}
			}
			h.consume(t, l)
			t.Cleanup(func() { close(hold) })
			eventually(t, "all but one", func() bool { return h.outcomes()[event.Delivered] == 9 })
		}, ids(2, 10)},
		{"what no link takes goes by its age", func(t *testing.T, q *queue.Queue) {
			openLink(t, q, calls("a"))
			if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
				t.Fatal(err)
			}
			for i := range 8 {
				e := call(i)
				e.Origin = event.Backfill
				publish(t, q, e)
			}
			publishCalls(t, q, 8, 10)
		}, ids(8, 10)},
		{"several filters", func(t *testing.T, q *queue.Queue) {
			s := calls("a")
			s.Subjects = append(s.Subjects, queue.EventSubject("10001", event.Request), queue.EventSubject("10002", event.Request))
			l := openLink(t, q, s)
			publishCalls(t, q, 0, 4)
			settleAll(t, q, l)
			publish(t, q, request(100))
			publishCalls(t, q, 4, 10)
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

func publishCalls(t testing.TB, q *queue.Queue, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		publish(t, q, call(i))
	}
}

// Killed, the server has forgotten acks: retention may keep more then, never less.
func TestRetentionAfterAKill(t *testing.T) {
	p := queuetest.Spawn(t)
	q := p.Open(queue.Options{})
	a := openLink(t, q, calls("a"))
	openLink(t, q, requests("rare"))
	nothing := requests("nothing")
	nothing.Subjects = []string{queue.EventSubject("10002", event.Request)}
	openLink(t, q, nothing)
	publishCalls(t, q, 0, 50)
	publish(t, q, request(1000))
	publishCalls(t, q, 50, 100)
	settleAll(t, q, a)
	publishCalls(t, q, 100, 110)
	p.Kill()
	p.Start()
	eventually(t, "ready", func() bool { return q.Ready(t.Context()) == nil })
	retain(t, q)
	got := kept(t, q)
	want := append([]string{"1000"}, ids(50, 110)...)
	if len(got) < len(want) || cmp.Diff(want, got[len(got)-len(want):]) != "" {
		t.Errorf("the log holds %v", got)
	}
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a")))
	h.consume(t, openLink(t, q, requests("rare")))
	eventually(t, "the rest", func() bool { return settledAll(t, q, "a")() && settledAll(t, q, "rare")() })
	if n := len(h.deliveries()); n < 11 {
		t.Errorf("%d of the 11 undone events were handled", n)
	}
	retain(t, q)
	wantKept(t, q, ids(0, 0))
}

func TestRetentionKeepsTheKeepTime(t *testing.T) {
	q := queuetest.New(t)
	publishCalls(t, q, 0, 3)
	time.Sleep(5 * time.Millisecond)
	publishCalls(t, q, 3, 6)
	fourth, err := q.GetEvent(t.Context(), call(3).Key)
	if err != nil {
		t.Fatal(err)
	}
	c := queue.RetentionConfig{Events: time.Hour, Now: func() time.Time { return fourth.Stored.Add(time.Hour) }}
	if err := q.RetainOnce(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	wantKept(t, q, ids(3, 6))
	third, err := q.Horizon(t.Context())
	if err != nil || !third.Before(fourth.Stored) || fourth.Stored.Sub(third) > time.Minute {
		t.Errorf("horizon %s, %v: want just before %s", third, err, fourth.Stored)
	}
}

func TestRetentionIsOneProcess(t *testing.T) {
	q := queuetest.New(t)
	lease, err := q.Lease(t.Context(), "retention", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	publishCalls(t, q, 0, 3)
	if err := q.RetainOnce(t.Context(), queue.RetentionConfig{Now: later}); !errors.Is(err, queue.ErrHeld) {
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
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := queue.NightDue(tt.now, tt.last); got != tt.want {
				t.Errorf("due = %v, want %v", got, tt.want)
			}
		})
	}
}
