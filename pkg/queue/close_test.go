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
	publish(t, q, call(1))
	h := &handler{}
	stop := h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "delivered", func() bool { return h.outcomes()[event.Delivered] == 1 })
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
