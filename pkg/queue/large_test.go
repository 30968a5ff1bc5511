package queue_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// sized is a call whose body has so many bytes.
func sized(id, n int) event.Event {
	e := queuetest.Call(id)
	e.Body = bytes.Repeat([]byte("x"), n)
	return e
}

// An outcome whose record is larger than NATS takes is recorded without its details, and the event is
// through; the records beside it are not held up.
func TestTooLargeARecordGoesWithoutItsDetails(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	huge := strings.Repeat("x", queue.MaxPayload(q))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		x := queue.Decision{Outcome: event.Filtered, Reason: "when", Version: "v1", Detail: map[string]string{"saw": "a"}}
		if d.Event.Key.ID == "1" {
			x.Detail = map[string]string{"saw": huge}
		}
		return x
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2))
	queuetest.Eventually(t, "both are through", func() bool { return h.Outcomes()[event.Filtered] == 2 && queuetest.SettledAll(t, q, "a")() })
	r := queuetest.History(t, q, queuetest.Call(1))
	if len(r) != 1 || r[0].Outcome != event.Filtered || r[0].Reason != "when" || r[0].Version != "v1" || r[0].Detail != nil {
		t.Errorf("records %+v", r)
	}
	if r := queuetest.History(t, q, queuetest.Call(2)); len(r) != 1 || r[0].Detail == nil {
		t.Errorf("the other event's records %+v", r)
	}
}

// What is stored leaves room for what a retry and a dead letter add to it.
func TestTheLargestEventCanWaitAndDie(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if _, err := q.Publish(t.Context(), sized(1, queue.MaxPayload(q)-1000)); !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("an event without room for a retry's headers: %v", err)
	}
	e := sized(2, queue.MaxPayload(q)-9000)
	e.Query = strings.Repeat("q", 60<<10)
	if _, err := q.Publish(t.Context(), e); !errors.Is(err, queue.ErrTooLarge) {
		t.Errorf("an event with 60 KB of headers: %v", err)
	}
	e.Query = ""
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		x := queue.Decision{Outcome: event.Waiting, Attempts: d.Attempts + 1, Reason: "timeout", Answer: strings.Repeat("no ", 500), Pin: &event.Pin{Endpoint: "e", Operation: "o"}}
		if d.Retry {
			x.Outcome, x.Reason = event.Dead, "refused"
		}
		return x
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, e)
	queuetest.Eventually(t, "it has waited and died", func() bool { return h.Outcomes()[event.Waiting] == 1 && h.Outcomes()[event.Dead] == 1 })
	if d := queuetest.DeadLetters(t, q, queue.Filter{}); len(d) != 1 || !bytes.Equal(d[0].Event.Body, e.Body) {
		t.Errorf("%d dead letters, or another body", len(d))
	}
}

// An event that an older version has stored up to the last byte, or under a larger max_payload, is
// given up instead of tried for ever, and its body stays where it is.
func TestAnEventWithoutRoomForItsRetry(t *testing.T) {
	t.Parallel()
	for _, outcome := range []event.Outcome{event.Waiting, event.Dead} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			q := queuetest.New(t)
			e := sized(1, queue.MaxPayload(q)-600)
			queuetest.PublishRaw(t, q, e.Key, e.Header(), e.Body)
			h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
				if d.Replayed {
					return queue.Decision{Outcome: event.Delivered}
				}
				return queue.Decision{Outcome: outcome, Attempts: 1, Reason: "timeout", Answer: strings.Repeat("no ", 300), Until: time.Now().Add(time.Hour)}
			}}
			h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
			queuetest.Eventually(t, "it is given up", func() bool { return h.Outcomes()[event.Dead] == 1 && queuetest.SettledAll(t, q, "a")() })
			want := map[event.Outcome]string{event.Waiting: queue.ReasonTooLarge, event.Dead: "timeout"}[outcome]
			d := queuetest.DeadLetters(t, q, queue.Filter{Reason: want})
			if len(d) != 1 || d[0].Event.Key != e.Key || d[0].Attempts != 1 || newest(t, q, e, "a") != "dead "+want {
				t.Fatalf("dead letters %+v, newest %q", d, newest(t, q, e, "a"))
			}
			if err := q.Replay(t.Context(), d[0], queue.ReplayOptions{}); err != nil {
				t.Errorf("replayed with %v: without Mindbox's words there is room", err)
			}
			queuetest.Eventually(t, "the replay", func() bool { return h.Outcomes()[event.Delivered] == 1 })
			for _, d := range h.Deliveries() {
				if !bytes.Equal(d.Event.Body, e.Body) {
					t.Error("it was handled with another body than the log's")
				}
			}
			if stored, err := q.GetEvent(t.Context(), e.Key); err != nil || !bytes.Equal(stored.Body, e.Body) {
				t.Errorf("the event in the log: %v", err)
			}
		})
	}
}
