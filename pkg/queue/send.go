package queue

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// publishTimeout bounds one publish. With synced writes a disk that catches up on something else
// keeps a publish waiting for seconds.
const publishTimeout = 5 * time.Second

// publish sends one message to a stream and waits until it is stored or refused. No answer within
// publishTimeout is an error that leaves it open whether the message is stored.
func (q *Queue) publish(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	own, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	ack, err := q.js.PublishMsg(own, m)
	q.wedge.note(m.Subject, err, ctx.Err() == nil && q.nc.IsConnected())
	return ack, err
}

// wedge remembers publishes that came to no answer although the server is there. A full disk does
// that to JetStream: it answers no publish any more, until it is restarted.
type wedge struct {
	mu      sync.Mutex
	subject string
	since   time.Time
	last    time.Time
}

// wedgeMemory is how long an unanswered publish counts when none follows: something must publish
// again before we can know better.
const wedgeMemory = time.Minute

func (w *wedge) note(subject string, err error, connected bool) {
	if !unanswered(err) {
		w.clear()
		return
	}
	if !connected {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = time.Now()
	if w.since.IsZero() {
		w.since, w.subject = w.last, subject
	}
}

func (w *wedge) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since, w.last = time.Time{}, time.Time{}
}

// err is what Ready says about it.
func (w *wedge) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() || time.Since(w.last) > wedgeMemory {
		return nil
	}
	return fmt.Errorf("JetStream has answered no publish since %s: most likely the disk of the NATS server is full. "+
		"Free space on it, then restart nats-server: it does not recover by itself. What was acknowledged is not lost",
		w.since.UTC().Format(time.RFC3339))
}
