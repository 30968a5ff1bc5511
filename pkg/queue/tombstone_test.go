package queue_test

import (
	"errors"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// A tombstone in the log refuses its event for good, and links pass over it.
func TestTombstone(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	header := map[string][]string{"Touchbox-Format": {"1"}, "Touchbox-Erased": {"1"}}
	queuetest.PublishRaw(t, q, queuetest.Call(1).Key, header, nil)
	if got, err := q.Publish(t.Context(), queuetest.Call(1)); err != nil || got != event.ReceiptErased {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := q.GetEvent(t.Context(), queuetest.Call(1).Key); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	queuetest.Publish(t, q, queuetest.Call(2))
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "settled", queuetest.SettledAll(t, q, "a"))
	if got := h.Deliveries(); len(got) != 1 || got[0].Event.Key != queuetest.Call(2).Key {
		t.Errorf("deliveries %+v", got)
	}
	n := 0
	for range q.Events(t.Context(), queue.ScanOptions{}) {
		n++
	}
	if n != 1 {
		t.Errorf("a scan shows %d events", n)
	}
}

func TestReplayOfAnEventOfTheLog(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Filtered}
	}}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "filtered", func() bool { return h.Outcomes()[event.Filtered] == 1 })
	e, err := q.GetEvent(t.Context(), queuetest.Call(1).Key)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := q.Replay(t.Context(), queue.DeadLetter{Link: "a", Event: e}, queue.ReplayOptions{Revision: "r1"}); err != nil {
		t.Fatal(err)
	}
	if err := q.Replay(t.Context(), queue.DeadLetter{Link: "a", Event: e}, queue.ReplayOptions{}); !errors.Is(err, queue.ErrUnderWay) {
		t.Errorf("replayed twice: %v", err)
	}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "delivered", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	d := h.Deliveries()[1]
	if d.Revision != "r1" || d.Event.Sequence != e.Sequence || !d.Event.Stored.Equal(e.Stored) {
		t.Errorf("delivery %+v", d)
	}
}
