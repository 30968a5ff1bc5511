package queue

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
)

// fullWait is how long an event is put back whose dead letter finds no room.
const fullWait = time.Minute

// settle carries a decision out. The order is the promise: first the place where the event goes
// on, then the record, last the ack. After a crash at any line the event comes again, and the
// guard of RETRIES, the one subject of DEADLETTERS and the look-up in HISTORY make the repeat
// harmless.
func (w *worker) settle(ctx context.Context, m *message, d *Delivery, x Decision, again bool) {
	x.Outcome = x.known()
	stays := x.Outcome == event.Waiting || x.Outcome == event.Dead
	chained := false
	err := w.unlessErased(ctx, m, stays, func() (err error) {
		chained, err = w.place(ctx, m, d, x, again)
		return err
	})
	if errors.Is(err, ErrFull) {
		w.putBack(m, d, err)
		return
	}
	if err == nil {
		r, mistake := d.record(x, m)
		if mistake != nil {
			w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Err(mistake).Msg("the details of an outcome cannot be written")
		}
		err = w.unlessErased(ctx, m, false, func() error { return w.q.record(ctx, m.key, r) })
	}
	if errors.Is(err, ErrErased) {
		w.acknowledge(m, false)
	}
	if err != nil {
		return // else it is the end of the process, or of the connection
	}
	w.acknowledge(m, chained)
	if w.c.Settled != nil {
		w.c.Settled(d, x)
	}
}

// unlessErased persists something of an event in hand, or returns ErrErased where its person was
// erased meanwhile: then nothing of it is stored anew. That is looked up where the event itself
// would be stored, and where it has been in hand for so long that an erasure may not have waited.
func (w *worker) unlessErased(ctx context.Context, m *message, look bool, try func() error) error {
	return w.persist(ctx, func() error {
		if look || time.Since(m.taken) >= w.ackWait()/2 {
			e, err := w.q.last(ctx, eventsStream, eventPrefix+m.key)
			switch {
			case err == nil && erased(e.Header):
				return ErrErased
			case err != nil && !errors.Is(err, ErrNotFound): // not found: older than what is kept
				return err
			}
		}
		return try()
	})
}

// place puts the event where it goes on, and reports whether a retry of it was scheduled. An event
// that is through takes along what earlier deliveries may have left: the waiting retry and the
// dead letter.
func (w *worker) place(ctx context.Context, m *message, d *Delivery, x Decision, again bool) (bool, error) {
	switch x.Outcome {
	case event.Waiting:
		return w.q.waitAgain(ctx, m, d.trail(x), x.Until)
	case event.Dead:
		return false, w.q.bury(ctx, m.key, m.msg.Headers(), m.data(), d.trail(x))
	}
	if !again {
		return false, nil
	}
	if err := w.q.clearRetry(ctx, w.spec.ID, m.key); err != nil {
		return false, err
	}
	return false, w.q.clearDeadLetter(ctx, w.spec.ID, m.key)
}

// persist tries until it works, the stream is full, the event is erased, the queue is closed, or ctx
// ends: while the server is away the event stays in hand, since handling it again would send it again.
func (w *worker) persist(ctx context.Context, try func() error) error {
	op := func() error {
		err := try()
		if errors.Is(err, ErrFull) || errors.Is(err, ErrErased) || errors.Is(err, errClosed) || errors.Is(err, nats.ErrConnectionClosed) {
			return backoff.Permanent(err)
		}
		return err
	}
	return backoff.RetryNotify(op, backoff.WithContext(patient(), ctx), func(err error, _ time.Duration) {
		if w.q.alarms.due("settle " + w.spec.ID) {
			w.q.log.Warn().Str("link", w.spec.ID).Err(err).Msg("an outcome cannot be stored yet, trying on")
		}
	})
}

// putBack leaves an event where it is because its dead letter was refused.
func (w *worker) putBack(m *message, d *Delivery, err error) {
	if w.q.alarms.due("full " + w.spec.ID) {
		w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Err(err).
			Msg("a dead letter or retry was refused for want of room, the event stays where it is: replay or drop dead letters, or raise keep.disk")
	}
	_ = m.msg.NakWithDelay(fullWait)
}

// acknowledge acks a message and keeps count of what waits in RETRIES. A lost ack is no harm: the
// message comes again and is found in HISTORY.
func (w *worker) acknowledge(m *message, chained bool) {
	_ = m.msg.Ack()
	switch {
	case chained && !m.retry:
		w.load.add(1)
	case !chained && m.retry:
		w.load.add(-1)
	}
}
