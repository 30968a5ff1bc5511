package queue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// settle carries a decision out, in the order that a crash may interrupt anywhere: first the place
// where the event goes on, then the record, last the ack. Interrupted, the event comes again, and the
// guard of RETRIES, the one subject of DEADLETTERS and the look into HISTORY make the repeat harmless. What has no place
// to go on keeps the same order with others, see settleTogether.
func (w *worker) settle(ctx context.Context, m *message, d *Delivery, x Decision) {
	x.Outcome = x.carriedOut()
	way, err := w.moveOn(ctx, m, d, &x)
	w.reached(eventMoved)
	if err == nil {
		err = w.writeRecord(ctx, m, d, x, way)
		w.reached(recordWritten)
	}
	w.conclude(m, d, x, way, err)
}

// conclude is the end of settling, alone or together: the ack, where the record is stored.
func (w *worker) conclude(m *message, d *Delivery, x Decision, way onward, err error) {
	switch {
	case err == nil:
		w.acknowledge(m, way)
		w.tell(d, x)
	case errors.Is(err, ErrErased), errors.Is(err, errCancelled): // nothing of it is kept
		w.acknowledge(m, through)
	case errors.Is(err, ErrFull):
		w.leaveFull(m, d, err)
	default: // the process ends, or the connection: it comes again
	}
}

// onward says where an event went that was settled.
type onward int

const (
	through   onward = iota // nowhere, or to DEADLETTERS: the link is through with it
	scheduled               // to RETRIES
	continued               // it goes on in RETRIES already: an earlier delivery was settled as far as that
)

// moveOn puts the event where it goes on, unless its person was erased. Where RETRIES does not take it
// for its size, the decision becomes to bury it.
func (w *worker) moveOn(ctx context.Context, m *message, d *Delivery, x *Decision) (onward, error) {
	way, err := w.publishOrClear(ctx, m, d, *x)
	if errors.Is(err, ErrTooLarge) && x.Outcome == event.Waiting {
		x.Outcome, x.Until, x.Reason = event.Dead, time.Time{}, ReasonTooLarge
		way, err = w.publishOrClear(ctx, m, d, *x)
	}
	return way, err
}

// publishOrClear publishes the retry or the dead letter. Where the link is through with an event, it clears
// what earlier deliveries may have left: the waiting retry and the dead letter.
func (w *worker) publishOrClear(ctx context.Context, m *message, d *Delivery, x Decision) (onward, error) {
	switch x.Outcome {
	case event.Waiting:
		way := scheduled
		err := w.storeUnlessErased(ctx, m, theEvent, func() error { return w.q.undelivered.waitAgain(ctx, m, d.label(x), x.Until) })
		if errors.Is(err, errContinued) {
			way, err = continued, nil
		}
		return way, err
	case event.Dead:
		return through, w.storeUnlessErased(ctx, m, theEvent, func() error { return w.q.undelivered.bury(ctx, m.key, m.msg.Headers(), m.data(), d.label(x)) })
	}
	if !m.traces {
		return through, nil
	}
	return through, w.storeUnlessErased(ctx, m, aboutIt, func() error {
		if err := w.q.undelivered.clearRetry(ctx, w.spec.ID, m.key); err != nil {
			return err
		}
		return w.q.undelivered.clearDeadLetter(ctx, w.spec.ID, m.key)
	})
}

// writeRecord writes the record. One that is too large for the server goes without its details: they
// are the only part of it that can grow.
func (w *worker) writeRecord(ctx context.Context, m *message, d *Delivery, x Decision, way onward) error {
	r, mistake := d.record(x, m)
	if way == continued {
		r.Detail = nil
		return w.keepTrying(ctx, func() error { return waitForRoom(w.q.history.writeFirst(ctx, m, r)) })
	}
	if mistake != nil {
		w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Err(mistake).Msg("the details of an outcome cannot be written")
	}
	write := func() error { return waitForRoom(w.q.history.write(ctx, m.key, r)) }
	err := w.storeUnlessErased(ctx, m, aboutIt, write)
	if !errors.Is(err, ErrTooLarge) {
		return err
	}
	w.q.log.Warn().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Int("bytes", len(r.Detail)).
		Msg("the details of an outcome are larger than NATS takes: it is recorded without them")
	r.Detail, r.Answer = nil, clip(r.Answer, shortAnswer)
	return w.storeUnlessErased(ctx, m, aboutIt, func() error {
		if err := write(); !errors.Is(err, ErrTooLarge) {
			return err
		}
		return errSmallRefused // then it is not the record: the stream's bounds were changed
	})
}

