package queue

import (
	"context"
	"errors"
	"iter"
	"strings"
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
	Erased   bool      // erased ones too: only their key, place and time are left
}

// scanWait is how long a scan that should bring something waits for it.
const scanWait = 30 * time.Second

// Events iterates over the log in its order, without a place on the server. An event that cannot
// be read comes with its key, sequence and body and with the error event.ErrDamaged or
// event.ErrNewerFormat, an erased one with ErrErased where they are asked for; the iteration goes on.
// Any other error ends it.
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
			if errors.Is(err, ErrErased) && !o.Erased {
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

// openScan opens what the options select and counts it.
func (q *Queue) openScan(ctx context.Context, o ScanOptions) (jetstream.MessagesContext, uint64, error) {
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
	return q.openFlow(ctx, eventsStream, config)
}

// openFlow opens an ordered consumer and counts what it has to read.
func (q *Queue) openFlow(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig) (jetstream.MessagesContext, uint64, error) {
	s, err := q.stream(ctx, stream)
	if err != nil {
		return nil, 0, err
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

// flow iterates over the messages of a stream from a sequence on, in order, some times as fast as
// scan where there are many. RETRIES cannot be read so: a queue of work has one reader.
func (q *Queue) flow(ctx context.Context, stream string, from uint64) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		messages, left, err := q.openFlow(ctx, stream, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(1, from),
		})
		if err != nil {
			yield(nil, describe("read "+stream, err))
			return
		}
		defer messages.Stop()
		for left > 0 {
			var m *stored
			if m, left, err = nextStored(ctx, messages, false); err != nil {
				yield(nil, describe("read "+stream, err))
				return
			}
			if !yield(m, nil) {
				return
			}
		}
	}
}

// nextStored reads the next message and how many more there are.
func nextStored(ctx context.Context, messages jetstream.MessagesContext, follow bool) (*stored, uint64, error) {
	if !follow {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, scanWait)
		defer cancel()
	}
	msg, err := messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		return nil, 0, err
	}
	meta, err := msg.Metadata()
	if err != nil {
		return nil, 0, err
	}
	return &stored{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data(), Sequence: meta.Sequence.Stream, Time: meta.Timestamp}, meta.NumPending, nil
}

// nextEvent reads the next event and how many more there are.
func nextEvent(ctx context.Context, messages jetstream.MessagesContext, follow bool) (event.Event, uint64, error) {
	m, more, err := nextStored(ctx, messages, follow)
	if err != nil {
		return event.Event{}, 0, describe("read "+eventsStream, err)
	}
	if erased(m.Header) {
		e := event.Event{Sequence: m.Sequence, Stored: m.Time}
		e.Key, _ = event.ParseSubject(strings.TrimPrefix(m.Subject, eventPrefix))
		return e, more, ErrErased
	}
	e, err := m.event(eventPrefix)
	return e, more, err
}
