package keep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// LostRetry is an event that waits by its newest record, and that RETRIES does not hold any more: a
// damaged block or an older copy of the stream took it away. The link has acknowledged it, so without
// Restore it waits for ever.
type LostRetry struct {
	Link   string
	Key    event.Key
	Record queue.Record // the newest, which says waiting
	// Purged says that EVENTS does not hold the event either: it cannot be restored.
	Purged bool

	pin *event.Pin // of the newest record that knows one
}

// NoteRestored is the note of an event that was put back into RETRIES.
const NoteRestored = "restored"

// LostRetries finds the events that wait by their history and are nowhere, the one that has waited
// longest first; the times of the filter are about when the waiting began. It reads HISTORY once, as
// fast as a scan of the log. What is on its way meanwhile is not among them: the retry is stored before the record that says so, and goes only after a newer record was
// written, so each find is looked up once more, RETRIES between two looks at the same newest record.
func LostRetries(ctx context.Context, q *queue.Queue, f queue.Filter) ([]LostRetry, error) {
	if q.Options().Limits.NoHistory {
		return nil, nil
	}
	links, err := q.Links(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, l := range links {
		ids[l.ID] = f.Link == "" || f.Link == l.ID
	}
	waiting, err := waitingByHistory(ctx, q, ids)
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	for m, err := range q.Client().Scan(ctx, event.RetriesStream, event.RetrySubjects.OfLink(cmp.Or(f.Link, "*"), ">"), 1) {
		if err != nil {
			return nil, err
		}
		if r, ok := queue.ReadRetry(m); ok {
			delete(waiting, linkEvent{r.Link, r.Subject()})
		}
	}
	if len(waiting) > 0 && q.Options().Replicas > 1 && wait.Sleep(ctx, replicaLag) != nil {
		return nil, ctx.Err()
	}
	var out []LostRetry
	for at, r := range waiting {
		l, err := stillLost(ctx, q, at, r)
		if err != nil {
			return nil, err
		}
		if l != nil && f.About(l.Key) && f.Match(r.Reason, r.Status, r.Stored()) {
			out = append(out, *l)
		}
	}
	slices.SortFunc(out, func(a, b LostRetry) int { return a.Record.Stored().Compare(b.Record.Stored()) })
	return out, nil
}

// linkEvent is an event on its way through a link; key is the end of its subject.
type linkEvent struct{ link, key string }

// waitingByHistory are the events whose newest record with an outcome is a waiting one.
func waitingByHistory(ctx context.Context, q *queue.Queue, links map[string]bool) (map[linkEvent]queue.Record, error) {
	waiting := map[linkEvent]queue.Record{}
	for r, err := range q.Records(ctx) {
		switch at := (linkEvent{r.Link, r.Key.Subject()}); {
		case err != nil:
			return nil, err
		case r.Outcome == "" || !links[r.Link]:
		case r.Outcome == event.Waiting:
			r.Detail = nil
			waiting[at] = r.Record
		default:
			delete(waiting, at)
		}
	}
	return waiting, nil
}

// stillLost says whether an event whose newest record was seen to be r is lost; nil when it is not, or
// not any more. A dead letter of it is a place, too: it can be replayed.
func stillLost(ctx context.Context, q *queue.Queue, at linkEvent, r queue.Record) (*LostRetry, error) {
	for _, in := range []struct{ stream, subject string }{
		{event.RetriesStream, event.RetrySubjects.OfLink(at.link, at.key)},
		{event.DeadLettersStream, event.DeadSubjects.OfLink(at.link, at.key)},
	} {
		if _, err := q.Client().Next(ctx, in.stream, in.subject, 1); !errors.Is(err, queue.ErrNotFound) {
			return nil, err
		}
	}
	l := LostRetry{Link: at.link, Record: r}
	var err error
	if l.Key, err = event.ParseSubject(at.key); err != nil {
		return nil, nil
	}
	records, err := q.History(ctx, l.Key)
	if err != nil {
		return nil, err
	}
	same := false
	for _, one := range records {
		if one.Link == at.link && one.Outcome != "" {
			same = one.Outcome == event.Waiting && one.Time.Equal(r.Time) && one.Source == r.Source && one.Sequence == r.Sequence
			l.pin = cmp.Or(one.Pinned(), l.pin)
		}
	}
	if !same {
		return nil, nil
	}
	e, err := q.Client().Last(ctx, event.EventsStream, event.LogSubjects.Of(at.key))
	if err == nil && queue.Erased(e.Header) {
		return nil, nil
	}
	l.Purged = errors.Is(err, queue.ErrNotFound)
	return &l, jet.Ignore(err, queue.ErrNotFound)
}

// ReasonLost is the reason of an abandoned event that was lost from RETRIES and from the log.
const ReasonLost = "retry_lost"

// Restore puts a lost event back into RETRIES as its newest record says: with its count of
// attempts, its pin and its time. queue.ErrConflict: it is not lost any more. queue.ErrNotFound: EVENTS does not
// hold it either; then it is recorded as abandoned, so that it does not wait for ever.
func Restore(ctx context.Context, q *queue.Queue, l LostRetry) error {
	what := fmt.Sprintf("restore the retry of %s for link %s", l.Key, l.Link)
	key := l.Key.Subject()
	now, err := stillLost(ctx, q, linkEvent{l.Link, l.Key.Subject()}, l.Record)
	if err == nil && now == nil {
		err = queue.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	e, err := q.Client().Last(ctx, event.EventsStream, event.LogSubjects.Of(key))
	if errors.Is(err, queue.ErrNotFound) {
		gone := queue.Record{Link: l.Link, Outcome: event.Abandoned, Trail: event.Trail{Reason: ReasonLost, Attempts: l.Record.Attempts}}
		return cmp.Or(q.Note(ctx, l.Key, gone), jet.Describe(what, err))
	}
	if err != nil {
		return jet.Describe(what, err)
	}
	label := event.Label{Link: l.Link, Sequence: e.Sequence, Stored: e.Time, Trail: now.trail()}
	if err := q.Reschedule(ctx, e, label, l.Record.Until); err != nil {
		return jet.Describe(what, err)
	}
	return q.Note(ctx, l.Key, queue.Record{Link: l.Link, Note: NoteRestored})
}

// trail is what the records say of the event's way so far.
func (l *LostRetry) trail() event.Trail {
	t := l.Record.Trail
	t.Pin = l.pin
	return t
}
