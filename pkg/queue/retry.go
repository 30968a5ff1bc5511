package queue

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Headers of a scheduled message, see NATS ADR-51.
const (
	headerSchedule = "Nats-Schedule"
	headerTarget   = "Nats-Schedule-Target"
	headerFired    = "Nats-Scheduler"
	headerNext     = "Nats-Schedule-Next"
)

// undelivered is where events go on that a link has not delivered: RETRIES and DEADLETTERS.
type undelivered struct{ jet *jet.Client }

// guard holds a publish to RETRIES to what is there of the event for this link, due or not:
// sequence is that of its newest message, 0 when there is to be none. So one event never waits
// twice, whatever crashed in between.
func guard(h nats.Header, link, key string, sequence uint64) {
	jet.GuardOn(h, event.RetrySubjects.OfLink(link, key), sequence)
}

// errCancelled reports a retry that was in flight and is not in RETRIES any more: a person cancelled it.
var errCancelled = errors.New("the retry was cancelled")

// waitAgain is the rule of retries: it schedules the event of m for until. From EVENTS nothing may
// wait yet, from RETRIES only m itself. errContinued: the event waits already, as m was settled before.
// errCancelled: it does not wait, and m is gone.
func (u undelivered) waitAgain(ctx context.Context, m *message, l event.Label, until time.Time) error {
	h := m.header()
	l.Write(h)
	subject := schedule(h, l.Link, m.key, until)
	expected := uint64(0)
	if m.retry {
		expected = m.sequence()
	}
	guard(h, l.Link, m.key, expected)
	_, err := u.jet.Publish(ctx, &nats.Msg{Subject: subject, Header: h, Data: m.data()})
	if jet.GuardFailed(err) {
		return u.whyNotAgain(ctx, m, l.Link)
	}
	return jet.Describe("schedule the retry", err)
}

// errContinued reports that the event goes on in RETRIES already: this message was settled before, as far
// as that, or the answer to its own publish was lost.
var errContinued = errors.New("the event waits in RETRIES already")

// whyNotAgain says why m may not wait again: errContinued, or errCancelled where m came from RETRIES and
// nothing of the event is there any more.
func (u undelivered) whyNotAgain(ctx context.Context, m *message, link string) error {
	n, _, err := u.jet.Count(ctx, event.RetriesStream, event.RetrySubjects.OfLink(link, m.key), 1)
	switch {
	case err != nil:
		return jet.Describe("look for the retry", err)
	case n == 0 && m.retry:
		return errCancelled
	}
	return errContinued
}

