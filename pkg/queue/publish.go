package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// publishTries is how often an undecided publish is tried. The second one tells whether the first
// was stored after all.
const publishTries = 2

// flyingTries is how often a publish is tried that met another proposal for its subject, and
// flyingWait the first pause; such an answer comes within a millisecond.
const (
	flyingTries = 8
	flyingWait  = 10 * time.Millisecond
)

// Publish stores an event under its key, once for as long as it is kept, or says that it need not
// be stored. An error means undecided: whoever brought the event must bring it again.
func (q *Queue) Publish(ctx context.Context, e event.Event) (event.Receipt, error) {
	if f, ok := q.known.get(e.Key); ok && second(e.Fingerprint, f) == event.ReceiptRepeated {
		return event.ReceiptRepeated, nil // another call is rare, and the log has the last word on it
	}
	receipt, known, err := q.storeOnce(ctx, e)
	if err != nil {
		return "", describe("store event "+e.Key.String(), err)
	}
	if receipt == event.ReceiptStored || receipt == event.ReceiptRepeated || receipt == event.ReceiptCollision {
		q.known.add(e.Key, known)
	}
	return receipt, nil
}

// storeOnce is the rule of publishing. Only the guard's refusal means "stored already". A time-out
// and a proposal in flight are undecided: tried again, then an error.
func (q *Queue) storeOnce(ctx context.Context, e event.Event) (event.Receipt, event.Fingerprint, error) {
	var err error
	undecided, wait := 0, flyingWait
	for range flyingTries {
		if err != nil && sleep(ctx, wait) != nil {
			break
		}
		wait *= 2
		err = q.storeEvent(ctx, e)
		switch {
		case err == nil:
			return event.ReceiptStored, e.Fingerprint, nil
		case errors.Is(err, errTooOld):
			return q.storeOld(ctx, e)
		case code(err) == codeWrongSequence:
			receipt, f, again := q.compare(ctx, e)
			if again == nil {
				return receipt, f, nil
			}
			err = again
			undecided++
		case code(err) == codeWrongSequenceFlying: // undecided, and soon decided
		case unanswered(err):
			undecided++
		default:
			return "", event.Fingerprint{}, err
		}
		if undecided >= publishTries {
			break
		}
	}
	return "", event.Fingerprint{}, err
}

// storeEvent is the one place that publishes to EVENTS: the guard is the publisher's, the stream
// itself would store the same key twice. The subject must be empty, for as long as it is kept; what
// was fetched and is older than that is errTooOld.
func (q *Queue) storeEvent(ctx context.Context, e event.Event) error {
	if old, err := q.tooOld(ctx, e); err != nil {
		return err
	} else if old {
		return errTooOld
	}
	m := &nats.Msg{Subject: eventPrefix + e.Key.Subject(), Header: e.Header(), Data: e.Body}
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
	_, err := q.publish(ctx, m)
	return err
}

var errTooOld = errors.New("it happened before the horizon")

// storeOld says what an event from before the horizon is: one that is still here, or too old.
func (q *Queue) storeOld(ctx context.Context, e event.Event) (event.Receipt, event.Fingerprint, error) {
	receipt, f, err := q.compare(ctx, e)
	if errors.Is(err, ErrNotFound) {
		return event.ReceiptTooOld, event.Fingerprint{}, nil
	}
	return receipt, f, err
}

// compare reads what is stored under e's key and says what e is beside it.
func (q *Queue) compare(ctx context.Context, e event.Event) (event.Receipt, event.Fingerprint, error) {
	m, err := q.last(ctx, eventsStream, eventPrefix+e.Key.Subject())
	if err != nil {
		return "", event.Fingerprint{}, err
	}
	if erased(m.Header) {
		return event.ReceiptErased, event.Fingerprint{}, nil
	}
	stored, err := m.event(eventPrefix)
	if err != nil { // damaged or newer: there is nothing to compare with, and nothing to lose
		return event.ReceiptRepeated, event.Fingerprint{}, nil
	}
	f := q.fingerprint(stored)
	if stored.Received.Equal(e.Received) && bytes.Equal(stored.Body, e.Body) {
		return event.ReceiptStored, f, nil // by our own publish that came to no answer
	}
	return second(e.Fingerprint, f), f, nil
}

func (q *Queue) fingerprint(e event.Event) event.Fingerprint {
	if q.opts.Fingerprint == nil {
		return event.Fingerprint{}
	}
	return q.opts.Fingerprint(e)
}

// second says what an event is whose key is stored: the same call again, or another one.
func second(f, stored event.Fingerprint) event.Receipt {
	if f.Other(stored) {
		return event.ReceiptCollision
	}
	return event.ReceiptRepeated
}

// erased reports whether a message of EVENTS is the tombstone of an erased person's event.
func erased(h nats.Header) bool { return h.Get(headerErased) != "" }

// GetEvent reads an event by its key. ErrNotFound, which for an erased one is ErrErased.
func (q *Queue) GetEvent(ctx context.Context, key event.Key) (event.Event, error) {
	m, err := q.last(ctx, eventsStream, eventPrefix+key.Subject())
	if err == nil && erased(m.Header) {
		err = ErrErased
	}
	if err != nil {
		return event.Event{}, describe("event "+key.String(), err)
	}
	e, err := m.event(eventPrefix)
	if err != nil {
		return event.Event{}, fmt.Errorf("event %s at %s of %s: %w", key, strconv.FormatUint(m.Sequence, 10), eventsStream, err)
	}
	return e, nil
}
