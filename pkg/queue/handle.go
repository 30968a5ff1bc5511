package queue

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// begun is a message on its way, with what is known of it so far.
type begun struct {
	s *source
	m *message
	d *Delivery // nil: it is not read yet
	x *Decision // nil: nothing is decided yet
}

// handle takes one message all the way, from where begin left it. It is
//   - left where it is, when a newer Touchbox wrote it;
//   - acknowledged, when it is a tombstone, not for this link, or was settled before;
//   - returned for a while, when it is too young for the link's delay;
//   - decided about and settled else.
//
// An error on the way leaves it unacknowledged, and it is delivered again. True: it is with those whose records are written
// together, which see to the rest.
func (w *worker) handle(ctx context.Context, b *begun) (together bool) {
	m := b.m
	if b.d == nil {
		if w.read(b) {
			return false
		}
		before, err := w.lookUp(ctx, m)
		switch {
		case err != nil: // HISTORY did not answer before the end
			return false
		case before.settled:
			w.acknowledge(m, through)
			return false
		}
		m.traces = before.traces || m.again() || m.retry
	}
	if b.x == nil {
		x := w.decide(ctx, m, b.d)
		b.x = &x
	}
	if w.plain(ctx, b) {
		w.settleSoon(ctx, b)
		return true
	}
	w.settle(ctx, m, b.d, *b.x)
	return false
}

// begin goes with a message as far as nothing has to be waited for: what a link filters out needs no goroutine of
// its own. False: handle goes on.
func (w *worker) begin(ctx context.Context, b *begun) (over bool) {
	if b.m.suspect() || b.m.retry {
		return false
	}
	if w.read(b) {
		w.release(b)
		return true
	}
	if b.x == nil && w.c.Begin != nil {
		if x, decided := w.guarded(b.d, func() (Decision, bool) { return w.c.Begin(ctx, b.d) }); decided {
			b.x = &x
		}
	}
	if b.x == nil || !w.plain(ctx, b) {
		return false
	}
	w.settleSoon(ctx, b)
	return true
}

// read reads the event of a message. True: nothing is to be decided about it, and it is done with.
func (w *worker) read(b *begun) (over bool) {
	m := b.m
	d, err := m.delivery(w.Link)
	b.d = d
	switch {
	case errors.Is(err, event.ErrNewerFormat):
		w.leaveNewer(d, err)
		return true
	case !m.retry && Erased(m.msg.Headers()):
		_ = m.msg.Ack()
		return true
	case err == nil && !m.retry && !event.Taken(d.Event, d.Start):
		w.passOver(m, d)
		return true
	}
	if ripe, young := ripeAt(m.stored(), time.Now(), w.spec.Delay); young && !m.retry {
		w.postpone(m, ripe)
		return true
	}
	if err != nil {
		b.x = &Decision{Outcome: event.Dead, Reason: ReasonDamaged}
	}
	return false
}

// leaveNewer leaves a message of a newer format where it is: a newer worker will take it.
func (w *worker) leaveNewer(d *Delivery, err error) {
	if w.q.alarms.due("format " + w.spec.ID) {
		w.q.log.Error().Str("link", w.spec.ID).Str("event", d.Event.Key.String()).Err(err).Msg("an event cannot be read by this version and waits")
	}
}

// passOver acknowledges an event that the link does not take. No record is written: that it is untaken
// can be told from the event and the link's start.
func (w *worker) passOver(m *message, d *Delivery) {
	if err := m.msg.Ack(); err == nil && w.c.Settled != nil {
		w.c.Settled(d, Decision{Outcome: event.Untaken})
	}
}

// clockSlack is by how much two clocks may differ that are both right.
const clockSlack = time.Minute

// ripeAt is until when an event is too young for a delay, if it is. One that was stored in the future is not: the clock was
// set back since, and says nothing of its age.
func ripeAt(stored, now time.Time, delay time.Duration) (time.Time, bool) {
	ripe := stored.Add(delay)
	return ripe, now.Before(ripe) && stored.Sub(now) <= clockSlack
}

