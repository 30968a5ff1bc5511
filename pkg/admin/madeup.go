package admin

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// MadeUpKey is the secret key by which recorded tests get their made-up values: one for all of a Touchbox, so that the same
// phone is the same made-up one in every test. It is made when it is first asked for, of so many bytes.
func (a Admin) MadeUpKey(ctx context.Context, size int) ([]byte, error) {
	var key []byte
	_, err := a.Queue.State().Get(ctx, event.MadeUpKey, &key)
	if !errors.Is(err, queue.ErrNotFound) {
		return key, err
	}
	key = make([]byte, size)
	_, _ = rand.Read(key)                                                                              // never fails
	if _, err = a.Queue.State().Create(ctx, event.MadeUpKey, key); errors.Is(err, queue.ErrConflict) { // another command was first
		key = nil
		_, err = a.Queue.State().Get(ctx, event.MadeUpKey, &key)
	}
	return key, err
}
