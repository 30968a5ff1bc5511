package queue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
)

// ReasonDiskFull is the reason of an event that was abandoned so that new ones can be stored.
const ReasonDiskFull = "disk_full"

// abandonsInHand is how many records of abandoned events are written at a time, so that they go
// in batches.
const abandonsInHand = 64

// abandon is the rule of a full log that holds nothing done: the link that stands farthest behind
// loses its oldest place, and others with it where they stand no further. What it gives up is as
// little as is needed for the next while. The records come first: interrupted in between, the
// events are still there and nothing is told twice.
func (k *keeper) abandon(ctx context.Context) error {
	e, err := k.q.extent(ctx, eventsStream)
	if err != nil || !e.full() {
		k.warnOfDisk(e)
		return err
	}
	upTo := min(e.cut(e.limit-2*e.reserve()), e.last+1)
	all, err := k.q.standings(ctx, e.last+1)
	if err != nil {
		return err
	}
	for _, s := range all {
		n, err := k.q.abandonPlace(ctx, s, upTo, ReasonDiskFull, func(int) {})
		if n > 0 {
			k.q.log.Error().Str("link", s.link.ID).Int("events", n).
				Msg("the log is full: the oldest unread events of the link that stands farthest behind are abandoned; start or remove the link, or raise keep.disk")
			if k.c.Observe.Abandoned != nil {
				k.c.Observe.Abandoned(s.link.ID, n)
			}
		}
		if err != nil {
			return fmt.Errorf("abandon the oldest events of link %s: %w", s.link.ID, err)
		}
	}
	return k.purgeLog(ctx, e, upTo)
}

// warnOfDisk tells of a log that what links have still to take keeps nearly full.
func (k *keeper) warnOfDisk(e extent) {
	if e.above(pressedShare) && k.mayTell("disk") {
		k.q.log.Error().Int64("bytes", e.bytes).Int64("limit_bytes", e.limit).
			Msg("the log is nearly full, and a link that stands still holds it; when it is full, that link loses its oldest events: see `touchbox links`, or raise keep.disk")
	}
}

// abandonPlace records what a link loses before a sequence, and says how many events it is. progress
// is told so, by one goroutine.
func (q *Queue) abandonPlace(ctx context.Context, s standing, upTo uint64, reason string, progress func(int)) (int, error) {
	var lost atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(abandonsInHand)
	for _, filter := range s.filters {
		for m, err := range q.scan(ctx, eventsStream, filter, s.from) {
			if err != nil {
				err = cmp.Or(group.Wait(), err)
				return int(lost.Load()), err
			}
			if m.Sequence >= upTo {
				break
			}
			if !s.takes(m) {
				continue
			}
			group.Go(func() error {
				gone, err := q.abandonEvent(ctx, s.link.ID, m, reason)
				if gone {
					lost.Add(1)
				}
				return err
			})
			progress(int(lost.Load()))
		}
	}
	err := group.Wait()
	return int(lost.Load()), err
}

// abandonEvent records that a link has lost an event. False: it has not, because it has an outcome
// of it, which came out of turn, or waits for it in RETRIES.
func (q *Queue) abandonEvent(ctx context.Context, link string, m *stored, reason string) (bool, error) {
	key := strings.TrimPrefix(m.Subject, eventPrefix)
	records, err := q.records(ctx, key)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(records, func(r Record) bool { return r.Link == link && r.Outcome != "" }) {
		return false, nil
	}
	r := Record{Link: link, Outcome: event.Abandoned, Reason: reason, Source: fromEvents, Sequence: m.Sequence}
	// A record on its way is waited for, also at the end: one of which nobody hears would be told
	// not at all, or again by the next pass.
	if err := q.record(context.WithoutCancel(ctx), key, r); err != nil {
		return false, err
	}
	return true, nil
}
