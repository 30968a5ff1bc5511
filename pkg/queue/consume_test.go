package queue_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// logs is a log that many may write and read.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

// Rule 3: nothing of the server's headers goes on. An event that was stored in a batch keeps the
// headers of the batch; a retry or dead letter that copied them would be staged and never stored.
func TestServerHeadersAreNotCopiedOn(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if err := queue.PublishAsBatch(t.Context(), q, call(1), call(2)); err != nil {
		t.Fatal(err)
	}
	if h, err := queue.Headers(t.Context(), q, call(1).Key); err != nil || h["Nats-Batch-Id"] == nil {
		t.Fatalf("the event does not keep the batch's headers, so this proves nothing: %v, %v", h, err)
	}
	l := openLink(t, q, calls("a"))
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		switch {
		case d.Retry && d.Attempts == 2:
			return queue.Decision{Outcome: event.Dead, Reason: "refused"}
		case d.Retry:
			return queue.Decision{Outcome: event.Waiting, Attempts: 2, Until: time.Now()}
		}
		return queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Second)}
	}}
	h.consume(t, l)
	eventually(t, "it waits", func() bool { return h.outcomes()[event.Waiting] >= 2 })
	header, err := queue.RetryHeaders(t.Context(), q, "a", call(1).Key)
	if err != nil {
		t.Fatal(err)
	}
	for name := range header {
		if strings.HasPrefix(name, "Nats-Batch") {
			t.Errorf("a retry carries %s", name)
		}
	}
	eventually(t, "both are dead in the end", func() bool { return h.outcomes()[event.Dead] == 2 && stats(t, q, "a").Waiting == 0 })
	for _, d := range deadLetters(t, q, queue.Filter{}) {
		if err := q.Replay(t.Context(), d, queue.ReplayOptions{}); err != nil {
			t.Errorf("replay: %v", err)
		}
	}
}

func TestPanicBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	log := &logs{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Log: zerolog.New(log)})
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Event.Key.ID == "1" {
			panic("79001234567")
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1), call(2))
	eventually(t, "both settled", func() bool { o := h.outcomes(); return o[event.Dead] == 1 && o[event.Delivered] == 1 })
	if d := deadLetters(t, q, queue.Filter{Reason: queue.ReasonPanic}); len(d) != 1 {
		t.Errorf("dead letters %+v", d)
	}
	if log.has("79001234567") || !log.has("panicked") {
		t.Error("the log says too much or too little of the panic")
	}
}

func TestDamagedEventIsBuriedWithItsBytes(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	key := call(1).Key
	body := []byte("raw\x00bytes")
	if err := queue.PublishRaw(t.Context(), q, key, map[string][]string{"X-Mine": {"kept"}}, body); err != nil {
		t.Fatal(err)
	}
	h := &handler{}
	stop := h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "dead", func() bool { return h.outcomes()[event.Dead] == 1 })
	stop()
	dead := deadLetters(t, q, queue.Filter{Reason: queue.ReasonDamaged})
	if len(dead) != 1 || !dead[0].Damaged || !bytes.Equal(dead[0].Event.Body, body) || dead[0].Event.Key != key {
		t.Fatalf("dead letters %+v", dead)
	}
	if err := q.Replay(t.Context(), dead[0], queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "dead again", func() bool { return h.outcomes()[event.Dead] == 2 })
	if len(h.deliveries()) != 0 {
		t.Error("a damaged event reached the handler")
	}
}

func TestNewerFormatIsLeft(t *testing.T) {
	t.Parallel()
	log := &logs{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Log: zerolog.New(log)})
	header := call(1).Header()
	header["Touchbox-Format"] = []string{"99"}
	if err := queue.PublishRaw(t.Context(), q, call(1).Key, header, []byte("x")); err != nil {
		t.Fatal(err)
	}
	publish(t, q, call(2))
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "the other one", func() bool { return h.outcomes()[event.Delivered] == 1 })
	eventually(t, "the alarm", func() bool { return log.has("upgrade") })
	if st := stats(t, q, "a"); st.InHand != 1 || len(deadLetters(t, q, queue.Filter{})) != 0 {
		t.Errorf("the newer one is not left: %+v", st)
	}
}

func TestFullDeadLettersLeaveTheEvent(t *testing.T) {
	t.Parallel()
	log := &logs{}
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Log: zerolog.New(log)})
	if err := queue.Full(t.Context(), q, 10); err != nil {
		t.Fatal(err)
	}
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if d.Event.Key.ID == "1" {
			return queue.Decision{Outcome: event.Dead, Reason: "refused"}
		}
		return queue.Decision{Outcome: event.Delivered}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1), call(2))
	eventually(t, "the alarm", func() bool { return log.has("replay or drop dead letters") })
	eventually(t, "the others go on", func() bool { return h.outcomes()[event.Delivered] == 1 })
	if st := stats(t, q, "a"); st.InHand != 1 || h.outcomes()[event.Dead] != 0 {
		t.Errorf("the event did not stay: %+v", st)
	}
}

func TestHistoryOutOfOrderHoldsTheAck(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	if err := queue.BreakHistory(t.Context(), q, true); err != nil {
		t.Fatal(err)
	}
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1), call(2), call(3))
	eventually(t, "handled", func() bool { return len(h.deliveries()) == 3 })
	if st := stats(t, q, "a"); st.InHand != 3 || len(h.outcomes()) != 0 {
		t.Errorf("acknowledged without a record: %+v", st)
	}
	if err := queue.BreakHistory(t.Context(), q, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "settled", func() bool { return h.outcomes()[event.Delivered] == 3 })
	if n := len(h.deliveries()); n != 3 {
		t.Errorf("handled %d times", n)
	}
}

func TestWithoutHistory(t *testing.T) {
	t.Parallel()
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{NoHistory: true}})
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a")))
	publish(t, q, call(1))
	eventually(t, "settled", func() bool { return h.outcomes()[event.Delivered] == 1 })
	if len(history(t, q, call(1))) != 0 {
		t.Error("there is history")
	}
}
