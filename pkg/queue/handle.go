package queue

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// handle takes one message all the way: it is passed over, put back, left, or decided about and
// settled. An error on the way leaves it unacknowledged, and it is delivered again.
func (w *worker) handle(ctx context.Context, m *message, probe bool) {
	d, err := m.delivery(w.Link)
	d.Probe = probe
	switch {
	case errors.Is(err, event.ErrNewerFormat):
		w.leave(d, err)
		return
	case !m.retry && erased(m.msg.Headers()):
		_ = m.msg.Ack()
		return
	case err == nil && !m.retry && !event.Taken(d.Event, d.Start):
		w.pass(m, d)
		return
	case w.tooYoung(m):
		return
	}
	f, ok := w.known(ctx, m)
	if !ok || f.done {
		return
	}
	x := Decision{Outcome: event.Dead, Reason: ReasonDamaged}
	if err == nil {
		if x, ok = w.decide(ctx, d); !ok {
			return
		}
	}
	w.settle(ctx, m, d, x, f.trace || m.again() || m.retry)
}

// leave leaves a message of a newer format where it is: a newer worker will take it.
func (w *worker) leave(d *Delivery, err error) {
	if w.q.alarms.due("format " + w.spec.ID) {
		w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Err(err).Msg("an event cannot be read by this version and waits")
	}
}

// pass acknowledges an event that the link does not take. No record is written: that it is untaken
// can be told from the event and the link's start.
func (w *worker) pass(m *message, d *Delivery) {
	if err := m.msg.Ack(); err == nil && w.c.Settled != nil {
		w.c.Settled(d, Decision{Outcome: event.Untaken})
	}
}

// tooYoung is the rule of a link's delay: an event from EVENTS that was stored less than that ago
// is put back for the rest of it. Besides a refused publish this is the only Nak. Retries and
// replays know no delay.
func (w *worker) tooYoung(m *message) bool {
	ripe := m.stored().Add(w.spec.Delay)
	rest := time.Until(ripe)
	if m.retry || w.spec.Delay == 0 || rest <= 0 {
		return false
	}
	_ = m.msg.NakWithDelay(rest)
	w.young.Store(&ripe)
	return true
}

// known looks a message up in HISTORY where it may have been settled before, and acknowledges it
// when it was. False: HISTORY did not answer before the end.
func (w *worker) known(ctx context.Context, m *message) (found, bool) {
	if !m.suspect() {
		return found{}, true
	}
	var f found
	err := w.persist(ctx, func() (err error) {
		f, err = w.q.lookup(ctx, w.spec.ID, m)
		return err
	})
	if err != nil {
		return found{}, false
	}
	if f.done {
		w.acknowledge(m, false)
	}
	return f, true
}

// decide asks the handler, when one of the places for it is free. False: the end came first. The
// place is free again while the decision is carried out, so that a slow disk does not make the
// handlers wait.
func (w *worker) decide(ctx context.Context, d *Delivery) (Decision, bool) {
	select {
	case w.busy <- struct{}{}:
		defer func() { <-w.busy }()
		return w.guarded(ctx, d), true
	case <-ctx.Done():
		return Decision{}, false
	}
}

// guarded asks the handler. One that panics has decided that a person must look at the event.
func (w *worker) guarded(ctx context.Context, d *Delivery) (x Decision) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		line := w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Bytes("stack", debug.Stack())
		if err, ok := p.(runtime.Error); ok { // other values may hold what must not be logged
			line = line.AnErr("panic", err)
		}
		line.Msg("handling an event panicked: it becomes a dead letter")
		x = Decision{Outcome: event.Dead, Reason: ReasonPanic, Attempts: d.Attempts}
	}()
	return w.c.Handle(ctx, d)
}