// postpone is the rule of a link's delay: an event from EVENTS that was stored less than that ago is
// returned for the rest of it. Besides a refused publish and the end of a worker this is the only Nak.
// Retries and replays know no delay.
func (w *worker) postpone(m *message, ripe time.Time) {
	_ = m.msg.NakWithDelay(time.Until(ripe))
	w.young.Store(&ripe)
}

// decide asks the handler, which is free for the next message while the decision is carried out: a slow
// disk does not make handlers wait.
func (w *worker) decide(ctx context.Context, m *message, d *Delivery) Decision {
	defer m.handled()
	x, _ := w.guarded(d, func() (Decision, bool) { return w.c.Handle(ctx, d), true })
	return x
}

// guarded asks the handler, and whether it has decided. One that panics has decided that a person must look at the event.
func (w *worker) guarded(d *Delivery, ask func() (Decision, bool)) (x Decision, decided bool) {
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
		x, decided = Decision{Outcome: event.Dead, Reason: ReasonPanic, Attempts: d.Attempts}, true
	}()
	return ask()
}

// before is what HISTORY says of earlier deliveries of a message in flight.
type before struct {
	settled bool // this message was settled: no sending, only the ack
	traces  bool // the event waited or died for this link: a retry or a dead letter may be left
}

// lookUp looks a message up in HISTORY where it may have been settled before, until HISTORY answers.
func (w *worker) lookUp(ctx context.Context, m *message) (b before, err error) {
	if !m.suspect() {
		return before{}, nil
	}
	err = w.keepTrying(ctx, func() (err error) {
		b, err = w.q.history.lookUp(ctx, *w.now.Load(), m)
		return err
	})
	return b, err
}

// ageMargin is how much younger than a message from RETRIES a final record must be to end it: the
// two times may come from two servers, and a replay follows the death that it answers.
const ageMargin = 2 * time.Second

// lookUp is the rule for what comes again. A message was settled when a record says that this very
// message was, or when a final outcome of its link is younger than it. What a removed link of the same
// id had abandoned is none of this link's outcomes.
func (h historyLog) lookUp(ctx context.Context, link LinkState, m *message) (before, error) {
	if h.committer == nil {
		return before{traces: m.again()}, nil
	}
	_, err := h.jet.Last(ctx, event.HistoryStream, event.HistorySubjects.Of(m.key))
	if errors.Is(err, ErrNotFound) { // as a rule, and it costs one small request
		return before{}, nil
	}
	records, err := h.of(ctx, m.key)
	if err != nil {
		return before{}, err
	}
	return readBefore(records, link, m), nil
}

func readBefore(records []Record, link LinkState, m *message) before {
	margin := time.Duration(0)
	if m.retry {
		margin = ageMargin
	}
	var b before
	for _, r := range records {
		if r.Link != link.ID || r.Outcome == "" || r.Outcome == event.Abandoned && r.place <= link.Born {
			continue
		}
		b.traces = b.traces || r.Outcome == event.Waiting || r.Outcome == event.Dead
		// A stream that was damaged, or replaced by an older copy, counts from a lower number again: a
		// record from before this message settled another one.
		this := r.Source == m.source() && r.Sequence == m.sequence() && r.stored.After(m.stored().Add(-ageMargin))
		younger := r.Outcome.Final() && r.stored.After(m.stored().Add(margin))
		b.settled = b.settled || this || younger
	}
	return b
}

// returnInterrupted returns to the server what the end has interrupted: nobody need wait until it misses a
// word from here.
func (w *worker) returnInterrupted(work context.Context, m *message) {
	if work.Err() != nil && !errors.Is(m.msg.NakWithDelay(returnIn), jetstream.ErrMsgAlreadyAckd) {
		w.unfinished.Add(1)
	}
}

// returnIn is how soon the server gives to others what is returned: when it knows that the requests of
// this worker have ended, for else it would answer them.
const returnIn = 200 * time.Millisecond
