package admin

import (
	"context"
	"fmt"
)

// doJob does what a job says.
func doJob(ctx context.Context, r *jobRun) (int, error) {
	switch j := r.before; j.Kind {
	case JobReplay:
		return r.replay(ctx)
	case JobDrop:
		return r.drop(ctx)
	case JobRetriesNow, JobRetriesCancel:
		return r.retries(ctx)
	case JobAsideTake:
		return r.take(ctx)
	case JobBackfill:
		return r.backfill(ctx)
	default:
		return 0, fmt.Errorf("a job of the kind %q: it is of a newer Touchbox", j.Kind)
	}
}

func (r *jobRun) replay(ctx context.Context) (int, error) {
	w := r.before.Work
	s, err := w.selection(r.before.Asked)
	if err != nil {
		return 0, err
	}
	items, err := r.admin.Select(ctx, s)
	if err != nil {
		return 0, err
	}
	r.replaying(Progress{Total: len(items)})
	result, err := r.admin.replay(ctx, items, ReplayOptions{Revision: w.Revision, As: w.As, Rate: w.Rate, Progress: r.replaying, again: r.again})
	r.result = &result
	return result.Replayed, err
}

// drop drops dead letters.
func (r *jobRun) drop(ctx context.Context) (int, error) {
	s, err := r.before.Work.selection(r.before.Asked)
	if err != nil {
		return 0, err
	}
	total, err := r.admin.countDead(ctx, s)
	if err != nil {
		return 0, err
	}
	return r.admin.drop(ctx, s, r.before.Why, total, r.told)
}

// retries changes what waits.
func (r *jobRun) retries(ctx context.Context) (int, error) {
	change := r.admin.runNow
	if r.before.Kind == JobRetriesCancel {
		change = r.admin.cancel
	}
	filters, err := r.before.Work.filters(r.before.Asked)
	if err != nil {
		return 0, err
	}
	var all []waitingRetry
	for _, f := range filters {
		some, err := r.admin.waitingRetries(ctx, f)
		if err != nil {
			return 0, err
		}
		all = append(all, some...)
	}
	return r.admin.eachRetry(ctx, all, change, r.told)
}

func (r *jobRun) take(ctx context.Context) (int, error) {
	q, identify := r.before.Work.aside(r.before.Asked), Identify(r.admin.Identify)
	if kind := r.before.Work.TakeAs; kind != "" {
		identify = r.admin.IdentifyAs(kind)
	}
	_, total, err := r.admin.Asides(ctx, q, 1)
	if err != nil {
		return 0, err
	}
	taken, err := r.admin.take(ctx, q, identify, total, r.told)
	r.taken = &taken
	return taken.Stored, err
}

// backfill does what a job of this kind says.
func (r *jobRun) backfill(ctx context.Context) (int, error) {
	d, err := r.admin.days(r.before.Work)
	if err != nil {
		return 0, err
	}
	if r.admin.Backfill == nil {
		return 0, errNoBackfill
	}
	sum, err := r.admin.Backfill(ctx, d, r.filling)
	r.fill(sum)
	return changedBy(d, sum), err
}
