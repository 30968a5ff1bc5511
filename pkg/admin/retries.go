package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// ReasonCancelled is the reason of dead letters that a person made of waiting retries.
const ReasonCancelled = "cancelled"

// Notes that this package writes into the history.
const (
	NoteReplayed  = "replayed"
	NoteRunNow    = "run_now"
	NoteCancelled = "cancelled"
	NoteDropped   = "dropped"
)

// Retries returns what waits, in the order in which it began to wait: at most limit of it (0 means
// DefaultLimit), and how much it is altogether.
func (a Admin) Retries(ctx context.Context, f queue.Filter, limit int) (list []queue.Retry, total int, err error) {
	return first(a.Queue.Retries(ctx, f), limit)
}

// RunNow makes the waiting retries that the filter selects due at once and returns how many it
// was. Those that are due already need nothing and do not count.
func (a Admin) RunNow(ctx context.Context, f queue.Filter) (int, error) {
	return a.eachRetry(ctx, f, func(r queue.Retry) error {
		if r.Due {
			return queue.ErrConflict
		}
		if err := a.Queue.RunRetry(ctx, r); err != nil {
			return err
		}
		return a.Queue.Note(ctx, r.Event.Key, queue.Record{Link: r.Link, Note: NoteRunNow})
	})
}

// Cancel makes dead letters of the waiting retries that the filter selects, with the reason
// ReasonCancelled, and returns how many it was. They can be replayed.
func (a Admin) Cancel(ctx context.Context, f queue.Filter) (int, error) {
	return a.eachRetry(ctx, f, func(r queue.Retry) error {
		if err := a.Queue.CancelRetry(ctx, r, ReasonCancelled); err != nil {
			return err
		}
		return a.Queue.Note(ctx, r.Event.Key, queue.Record{
			Link: r.Link, Outcome: event.Dead, Note: NoteCancelled, Reason: ReasonCancelled, Attempts: r.Attempts,
			Revision: r.Revision, As: r.As, Replayed: r.Replayed,
		})
	})
}

// eachRetry does something with what waits now; what begins to wait meanwhile is left. What has
// gone on in the meantime (do reports queue.ErrConflict or ErrNotFound) is left too.
func (a Admin) eachRetry(ctx context.Context, f queue.Filter, do func(queue.Retry) error) (int, error) {
	type waiting struct {
		filter   queue.Filter
		sequence uint64
	}
	var all []waiting
	for r, err := range a.Queue.Retries(ctx, f) {
		if err != nil {
			return 0, err
		}
		all = append(all, waiting{queue.Filter{Link: r.Link, Key: r.Event.Key}, r.Sequence})
	}
	done := 0
	for _, w := range all {
		r, err := a.retry(ctx, w.filter.Link, w.filter.Key)
		if err != nil {
			return done, err
		}
		if r == nil || r.Sequence != w.sequence {
			continue
		}
		err = do(*r)
		switch {
		case errors.Is(err, queue.ErrConflict), errors.Is(err, queue.ErrNotFound):
		case err != nil:
			return done, fmt.Errorf("event %s of link %s: %w", r.Event.Key, r.Link, err)
		default:
			done++
		}
	}
	return done, nil
}
