package queue

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// ScanOptions select events of the log. Zero fields select everything.
type ScanOptions struct {
	Subjects []string  // as EventSubject writes them
	From     uint64    // first sequence
	Since    time.Time // stored not before; counts where From is 0
	Last     uint64    // about so many from the end; counts where From is 0 and Since zero
	Follow   bool      // go on with new ones until ctx ends
}

// scanWait is how long a scan that should bring something waits for it.
const scanWait = 30 * time.Second

// Events iterates over the log in its order, without a place on the server. An event that cannot
// be read comes with its key, sequence and body and with the error event.ErrDamaged or
// event.ErrNewerFormat; the iteration goes on. Any other error ends it. Erased ones are left out.
func (q *Queue) Events(ctx context.Context, o ScanOptions) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		messages, left, err := q.openScan(ctx, o)
		if err != nil {
			yield(event.Event{}, describe("read "+eventsStream, err))
			return
		}
		defer messages.Stop()
		for o.Follow || left > 0 {
			e, more, err := nextEvent(ctx, messages, o.Follow)
			if errors.Is(err, ErrErased) {
				left = more
				continue
			}
			if ctx.Err() != nil {
				return
			}
			if !yield(e, err) || err != nil && e.Sequence == 0 {
				return
			}
			left = more
		}
	}
}

// openScan opens an ordered consumer and counts what it has to read.
func (q *Queue) openScan(ctx context.Context, o ScanOptions) (jetstream.MessagesContext, uint64, error) {
	s, err := q.stream(ctx, eventsStream)
	if err != nil {
		return nil, 0, err
	}
	config := jetstream.OrderedConsumerConfig{FilterSubjects: o.Subjects}
	if o.From == 0 && o.Since.IsZero() && o.Last > 0 {
		last, err := q.lastSequence(ctx, eventsStream)
		if err != nil {
			return nil, 0, err
		}
		o.From = last - min(last, o.Last) + 1
	}
	switch {
	case o.From > 0:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, o.From
	case !o.Since.IsZero():
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &o.Since
	}
	c, err := s.OrderedConsumer(ctx, config)
	if err != nil {
		return nil, 0, err
	}
	info, err := c.Info(ctx)
	if err != nil {
		return nil, 0, err
	}
	messages, err := c.Messages()
	return messages, info.NumPending + uint64(info.NumAckPending), err
}

// nextEvent reads the next event and how many more there are.
func nextEvent(ctx context.Context, messages jetstream.MessagesContext, follow bool) (event.Event, uint64, error) {
	if !follow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, scanWait)
		defer cancel()
	}
	msg, err := messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		return event.Event{}, 0, describe("read "+eventsStream, err)
	}
	meta, err := msg.Metadata()
	if err != nil {
		return event.Event{}, 0, describe("read "+eventsStream, err)
	}
	if erased(msg.Headers()) {
		return event.Event{}, meta.NumPending, ErrErased
	}
	m := stored{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data(), Sequence: meta.Sequence.Stream, Time: meta.Timestamp}
	e, err := m.event(eventPrefix)
	return e, meta.NumPending, err
}
