package backup

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/queue"
)

// errBroken is of a copy whose rest never comes: the server sends and takes one over the connection on which it began.
var errBroken = errors.New("the connection to NATS was lost meanwhile: give the same command again")

// errUnknown is of a restore that the server may still end or not.
var errUnknown = errors.New("the server has not said whether it has ended")

// endWithin is how long a copy that was given up may take to come to its end. It ends between two messages; the last answer of
// a restore is waited for by the library for an hour, whatever becomes of the context or the connection.
const endWithin = 5 * time.Second

// unbroken copies for as long as the connection holds. The error is errUnknown too when the copy has not come to its end.
func unbroken(ctx context.Context, q *queue.Queue, copies func(context.Context) error) error {
	nc := q.Client().Conn()
	lost := nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer nc.RemoveStatusListener(lost)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan error, 1)
	go func() { done <- copies(ctx) }()
	select {
	case err := <-done:
		return err
	case <-lost:
		cancel(errBroken)
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		if err == nil {
			return nil // it was faster
		}
		return context.Cause(ctx)
	case <-time.After(endWithin):
		return errors.Join(context.Cause(ctx), errUnknown)
	}
}
