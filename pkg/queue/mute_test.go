package queue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// A server that hands out messages and gives no answer from STATE keeps them going round: that is told of, and another
// server is tried, where there is one.
func TestAServerThatDoesNotReadStateIsToldOf(t *testing.T) {
	t.Parallel()
	var log queuetest.Buffer
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Connection: queue.Connection{Log: zerolog.New(&log)}})
	spec := queuetest.Calls("a")
	spec.AckWait = time.Second
	l := queuetest.OpenLink(t, q, spec)
	if err := queue.MuteState(q); err != nil {
		t.Fatal(err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, l)
	queuetest.Publish(t, q, queuetest.Call(1))
	queuetest.Eventually(t, "it is told", func() bool { return strings.Contains(log.String(), "taking events was interrupted") })
	if n := h.IDs()["1"]; n != 0 {
		t.Errorf("handled %d times by a state that may be old", n)
	}
}
