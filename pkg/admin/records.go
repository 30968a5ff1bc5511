package admin

import (
	"context"
	"iter"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// keyed is a record with the event that it is about.
type keyed struct {
	key    event.Key
	record queue.Record
}

// records iterates over the history of every event in the log.
func records(ctx context.Context, q *queue.Queue) iter.Seq2[keyed, error] {
	return func(yield func(keyed, error) bool) {
		for e, err := range q.Events(ctx, queue.ScanOptions{}) {
			if err != nil {
				yield(keyed{}, err)
				return
			}
			list, err := q.History(ctx, e.Key)
			if err != nil {
				yield(keyed{}, err)
				return
			}
			for _, r := range list {
				if !yield(keyed{e.Key, r}, nil) {
					return
				}
			}
		}
	}
}
