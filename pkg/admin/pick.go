package admin

import (
	"cmp"
	"context"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
)

// Picked is some of what a selection selects, from all of it, for who wants to know what it is about and cannot wait until all was read.
type Picked struct {
	Items  []Item
	Found  int  // how many there are
	AtMost bool // so many have the outcome; which of them the rest of the selection is about, only reading them says
}

// mostCounted is so many events one reads to count them while somebody waits.
var mostCounted = 5000 // a test makes it less

// Pick picks at most so many items of a selection, evenly.
func (a Admin) Pick(ctx context.Context, s Selection, most int) (Picked, error) {
	if err := replayable(s.Outcome); err != nil {
		return Picked{}, err
	}
	n, many, err := a.countPlaces(ctx, s)
	if err != nil {
		return Picked{}, err
	}
	if !many {
		items, err := a.Select(ctx, s)
		return Picked{Items: evenly(items, most), Found: len(items)}, err
	}
	items, err := a.sampleEvents(ctx, s, most)
	return Picked{Items: evenly(items, most), Found: n, AtMost: !s.plain()}, err
}

// plain reports whether a selection asks for an outcome, and for no more than a link besides.
func (s Selection) plain() bool { return s.Filter == (Filter{Link: s.Filter.Link}) }

// countPlaces counts the items of a selection by what the Board knows of their places, unless they are few enough to be read: many is false.
func (a Admin) countPlaces(ctx context.Context, s Selection) (n int, many bool, err error) {
	if a.Board == nil || len(s.Keys) > 0 || cmp.Or(s.Outcome, event.Dead) == event.Dead {
		return 0, false, nil
	}
	links, err := a.chosen(ctx, s.Filter.Link)
	if err != nil {
		return 0, false, err
	}
	_, sums, err := a.counts(ctx)
	if err != nil {
		return 0, false, err
	}
	for _, k := range links {
		n += *new(sums.links[k.id]).of(s.Outcome)
	}
	return n, n > mostCounted, nil
}

// countSelected is how many items a selection has, or at most has where they are too many to be read while somebody waits.
func (a Admin) countSelected(ctx context.Context, s Selection) (int, error) {
	if n, many, err := a.countPlaces(ctx, s); err != nil || many {
		return n, err
	}
	items, err := a.Select(ctx, s)
	return len(items), err
}

// sampleEvents are the items of some of the events that have the outcome of a selection: evenly picked, before they are read.
func (a Admin) sampleEvents(ctx context.Context, s Selection, most int) (items []Item, err error) {
	links, err := a.chosen(ctx, s.Filter.Link)
	if err != nil {
		return nil, err
	}
	index, sums, err := a.counts(ctx)
	if err != nil {
		return nil, err
	}
	q, found := s.query(), linkOutcomes{links, index.outcomes(sums.waits)}
	first, end, err := a.Queue.Span(ctx, q.stored())
	if err != nil {
		return nil, err
	}
	places := slices.Collect(index.having(links, s.Outcome, sums.waits, first, end))
	slices.Reverse(places)
	for part := range slices.Chunk(evenly(places, most), placesAtOnce) {
		events, err := a.eventsAt(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if ok, err := q.selects(e, found); err != nil || !ok {
				continue // it asks for no outcome, so it cannot fail
			}
			some, err := a.itemsOf(ctx, s, e, found)
			if err != nil {
				return nil, err
			}
			items = append(items, some...)
		}
	}
	return items, nil
}

// evenly picks at most so many of a list, from all of it.
func evenly[T any](list []T, most int) []T {
	if len(list) <= most {
		return list
	}
	picked := make([]T, most)
	for i := range picked {
		picked[i] = list[i*len(list)/most]
	}
	return picked
}
