package admin

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// The index knows each event's outcome by its place in the log. So who looks for an outcome reads the events that have
// it, and neither the history nor the rest of the log.

// counts are an index of now with what it says: the one of the process where there is one, else what is kept with what
// was written since. ErrReading.
func (a Admin) counts(ctx context.Context) (*outcomeIndex, indexSums, error) {
	if a.Board != nil {
		return a.Board.counts(ctx)
	}
	return a.counted(ctx)
}

// outcomes look each event up by its place, one after the other. What they unpack they keep for the next: a list is about few blocks.
func (x *outcomeIndex) outcomes(waits map[string]map[uint64]bool) outcomeOf {
	var of *blockJSON
	var rows map[string][]byte
	return func(e event.Event, k linkInfo) (event.Outcome, error) {
		if waits[k.id][e.Sequence] {
			return event.Waiting, nil
		}
		x.mu.RLock()
		defer x.mu.RUnlock()
		if block := x.blocks[e.Sequence/blockSize]; block != nil {
			if block.packed == nil || block.packed != of {
				of, rows = block.packed, block.open()
			}
			if row := rows[k.id]; row != nil && row[e.Sequence%blockSize] != 0 {
				return outcomeWords[row[e.Sequence%blockSize]&^unrecorded], nil
			}
		}
		return k.unrecorded(e), nil // it came this moment, or the link is new
	}
}

// having iterates over the places from first up to, not including, end whose events have an outcome for one of the
// links, the newest first.
func (x *outcomeIndex) having(links []linkInfo, want event.Outcome, waits map[string]map[uint64]bool, first, end uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		if end <= first {
			return
		}
		for n := (end - 1) / blockSize; ; n-- {
			for _, place := range slices.Backward(x.havingOf(n, links, want, waits)) {
				if place >= first && place < end && !yield(place) {
					return
				}
			}
			if n == first/blockSize {
				return
			}
		}
	}
}

