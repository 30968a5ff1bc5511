package queue

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
)

// DeadLetter is an event that a link has given up, untouched, and why.
type DeadLetter struct {
	Link     string
	Event    event.Event // only Key and Body where Damaged
	Damaged  bool        // its headers cannot be read
	Reason   string
	Status   int    // of Mindbox's last answer; 0 when there was none
	Answer   string // Mindbox's words, masked and cut
	Attempts int
	First    time.Time // first attempt; zero when there was none
	Died     time.Time
	Pin      *Pin
	Revision string
	As       string // id that the transaction keeps, of a replay for a renamed link; else empty
	Replayed bool   // it was a replay that died
	Version  string // hash of the link that gave it up
	Sequence uint64 // place in DEADLETTERS

	key    string
	header nats.Header
	body   []byte
}

// bury is the rule of dead letters: published before the original is acknowledged, untouched but
// for the trail. A second death replaces the first, also in a full stream: the subject holds one.
func (q *Queue) bury(ctx context.Context, key string, h nats.Header, body []byte, t trail) error {
	h = ownHeader(h)
	t.write(h)
	delete(h, headerUntil)
	h.Set(headerDied, moment(time.Now()))
	if h.Get(headerFormat) == "" {
		h.Set(headerFormat, strconv.Itoa(event.Format))
	}
	_, err := q.publish(ctx, &nats.Msg{Subject: deadPrefix + t.Link + "." + key, Header: h, Data: body})
	return describe("publish the dead letter", err)
}

// DeadLetters iterates over the dead letters that the filter selects, oldest first.
func (q *Queue) DeadLetters(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		for m, err := range q.scan(ctx, deadStream, deadPrefix+f.subject(), 1) {
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			d, ok := readDeadLetter(m)
			if ok && f.match(d.Reason, d.Status, d.Died) && !yield(d, nil) {
				return
			}
		}
	}
}

// DeadLetter reads the dead letter of an event. ErrNotFound.
func (q *Queue) DeadLetter(ctx context.Context, link string, key event.Key) (DeadLetter, error) {
	m, err := q.last(ctx, deadStream, deadPrefix+link+"."+key.Subject())
	if err != nil {
		return DeadLetter{}, describe("dead letter of "+key.String(), err)
	}
	d, ok := readDeadLetter(m)
	if !ok {
		return DeadLetter{}, describe("dead letter of "+key.String(), ErrNotFound)
	}
	return d, nil
}

func readDeadLetter(m *stored) (DeadLetter, bool) {
	link, key, ok := strings.Cut(strings.TrimPrefix(m.Subject, deadPrefix), ".")
	if !ok {
		return DeadLetter{}, false
	}
	t := readTrail(m.Header)
	d := DeadLetter{
		Link: link, Reason: t.Reason, Status: t.Status, Answer: t.Answer, Attempts: t.Attempts, First: t.First,
		Died: readMoment(m.Header.Get(headerDied)), Pin: t.Pin, Revision: t.Revision, As: t.As, Replayed: t.Replayed,
		Version: t.Version, Sequence: m.Sequence, key: key, header: m.Header, body: m.Data,
	}
	if d.Died.IsZero() {
		d.Died = m.Time
	}
	e, err := readEvent(key, m.Header, m.Data)
	if err != nil {
		d.Damaged = true
		e = event.Event{Body: m.Data}
		e.Key, _ = event.ParseSubject(key)
	}
	e.Sequence, e.Stored = t.Sequence, t.Stored
	d.Event = e
	return d, true
}

// DropDeadLetter removes a dead letter, this one only: one that has died again meanwhile stays.
func (q *Queue) DropDeadLetter(ctx context.Context, d DeadLetter) error {
	return q.remove(ctx, deadStream, d.Sequence)
}

// clearDeadLetter removes the dead letter of an event; a missing one is no error.
func (q *Queue) clearDeadLetter(ctx context.Context, link, key string) error {
	m, err := q.last(ctx, deadStream, deadPrefix+link+"."+key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return describe("look for the dead letter", err)
	}
	return q.remove(ctx, deadStream, m.Sequence)
}
