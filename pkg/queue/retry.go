package queue

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// Headers of a scheduled message, see NATS ADR-51.
const (
	headerSchedule = "Nats-Schedule"
	headerTarget   = "Nats-Schedule-Target"
	headerFired    = "Nats-Scheduler"
	headerNext     = "Nats-Schedule-Next"
)

// guard holds a publish to RETRIES to what is there of the event for this link, due or not:
// sequence is that of its newest message, 0 when there is to be none. So one event never waits
// twice, whatever crashed in between.
func guard(h nats.Header, link, key string, sequence uint64) {
	h.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(sequence, 10))
	h.Set(jetstream.ExpectedLastSubjSeqSubjHeader, anyRetry+link+"."+key)
}

// waitAgain is the rule of retries: it schedules the event of m for until. From EVENTS nothing may
// wait yet, from RETRIES only m itself. It reports false when another chain exists: then m has
// been settled before, and is done with.
func (q *Queue) waitAgain(ctx context.Context, m *message, t trail, until time.Time) (bool, error) {
	at := roundUp(until, time.Now())
	h := m.header()
	t.write(h)
	h.Set(headerUntil, moment(at))
	h.Set(headerSchedule, "@at "+at.Format(time.RFC3339))
	h.Set(headerTarget, duePrefix+t.Link+"."+m.key)
	expected := uint64(0)
	if m.retry {
		expected = m.sequence()
	}
	guard(h, t.Link, m.key, expected)
	_, err := q.publish(ctx, &nats.Msg{Subject: atPrefix + t.Link + "." + m.key, Header: h, Data: m.data()})
	if code(err) == codeWrongSequence {
		return false, nil
	}
	return err == nil, describe("schedule the retry", err)
}

// roundUp returns the whole second at or after t, or after now where t is past or zero. Schedules
// know whole seconds only and cut the rest, so that they would fire up to a second early.
func roundUp(t, now time.Time) time.Time {
	if t.Before(now) {
		t = now
	}
	whole := t.UTC().Truncate(time.Second)
	if whole.Before(t) {
		whole = whole.Add(time.Second)
	}
	return whole
}

// giveBack publishes an event to a link, due at once, where nothing of it waits there. It is what
// a replay does. ErrUnderWay.
func (q *Queue) giveBack(ctx context.Context, key string, h nats.Header, body []byte, t trail) error {
	h = ownHeader(h)
	t.write(h)
	for _, name := range []string{headerUntil, headerDied} {
		delete(h, name)
	}
	guard(h, t.Link, key, 0)
	_, err := q.publish(ctx, &nats.Msg{Subject: duePrefix + t.Link + "." + key, Header: h, Data: body})
	if code(err) == codeWrongSequence {
		return ErrUnderWay
	}
	return err
}

// clearRetry removes the scheduled retry of an event; a missing one is no error. One that is due
// already stays: it may be in hand, and is looked up in HISTORY when it is handled.
func (q *Queue) clearRetry(ctx context.Context, link, key string) error {
	s, err := q.stream(ctx, retriesStream)
	if err != nil {
		return err
	}
	return describe("remove the waiting retry", s.Purge(ctx, jetstream.WithPurgeSubject(atPrefix+link+"."+key)))
}

// Retry is an event that waits in RETRIES.
type Retry struct {
	Delivery
	Reason   string    // of the last failure
	Status   int       // Mindbox's answer then; 0 when there was none
	Until    time.Time // not before; zero when it was never scheduled
	Due      bool      // its time has come, it waits for a worker or is in hand
	Sequence uint64    // place in RETRIES

	key string
}

// Retries iterates over what waits, in the order in which it began to wait.
func (q *Queue) Retries(ctx context.Context, f Filter) iter.Seq2[Retry, error] {
	return func(yield func(Retry, error) bool) {
		for m, err := range q.scan(ctx, retriesStream, anyRetry+f.subject(), 1) {
			if err != nil {
				yield(Retry{}, err)
				return
			}
			r, ok := readRetry(m)
			if ok && f.match(r.Reason, r.Status, m.Time) && !yield(r, nil) {
				return
			}
		}
	}
}

// readRetry reads a message of RETRIES; false when its subject says nothing.
func readRetry(m *stored) (Retry, bool) {
	rest, due := strings.CutPrefix(m.Subject, duePrefix)
	if !due {
		rest = strings.TrimPrefix(m.Subject, atPrefix)
	}
	link, key, ok := strings.Cut(rest, ".")
	if !ok {
		return Retry{}, false
	}
	t := readTrail(m.Header)
	r := Retry{Reason: t.Reason, Status: t.Status, Until: readMoment(m.Header.Get(headerUntil)), Due: due, Sequence: m.Sequence, key: key}
	e, err := readEvent(key, m.Header, m.Data)
	if err != nil {
		e = event.Event{Body: m.Data}
		e.Key, _ = event.ParseSubject(key)
	}
	r.Delivery = Delivery{Event: e, Link: link, Retry: true}
	r.fill(t)
	return r, true
}

// RunRetry makes a waiting retry due at once. A due one needs nothing; ErrConflict: it has changed.
func (q *Queue) RunRetry(ctx context.Context, r Retry) error {
	if r.Due {
		return nil
	}
	at := atPrefix + r.Link + "." + r.key
	m, err := q.last(ctx, retriesStream, at)
	if err != nil {
		return describe("run the retry of "+r.Event.Key.String(), err)
	}
	h := ownHeader(m.Header)
	h.Set(headerFired, at)
	h.Set(headerNext, "purge")
	guard(h, r.Link, r.key, r.Sequence)
	_, err = q.publish(ctx, &nats.Msg{Subject: duePrefix + r.Link + "." + r.key, Header: h, Data: m.Data})
	if code(err) == codeWrongSequence {
		err = ErrConflict
	}
	return describe("run the retry of "+r.Event.Key.String(), err)
}

// CancelRetry turns a waiting retry into a dead letter with the reason: the dead letter first, then
// the retry goes, so that a crash in between leaves both and not neither.
func (q *Queue) CancelRetry(ctx context.Context, r Retry, reason string) error {
	prefix := atPrefix
	if r.Due {
		prefix = duePrefix
	}
	m, err := q.last(ctx, retriesStream, prefix+r.Link+"."+r.key)
	if err == nil && m.Sequence != r.Sequence {
		err = ErrConflict
	}
	if err != nil {
		return describe("cancel the retry of "+r.Event.Key.String(), err)
	}
	t := readTrail(m.Header)
	t.Link, t.Reason = r.Link, reason
	if err := q.bury(ctx, r.key, m.Header, m.Data, t); err != nil {
		return fmt.Errorf("cancel the retry of %s: %w", r.Event.Key, err)
	}
	return q.remove(ctx, retriesStream, r.Sequence)
}
