package keep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// purgeRounds bounds how often room is made in one pass: how much a purge brings is reckoned by
// the mean size of an event.
const purgeRounds = 3

// replicaLag is how long a replica may take to have what its leader has. Any of them answers, and one that
// lacks the newest would say there is none.
const replicaLag = 2 * time.Second

// purgeEvents purges the log, and is the rule of retention: up to, not including, the first event that any
// link has still to take, and no further than the keep time; with more than pressedShare of the
// bound past the keep time, oldest first, down to relaxedShare.
func (k *keeper) purgeEvents(ctx context.Context) error {
	pressed := false
	for range purgeRounds {
		e, err := k.q.Extent(ctx, event.EventsStream)
		if err != nil {
			return err
		}
		if k.q.Options().Replicas > 1 && wait.Sleep(ctx, replicaLag) != nil {
			return ctx.Err()
		}
		pressed = pressed || e.Above(pressedShare)
		upTo, err := k.dispensable(ctx, e, pressed)
		if err != nil || upTo <= e.First {
			return err
		}
		// The links come after the last sequence: what arrives meanwhile is behind it.
		undone, err := k.firstUndone(ctx, upTo)
		if err != nil {
			return err
		}
		if undone <= e.First {
			return nil
		}
		if err := k.purgeLog(ctx, e, undone); err != nil || !pressed {
			return err
		}
	}
	return nil
}

// firstUndone is the first event before end that any link has still to take, and end when there is none.
func (k *keeper) firstUndone(ctx context.Context, end uint64) (uint64, error) {
	all, err := k.q.Standings(ctx, end)
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		if end, err = s.FirstUndone(ctx, end); err != nil {
			return 0, fmt.Errorf("first undone event of link %s: %w", s.Link.ID, err)
		}
	}
	return end, nil
}

// dispensable is the sequence up to which the log need not be kept, the links apart.
func (k *keeper) dispensable(ctx context.Context, e queue.Extent, pressed bool) (uint64, error) {
	end := e.Last + 1
	upTo, err := k.jet.SequenceAt(ctx, event.EventsStream, k.now.Add(-k.c.Events), end)
	if err != nil {
		return 0, err
	}
	if pressed {
		upTo = max(upTo, e.Cut(e.Limit/100*relaxedShare))
	}
	history, err := k.q.Extent(ctx, event.HistoryStream)
	if err != nil || !history.Above(pressedShare) {
		return min(upTo, end), err
	}
	// HISTORY may not forget what the log still holds, so the log makes way for it.
	m, err := k.jet.Next(ctx, event.HistoryStream, jet.Anything, history.Cut(history.Limit/100*relaxedShare))
	if err != nil {
		return min(upTo, end), jet.Ignore(err, queue.ErrNotFound)
	}
	past, err := k.jet.SequenceAt(ctx, event.EventsStream, m.Time, end)
	return min(max(upTo, past), end), err
}

// purgeLog removes the events before a sequence, after it has told how far: else a sweep, the
// journal or a backfill would bring them back.
func (k *keeper) purgeLog(ctx context.Context, e queue.Extent, upTo uint64) error {
	last, err := k.jet.LastBefore(ctx, event.EventsStream, e.First, upTo)
	if err != nil {
		return jet.Ignore(err, queue.ErrNotFound)
	}
	if err := k.q.MoveHorizon(ctx, last.Time); err != nil {
		return err
	}
	if err := k.jet.Purge(ctx, event.EventsStream, upTo); err != nil {
		return err
	}
	k.log.Info().Uint64("up_to", upTo).Time("horizon", last.Time).Msg("the log was purged of what is done")
	return nil
}

// ReasonDiskFull is the reason of an event that was abandoned so that new ones can be stored.
const ReasonDiskFull = "disk_full"

// abandon is the rule of a full log that holds nothing done: the link that stands farthest behind
// loses its oldest place, and others with it where they stand no further. What it gives up is as
// little as is needed for the next while. The records come first: interrupted in between, the
// events are still there and nothing is told twice.
func (k *keeper) abandon(ctx context.Context) error {
	e, err := k.q.Extent(ctx, event.EventsStream)
	if err != nil || !e.Full() {
		k.warnOfDisk(e)
		return err
	}
	upTo := min(e.Cut(e.Limit-2*e.Reserve()), e.Last+1)
	all, err := k.q.Standings(ctx, e.Last+1)
	if err != nil {
		return err
	}
	for _, s := range all {
		n, err := s.Abandon(ctx, upTo, ReasonDiskFull, func(int) {})
		if n > 0 {
			k.log.Error().Str("link", s.Link.ID).Int("events", n).
				Msg("the log is full: the oldest unread events of the link that stands farthest behind are abandoned; start or remove the link, or raise keep.disk")
			if k.c.Observe.Abandoned != nil {
				k.c.Observe.Abandoned(s.Link.ID, n)
			}
		}
		if err != nil {
			return fmt.Errorf("abandon the oldest events of link %s: %w", s.Link.ID, err)
		}
	}
	return k.purgeLog(ctx, e, upTo)
}

// warnOfDisk tells of a log that what links have still to take keeps nearly full.
func (k *keeper) warnOfDisk(e queue.Extent) {
	if e.Above(pressedShare) && k.throttle.Due("disk", tellEvery) {
		k.log.Error().Int64("bytes", e.Bytes).Int64("limit_bytes", e.Limit).
			Msg("the log is nearly full, and a link that stands still holds it; when it is full, that link loses its oldest events: see `touchbox links`, or raise keep.disk")
	}
}

// purgeHistory removes records that are older than keep.history, or more of them with more than
// pressedShare of its bound; in no case those of events that the log still holds, by the arrival
// of its oldest.
func (k *keeper) purgeHistory(ctx context.Context) error {
	h, err := k.q.Extent(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	end := h.Last + 1
	upTo, err := k.jet.SequenceAt(ctx, event.HistoryStream, k.now.Add(-k.c.History), end)
	if err != nil {
		return err
	}
	pressed := h.Above(pressedShare)
	if pressed {
		upTo = min(max(upTo, h.Cut(h.Limit/100*relaxedShare)), end)
	}
	oldest, err := k.jet.Next(ctx, event.EventsStream, jet.Anything, 1)
	if err == nil {
		bound, err := k.jet.SequenceAt(ctx, event.HistoryStream, oldest.Time, end)
		if err != nil {
			return err
		}
		upTo = min(upTo, bound)
	} else if !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	if upTo > h.First {
		if err := k.jet.Purge(ctx, event.HistoryStream, upTo); err != nil {
			return err
		}
	}
	if err := k.q.FitHistory(ctx); err != nil {
		return err
	}
	return k.warnOfHistory(ctx, pressed)
}

// warnOfHistory tells of a HISTORY that stays nearly full: the server drops its oldest records when
// it is, also those of events that are kept.
func (k *keeper) warnOfHistory(ctx context.Context, pressed bool) error {
	if !pressed {
		return nil
	}
	h, err := k.q.Extent(ctx, event.HistoryStream)
	if err == nil && h.Above(pressedShare) && k.throttle.Due("history", tellEvery) {
		k.log.Error().Int64("bytes", h.Bytes).Int64("limit_bytes", h.Limit).
			Msg("the history is nearly full and the log holds it; when it is full, its oldest records go: look for a link that stands still, or raise keep.disk")
	}
	return err
}
