package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// DeadLetter is an event that a link has given up, untouched, and why.
type DeadLetter struct {
	Link    string
	Event   event.Event // where Damaged, what can be read of it: its Key and Body at least
	Damaged bool        // its headers cannot be read
	event.Trail
	Died     time.Time
	Sequence uint64 // place in DEADLETTERS

	key    string
	header nats.Header
	body   []byte
}

// bury is the rule of dead letters: published before the original is acknowledged, untouched but
// for its label. A second death replaces the first, which is removed by itself before: one that the
// server drops for its successor leaves no mark in the stream's blocks, and is back when the server
// rebuilds the stream from them. The event is in flight meanwhile, so nothing is lost in between.
// Where the label makes an event larger than NATS takes, its body stays in the log alone.
func (u undelivered) bury(ctx context.Context, key string, h nats.Header, body []byte, l event.Label) error {
	h = jet.OwnHeader(h)
	l.Write(h)
	delete(h, event.HeaderUntil)
	delete(h, event.HeaderLetter)
	h.Set(event.HeaderDied, event.FormatMoment(time.Now()))
	if h.Get(event.HeaderFormat) == "" {
		h.Set(event.HeaderFormat, strconv.Itoa(event.Format))
	}
	if err := u.clearDeadLetter(ctx, l.Link, key); err != nil {
		return err
	}
	m := &nats.Msg{Subject: event.DeadSubjects.OfLink(l.Link, key), Header: h, Data: body}
	_, err := u.jet.Publish(ctx, m)
	if jet.TooLarge(err) {
		m.Data = nil
		h.Del(event.HeaderQuery)
		h.Set(event.HeaderCut, event.Yes)
		_, err = u.jet.Publish(ctx, m)
	}
	return jet.Describe("publish the dead letter", err)
}

// uncut returns header and body of a dead letter as they are to be replayed: one that was buried
// without its body, because NATS did not take it, has it in the log.
func (u undelivered) uncut(ctx context.Context, d DeadLetter) (nats.Header, []byte, error) {
	if d.header.Get(event.HeaderCut) == "" {
		return d.header, d.body, nil
	}
	m, err := u.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(d.key))
	if err == nil && Erased(m.Header) {
		err = ErrErased
	}
	if err != nil {
		return nil, nil, jet.Describe("the dead letter was too large to be kept whole, and the event in the log", err)
	}
	return m.Header, m.Data, nil
}

// DeadLetters iterates over the dead letters that the filter selects, oldest first.
func (q *Queue) DeadLetters(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		read := q.jet.Flow
		if f.Key != (event.Key{}) { // at most one a link
			read = q.jet.Scan
		}
		for m, err := range read(ctx, event.DeadLettersStream, event.DeadSubjects.Of(f.subject()), 1) {
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			d, ok := ReadDeadLetter(m)
			if ok && f.Match(d.Reason, d.Status, d.Died) && !yield(d, nil) {
				return
			}
		}
	}
}

// DeadLettersFrom iterates over the dead letters from a sequence on, without the bodies of their events: of an event only the
// key and what its headers say is there.
func (q *Queue) DeadLettersFrom(ctx context.Context, from uint64) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		for m, err := range q.jet.Flowing(ctx, event.DeadLettersStream, jet.FlowOptions{From: from, HeadersOnly: true}) {
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			if d, ok := ReadDeadLetter(m.Message); ok && !yield(d, nil) {
				return
			}
		}
	}
}

// OldestDeadLetters returns the first n dead letters that the filter selects, and how many it selects in
// all. Only a filter by reason, status or time reads them all for that.
func (q *Queue) OldestDeadLetters(ctx context.Context, f Filter, n int) ([]DeadLetter, int, error) {
	return oldest(ctx, q, undeliveredStream[DeadLetter]{event.DeadLettersStream, event.DeadSubjects, q.DeadLetters, ReadDeadLetter}, f, n)
}

// DeadLetter reads the dead letter of an event. ErrNotFound.
func (q *Queue) DeadLetter(ctx context.Context, link string, key event.Key) (DeadLetter, error) {
	m, err := q.jet.Last(ctx, event.DeadLettersStream, event.DeadSubjects.OfLink(link, key.Subject()))
	if err != nil {
		return DeadLetter{}, jet.Describe("dead letter of "+key.String(), err)
	}
	d, ok := ReadDeadLetter(m)
	if !ok {
		return DeadLetter{}, jet.Describe("dead letter of "+key.String(), ErrNotFound)
	}
	return d, nil
}

