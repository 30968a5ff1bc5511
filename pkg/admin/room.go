package admin

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/queue"
)

// room waits until the link has worked off enough of what was replayed to it, or is found halted.
// It asks the server only where the bound may be reached: between two looks no more can wait than
// waited then and was replayed since.
func (r *replay) room(ctx context.Context, link string) error {
	if err := r.lookNow(ctx); err != nil {
		return err
	}
	if r.held[link] < mostHeld-atOnce { // those on their way may not be counted yet
		return nil
	}
	for !r.halted[link] {
		held, err := r.waiting(ctx, link)
		if err != nil {
			return err
		}
		r.held[link] = held
		if held <= enoughOut {
			return nil
		}
		r.wait(held)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookEvery):
		}
		if err := r.look(ctx); err != nil {
			return err
		}
	}
	return nil
}

// waiting counts the replayed events of a link that wait in RETRIES.
func (r *replay) waiting(ctx context.Context, link string) (int, error) {
	n := 0
	for retry, err := range r.Queue.Retries(ctx, queue.Filter{Link: link}) {
		if err != nil {
			return 0, err
		}
		if retry.Replayed {
			n++
		}
	}
	return n, nil
}

// lookNow looks for halts unless that was done just now.
func (r *replay) lookNow(ctx context.Context) error {
	if time.Since(r.looked) < lookEvery {
		return nil
	}
	return r.look(ctx)
}

// look finds the links that are halted. One that was found halted stays so for this run: what is
// behind it has been left.
func (r *replay) look(ctx context.Context) error {
	halts, err := r.Halts(ctx)
	if err != nil {
		return err
	}
	for _, h := range halts {
		r.halt(h)
	}
	r.looked = time.Now()
	return nil
}
