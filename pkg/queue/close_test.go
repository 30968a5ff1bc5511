package queue_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Not parallel: other tests' goroutines would count.
func TestNothingIsLeftRunning(t *testing.T) {
	p := queuetest.Spawn(t) // in a process of its own: the server's goroutines are not ours
	before := goleak.IgnoreCurrent()
	q := p.Open(queue.Options{})
	queuetest.Publish(t, q, queuetest.Call(1))
	h := &queuetest.Handler{}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "delivered", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	lease, err := q.Lease(t.Context(), "x", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	lease.Release()
	for range q.Events(t.Context(), queue.ScanOptions{}) {
	}
	stop()
	q.Close()
	goleak.VerifyNone(t, before)
}
