package queue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// ScanOptions select events of the log. Zero fields select everything.
type ScanOptions struct {
	Subjects []string  // as event.SubjectOf writes them
	From     uint64    // first sequence
	Before   uint64    // none from this sequence on; 0: to the end
	Since    time.Time // stored not before; counts where From is 0
	Last     uint64    // about so many from the end; counts where From is 0 and Since zero
	Follow   bool      // go on with new ones until ctx ends
	Erased   bool      // erased ones too: only their key, place and time are left

	HeadersOnly bool // without bodies, for who asks only where and when
	Gently      bool // few at once, for whom nobody waits: what is delivered meanwhile does not wait behind them
	Told        Told // of how far it is; nil tells nobody. With Follow or Before it tells nothing of use
}

// Told is told how far a scan has come, after each message: so many are read, of so many in all.
type Told func(done, total uint64)

// tell tells of a scan that began with total messages and has left to read.
func (t Told) tell(left, total uint64) {
	if t != nil {
		t(total-min(left, total), total)
	}
}

// Events iterates over the log in its order, without a place on the server. An event that cannot
// be read comes with its key, sequence and body and with the error event.ErrDamaged or
// event.ErrNewerFormat, an erased one with ErrErased where they are asked for; the iteration goes on.
// Any other error ends it.
func (q *Queue) Events(ctx context.Context, o ScanOptions) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		r, err := openScan(ctx, q, o)
		if err != nil {
			yield(event.Event{}, jet.Describe("read "+event.EventsStream, err))
			return
		}
		defer r.Stop()
		next := r.Next
		if o.Follow {
			next = r.Await
		}
		for total := r.Left; o.Follow || r.Left > 0; {
			e, err := nextEvent(ctx, next)
			if err == nil || e.Sequence > 0 {
				o.Told.tell(r.Left, total)
			}
			if o.Before > 0 && e.Sequence >= o.Before {
				return
			}
			if errors.Is(err, ErrErased) && !o.Erased {
				continue
			}
			if ctx.Err() != nil {
				return
			}
			if !yield(e, err) || err != nil && e.Sequence == 0 {
				return
			}
		}
	}
}

// Span is where the events lie that were stored at a moment or later: from the first sequence up to, not
// including, the end. The zero moment is before all of them.
func (q *Queue) Span(ctx context.Context, since time.Time) (first, end uint64, err error) {
	e, err := q.jet.Extent(ctx, event.EventsStream)
	if err != nil {
		return 0, 0, err
	}
	first, end = e.First, e.Last+1
	if !since.IsZero() {
		first, err = q.jet.SequenceAt(ctx, event.EventsStream, since, end)
	}
	return first, end, err
}

// openScan opens what the options select and counts it.
func openScan(ctx context.Context, q *Queue, o ScanOptions) (*jet.Reader, error) {
	config := jetstream.OrderedConsumerConfig{FilterSubjects: o.Subjects, HeadersOnly: o.HeadersOnly}
	if o.From == 0 && o.Since.IsZero() && o.Last > 0 {
		last, err := q.jet.LastSequence(ctx, event.EventsStream)
		if err != nil {
			return nil, err
		}
		o.From = last - min(last, o.Last) + 1
	}
	switch {
	case o.From > 0:
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, o.From
	case !o.Since.IsZero():
		config.DeliverPolicy, config.OptStartTime = jetstream.DeliverByStartTimePolicy, &o.Since
	}
	return q.jet.Reader(ctx, event.EventsStream, config, o.Gently)
}

// nextEvent reads the next event.
func nextEvent(ctx context.Context, next func(context.Context) (*jet.Message, error)) (event.Event, error) {
	m, err := next(ctx)
	if err != nil {
		return event.Event{}, jet.Describe("read "+event.EventsStream, err)
	}
	if Erased(m.Header) {
		e := event.Event{Sequence: m.Sequence, Stored: m.Time}
		e.Key, _ = event.ParseSubject(event.LogSubjects.Rest(m.Subject))
		return e, ErrErased
	}
	return ReadEvent(m)
}

// Erased reports whether a message of EVENTS is the tombstone of an erased person's event.
func Erased(h nats.Header) bool { return h.Get(event.HeaderErased) != "" }

// GetEvent reads an event by its key. ErrNotFound, which for an erased one is ErrErased. With
// event.ErrDamaged comes what can be read of it.
func (q *Queue) GetEvent(ctx context.Context, key event.Key) (event.Event, error) {
	m, err := q.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(key.Subject()))
	if err == nil && Erased(m.Header) {
		err = ErrErased
	}
	if err != nil {
		return event.Event{}, jet.Describe("event "+key.String(), err)
	}
	e, err := ReadEvent(m)
	if err != nil {
		return e, fmt.Errorf("event %s at %s of %s: %w", key, strconv.FormatUint(m.Sequence, 10), event.EventsStream, err)
	}
	return e, nil
}

// HasEvent reports whether the log holds an event of this key, or the tombstone of one.
func (q *Queue) HasEvent(ctx context.Context, key event.Key) (bool, error) {
	_, err := q.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(key.Subject()))
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, jet.Describe("event "+key.String(), err)
}

// readEvent reads an event from a message on a subject that ends with key. With an error comes what can be
// read, all of it but the key only where it is event.ErrDamaged; the key is the subject's.
func readEvent(key string, h nats.Header, body []byte) (event.Event, error) {
	e, err := event.Read(h, body)
	if err == nil && e.Key.Subject() != key {
		err = event.ErrDamaged
	}
	if err != nil {
		e.Damaged = errors.Is(err, event.ErrDamaged)
		e.Key, _ = event.ParseSubject(key)
	}
	return e, err
}

// ReadEvent reads the event of a message of EVENTS.
func ReadEvent(m *jet.Message) (event.Event, error) {
	e, err := readEvent(event.LogSubjects.Rest(m.Subject), m.Header, m.Data)
	e.Sequence, e.Stored = m.Sequence, m.Time
	return mended(e, m.Time), err
}

// mended gives a damaged event the times that are known: it came when it was stored, at the latest,
// and happened when it came.
func mended(e event.Event, stored time.Time) event.Event {
	if e.Damaged && e.Received.IsZero() {
		e.Received = stored
	}
	if e.Damaged && e.Time.IsZero() {
		e.Time = e.Received
	}
	return e
}
