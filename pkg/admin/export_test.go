package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// CountWhole counts the stored events of every link by the rule itself: one reading of HISTORY, one of the log, and
// when each link last delivered something by another reading of HISTORY.
func (a Admin) CountWhole(ctx context.Context) (map[string]Counts, map[string]time.Time, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, nil, err
	}
	outcomes, err := a.readOutcomes(ctx, links, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	counts := make([]Counts, len(links))
	for e, err := range a.scanLog(ctx, queue.ScanOptions{Erased: true, HeadersOnly: true, Told: a.scanning(event.EventsStream)}) {
		if err != nil {
			return nil, nil, err
		}
		for i, k := range links {
			if !k.reads(e.Key) {
				continue
			}
			outcome, err := outcomes.of(e, k)
			if err != nil {
				return nil, nil, err
			}
			counts[i].Add(outcome)
		}
	}
	byLink := make(map[string]Counts, len(links))
	for i, k := range links {
		byLink[k.id] = counts[i]
	}
	success := map[string]time.Time{}
	for r, err := range a.Queue.ScanRecords(ctx, queue.RecordScan{}) {
		if err != nil {
			return nil, nil, err
		}
		if _, ours := byLink[r.Link]; ours && r.Outcome == event.Delivered && r.Time.After(success[r.Link]) {
			success[r.Link] = r.Time
		}
	}
	return byLink, success, nil
}

// WorkAt works at a job, as whoever saw it waiting a moment ago.
func (a Admin) WorkAt(ctx context.Context, id string) error { return a.runJob(ctx, id, nil) }

// PackedOutcomes are the outcomes of a link's events by their places in one block of a board that has packed it, and the places that
// have one of the outcomes, the newest first.
func PackedOutcomes(link string, at map[uint64]event.Outcome, want event.Outcome) (of map[uint64]event.Outcome, having []uint64, err error) {
	links := []linkInfo{{id: "another"}, {id: link}}
	x := newIndex(Admin{}, links)
	block := &indexBlock{rows: map[string][]byte{}, last: map[string]map[event.Origin]time.Time{"10001": {event.Webhook: time.Now()}}}
	x.blocks[0], x.mark.Events.Sequence = block, (blocksOpen+1)*blockSize
	for place, o := range at {
		x.set(block, link, place, codeOf(o))
	}
	block.sums = &blockSums{links: map[string]Counts{}}
	for _, o := range at {
		c := block.sums.links[link]
		c.Add(o)
		block.sums.links[link] = c
	}
	if err := x.packOld(0); err != nil || block.packed == nil {
		return nil, nil, fmt.Errorf("the block was not packed: %w", err)
	}
	of = map[uint64]event.Outcome{}
	outcome := x.outcomes(nil)
	for place := range at {
		if of[place], err = outcome(event.Event{Sequence: place}, links[1]); err != nil {
			return nil, nil, err
		}
	}
	return of, slices.Collect(x.having(links, want, nil, 0, blockSize)), nil
}

// RunNextJob works off the oldest job of these kinds that waits. No job is no error.
func (a Admin) RunNextJob(ctx context.Context, kinds []JobKind) error {
	waiting, err := a.waitingJobs(ctx, kinds)
	for _, id := range waiting {
		if err := a.runJob(ctx, id, nil); !errors.Is(err, queue.ErrHeld) {
			return err
		}
	}
	return err
}

// CountAtMost has so many events read at most to count them, until the returned function is called.
func CountAtMost(n int) (back func()) {
	before := mostCounted
	mostCounted = n
	return func() { mostCounted = before }
}

// PaceOf is the pace of a replay.
func PaceOf(most float64) *rate.Limiter { return paceOf(most) }

// ReadAtMost has the Board read so many messages a second, from its start.
func (b *Board) ReadAtMost(n int) { b.own.pace = rate.NewLimiter(rate.Limit(n), keepStep) }
