package admin

import (
	"context"

	"github.com/touchbox/touchbox/pkg/queue"
)

// FindPerson says what is stored of a person. It reads all that is stored, and changes nothing.
func (a Admin) FindPerson(ctx context.Context, e queue.Erasure) (queue.Traces, error) {
	return a.Queue.FindPerson(ctx, e)
}

// Erase removes all that is stored of a person, says how much it was, and has verified, when it ends
// without an error, that nothing is left. Interrupted, it can be repeated, and ends what was begun.
func (a Admin) Erase(ctx context.Context, e queue.Erasure) (queue.Traces, error) {
	return a.Queue.Erase(ctx, e)
}