// waitForRoom makes of a full HISTORY what is tried again: the event has been sent, and goes on from
// here. Left, it would come again within seconds, and be sent again, as long as there is no room.
func waitForRoom(err error) error {
	if errors.Is(err, ErrFull) {
		return errNoRoom
	}
	return err
}

var errNoRoom = errors.New("HISTORY has no room for a record: the NATS server's JetStream store is full, raise max_file_store or free space")

// shortAnswer is how much is kept of Mindbox's words where all of them are too many.
const shortAnswer = 200

// errSmallRefused is tried again, as all that a person must mend.
var errSmallRefused = errors.New("HISTORY refuses a record of some hundred bytes as too large: look at its max_msg_size")

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "")
}

// acknowledge acks a message and keeps count of what waits in RETRIES. A lost ack is no harm: the
// message comes again and is found in HISTORY.
func (w *worker) acknowledge(m *message, way onward) {
	_ = m.msg.Ack()
	switch {
	case way == scheduled && !m.retry:
		w.load.add(1)
	case way != scheduled && m.retry:
		w.load.add(-1)
	}
}

// tell says that a decision was carried out.
func (w *worker) tell(d *Delivery, x Decision) {
	if w.c.Settled != nil {
		w.c.Settled(d, x)
	}
}

// fullWait is after how long an event comes again whose retry or dead letter found no room.
const fullWait = time.Minute

// leaveFull leaves an event where it is, because there was no room for its retry or dead letter.
func (w *worker) leaveFull(m *message, d *Delivery, err error) {
	if w.q.alarms.due("full " + w.spec.ID) {
		w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Err(err).
			Msg("a dead letter or retry was refused for want of room, the event stays where it is: replay or drop dead letters, or raise keep.disk")
	}
	_ = m.msg.NakWithDelay(fullWait)
}

// content says what is stored of an event in flight.
type content int

const (
	aboutIt  content = iota // a record, or that something of it goes
	theEvent                // its body
)

// storeUnlessErased stores something of an event in flight, or returns ErrErased where its person was erased
// meanwhile: then nothing of it is stored anew. That is looked up where the event itself would be
// stored, and where it has been in flight for so long that an erasure may not have waited.
func (w *worker) storeUnlessErased(ctx context.Context, m *message, what content, try func() error) error {
	return w.keepTrying(ctx, func() error {
		if what == theEvent {
			if err := w.q.storing.enter(ctx); err != nil {
				return err
			}
			defer w.q.storing.leave()
		}
		if what == theEvent || w.longInFlight(m) {
			e, err := w.q.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(m.key))
			switch {
			case err == nil && Erased(e.Header):
				return ErrErased
			case err != nil && !errors.Is(err, ErrNotFound): // not found: older than what is kept
				return err
			}
		}
		return try()
	})
}

// longInFlight reports whether a message is in flight for so long that an erasure may not have waited for it.
func (w *worker) longInFlight(m *message) bool { return time.Since(m.taken) >= ackWait(w.spec)/2 }

// keepTrying tries until it works, cannot work (the stream is full, the message too large), the event is
// erased or its retry cancelled, the queue is closed, or ctx ends: while the server is away the event
// stays in flight, since handling it again would send it again.
func (w *worker) keepTrying(ctx context.Context, try func() error) error {
	began := time.Now()
	err := try()
	if err == nil || final(err) { // as a rule; what follows costs more than the try
		return err
	}
	tried := true
	op := func() error {
		if !tried {
			err = try()
		}
		if tried = false; final(err) {
			return backoff.Permanent(err)
		}
		return err
	}
	return backoff.RetryNotify(op, backoff.WithContext(jet.NewBackoff(), ctx), func(err error, _ time.Duration) {
		if time.Since(began) >= jet.SwitchAfter && Unanswered(err) {
			w.q.jet.SwitchServer()
		}
		if w.q.alarms.due("settle " + w.spec.ID) {
			w.q.log.Warn().Str("link", w.spec.ID).Err(err).Msg("an outcome cannot be stored yet, trying on")
		}
	})
}

// final reports whether trying again would come to the same.
func final(err error) bool {
	return slices.ContainsFunc([]error{ErrFull, ErrTooLarge, ErrErased, errCancelled, errContinued, jet.ErrClosed, nats.ErrConnectionClosed},
		func(one error) bool { return errors.Is(err, one) })
}

// point is a place in settle at which a process may die.
type point int

const (
	eventMoved    point = iota // the retry or the dead letter is published, or both are cleared
	recordWritten              // the record is stored, the message not acknowledged
)

// reached is where tests let a process die.
func (w *worker) reached(p point) {
	if w.died != nil {
		w.died(p)
	}
}
