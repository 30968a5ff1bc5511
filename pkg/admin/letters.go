package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/touchbox/touchbox/pkg/queue"
)

// DeadLetters returns the dead letters that the filter selects, oldest first: at most limit of
// them (0 means DefaultLimit), and how many there are altogether.
func (a Admin) DeadLetters(ctx context.Context, f queue.Filter, limit int) (list []queue.DeadLetter, total int, err error) {
	return first(a.Queue.DeadLetters(ctx, f), limit)
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

// Drop removes dead letters for good and keeps why in the history. The event itself stays in the
// log for its time; a replay by another outcome can no longer bring it back. It returns how many
// it was.
func (a Admin) Drop(ctx context.Context, f queue.Filter, why string) (int, error) {
	detail, err := json.Marshal(map[string]string{"why": why})
	if err != nil {
		return 0, err
	}
	dropped := 0
	for d, err := range a.Queue.DeadLetters(ctx, f) {
		if err != nil {
			return dropped, err
		}
		note := queue.Record{Link: d.Link, Note: NoteDropped, Reason: d.Reason, Status: d.Status, Detail: detail}
		if err := a.Queue.Note(ctx, d.Event.Key, note); err != nil {
			return dropped, fmt.Errorf("event %s of link %s: %w", d.Event.Key, d.Link, err)
		}
		if err := a.Queue.DropDeadLetter(ctx, d); err != nil {
			return dropped, fmt.Errorf("event %s of link %s: %w", d.Event.Key, d.Link, err)
		}
		dropped++
	}
	return dropped, nil
}
