package queue_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// rebuild kills a server, takes the index of a stream away and starts it: what the blocks hold is read anew.
func rebuild(t *testing.T, server *queuetest.Process, stream string) *queue.Queue {
	t.Helper()
	server.Kill()
	for _, name := range []string{"index.db", "sched.db"} {
		if err := os.RemoveAll(filepath.Join(server.Dir, "jetstream", "$G", "streams", stream, "msgs", name)); err != nil {
			t.Fatal(err)
		}
	}
	server.Start()
	return server.Open(queue.Options{})
}

func TestRetriesThatAreDoneStayDoneAfterARebuild(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2), queuetest.Call(3), queuetest.Call(4))
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		switch {
		case d.Event.Key == queuetest.Call(1).Key:
			return waitsFor(time.Hour) // lives, so that the block is kept
		case d.Attempts < 2:
			return queue.Decision{Outcome: event.Waiting, Attempts: d.Attempts + 1, Reason: "timeout"}
		case d.Event.Key == queuetest.Call(2).Key:
			return queue.Decision{Outcome: event.Delivered}
		case d.Event.Key == queuetest.Call(3).Key:
			return queue.Decision{Outcome: event.Dead, Reason: "refused"}
		}
		return waitsFor(2 * time.Hour)
	}}
	stop := h.Consume(t, l)
	queuetest.Eventually(t, "all have gone round", func() bool {
		n := h.Outcomes()
		return n[event.Delivered] == 1 && n[event.Dead] == 1 && n[event.Waiting] == 1+2+2+3 && queuetest.Stats(t, q, "a").InHand == 0
	})
	stop()
	queuetest.Cancel(t, q, queue.Filter{Key: queuetest.Call(4).Key})
	q = rebuild(t, server, "TOUCHBOX_RETRIES")
	for _, r := range queuetest.Retries(t, q, queue.Filter{}) {
		if r.Event.Key != queuetest.Call(1).Key {
			t.Errorf("waits again: %s, due %v, at %d", r.Event.Key, r.Due, r.Sequence)
		}
	}
}

func TestDeadLettersThatAreGoneStayGoneAfterARebuild(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	q := server.Open(queue.Options{})
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	queuetest.Publish(t, q, queuetest.Call(1), queuetest.Call(2))
	dead := queue.Decision{Outcome: event.Dead, Reason: "refused"}
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision { return dead }}
	h.Consume(t, l)
	queuetest.Eventually(t, "both are dead", func() bool { return h.Outcomes()[event.Dead] == 2 })
	letter := queuetest.DeadLetters(t, q, queue.Filter{Key: queuetest.Call(2).Key})[0]
	// It dies again before the replay has removed it.
	if err := queue.PublishReplay(t.Context(), q, letter, queue.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	queuetest.Eventually(t, "it has died again", func() bool { return h.Outcomes()[event.Dead] == 3 && queuetest.Stats(t, q, "a").Waiting == 0 })
	for _, d := range queuetest.DeadLetters(t, q, queue.Filter{Key: queuetest.Call(2).Key}) {
		if err := q.DropDeadLetter(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	q = rebuild(t, server, "TOUCHBOX_DEADLETTERS")
	if left := queuetest.DeadLetters(t, q, queue.Filter{}); len(left) != 1 || left[0].Event.Key != queuetest.Call(1).Key {
		t.Errorf("dead letters after it: %+v", left)
	}
}