// schedule writes into h when a retry is due, and returns the subject on which it waits.
func schedule(h nats.Header, link, key string, until time.Time) string {
	at := roundUp(until, time.Now())
	h.Set(event.HeaderUntil, event.FormatMoment(at))
	h.Set(headerSchedule, "@at "+at.Format(time.RFC3339))
	h.Set(headerTarget, event.DueSubjects.OfLink(link, key))
	return event.AtSubjects.OfLink(link, key)
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

// publishDue publishes an event to RETRIES for a link, due at once, where nothing of it waits there. It
// is what a replay does. ErrUnderWay.
func (u undelivered) publishDue(ctx context.Context, key string, h nats.Header, body []byte, l event.Label) error {
	h = jet.OwnHeader(h)
	l.Write(h)
	for _, name := range []string{event.HeaderUntil, event.HeaderDied} {
		delete(h, name)
	}
	guard(h, l.Link, key, 0)
	_, err := u.jet.Publish(ctx, &nats.Msg{Subject: event.DueSubjects.OfLink(l.Link, key), Header: h, Data: body})
	if jet.GuardFailed(err) {
		return ErrUnderWay
	}
	return err
}

// Reschedule puts an event of the log into RETRIES for a link, due at a time, where nothing of it waits
// there. ErrConflict.
func (q *Queue) Reschedule(ctx context.Context, e *jet.Message, l event.Label, until time.Time) error {
	key := event.LogSubjects.Rest(e.Subject)
	h := jet.OwnHeader(e.Header)
	l.Write(h)
	subject := schedule(h, l.Link, key, until)
	guard(h, l.Link, key, 0)
	_, err := q.jet.Publish(ctx, &nats.Msg{Subject: subject, Header: h, Data: e.Data})
	if jet.GuardFailed(err) {
		err = ErrConflict
	}
	return err
}

// clearRetry removes the scheduled retry of an event; a missing one is no error. One that is due
// already stays: it may be in flight, and is looked up in HISTORY when it is handled.
func (u undelivered) clearRetry(ctx context.Context, link, key string) error {
	s, err := u.jet.Stream(ctx, event.RetriesStream)
	if err != nil {
		return err
	}
	return jet.Describe("remove the waiting retry", s.Purge(ctx, jetstream.WithPurgeSubject(event.AtSubjects.OfLink(link, key))))
}

// Retry is an event that waits in RETRIES.
type Retry struct {
	Delivery
	Until    time.Time // not before; zero when it was never scheduled
	Due      bool      // its time has come, it waits for a worker or is in flight
	Began    time.Time // it waits since then
	Sequence uint64    // place in RETRIES

	key string
}

// Retries iterates over what waits, in the order in which it began to wait.
func (q *Queue) Retries(ctx context.Context, f Filter) iter.Seq2[Retry, error] {
	return func(yield func(Retry, error) bool) {
		for m, err := range q.jet.Scan(ctx, event.RetriesStream, event.RetrySubjects.Of(f.subject()), 1) {
			if err != nil {
				yield(Retry{}, err)
				return
			}
			r, ok := ReadRetry(m)
			if ok && f.Match(r.Reason, r.Status, r.Began) && !yield(r, nil) {
				return
			}
		}
	}
}

// OldestRetries returns the first n that wait of those that the filter selects, and how many it selects in
// all. Only a filter by reason, status or time reads them all for that.
func (q *Queue) OldestRetries(ctx context.Context, f Filter, n int) ([]Retry, int, error) {
	return oldest(ctx, q, undeliveredStream[Retry]{event.RetriesStream, event.RetrySubjects, q.Retries, ReadRetry}, f, n)
}

// Retry reads what waits of an event for a link. ErrNotFound.
func (q *Queue) Retry(ctx context.Context, link string, key event.Key) (Retry, error) {
	m, err := q.jet.Next(ctx, event.RetriesStream, event.RetrySubjects.OfLink(link, key.Subject()), 1)
	if err != nil {
		return Retry{}, err
	}
	r, ok := ReadRetry(m)
	if !ok {
		return Retry{}, jet.Describe("retry of "+key.String(), ErrNotFound)
	}
	return r, nil
}

// ReadRetry reads a message of RETRIES; false when its subject says nothing.
func ReadRetry(m *jet.Message) (Retry, bool) {
	due := event.DueSubjects.Match(m.Subject)
	family := event.AtSubjects
	if due {
		family = event.DueSubjects
	}
	link, key, ok := family.LinkAndRest(m.Subject)
	if !ok {
		return Retry{}, false
	}
	r := Retry{Until: event.ReadMoment(m.Header.Get(event.HeaderUntil)), Due: due, Began: m.Time, Sequence: m.Sequence, key: key}
	e, err := readEvent(key, m.Header, m.Data)
	if err != nil {
		e = event.Event{Body: m.Data}
		e.Key, _ = event.ParseSubject(key)
	}
	r.Delivery = Delivery{Event: e, Link: link, Retry: true}
	r.fill(event.ReadLabel(m.Header))
	return r, true
}

// Subject is the end of its subject: the key as it stands there.
func (r Retry) Subject() string { return r.key }

// RunRetry makes a waiting retry due at once. A due one needs nothing; ErrConflict: it has changed.
func (q *Queue) RunRetry(ctx context.Context, r Retry) error {
	if r.Due {
		return nil
	}
	at := event.AtSubjects.OfLink(r.Link, r.key)
	m, err := q.jet.Last(ctx, event.RetriesStream, at)
	if err != nil {
		return jet.Describe("run the retry of "+r.Event.Key.String(), err)
	}
	h := jet.OwnHeader(m.Header)
	h.Set(headerFired, at)
	h.Set(headerNext, "purge")
	guard(h, r.Link, r.key, r.Sequence)
	_, err = q.jet.Publish(ctx, &nats.Msg{Subject: event.DueSubjects.OfLink(r.Link, r.key), Header: h, Data: m.Data})
	if jet.GuardFailed(err) {
		err = ErrConflict
	}
	return jet.Describe("run the retry of "+r.Event.Key.String(), err)
}

// CancelRetry turns a waiting retry into a dead letter. Of the record that says so, Reason, Note and By are given. Interrupted, the same
// call ends it. ErrConflict, ErrNotFound: it waits no more.
func (q *Queue) CancelRetry(ctx context.Context, r Retry, said Record) error {
	subjects := event.AtSubjects
	if r.Due {
		subjects = event.DueSubjects
	}
	m, err := q.jet.Last(ctx, event.RetriesStream, subjects.OfLink(r.Link, r.key))
	if err == nil && m.Sequence != r.Sequence {
		err = ErrConflict
	}
	if err != nil {
		return jet.Describe("cancel the retry of "+r.Event.Key.String(), err)
	}
	if err := q.giveUp(ctx, m, r, said); err != nil {
		return fmt.Errorf("cancel the retry of %s: %w", r.Event.Key, err)
	}
	return nil
}

// giveUp makes a dead letter of a message of RETRIES, in the order in which everything dies: the dead letter, the record, then the
// retry goes. By the record whoever has it in hand, or is handed it once more, knows that it is settled.
func (q *Queue) giveUp(ctx context.Context, m *jet.Message, r Retry, said Record) error {
	l := event.ReadLabel(m.Header)
	l.Link, l.Reason = r.Link, said.Reason
	if err := q.undelivered.bury(ctx, r.key, m.Header, m.Data, l); err != nil {
		return err
	}
	said.Link, said.Outcome, said.Trail = r.Link, event.Dead, l.Ended(said.Reason)
	said.Source, said.Sequence = FromRetries, m.Sequence
	if err := q.WriteRecord(ctx, r.key, said); err != nil {
		return err
	}
	return q.jet.Remove(ctx, event.RetriesStream, m.Sequence)
}

// maxWaiting is how many events of one link may wait in RETRIES before no fresh ones are taken:
// RETRIES itself has no bound.
const maxWaiting = 10_000

// backlogAge is how old the server's count may be: other workers, replays and cancelled retries
// change it too. Near the bound it is read more often.
const (
	backlogAge     = time.Minute
	backlogAgeNear = 2 * time.Second
)

// backlog counts what waits in RETRIES for one link: by the server now and then, in between by
// what this process adds and takes away.
type backlog struct {
	most int64 // with so many it is full; 0 means maxWaiting

	mu   sync.Mutex
	n    int64
	read time.Time
}

func (b *backlog) add(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += n
}

// full reports whether too much waits, asking count when what is known is old.
func (b *backlog) full(ctx context.Context, count func(context.Context) (uint64, error)) (bool, error) {
	most := b.most
	if most == 0 {
		most = maxWaiting
	}
	b.mu.Lock()
	n, age := b.n, time.Since(b.read)
	b.mu.Unlock()
	if age < backlogAgeNear || age < backlogAge && n < most/2 {
		return n >= most, nil
	}
	read, err := count(ctx)
	if err != nil {
		return false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n, b.read = int64(read), time.Now()
	return b.n >= most, nil
}

// Waiting counts what waits in RETRIES for a link, due or not, in flight included.
func (q *Queue) Waiting(ctx context.Context, link string) (uint64, error) {
	n, _, err := q.jet.Count(ctx, event.RetriesStream, event.RetrySubjects.OfLink(link, ">"), 1)
	return n, jet.Describe("count the waiting retries", err)
}
