package queue_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// Not parallel: other tests' goroutines would count.
func TestNothingIsLeftRunning(t *testing.T) {
	p := queuetest.Spawn(t) // in a process of its own: the server's goroutines are not ours
	q := p.Open(queue.Options{})
	publish(t, q, call(1))
	h := &handler{}
	stop := h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "delivered", func() bool { return h.outcomes()[event.Delivered] == 1 })
	lease, err := q.Lease(t.Context(), "x", 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if !running() {
		t.Fatal("the goroutines are not seen, so this proves nothing")
	}
	lease.Release()
	for range q.Events(t.Context(), queue.ScanOptions{}) {
	}
	stop()
	q.Close()
	eventually(t, "no goroutine is left", func() bool { return !running() })
}

// running reports whether a goroutine of the queue or of its connection runs.
func running() bool {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Contains(string(stacks), "touchbox/pkg/queue.(*") || strings.Contains(string(stacks), "nats%2ego.(*")
}
