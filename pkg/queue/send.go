package queue

import (
	"context"
	"fmt"
	"strings"
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
	began := time.Now()
	ack, err := q.js.PublishMsg(own, m)
	switch {
	case !unanswered(err):
		q.wedge.clear(m.Subject)
	case q.nc.IsConnected() && time.Since(began) >= wedgeAfter:
		q.wedge.note(m.Subject)
	}
	return ack, err
}

// wedge remembers publishes that came to no answer although the server is there. A full disk does
// that to a stream: it answers no publish any more until the server is restarted, while others,
// which did not happen to write then, go on.
type wedge struct {
	mu     sync.Mutex
	stream map[string]silence // by the first words of its subjects
}

type silence struct{ since, last time.Time }

// wedgeAfter is how long a publish must have waited to count, and wedgeMemory how long it counts
// when none follows: something must be published again before we can know better.
const (
	wedgeAfter  = time.Second
	wedgeMemory = time.Minute
)

func (w *wedge) note(subject string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stream == nil {
		w.stream = map[string]silence{}
	}
	now := time.Now()
	s := w.stream[wedgeKey(subject)]
	if now.Sub(s.last) > wedgeMemory {
		s.since = now
	}
	s.last = now
	w.stream[wedgeKey(subject)] = s
}

func (w *wedge) clear(subject string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.stream, wedgeKey(subject))
}

// clearAll forgets everything: the server was restarted, or is another one.
func (w *wedge) clearAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stream = nil
}

// err is what Ready says about it.
func (w *wedge) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, s := range w.stream {
		if time.Since(s.last) <= wedgeMemory {
			return fmt.Errorf("JetStream has answered no publish to %s since %s: most likely the disk of the NATS server was full. "+
				"Free space on it, then restart nats-server: it does not recover by itself. What was acknowledged is not lost",
				name, s.since.UTC().Format(time.RFC3339))
		}
	}
	return nil
}

// wedgeKey is the two words with which the subjects of one stream begin.
func wedgeKey(subject string) string {
	parts := strings.SplitN(subject, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}
