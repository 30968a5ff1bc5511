package jet

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Reader reads a stream in its order, without a place on the server: it is an ordered consumer.
type Reader struct {
	Left uint64 // how many messages there are still to read, as far as is known

	last     *jetstream.MsgMetadata // of the last message that came; nil: none has
	consumer jetstream.Consumer
	messages jetstream.MessagesContext
}

// gentle is how many messages are on their way at once to who reads gently.
const gentle = 64

// Reader opens an ordered consumer and counts what it has to read. With gently few messages are on their way at once, so that
// what else comes over the connection does not wait behind them.
func (c *Client) Reader(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig, gently bool) (*Reader, error) {
	s, err := c.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	consumer, err := s.OrderedConsumer(ctx, config)
	if err != nil {
		return nil, err
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return nil, err
	}
	var opts []jetstream.PullMessagesOpt
	if gently {
		opts = append(opts, jetstream.PullMaxMessages(gentle))
	}
	messages, err := consumer.Messages(opts...)
	if err != nil {
		return nil, err
	}
	return &Reader{Left: info.NumPending + uint64(info.NumAckPending), consumer: consumer, messages: messages}, nil
}

// Stop ends the reading.
func (r *Reader) Stop() { r.messages.Stop() }

// readWait is how long a message that should be there is waited for.
const readWait = 30 * time.Second

// Next reads the next message, which should be there.
func (r *Reader) Next(ctx context.Context) (*Message, error) { return r.within(ctx, readWait) }

// Await reads the next message, for which it waits until ctx ends.
func (r *Reader) Await(ctx context.Context) (*Message, error) {
	msg, err := r.messages.Next(jetstream.NextContext(ctx))
	if err != nil {
		return nil, err
	}
	meta, err := msg.Metadata()
	if err != nil {
		return nil, err
	}
	r.Left, r.last = meta.NumPending, meta
	return &Message{Subject: msg.Subject(), Header: msg.Headers(), Data: msg.Data(), Sequence: meta.Sequence.Stream, Time: meta.Timestamp}, nil
}

func (r *Reader) within(ctx context.Context, d time.Duration) (*Message, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return r.Await(ctx)
}

// removedAfter is how long a message is waited for before the server is asked whether there still is one.
const removedAfter = time.Second

// nextLeft reads the next message; nil when those that were left have been removed.
func (r *Reader) nextLeft(ctx context.Context) (*Message, error) {
	for end := time.Now().Add(readWait); ; {
		m, err := r.within(ctx, removedAfter)
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) || time.Now().After(end) {
			return m, err
		}
		info, err := r.consumer.Info(ctx)
		if err == nil && info.NumPending == 0 && info.NumAckPending == 0 && !r.underWay(info) {
			r.Left = 0
			return nil, nil
		}
	}
}

// underWay reports whether the server has sent a message that has not come here yet: a large one to a machine that has much to do
// needs its time.
func (r *Reader) underWay(info *jetstream.ConsumerInfo) bool {
	came := uint64(0)
	if r.last != nil && r.last.Consumer == info.Name {
		came = r.last.Sequence.Consumer
	}
	return info.Delivered.Consumer > came
}

// Flow iterates over the messages that match filter from a sequence on, in order. For each page of
// Scan the server counts what is left, over all subjects where the filter has wildcards; here it does
// so once, so where there may be many, this is the one to use. A stream that is a queue of work cannot be
// read so: it has one reader. What is removed meanwhile is left out.
func (c *Client) Flow(ctx context.Context, stream, filter string, from uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for f, err := range c.Flowing(ctx, stream, FlowOptions{Filter: filter, From: from}) {
			if !yield(f.Message, err) {
				return
			}
		}
	}
}

// FlowOptions say what Flowing reads. Zero fields select everything.
type FlowOptions struct {
	Filter string    // "" is Anything
	From   uint64    // first sequence
	Since  time.Time // stored not before; counts where From is 0

	HeadersOnly bool // without bodies
	Gently      bool // few at once: nobody waits for them
}

func (o FlowOptions) config() jetstream.OrderedConsumerConfig {
	config := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(1, o.From), HeadersOnly: o.HeadersOnly}
	if o.From == 0 && !o.Since.IsZero() {
		config.DeliverPolicy, config.OptStartSeq, config.OptStartTime = jetstream.DeliverByStartTimePolicy, 0, &o.Since
	}
	if o.Filter != "" && o.Filter != Anything {
		config.FilterSubjects = []string{o.Filter}
	}
	return config
}

// Flowed is a message of a stream, and how far the reading is.
type Flowed struct {
	*Message
	Left, Total uint64 // messages behind this one, and in all when it began
}

// Flowing is Flow that says how far it is.
func (c *Client) Flowing(ctx context.Context, stream string, o FlowOptions) iter.Seq2[Flowed, error] {
	return func(yield func(Flowed, error) bool) {
		r, err := c.Reader(ctx, stream, o.config(), o.Gently)
		if err != nil {
			yield(Flowed{}, Describe("read "+stream, err))
			return
		}
		defer r.Stop()
		for total := r.Left; r.Left > 0; {
			m, err := r.nextLeft(ctx)
			if err != nil {
				yield(Flowed{}, Describe("read "+stream, err))
				return
			}
			if m != nil && !yield(Flowed{m, r.Left, total}, nil) {
				return
			}
		}
	}
}

// Forward iterates over the messages that match filter from a sequence on. The first one comes
// alone: as a rule it is the only one that is asked for.
func (c *Client) Forward(ctx context.Context, stream, filter string, from uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		m, err := c.Next(ctx, stream, filter, from)
		if errors.Is(err, ErrNotFound) {
			return
		}
		if err != nil || !yield(m, nil) {
			if err != nil {
				yield(nil, err)
			}
			return
		}
		for m, err := range c.Flow(ctx, stream, filter, m.Sequence+1) {
			if !yield(m, err) {
				return
			}
		}
	}
}

// SequenceAt is the sequence of the first message that was stored at t or later, or else after,
// which is one past the last that there is.
func (c *Client) SequenceAt(ctx context.Context, stream string, t time.Time, after uint64) (uint64, error) {
	m, err := c.NextSince(ctx, stream, Anything, t)
	if errors.Is(err, ErrNotFound) {
		return after, nil
	}
	if err != nil {
		return 0, err
	}
	return min(m.Sequence, after), nil
}

// LastBefore reads the last message between first and before, not including before. ErrNotFound.
// There may be gaps, so it looks ever further back.
func (c *Client) LastBefore(ctx context.Context, stream string, first, before uint64) (*Message, error) {
	for back := uint64(1); ; back *= 16 {
		from := max(first, before-min(before, back))
		var last *Message
		for m, err := range c.Forward(ctx, stream, Anything, from) {
			if err != nil {
				return nil, err
			}
			if m.Sequence >= before {
				break
			}
			last = m
		}
		if last != nil {
			return last, nil
		}
		if from <= first {
			return nil, ErrNotFound
		}
	}
}
