package admin

import (
	"context"
	"errors"
	"iter"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// log iterates over events of the log. One that cannot be read comes with its key and body alone:
// it is an event all the same, and a link has made a dead letter of it. An erased one, where they
// are asked for, comes with its key alone.
func (a Admin) log(ctx context.Context, o queue.ScanOptions) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for e, err := range a.Queue.Events(ctx, o) {
			if errors.Is(err, event.ErrDamaged) || errors.Is(err, event.ErrNewerFormat) || errors.Is(err, queue.ErrErased) {
				err = nil
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil && !o.Follow {
			yield(event.Event{}, err) // a scan cut short is no answer
		}
	}
}

// keyed is a record with the event that it is about.
type keyed struct {
	key    event.Key
	record queue.Record
}

// records iterates over the history of every event in the log, erased ones too.
func records(ctx context.Context, q *queue.Queue) iter.Seq2[keyed, error] {
	return func(yield func(keyed, error) bool) {
		for e, err := range (Admin{Queue: q}).log(ctx, queue.ScanOptions{Erased: true}) {
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
