package admin

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// DefaultLimit is how many rows a list shows when nobody says otherwise.
const DefaultLimit = 100

// EventQuery selects events of the log. Zero fields select everything.
type EventQuery struct {
	Site    string
	Kind    event.Kind
	Link    string                 // that reads the event
	Outcome event.Outcome          // for Link, or for any link
	Since   time.Time              // the call or request happened not before
	Until   time.Time              // and before
	About   func(event.Event) bool // looks at an event as it came; nil looks at nothing
	Limit   int                    // at most so many, the newest; 0 means DefaultLimit
	Before  uint64                 // and those only that stand before this place in the log; 0: all
}

// Row is an event of the log with its outcomes.
type Row struct {
	Event    event.Event              // of the Board's: without its body
	Caller   string                   // of the Board's: masked
	Outcomes map[string]event.Outcome // by the id of each link that reads it
}

// Uncounted is the total of a list that ends before all was read.
const Uncounted = -1

// Events returns the newest events that the query selects, oldest first, and how many it selects
// altogether. It reads the log from its end back until it has enough, and the total is Uncounted where
// that is before its beginning. What has an outcome is known by its place, see KeepCounts. With an error comes what was
// found until then.
func (a Admin) Events(ctx context.Context, q EventQuery) (rows []Row, total int, err error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	links, err := a.chosen(ctx, q.Link)
	if err != nil {
		return nil, 0, err
	}
	// What was found is told of, even when the person has stopped the search meanwhile.
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), foundWithin)
	defer cancel()
	found := linkOutcomes{links, a.byKey(rest)}
	var events []event.Event
	switch {
	case q.Outcome != "":
		events, total, err = a.withOutcome(ctx, q, &found)
	case a.Board != nil && q.About == nil:
		return a.Board.newest(ctx, a, q, links)
	default:
		events, total, err = a.newest(ctx, q, found)
	}
	for _, e := range events {
		row, rowErr := found.row(e)
		if rowErr != nil {
			return rows, Uncounted, errors.Join(err, rowErr)
		}
		rows = append(rows, row)
	}
	return rows, total, err
}

// foundWithin bounds how long it takes to say what became of the events that were found.
const foundWithin = 30 * time.Second

// The log is read back from its end in windows, of so many sequences and each so much larger than the one
// before: the newest few lie in the first, and whoever looks for what is rare reads all once.
const (
	firstWindow  = 1024
	windowGrowth = 8
)

// newest reads the log from its end back, until it has as many events as the query asks for.
func (a Admin) newest(ctx context.Context, q EventQuery, found linkOutcomes) (events []event.Event, total int, err error) {
	first, end, err := a.span(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	all, told := end-first, a.scanning(event.EventsStream)
	o := q.scan(found.links)
	for size := uint64(firstWindow); end > first && len(events) < q.Limit; size *= windowGrowth {
		o.From, o.Before = max(first, end-min(end, size)), end
		if told != nil { // what the window has, of all windows
			read := all - (end - first)
			o.Told = func(done, _ uint64) { told(read+min(done, o.Before-o.From), all) }
		}
		some, n, err := lastOf(a.matching(ctx, q, o, found), q.Limit-len(events))
		events, total, end = append(some, events...), total+n, o.From
		if err != nil {
			return events, Uncounted, err
		}
	}
	if end > first {
		total = Uncounted
	}
	return events, total, nil
}

// span is where the events lie that a query may select: from the first place up to, not including, the end.
func (a Admin) span(ctx context.Context, q EventQuery) (first, end uint64, err error) {
	first, end, err = a.Queue.Span(ctx, q.stored())
	if q.Before > 0 {
		end = max(first, min(end, q.Before))
	}
	return first, end, err
}

// lastOf keeps the last of what is iterated over, and counts the whole. With an error comes what came before it.
func lastOf(all iter.Seq2[event.Event, error], limit int) (events []event.Event, total int, err error) {
	var one error
	for e, err := range all {
		if one = err; err != nil {
			break
		}
		total++
		if events = append(events, e); len(events)/2 >= limit {
			events = append(events[:0], events[len(events)-limit:]...)
		}
	}
	return events[max(0, len(events)-limit):], total, one
}

// chosen are all links, or the one with this id.
func (a Admin) chosen(ctx context.Context, id string) ([]linkInfo, error) {
	if id == "" {
		return a.links(ctx)
	}
	k, err := a.link(ctx, id)
	return []linkInfo{k}, err
}

// matching iterates over the events that a query selects, in the order of the log.
func (a Admin) matching(ctx context.Context, q EventQuery, o queue.ScanOptions, found linkOutcomes) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for e, err := range a.scanLog(ctx, o) {
			if err != nil {
				yield(e, err)
				return
			}
			ok, err := q.selects(e, found)
			if err != nil {
				yield(e, fmt.Errorf("event %s: %w", e.Key, err))
				return
			}
			if ok && !yield(e, nil) {
				return
			}
		}
	}
}

// clockMargin is how far our clock and Calltouch's may lie apart.
const clockMargin = time.Hour

// stored is when the oldest event that a query selects was stored, at the earliest: after it happened.
// Zero: nobody knows.
func (q EventQuery) stored() time.Time {
	if q.Since.IsZero() {
		return time.Time{}
	}
	return q.Since.Add(-clockMargin)
}

// scan is what of a query the queue can select by itself.
func (q EventQuery) scan(links []linkInfo) queue.ScanOptions {
	o := queue.ScanOptions{Since: q.stored()}
	if q.Link != "" && len(links) == 1 {
		o.Subjects = links[0].subjects
	}
	return o
}

// selects reports whether an event is one of those that the query is about. found is asked only for an outcome.
func (q EventQuery) selects(e event.Event, found linkOutcomes) (bool, error) {
	switch {
	case q.Site != "" && q.Site != e.Key.Site,
		q.Kind != "" && q.Kind != e.Key.Kind,
		!q.Since.IsZero() && e.Time.Before(q.Since),
		!q.Until.IsZero() && !e.Time.Before(q.Until):
		return false, nil
	}
	if q.About != nil && !q.About(e) {
		return false, nil
	}
	if q.Outcome == "" {
		return true, nil
	}
	return found.has(e, q.Outcome)
}

// scanLog iterates over events of the log. One that cannot be read comes with its key and body alone:
// it is an event all the same, and a link has made a dead letter of it. An erased one, where they
// are asked for, comes with its key alone.
func (a Admin) scanLog(ctx context.Context, o queue.ScanOptions) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for e, err := range a.Queue.Events(ctx, o) {
			if errors.Is(err, event.ErrDamaged) || errors.Is(err, event.ErrNewerFormat) || errors.Is(err, queue.ErrErased) {
				err = nil
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil && !o.Follow {
			yield(event.Event{}, err) // a scan cut short is no answer
		}
	}
}

// event reads an event as far as it can be read: of a damaged one the key, the body and most else is
// there.
func (a Admin) event(ctx context.Context, key event.Key) (event.Event, error) {
	e, err := a.Queue.GetEvent(ctx, key)
	if errors.Is(err, event.ErrDamaged) {
		err = nil
	}
	return e, err
}
