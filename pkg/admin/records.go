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
