package queue

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// The points at which the tests let a process die.
const (
	AfterPlace  = "after the retry or dead letter was published"
	AfterRecord = "after the record was written"
)

// DieAt returns a context that ends when the server has been asked for the n-th thing. Others that use
// the server meanwhile count too.
func DieAt(ctx context.Context, q *Queue, n int) (context.Context, error) {
	ctx, cancel := context.WithCancel(ctx)
	var asked atomic.Int64
	sub, err := q.nc.Subscribe(">", func(m *nats.Msg) {
		if !strings.HasPrefix(m.Subject, "_INBOX") && asked.Add(1) == int64(n) {
			cancel()
		}
	})
	context.AfterFunc(ctx, func() { _ = sub.Unsubscribe() })
	return ctx, err
}

// PublishReplay is the first half of Replay: a process that dies behind it.
func PublishReplay(ctx context.Context, q *Queue, d DeadLetter) error {
	t := readTrail(d.header)
	t.Link, t.Replayed = d.Link, true
	return q.giveBack(ctx, d.key, d.header, d.body, t)
}

// Die takes one event of the link, decides and dies at the point. The event goes back to the
// server at once, as it does after AckWait.
func Die(ctx context.Context, l *Link, retry bool, point string, x Decision) error {
	w := &worker{Link: l, c: Consumption{Handle: func(context.Context, *Delivery) Decision { return x }}}
	stream := eventsStream
	if retry {
		stream = retriesStream
	}
	batch, err := l.reader[stream].Fetch(1, jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		return err
	}
	msg, ok := <-batch.Messages()
	if !ok {
		return errors.New("nothing came")
	}
	m, err := newMessage(msg, l.spec.ID, retry)
	if err != nil {
		return err
	}
	d, err := m.delivery(l)
	if err != nil {
		return err
	}
	if _, err := w.place(ctx, m, d, x, retry); err != nil {
		return err
	}
	if point == AfterRecord {
		r, err := d.record(x, m)
		if err != nil {
			return err
		}
		if err := l.q.record(ctx, m.key, r); err != nil {
			return err
		}
	}
	return msg.Nak()
}

// Forget sets a link's consumer of EVENTS back to the beginning, as a crash of the server does
// with the acks that it had not written yet: what comes again is marked as a first delivery.
func Forget(ctx context.Context, q *Queue, link string) error {
	_, err := q.js.ResetConsumerToSequence(ctx, eventsStream, consumerName(link), 1)
	return err
}

// DeleteConsumers removes a link's consumers, as a person may.
func DeleteConsumers(ctx context.Context, q *Queue, link string) error {
	return errors.Join(q.js.DeleteConsumer(ctx, eventsStream, consumerName(link)),
		q.js.DeleteConsumer(ctx, retriesStream, consumerName(link)))
}

// DeleteStream removes a stream of the given name.
func DeleteStream(ctx context.Context, q *Queue, name string) error {
	return q.js.DeleteStream(ctx, name)
}

// PublishAsBatch stores events in one atomic batch.
func PublishAsBatch(ctx context.Context, q *Queue, events ...event.Event) error {
	var batch []*nats.Msg
	for _, e := range events {
		batch = append(batch, &nats.Msg{Subject: eventPrefix + e.Key.Subject(), Header: e.Header(), Data: e.Body})
	}
	return q.publishBatch(ctx, batch)
}

// PublishRaw stores a message on an event's subject with just these headers.
func PublishRaw(ctx context.Context, q *Queue, key event.Key, h map[string][]string, body []byte) error {
	_, err := q.publish(ctx, &nats.Msg{Subject: eventPrefix + key.Subject(), Header: h, Data: body})
	return err
}

// Headers of the newest message on an event's subject.
func Headers(ctx context.Context, q *Queue, key event.Key) (map[string][]string, error) {
	m, err := q.last(ctx, eventsStream, eventPrefix+key.Subject())
	if err != nil {
		return nil, err
	}
	return m.Header, nil
}

// RetryHeaders of the newest message of RETRIES.
func RetryHeaders(ctx context.Context, q *Queue, link string, key event.Key) (map[string][]string, error) {
	m, err := q.last(ctx, retriesStream, atPrefix+link+"."+key.Subject())
	if err != nil {
		return nil, err
	}
	return m.Header, nil
}

// BreakHistory makes HISTORY refuse every record, or takes them again.
func BreakHistory(ctx context.Context, q *Queue, broken bool) error {
	s, err := q.js.Stream(ctx, historyStream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	config.MaxMsgSize = -1
	if broken {
		config.MaxMsgSize = 1
	}
	_, err = q.js.UpdateStream(ctx, config)
	return err
}

// Full leaves room for so many bytes more in DEADLETTERS.
func Full(ctx context.Context, q *Queue, room int64) error {
	s, err := q.js.Stream(ctx, deadStream)
	if err != nil {
		return err
	}
	config := s.CachedInfo().Config
	config.MaxBytes = int64(s.CachedInfo().State.Bytes) + room
	_, err = q.js.UpdateStream(ctx, config)
	return err
}

// Functions that are tested by themselves.
var (
	CheckVersion = checkVersion
	RoundUp      = roundUp
	NightDue     = nightDue
	ParkKey      = parkKey
	ScopeOf      = scopeOf
)

// MemorySize is how many keys a memory of the limit holds after n were added.
func MemorySize(limit, n int, key func(int) event.Key) int {
	m := newMemory(limit)
	for i := range n {
		m.add(key(i), event.Fingerprint{})
	}
	return len(m.young) + len(m.old)
}

// Backlog is a link's count of what waits.
type Backlog struct{ b backlog }

// Add changes it.
func (b *Backlog) Add(n int64) { b.b.add(n) }

// Full asks it.
func (b *Backlog) Full(ctx context.Context, count func(context.Context) (uint64, error)) (bool, error) {
	return b.b.full(ctx, count)
}

// Checks counts a consumer's messages since the last break.
type Checks struct{ c checks }

// Due asks whether the next message is looked up, in an era of the connection.
func (c *Checks) Due(era uint64) bool { return c.c.due(era) }

// Resume is what a pause in the deliveries looks like.
func (c *Checks) Resume() { c.c.last = c.c.last.Add(-2 * checkPause) }

// Suspect asks whether a message is looked up.
func Suspect(first bool, delivered uint64) bool {
	m := &message{check: first, meta: &jetstream.MsgMetadata{NumDelivered: delivered}}
	return m.suspect()
}
