package admin

import (
	"context"
	"sync"
)

// turn is something that is done again and again, and that others wait for.
type turn struct {
	mu          sync.Mutex
	asked, done uint64
	err         error
	wake        chan struct{}
	over        chan struct{} // closed when it was done once more
}

func (t *turn) init() { t.wake, t.over = make(chan struct{}, 1), make(chan struct{}) }

// poke has it done soon.
func (t *turn) poke() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	select {
	case t.wake <- struct{}{}:
	default:
	}
	return t.asked
}

// await has it done and waits for that. What it reports is the error of ctx, or of what was done.
func (t *turn) await(ctx context.Context) error {
	n := t.poke()
	for {
		t.mu.Lock()
		done, err, over := t.done >= n, t.err, t.over
		t.mu.Unlock()
		if done {
			return err
		}
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin says that it begins, and answers all who have asked by now.
func (t *turn) begin() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.asked
}

func (t *turn) end(n uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done, t.err = n, err
	close(t.over)
	t.over = make(chan struct{})
}
