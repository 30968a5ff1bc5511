package admin

import (
	"context"
	"errors"
	"iter"
	"slices"
)

// The iterators give the rows of a list one by one, as they may be shown: whoever takes away a long list holds none of
// it in memory.

// EachDead iterates over the dead letters that the filter selects, oldest first; with a cause only those of it.
func (a Admin) EachDead(ctx context.Context, f Filter, cause string) iter.Seq2[DeadLetterView, error] {
	return eachShown(a.deadLetters(ctx, Selection{Filter: f, Cause: cause}), Mask{}.DeadLetter)
}

// EachRetry iterates over what waits of what the filter selects, what began to wait last first.
func (a Admin) EachRetry(ctx context.Context, f Filter) iter.Seq2[RetryView, error] {
	return func(yield func(RetryView, error) bool) {
		all, err := a.retriesOf(ctx, f)
		if err != nil {
			yield(RetryView{}, err)
			return
		}
		for _, r := range slices.Backward(all) {
			if !yield(Mask{}.Retry(r), nil) {
				return
			}
		}
	}
}

// EachAside iterates over what was set aside, the newest first.
func (a Admin) EachAside(ctx context.Context, q AsideQuery) iter.Seq2[AsideView, error] {
	return eachShown(selectedOf(a.Queue.AsidesBack(ctx, q.Site, q.Reason, 0), q.looks), Mask{}.Aside)
}

// EachAudit iterates over the entries of the audit that the query selects, the newest first.
func (a Admin) EachAudit(ctx context.Context, q AuditQuery) iter.Seq2[AuditEntry, error] {
	return selectedOf(a.Queue.AuditBack(ctx, q.Verb, 0), q.looks)
}

func eachShown[T, V any](all iter.Seq2[T, error], shown func(T) V) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		for one, err := range all {
			if !yield(shown(one), err) || err != nil {
				return
			}
		}
	}
}

// widestWindow is how many places of the log EachEvent looks at in one go.
const widestWindow = 4096

// EachEvent iterates over the events that the query selects, the newest first, without regard to its Limit. It reads the log from
// its end back, and holds no more than a window of it.
func (a Admin) EachEvent(ctx context.Context, q EventQuery) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		if err := a.eachEvent(ctx, q, func(r Row) bool { return yield(r, nil) }); err != nil {
			yield(Row{}, err)
		}
	}
}

func (a Admin) eachEvent(ctx context.Context, q EventQuery, show func(Row) bool) error {
	links, err := a.chosen(ctx, q.Link)
	if err != nil {
		return err
	}
	found := linkOutcomes{links, a.byKey(ctx)}
	switch x, sums, err := a.counts(ctx); {
	case err == nil: // else each event would be asked for by itself
		found.of = x.outcomes(sums.waits)
	case q.Outcome != "" || !errors.Is(err, ErrReading):
		return err
	}
	first, end, err := a.Queue.Span(ctx, q.stored())
	if err != nil {
		return err
	}
	for o := q.scan(links); end > first; end = o.From {
		o.From, o.Before = max(first, end-min(end, widestWindow)), end
		window, _, err := lastOf(a.matching(ctx, q, o, found), widestWindow)
		if err != nil {
			return err
		}
		for _, e := range slices.Backward(window) {
			row, err := found.row(e)
			if err != nil {
				return err
			}
			if !show(row) {
				return nil
			}
		}
	}
	return nil
}
