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
	Link    string        // that reads the event
	Outcome event.Outcome // for Link, or for any link
	Since   time.Time     // the call or request happened not before
	Until   time.Time     // and before
	// Match looks at an event's fields; nil looks at nothing. An event whose body cannot be read
	// does not match.
	Match func(fields map[string]any) bool
	Limit int // at most so many, the newest; 0 means DefaultLimit
}

// Row is an event of the log with its outcomes.
type Row struct {
	Event    event.Event
	Outcomes map[string]event.Outcome // by the id of each link that reads it
}

// Events returns the newest events that the query selects, oldest first, and how many it selects
// altogether.
func (a Admin) Events(ctx context.Context, q EventQuery) (rows []Row, total int, err error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	links, err := a.chosen(ctx, q.Link)
	if err != nil {
		return nil, 0, err
	}
	of := a.byKey(ctx)
	if q.Outcome != "" { // every event is asked for: read all of HISTORY at once
		all, err := a.outcomes(ctx, links)
		if err != nil {
			return nil, 0, err
		}
		of = all.of
	}
	var events []event.Event
	for e, err := range a.matching(ctx, q, links, of) {
		if err != nil {
			return nil, 0, err
		}
		total++
		if events = append(events, e); len(events) >= 2*q.Limit {
			events = append(events[:0], events[len(events)-q.Limit:]...)
		}
	}
	for _, e := range events[max(0, len(events)-q.Limit):] {
		row, err := rowOf(e, links, of)
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, row)
	}
	return rows, total, nil
}

// chosen are all links, or the one with this id.
func (a Admin) chosen(ctx context.Context, id string) ([]known, error) {
	if id == "" {
		return a.links(ctx)
	}
	k, err := a.link(ctx, id)
	return []known{k}, err
}

func rowOf(e event.Event, links []known, of outcomeOf) (Row, error) {
	row := Row{Event: e, Outcomes: map[string]event.Outcome{}}
	for _, k := range links {
		if !k.reads(e.Key) {
			continue
		}
		o, err := of(e, k)
		if err != nil {
			return row, err
		}
		row.Outcomes[k.id] = o
	}
	return row, nil
}

// matching iterates over the events that a query selects, in the order of the log.
func (a Admin) matching(ctx context.Context, q EventQuery, links []known, of outcomeOf) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for e, err := range a.log(ctx, q.scan(links)) {
			if err != nil {
				yield(e, err)
				return
			}
			ok, err := a.selects(q, e, links, of)
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

// scan is what of a query the queue can select by itself. An event is stored after it happened.
func (q EventQuery) scan(links []known) queue.ScanOptions {
	var o queue.ScanOptions
	if !q.Since.IsZero() {
		o.Since = q.Since.Add(-clockMargin)
	}
	if q.Link != "" && len(links) == 1 {
		o.Subjects = links[0].subjects
	}
	return o
}

func (a Admin) selects(q EventQuery, e event.Event, links []known, of outcomeOf) (bool, error) {
	switch {
	case q.Site != "" && q.Site != e.Key.Site,
		q.Kind != "" && q.Kind != e.Key.Kind,
		!q.Since.IsZero() && e.Time.Before(q.Since),
		!q.Until.IsZero() && !e.Time.Before(q.Until):
		return false, nil
	}
	if q.Match != nil {
		fields, err := a.fields(e)
		if errors.Is(err, ErrNoFields) {
			return false, err
		}
		if err != nil || !q.Match(fields) {
			return false, nil
		}
	}
	if q.Outcome == "" {
		return true, nil
	}
	for _, k := range links {
		if !k.reads(e.Key) {
			continue
		}
		if o, err := of(e, k); err != nil || o == q.Outcome {
			return err == nil, err
		}
	}
	return false, nil
}