// ReadDeadLetter reads a message of DEADLETTERS; false when its subject says nothing.
func ReadDeadLetter(m *jet.Message) (DeadLetter, bool) {
	link, key, ok := event.DeadSubjects.LinkAndRest(m.Subject)
	if !ok {
		return DeadLetter{}, false
	}
	l := event.ReadLabel(m.Header)
	d := DeadLetter{
		Link: link, Trail: l.Trail, Died: event.ReadMoment(m.Header.Get(event.HeaderDied)), Sequence: m.Sequence,
		key: key, header: m.Header, body: m.Data,
	}
	if d.Died.IsZero() {
		d.Died = m.Time
	}
	e, err := readEvent(key, m.Header, m.Data)
	if err != nil {
		d.Damaged = true
		e.Body = m.Data
		e = mended(e, cmp.Or(l.Stored, m.Time))
	}
	e.Sequence, e.Stored = l.Sequence, l.Stored
	d.Event = e
	return d, true
}

// Subject is the end of its subject: the key as it stands there.
func (d DeadLetter) Subject() string { return d.key }

// DropDeadLetter removes a dead letter, this one only: one that has died again meanwhile stays.
func (q *Queue) DropDeadLetter(ctx context.Context, d DeadLetter) error {
	return q.jet.Remove(ctx, event.DeadLettersStream, d.Sequence)
}

// clearDeadLetter removes the dead letter of an event; a missing one is no error.
func (u undelivered) clearDeadLetter(ctx context.Context, link, key string) error {
	m, err := u.jet.Last(ctx, event.DeadLettersStream, event.DeadSubjects.OfLink(link, key))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return jet.Describe("look for the dead letter", err)
	}
	return u.jet.Remove(ctx, event.DeadLettersStream, m.Sequence)
}

// Filter selects dead letters or retries. Zero fields select everything.
type Filter struct {
	Link   string
	Site   string
	Kind   event.Kind
	Key    event.Key // this event only; Site and Kind do not count then
	Reason string
	Status int
	Since  time.Time // died, or began to wait, not before
	Until  time.Time // and before
}

// subject is the part of the filter that the server applies: link, site, kind, id.
func (f Filter) subject() string {
	key := orAny(f.Site) + "." + orAny(string(f.Kind)) + ".*"
	if f.Key != (event.Key{}) {
		key = f.Key.Subject()
	}
	return orAny(f.Link) + "." + key
}

// Match is the rest of it.
func (f Filter) Match(reason string, status int, at time.Time) bool {
	switch {
	case f.Reason != "" && f.Reason != reason,
		f.Status != 0 && f.Status != status,
		!f.Since.IsZero() && at.Before(f.Since),
		!f.Until.IsZero() && !at.Before(f.Until):
		return false
	}
	return true
}

// About is what subject says, for what is not read by its subject.
func (f Filter) About(key event.Key) bool {
	if f.Key != (event.Key{}) {
		return key == f.Key
	}
	return (f.Site == "" || f.Site == key.Site) && (f.Kind == "" || f.Kind == key.Kind)
}

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// ReplayOptions say how an event is replayed.
type ReplayOptions struct {
	Revision string // short name of a correction, part of the transaction's id; empty: as it was
	As       string // link that handles it instead, where the link was renamed; empty: its own
}