// havingOf are those of one block, in their order.
func (x *outcomeIndex) havingOf(n uint64, links []linkInfo, want event.Outcome, waits map[string]map[uint64]bool) []uint64 {
	found := map[uint64]bool{}
	x.mu.RLock()
	defer x.mu.RUnlock()
	block := x.blocks[n]
	if block == nil {
		return nil
	}
	var rows map[string][]byte // unpacked once, and not where the sums say that there is nothing
	for _, k := range links {
		here := waits[k.id]
		if want == event.Waiting {
			for place := range here {
				if place/blockSize == n {
					found[place] = true
				}
			}
		}
		if sums := block.sums; sums != nil && *new(sums.links[k.id]).of(want) == 0 {
			continue
		}
		if rows == nil {
			rows = block.open()
		}
		for i, code := range rows[k.id] {
			if place := n*blockSize + uint64(i); code != 0 && outcomeWords[code&^unrecorded] == want && !here[place] {
				found[place] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Reading events by their places: so many at a time; where they are many and lie close together all between them is read, else each
// by itself, some at once.
const (
	placesAtOnce = 256
	placesMany   = 32
	placesClose  = 8
	getsAtOnce   = 8
)

// eventsAt reads the events at places, which are in their order. What has gone, or was erased, is left out.
func (a Admin) eventsAt(ctx context.Context, places []uint64) ([]event.Event, error) {
	if len(places) == 0 {
		return nil, nil
	}
	first, last := places[0], places[len(places)-1]
	if len(places) >= placesMany && last-first < placesClose*uint64(len(places)) {
		return a.eventsAmong(ctx, places)
	}
	found := make([]event.Event, len(places))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(getsAtOnce)
	for i, place := range places {
		group.Go(func() error {
			m, err := a.Queue.Client().Next(within, event.EventsStream, ">", place)
			if errors.Is(err, queue.ErrNotFound) || err == nil && (m.Sequence != place || queue.Erased(m.Header)) {
				return nil
			}
			if err == nil {
				found[i], _ = queue.ReadEvent(m) // as much of it as can be read
			}
			return err
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(found, func(e event.Event) bool { return e.Sequence == 0 }), err
}

// eventsAmong reads all that lies between the places.
func (a Admin) eventsAmong(ctx context.Context, places []uint64) ([]event.Event, error) {
	var found []event.Event
	for e, err := range a.scanLog(ctx, queue.ScanOptions{From: places[0], Before: places[len(places)-1] + 1}) {
		if err != nil {
			return nil, err
		}
		if _, wanted := slices.BinarySearch(places, e.Sequence); wanted {
			found = append(found, e)
		}
	}
	return found, nil
}

// mostLookedAt is how many events a page reads for one list.
const mostLookedAt = 2000

// withOutcome reads the newest events that have the outcome of a query, by their places. With an error comes what was
// found by then.
func (a Admin) withOutcome(ctx context.Context, q EventQuery, found *linkOutcomes) (events []event.Event, total int, err error) {
	x, sums, err := a.counts(ctx)
	if err != nil {
		return nil, 0, err
	}
	found.of = x.outcomes(sums.waits)
	first, end, err := a.span(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	of, plain, read := q, q.Site == "" && q.Kind == "" && q.Since.IsZero() && q.Until.IsZero() && q.About == nil && q.Before == 0, 0
	of.Outcome = ""
	for places := range inParts(x.having(found.links, q.Outcome, sums.waits, first, end), placesAtOnce) {
		enough := len(events) >= q.Limit
		switch {
		case enough && plain && a.Board == nil:
			total += len(places)
			continue
		case enough && plain && q.Link != "":
			return events, *new(sums.links[q.Link]).of(q.Outcome), nil
		case enough, a.Board != nil && read >= mostLookedAt:
			return events, Uncounted, nil
		}
		read += len(places)
		slices.Reverse(places)
		some, err := a.eventsAt(ctx, places)
		some = slices.DeleteFunc(some, func(e event.Event) bool { ok, _ := of.selects(e, *found); return !ok }) // it asks for no outcome, so it cannot fail
		total += len(some)
		events = slices.Concat(some[max(0, len(some)-(q.Limit-len(events))):], events)
		if err != nil {
			return events, Uncounted, err
		}
	}
	return events, total, nil
}

// inParts iterates over parts of so many, the last one of what is left.
func inParts[T any](all iter.Seq[T], n int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		var part []T
		for one := range all {
			if part = append(part, one); len(part) < n {
				continue
			}
			if !yield(part) {
				return
			}
			part = nil
		}
		if len(part) > 0 {
			yield(part)
		}
	}
}

// withOutcomeInOrder iterates over all events that have an outcome for one of the links, in the order of the log.
func (a Admin) withOutcomeInOrder(ctx context.Context, q EventQuery, o event.Outcome, found *linkOutcomes) (iter.Seq2[event.Event, error], error) {
	x, sums, err := a.counts(ctx)
	if err != nil {
		return nil, err
	}
	found.of = x.outcomes(sums.waits)
	first, end, err := a.Queue.Span(ctx, q.stored())
	if err != nil {
		return nil, err
	}
	places := slices.Collect(x.having(found.links, o, sums.waits, first, end))
	slices.Reverse(places)
	told, all := a.scanning(event.EventsStream), uint64(len(places))
	return func(yield func(event.Event, error) bool) {
		done := uint64(0)
		for part := range slices.Chunk(places, placesAtOnce) {
			events, err := a.eventsAt(ctx, part)
			if err != nil {
				yield(event.Event{}, err)
				return
			}
			for _, e := range events {
				if ok, err := q.selects(e, *found); ok && err == nil && !yield(e, nil) {
					return
				}
			}
			if done += uint64(len(part)); told != nil {
				told(done, all)
			}
		}
	}, nil
}
