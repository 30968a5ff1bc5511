package queue_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Who removes what somebody has removed already, at the beginning, in the middle, at the end of a
// stream, or what was never there, is done.
func TestWhatIsGoneNeedNotBeRemoved(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	for i := range 5 {
		queuetest.Publish(t, q, queuetest.Call(i+1))
	}
	h := &queuetest.Handler{Decide: func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	h.Consume(t, l)
	queuetest.Eventually(t, "all are dead", func() bool { return h.Outcomes()[event.Dead] == 5 })
	letters := queuetest.DeadLetters(t, q, queue.Filter{})
	for _, i := range []int{2, 0, 4} {
		for range 2 {
			if err := q.DropDeadLetter(t.Context(), letters[i]); err != nil {
				t.Errorf("dead letter %d: %v", i, err)
			}
		}
	}
	for _, sequence := range []uint64{1, 7, 1 << 40} {
		if err := q.RemoveAside(t.Context(), sequence); err != nil {
			t.Errorf("nothing at %d: %v", sequence, err)
		}
	}
	if left := queuetest.DeadLetters(t, q, queue.Filter{}); len(left) != 2 {
		t.Errorf("%d left", len(left))
	}
}

// The worker may be quicker than the replay that it answers: what it has removed is done.
func TestReplaysBesideAQuickWorker(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	l := queuetest.OpenLink(t, q, queuetest.Calls("a"))
	const n = 40
	for i := range n {
		queuetest.Publish(t, q, queuetest.Call(i+1))
	}
	h := &queuetest.Handler{Decide: func(d *queue.Delivery) queue.Decision {
		if d.Replayed {
			return queue.Decision{Outcome: event.Delivered}
		}
		return queue.Decision{Outcome: event.Dead, Reason: "refused"}
	}}
	h.Consume(t, l)
	queuetest.Eventually(t, "all are dead", func() bool { return h.Outcomes()[event.Dead] == n })
	for _, d := range queuetest.DeadLetters(t, q, queue.Filter{}) {
		if err := queue.PublishReplay(t.Context(), q, d, queue.ReplayOptions{}); err != nil {
			t.Fatal(err)
		}
		queuetest.Eventually(t, "the worker has removed it", func() bool {
			_, err := q.DeadLetter(t.Context(), "a", d.Event.Key)
			return err != nil
		})
		if err := q.DropDeadLetter(t.Context(), d); err != nil {
			t.Fatalf("the second half of the replay: %v", err)
		}
	}
	queuetest.Eventually(t, "all are delivered", func() bool { return h.Outcomes()[event.Delivered] == n })
}
