package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
)

// Filter selects retries and dead letters. Zero fields select everything.
type Filter = queue.Filter

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
	limit = cmp.Or(limit, DefaultLimit)
	if a.Board == nil {
		return a.Queue.OldestRetries(ctx, f, limit)
	}
	all, err := a.retriesOf(ctx, f)
	return all[:min(len(all), limit)], len(all), err
}

// RetriesPart is a part of what waits: of what stands before a place, 0 is all, what began to wait last.
func (a Admin) RetriesPart(ctx context.Context, f Filter, before uint64, limit int) (Part[queue.Retry], error) {
	all, err := a.retriesOf(ctx, f)
	p := Part[queue.Retry]{Total: len(all)}
	for _, r := range slices.Backward(all) {
		if before > 0 && r.Sequence >= before {
			continue
		}
		if len(p.Rows) == limit {
			p.Older = r.Sequence + 1
			break
		}
		p.Rows = append(p.Rows, r)
	}
	return p, err
}

// retriesOf is what waits of what the filter selects, in the order in which it began to: as the Board knows it where there is one, which
// then has no bodies.
func (a Admin) retriesOf(ctx context.Context, f Filter) (list []queue.Retry, err error) {
	if a.Board != nil {
		all, err := a.Board.retriesNow(ctx)
		for _, r := range all {
			if (f.Link == "" || r.Link == f.Link) && f.About(r.Event.Key) && f.Match(r.Reason, r.Status, r.Began) {
				list = append(list, r)
			}
		}
		return list, err
	}
	for r, err := range a.Queue.Retries(ctx, f) {
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// bulk is told between two things of many how many are through, and how many of those were changed.
type bulk func(done, total, changed int)

// next tells that, or before the first that none is, and reports why no more is to be changed.
func (b bulk) next(ctx context.Context, done, total, changed int) error {
	if b != nil {
		b(done, total, changed)
	}
	return context.Cause(ctx)
}

// RunNow makes the waiting retries that the filter selects due at once and returns how many it
// was. Those that are due already need nothing and do not count.
func (a Admin) RunNow(ctx context.Context, f Filter) (int, error) {
	return a.changeRetries(ctx, VerbRetriesNow, "", f, a.runNow)
}

// Cancel makes dead letters of the waiting retries that the filter selects, with the reason
// ReasonCancelled, and returns how many it was. They can be replayed.
func (a Admin) Cancel(ctx context.Context, f Filter, why string) (int, error) {
	return a.changeRetries(ctx, VerbRetriesCancel, why, f, a.cancel)
}

func (a Admin) changeRetries(ctx context.Context, verb, why string, f Filter, change func(context.Context, queue.Retry) error) (int, error) {
	all, err := a.waitingRetries(ctx, f)
	if err != nil {
		return 0, err
	}
	return a.inBulk(ctx, AuditEntry{Verb: verb, On: FilterText(f), Why: why, Found: len(all)}, func() (int, error) {
		return a.eachRetry(ctx, all, change, nil)
	})
}

func (a Admin) runNow(ctx context.Context, r queue.Retry) error {
	if r.Due {
		return queue.ErrConflict
	}
	if err := a.Queue.RunRetry(ctx, r); err != nil {
		return err
	}
	return a.note(ctx, r.Event.Key, queue.Record{Link: r.Link, Note: NoteRunNow})
}

func (a Admin) cancel(ctx context.Context, r queue.Retry) error {
	return a.Queue.CancelRetry(ctx, r, queue.Record{Note: NoteCancelled, By: a.Actor.Name, Trail: event.Trail{Reason: ReasonCancelled}})
}

// waitingRetry is one that waited when it was looked for.
type waitingRetry struct {
	link     string
	key      event.Key
	sequence uint64
}

// waitingRetries are those that wait now: what begins to wait while they are changed is left.
func (a Admin) waitingRetries(ctx context.Context, f Filter) ([]waitingRetry, error) {
	var all []waitingRetry
	for r, err := range a.Queue.Retries(ctx, f) {
		if err != nil {
			return nil, err
		}
		all = append(all, waitingRetry{r.Link, r.Event.Key, r.Sequence})
	}
	return all, nil
}

// eachRetry changes what waits. What has gone on in the meantime (change reports queue.ErrConflict or ErrNotFound)
// is left.
func (a Admin) eachRetry(ctx context.Context, all []waitingRetry, change func(context.Context, queue.Retry) error, told bulk) (int, error) {
	done := 0
	inHand, end := whole(ctx)
	defer end()
	for i, w := range all {
		if err := told.next(ctx, i, len(all), done); err != nil {
			return done, err
		}
		r, err := a.retry(inHand, w.link, w.key)
		if err != nil {
			return done, err
		}
		if r == nil || r.Sequence != w.sequence {
			continue
		}
		err = change(inHand, *r)
		switch {
		case errors.Is(err, queue.ErrConflict), errors.Is(err, queue.ErrNotFound):
		case err != nil:
			return done, fmt.Errorf("event %s of link %s: %w", r.Event.Key, r.Link, err)
		default:
			done++
		}
	}
	_ = told.next(ctx, len(all), len(all), done) // whether more are wanted does not matter any more
	return done, nil
}

// Restored is what became of the events whose retry was lost.
type Restored struct {
	Restored  int `json:"restored"`  // wait again, as they did
	Abandoned int `json:"abandoned"` // the log does not hold them any more either
}

// Restore puts back the events that wait by the history and that RETRIES does not hold any more, found
// with one scan: nothing tries them again until then. Each comes back with its count of attempts and
// its transaction's id. What has gone on by itself meanwhile is left.
func (a Admin) Restore(ctx context.Context, f queue.Filter) (Restored, error) {
	var done Restored
	lost, err := keep.LostRetries(ctx, a.Queue, f)
	if err != nil {
		return done, err
	}
	_, err = a.inBulk(ctx, AuditEntry{Verb: VerbRetriesBack, On: FilterText(f), Found: len(lost)}, func() (int, error) {
		for _, l := range lost {
			switch err := keep.Restore(ctx, a.Queue, l); {
			case err == nil:
				done.Restored++
			case errors.Is(err, queue.ErrNotFound):
				done.Abandoned++
			case !errors.Is(err, queue.ErrConflict):
				return done.Restored, err
			}
		}
		return done.Restored, nil
	})
	return done, err
}

// DeadLetters returns the dead letters that the filter selects, oldest first: at most limit of
// them (0 means DefaultLimit), and how many there are altogether.
func (a Admin) DeadLetters(ctx context.Context, f queue.Filter, limit int) (list []queue.DeadLetter, total int, err error) {
	return a.Queue.OldestDeadLetters(ctx, f, cmp.Or(limit, DefaultLimit))
}

// first keeps the beginning of what is iterated over, and counts the whole.
func first[T any](all iter.Seq2[T, error], limit int) (list []T, total int, err error) {
	if limit == 0 {
		limit = DefaultLimit
	}
	for one, err := range all {
		if err != nil {
			return nil, 0, err
		}
		if total++; total <= limit {
			list = append(list, one)
		}
	}
	return list, total, nil
}

// DeadCount is how many dead letters a link has for one reason.
type DeadCount struct {
	Link   string `json:"link"`
	Reason string `json:"reason"`
	Status int    `json:"status,omitempty"`
	Count  int    `json:"count"`
}

// CountDead counts dead letters by link, reason and status, in this order.
func (a Admin) CountDead(ctx context.Context, f queue.Filter) ([]DeadCount, error) {
	counts := map[DeadCount]int{}
	for d, err := range a.Queue.DeadLetters(ctx, f) {
		if err != nil {
			return nil, err
		}
		counts[DeadCount{Link: d.Link, Reason: d.Reason, Status: d.Status}]++
	}
	list := make([]DeadCount, 0, len(counts))
	for c, n := range counts {
		c.Count = n
		list = append(list, c)
	}
	slices.SortFunc(list, func(x, y DeadCount) int {
		return cmp.Or(cmp.Compare(x.Link, y.Link), cmp.Compare(x.Reason, y.Reason), cmp.Compare(x.Status, y.Status))
	})
	return list, nil
}

// Drop removes dead letters for good: their outcome is Dropped then, and the history keeps why. The event itself stays in the
// log for its time; a replay by another outcome can no longer bring it back. It returns how many
// it was.
func (a Admin) Drop(ctx context.Context, s Selection, why string) (int, error) {
	total, err := a.countDead(ctx, s)
	if err != nil {
		return 0, err
	}
	return a.inBulk(ctx, AuditEntry{Verb: VerbDrop, On: s.which(), Why: why, Found: total}, func() (int, error) {
		return a.drop(ctx, s, why, total, nil)
	})
}

// drop removes the dead letters of a selection, about total of them.
func (a Admin) drop(ctx context.Context, s Selection, why string, total int, told bulk) (int, error) {
	detail, err := json.Marshal(map[string]string{"why": personText(why)})
	if err != nil {
		return 0, err
	}
	dropped := 0
	inHand, end := whole(ctx)
	defer end()
	for d, err := range a.deadLetters(ctx, s) {
		if err == nil {
			err = told.next(ctx, dropped, max(total, dropped), dropped)
		}
		if err != nil {
			return dropped, err
		}
		note := queue.Record{Link: d.Link, Outcome: event.Dropped, Note: NoteDropped, Trail: event.Trail{Reason: d.Reason, Status: d.Status}, Detail: detail}
		if err := a.note(inHand, d.Event.Key, note); err != nil {
			return dropped, fmt.Errorf("event %s of link %s: %w", d.Event.Key, d.Link, err)
		}
		if err := a.Queue.DropDeadLetter(inHand, d); err != nil {
			return dropped, fmt.Errorf("event %s of link %s: %w", d.Event.Key, d.Link, err)
		}
		dropped++
	}
	_ = told.next(ctx, dropped, dropped, dropped) // whether more are wanted does not matter any more
	return dropped, nil
}
