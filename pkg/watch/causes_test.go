package watch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func ring(t *testing.T) (*bell, *Alerts) {
	t.Helper()
	b := newBell(t)
	a, _ := b.process(queuetest.New(t), &link.File{})
	return b, a
}

func TestDiskAlert(t *testing.T) {
	b, a := ring(t)
	look := func(percent ...int64) {
		var sizes []queue.StreamSize
		for i, stream := range []string{"events", "history", "retries"} {
			size := queue.StreamSize{Stream: stream, Bytes: percent[i], Limit: 100}
			if stream == "retries" {
				size.Limit = 0
			}
			sizes = append(sizes, size)
		}
		a.Streams(t.Context(), sizes)
	}
	look(79, 10, 1000)
	b.want(a)
	look(81, 10, 1000)
	look(99, 90, 1000)
	b.want(a, "disk events", "disk history")
	a.begin(t.Context(), CauseAbandoned, "calls", a.abandonedText("calls", 3))
	a.begin(t.Context(), CauseAbandoned, "calls", a.abandonedText("calls", 4))
	b.want(a, "abandoned calls")
	look(78, 78, 1000) // between the two marks nothing changes
	b.want(a)
	look(70, 70, 1000)
	look(70, 70, 1000)
	b.want(a, "disk events over", "abandoned calls over", "disk history over")
}

// The sentence says how many and why, and nothing that Mindbox said: its answer may name a person.
func TestDeadLettersAlertSaysHowManyAndWhy(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	died := queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "Petrov is wrong", Attempts: 1}
	queuetest.PublishCalls(t, q, 1, 4)
	_, stop := queuetest.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("calls")), func(*queue.Delivery) queue.Decision { return died })
	queuetest.Eventually(t, "all are settled", queuetest.SettledAll(t, q, "calls"))
	stop()
	a, _ := b.process(q, &link.File{})
	a.checkDeadLetters(t.Context(), "calls")
	one := <-b.rung
	if want := "calls: not delivered: 3, the oldest because of validation_error 400"; !strings.Contains(one.Text, want) || strings.Contains(one.Text, "Petrov") {
		t.Errorf("it says %q, want %q in it", one.Text, want)
	}
}

func TestAsideAlert(t *testing.T) {
	b, a := ring(t)
	site := &link.Site{Site: calltouch.Site{ID: "10001"}, Name: "clinic"}
	event := func(from, to int) {
		for i := from; i < to; i++ {
			publishCall(t, a.queue, i)
		}
	}
	aside := func(n int) {
		for range n {
			if err := a.queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Received: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	aside(5)
	event(0, 14)
	a.checkAside(t.Context(), site)
	b.want(a) // 19 say nothing
	event(14, 15)
	a.checkAside(t.Context(), site)
	a.checkAside(t.Context(), site)
	b.want(a, "aside 10001")
	event(15, 95)
	a.checkAside(t.Context(), site)
	b.want(a) // 5 of 100 are not more than 5 %, and not so few that it is over
	event(95, 170)
	a.checkAside(t.Context(), site)
	b.want(a, "aside 10001 over")
	aside(1)
	a.checkAside(t.Context(), &link.Site{Site: calltouch.Site{ID: "10002"}, Name: "another"})
	b.want(a)
}

func publishCall(t *testing.T, q *queue.Queue, id int) {
	t.Helper()
	key, err := event.NewKey("10001", event.CallEnded, fmt.Sprint(id))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	if _, err := q.Publish(t.Context(), event.Event{Key: key, Origin: event.Webhook, Body: []byte("id=1"), Received: now, Time: now}); err != nil {
		t.Fatal(err)
	}
}
