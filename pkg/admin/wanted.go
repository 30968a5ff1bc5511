package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// ErrUnsupported reports what this queue cannot do.
var ErrUnsupported = errors.New("this version of the queue cannot do that")

// eventReplayer is a queue that gives a link an event that has not died, due at once, as Replay
// does with a dead letter. queue.ErrUnderWay: it waits already.
type eventReplayer interface {
	ReplayEvent(ctx context.Context, link string, e event.Event, o queue.ReplayOptions) error
}

// giveBack gives an item back to its link.
func (r *replay) giveBack(ctx context.Context, item Item, d queue.DeadLetter) error {
	options := queue.ReplayOptions{Revision: r.Revision, As: r.As}
	if item.Outcome == event.Dead {
		return r.Queue.Replay(ctx, d, options)
	}
	q, ok := any(r.Queue).(eventReplayer)
	if !ok {
		return fmt.Errorf("%w: replay what has not died", ErrUnsupported)
	}
	return q.ReplayEvent(ctx, item.Link, d.Event, options)
}
