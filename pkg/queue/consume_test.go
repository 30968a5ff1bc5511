package queue_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Rule 3: nothing of the server's headers goes on. An event that was stored in a batch keeps the
// headers of the batch; a retry or dead letter that copied them would be staged and never stored.
func TestServerHeadersAreNotCopiedOn(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if err := queue.PublishAsBatch(t.Context(), q, queuetest.Call(1), queuetest.Call(2)); err != nil {
		t.Fatal(err)
	}
	if h, err := queue.Headers(t.Context(), q, queuetest.Call(1).Key); err != nil || h["Nats-Batch-Id"] == nil {
		t.Fatalf("the event does not keep the batch's headers, so this proves nothing: %v, %v", h, err)
	}
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		switch {
		case d.Retry && d.Attempts == 2:
			return queue.Decision{Outcome: event.Dead, Reason: "refused"}
		case d.Retry:
			return queue.Decision{Outcome: event.Waiting, Attempts: 2, Until: time.Now()}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Second)}
	}}
	h.Consume(t, l)
	queuetest.Eventually(t, "it waits", func() bool { return h.Outcomes()[event.Waiting] >= 2 })
	header, err := queue.RetryHeaders(t.Context(), q, "a", queuetest.Call(1).Key)
	if err != nil {
		t.Fatal(err)
	}
	for name := range header {
		if strings.HasPrefix(name, "Nats-Batch") {
			t.Errorf("a retry carries %s", name)
		}
	}
	queuetest.Eventually(t, "both are dead in the end", func() bool { return h.Outcomes()[event.Dead] == 2 && queuetest.Stats(t, q, "a").Waiting == 0 })
	for _, d := range queuetest.DeadLetters(t, q, queue.Filter{}) {
		if err := q.Replay(t.Context(), d, queue.ReplayOptions{}); err != nil {
			t.Errorf("replay: %v", err)
		}
	}
}

func TestPanicBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	log := &queuetest.Buffer{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Connection: queue.Connection{Log: zerolog.New(log)}})
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Event.Key.ID == "1" {
			panic("79001234567")
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2))
	queuetest.Eventually(t, "both settled", func() bool { o := h.Outcomes(); return o[event.Dead] == 1 && o[event.Delivered] == 1 })
	if d := queuetest.DeadLetters(t, q, queue.Filter{Reason: queue.ReasonPanic}); len(d) != 1 {
		t.Errorf("dead letters %+v", d)
	}
	if log.Has("79001234567") || !log.Has("panicked") {
		t.Error("the log says too much or too little of the panic")
	}
}

func TestDamagedEventIsBuriedWithItsBytes(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	key := queuetest.Call(1).Key
	body := []byte("raw\x00bytes")
	queuetest.PublishRaw(t, q, key, map[string][]string{"X-Mine": {"kept"}}, body)
	h := &queuetest.Handler{}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "dead", func() bool { return h.Outcomes()[event.Dead] == 1 })
	stop()
	dead := queuetest.DeadLetters(t, q, queue.Filter{Reason: queue.ReasonDamaged})
	if len(dead) != 1 || !dead[0].Damaged || !bytes.Equal(dead[0].Event.Body, body) || dead[0].Event.Key != key {
		t.Fatalf("dead letters %+v", dead)
	}
	if err := q.Replay(t.Context(), dead[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "dead again", func() bool { return h.Outcomes()[event.Dead] == 2 })
	if len(h.Deliveries()) != 0 {
		t.Error("a damaged event reached the handler")
	}
}

func TestNewerFormatIsLeft(t *testing.T) {
	t.Parallel()
	log := &queuetest.Buffer{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Connection: queue.Connection{Log: zerolog.New(log)}})
	header := queuetest.Call(1).Header()
	header["Touchbox-Format"] = []string{"99"}
	queuetest.PublishRaw(t, q, queuetest.Call(1).Key, header, []byte("x"))
	queuetest.Publish(t, q, queuetest.Call(2))
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "the other one", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Eventually(t, "the alarm", func() bool { return log.Has("upgrade") })
	queuetest.Eventually(t, "the newer one alone is left", func() bool { return queuetest.Stats(t, q, "a").InHand == 1 })
	if n := len(queuetest.DeadLetters(t, q, queue.Filter{})); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func TestFullDeadLettersLeaveTheEvent(t *testing.T) {
	t.Parallel()
	log := &queuetest.Buffer{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Connection: queue.Connection{Log: zerolog.New(log)}})
	if err := queue.Full(t.Context(), q, 10); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Event.Key.ID == "1" {
			return queue.Decision{Outcome: event.Dead, Reason: "refused"}
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2))
	queuetest.Eventually(t, "the alarm", func() bool { return log.Has("replay or drop dead letters") })
	queuetest.Eventually(t, "the others go on", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	queuetest.Eventually(t, "the event alone stays in hand", func() bool { return queuetest.Stats(t, q, "a").InHand == 1 })
	if h.Outcomes()[event.Dead] != 0 {
		t.Error("it is said to be dead")
	}
}

func TestHistoryOutOfOrderHoldsTheAck(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if err := queue.BreakHistory(t.Context(), q, true); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3))
	queuetest.Eventually(t, "handled", func() bool { return len(h.Deliveries()) == 3 })
	if st := queuetest.Stats(t, q, "a"); st.InHand != 3 || len(h.Outcomes()) != 0 {
		t.Errorf("acknowledged without a record: %+v", st)
	}
	if err := queue.BreakHistory(t.Context(), q, false); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "settled", func() bool { return h.Outcomes()[event.Delivered] == 3 })
	if n := len(h.Deliveries()); n != 3 {
		t.Errorf("handled %d times", n)
	}
}

func TestWithoutHistory(t *testing.T) {
	t.Parallel()
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{NoHistory: true}})
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "settled", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	if len(queuetest.History(t, q, queuetest.Call(1))) != 0 {
		t.Error("there is history")
	}
}
