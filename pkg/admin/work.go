package admin

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Work says what a job works at. Zero fields select everything.
type Work struct {
	Outcome  event.Outcome `json:"outcome,omitempty"` // of a replay; "" is dead
	Events   []string      `json:"events,omitempty"`  // these keys only
	Link     string        `json:"link,omitempty"`
	Site     string        `json:"site,omitempty"`
	Kind     event.Kind    `json:"kind,omitempty"`
	Reason   string        `json:"reason,omitempty"`
	Status   int           `json:"status,omitempty"`
	Cause    string        `json:"cause,omitempty"` // of dead letters, by its id
	Since    time.Time     `json:"since,omitzero"`
	Until    time.Time     `json:"until,omitzero"`
	Number   uint64        `json:"number,omitempty"` // of what is aside
	TakeAs   event.Kind    `json:"take_as,omitempty"`
	Revision string        `json:"revision,omitempty"` // of a replay, as in ReplayOptions
	As       string        `json:"as,omitempty"`
	Rate     float64       `json:"rate,omitempty"`
	From     string        `json:"from,omitempty"` // of a backfill: days, both included
	To       string        `json:"to,omitempty"`
	DryRun   bool          `json:"dry_run,omitempty"`
	Phone    string        `json:"phone,omitempty"` // of a find, masked
}

// WorkOf is the work that a selection, and how it is replayed, ask for.
func WorkOf(s Selection, o ReplayOptions) Work {
	w := Work{
		Outcome: s.Outcome, Link: s.Filter.Link, Site: s.Filter.Site, Kind: s.Filter.Kind, Reason: s.Filter.Reason, Status: s.Filter.Status,
		Cause: s.Cause, Since: s.Filter.Since, Until: s.Filter.Until, Revision: o.Revision, As: o.As, Rate: o.Rate,
	}
	for _, key := range s.Keys {
		w.Events = append(w.Events, key.String())
	}
	return w
}

// selection is what the work selects, without what came to be so after the moment.
func (w Work) selection(asked time.Time) (Selection, error) {
	s := Selection{Outcome: w.Outcome, Cause: w.Cause, Before: asked, Filter: Filter{
		Link: w.Link, Site: w.Site, Kind: w.Kind, Reason: w.Reason, Status: w.Status, Since: w.Since, Until: w.Until,
	}}
	for _, text := range w.Events {
		key, err := event.ParseKey(text)
		if err != nil {
			return s, err
		}
		s.Keys = append(s.Keys, key)
	}
	return s, nil
}

// filters are what the work selects of retries: one filter for each event, or one for all.
func (w Work) filters(asked time.Time) ([]Filter, error) {
	s, err := w.selection(asked)
	return s.filters(), err
}

func (w Work) aside(asked time.Time) AsideQuery {
	return AsideQuery{Site: w.Site, Reason: w.Reason, Since: w.Since, Until: earlier(w.Until, asked), Sequence: w.Number}
}

// earlier is the earlier of two moments, of which the first may be none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func (w Work) text(kind JobKind) string {
	s, _ := w.selection(time.Time{})
	switch kind {
	case JobReplay:
		return s.Text()
	case JobAsideTake:
		q := w.aside(time.Time{})
		q.Until = w.Until
		return q.Text()
	case JobBackfill:
		return daysText(w)
	case JobFind:
		return w.Phone
	}
	return s.which()
}

// mayAsk refuses work that cannot be done, whatever there is.
func (a Admin) mayAsk(kind JobKind, w Work, why string) error {
	switch {
	case kind == JobDrop && why == "":
		return ErrNoWhy
	case kind == JobBackfill:
		_, err := a.days(w)
		return err
	case kind == JobReplay && w.Outcome == event.Delivered && w.Revision == "":
		return ErrRevision
	case kind == JobReplay:
		if err := replayable(w.Outcome); err != nil {
			return err
		}
	}
	_, err := w.selection(time.Time{})
	return err
}

// CountWork is how many things a job of the kind would have to do with now, of a replay as Pick says it. A backfill knows that only when it
// has asked: 0.
func (a Admin) CountWork(ctx context.Context, kind JobKind, w Work) (int, error) {
	switch kind {
	case JobReplay:
		s, err := w.selection(time.Time{})
		if err != nil {
			return 0, err
		}
		return a.countSelected(ctx, s)
	case JobDrop:
		s, err := w.selection(time.Time{})
		if err != nil {
			return 0, err
		}
		return a.countDead(ctx, s)
	case JobRetriesNow, JobRetriesCancel:
		return a.countRetries(ctx, w, a.now())
	case JobAsideTake:
		return a.countAside(ctx, AsideQuery{Site: w.Site, Reason: w.Reason, Since: w.Since, Until: w.Until, Sequence: w.Number})
	}
	return 0, nil
}

// countDead counts the dead letters of a selection.
func (a Admin) countDead(ctx context.Context, s Selection) (n int, err error) {
	if a.Board != nil {
		items, err := a.selectDead(ctx, s)
		return len(items), err
	}
	if s.Cause == "" && len(s.Keys) == 0 && s.Before.IsZero() {
		_, n, err = a.DeadLetters(ctx, s.Filter, 1)
		return n, err
	}
	for _, err := range a.deadLetters(ctx, s) {
		if err != nil {
			return 0, err
		}
		n++
	}
	return n, nil
}

// countRetries counts what waits of what the work selects, without what began to after the moment.
func (a Admin) countRetries(ctx context.Context, w Work, asked time.Time) (int, error) {
	filters, err := w.filters(asked)
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, f := range filters {
		_, n, err := a.Retries(ctx, f, 1)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
