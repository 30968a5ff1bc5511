package queue

import (
	"context"
	"errors"
	"time"
)

// purgeRounds bounds how often room is made in one pass: how much a purge brings is reckoned by
// the mean size of an event.
const purgeRounds = 3

// replicaLag is how long a replica may take to have what its leader has. Any of them answers when
// the first undone events are asked for, and one that lacks the newest would say there is none.
const replicaLag = 2 * time.Second

// purgeEvents is the rule of retention: one purge up to, not including, the first event that any
// link has still to take, and no further than the keep time; with more than pressedShare of the
// bound past the keep time, oldest first, down to relaxedShare.
func (k *keeper) purgeEvents(ctx context.Context) error {
	pressed := false
	for range purgeRounds {
		e, err := k.q.extent(ctx, eventsStream)
		if err != nil {
			return err
		}
		if k.q.opts.Replicas > 1 && sleep(ctx, replicaLag) != nil {
			return ctx.Err()
		}
		pressed = pressed || e.above(pressedShare)
		upTo, err := k.dispensable(ctx, e, pressed)
		if err != nil || upTo <= e.first {
			return err
		}
		// The links come after the last sequence: what arrives meanwhile is behind it.
		undone, err := k.q.undone(ctx, upTo)
		if err != nil {
			return err
		}
		if undone <= e.first {
			return nil
		}
		if err := k.purgeLog(ctx, e, undone); err != nil || !pressed {
			return err
		}
	}
	return nil
}

// dispensable is the sequence up to which the log need not be kept, the links apart.
func (k *keeper) dispensable(ctx context.Context, e extent, pressed bool) (uint64, error) {
	end := e.last + 1
	upTo, err := k.q.sequenceAt(ctx, eventsStream, k.now.Add(-k.c.Events), end)
	if err != nil {
		return 0, err
	}
	if pressed {
		upTo = max(upTo, e.cut(e.limit/100*relaxedShare))
	}
	history, err := k.q.extent(ctx, historyStream)
	if err != nil || !history.above(pressedShare) {
		return min(upTo, end), err
	}
	// HISTORY may not forget what the log still holds, so the log makes way for it.
	m, err := k.q.next(ctx, historyStream, anything, history.cut(history.limit/100*relaxedShare))
	if err != nil {
		return min(upTo, end), ignore(err, ErrNotFound)
	}
	past, err := k.q.sequenceAt(ctx, eventsStream, m.Time, end)
	return min(max(upTo, past), end), err
}

// purgeLog removes the events before a sequence, after it has told how far: else a sweep, the
// journal or a backfill would bring them back.
func (k *keeper) purgeLog(ctx context.Context, e extent, upTo uint64) error {
	last, err := k.q.lastBefore(ctx, eventsStream, e.first, upTo)
	if err != nil {
		return ignore(err, ErrNotFound)
	}
	if err := k.q.moveHorizon(ctx, last.Time); err != nil {
		return err
	}
	if err := k.q.purge(ctx, eventsStream, upTo); err != nil {
		return err
	}
	k.q.log.Info().Uint64("up_to", upTo).Time("horizon", last.Time).Msg("the log was purged of what is done")
	return nil
}

// ignore returns nil for an error of the kind.
func ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