// Replay gives a dead letter back to its link, due at once, and then removes it by its sequence:
// interrupted in between it is both, and the same replay again ends that. Its attempts and its age
// count from now; what is pinned stays pinned. ErrUnderWay: another retry or replay waits already. ErrGivenBack: this one
// does, of a replay that was interrupted or is just at it; the dead letter is removed.
// ErrConflict: it was replayed or dropped, or has died again, since it was read.
//
// An event that has not died is replayed as a DeadLetter without a Sequence: of it count Link,
// Event, Pin, Revision, As and Version, and nothing is removed.
func (q *Queue) Replay(ctx context.Context, d DeadLetter, o ReplayOptions) error {
	if d.Sequence == 0 {
		return q.undelivered.replayEvent(ctx, d, o)
	}
	now, err := q.jet.Last(ctx, event.DeadLettersStream, event.DeadSubjects.OfLink(d.Link, d.key))
	if err != nil {
		return fmt.Errorf("replay %s for link %s: %w", d.Event.Key, d.Link, missingIsConflict(err))
	}
	if now.Sequence != d.Sequence {
		return fmt.Errorf("replay %s for link %s: the dead letter was %w", d.Event.Key, d.Link, ErrConflict)
	}
	l := o.label(event.ReadLabel(d.header), d.Link)
	given := q.undelivered.giveBack(ctx, d, l)
	if given != nil && !errors.Is(given, ErrGivenBack) {
		return fmt.Errorf("replay %s for link %s: %w", d.Event.Key, l.Link, given)
	}
	if err := q.AwaitBackup(ctx); err != nil {
		return err
	}
	return errors.Join(q.DropDeadLetter(ctx, d), given)
}

// giveBack publishes a dead letter to RETRIES. ErrUnderWay, and ErrGivenBack where it is the dead letter itself that waits
// there.
func (u undelivered) giveBack(ctx context.Context, d DeadLetter, l event.Label) error {
	h, body, err := u.uncut(ctx, d)
	if err != nil {
		return err
	}
	if d.mendable() { // as it is, it would die again
		h = d.Event.Header()
	}
	h = jet.OwnHeader(h)
	h.Set(event.HeaderLetter, d.mark())
	err = u.publishDue(ctx, d.key, h, body, l)
	if jet.TooLarge(err) { // there is room for the event alone: who repeats this waits until the retry has ended
		delete(h, event.HeaderLetter)
		err = u.publishDue(ctx, d.key, h, body, l)
	}
	if !errors.Is(err, ErrUnderWay) {
		return err
	}
	waits, looked := u.waitsFor(ctx, d, l)
	if looked == nil && waits {
		return ErrGivenBack
	}
	return errors.Join(err, looked)
}

// mark tells a dead letter from all others: its place, and when it died.
func (d DeadLetter) mark() string {
	return strconv.FormatUint(d.Sequence, 10) + " " + d.header.Get(event.HeaderDied)
}

// waitsFor reports whether what waits in RETRIES is this dead letter, given back as the label says.
func (u undelivered) waitsFor(ctx context.Context, d DeadLetter, l event.Label) (bool, error) {
	m, err := u.jet.Next(ctx, event.RetriesStream, event.RetrySubjects.OfLink(l.Link, d.key), 1)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, jet.Describe("look for the retry", err)
	}
	there := event.ReadLabel(m.Header)
	return m.Header.Get(event.HeaderLetter) == d.mark() && there.Revision == l.Revision && there.As == l.As, nil
}

// mendable reports whether only times of a damaged event cannot be read: its key and its origin stand
// there, and say what it is.
func (d DeadLetter) mendable() bool {
	e, _ := event.Read(d.header, d.body)
	return d.Damaged && e.Origin != "" && e.Key.Subject() == d.key
}

// replayEvent gives a link an event of the log, whatever became of it before.
func (u undelivered) replayEvent(ctx context.Context, d DeadLetter, o ReplayOptions) error {
	l := o.label(event.Label{Sequence: d.Event.Sequence, Stored: d.Event.Stored, Trail: event.Trail{
		Pin: d.Pin, Revision: d.Revision, As: d.As, Version: d.Version,
	}}, d.Link)
	e := d.Event
	if err := u.publishDue(ctx, e.Key.Subject(), e.Header(), e.Body, l); err != nil {
		return fmt.Errorf("replay %s for link %s: %w", e.Key, l.Link, err)
	}
	return nil
}

// label turns what was known of an event's way through link into that of its replay.
func (o ReplayOptions) label(l event.Label, link string) event.Label {
	l.Link, l.Replayed = link, true
	l.Attempts, l.First, l.Status, l.Answer, l.Reason = 0, time.Time{}, 0, "", ""
	if o.Revision != "" {
		l.Revision = o.Revision
	}
	if o.As != "" && o.As != link {
		l.Link = o.As
		if l.As == "" {
			l.As = link
		}
	}
	return l
}

// missingIsConflict: what was read and is not found now was changed meanwhile.
func missingIsConflict(err error) error {
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}
