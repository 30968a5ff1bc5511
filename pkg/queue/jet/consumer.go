package jet

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"
)

// creatingFor is how long the making of a consumer is tried again.
const creatingFor = 3 * time.Second

// CreateConsumer makes a consumer. The server forgets one that is deleted before its files are gone: where whoever
// deleted it died, or did not wait for the answer, those who make its successor meet the disk's error, and try again.
func (c *Client) CreateConsumer(ctx context.Context, stream string, config jetstream.ConsumerConfig) error {
	b := NewBackoff()
	b.MaxElapsedTime = creatingFor
	return backoff.Retry(func() error {
		_, err := c.js.CreateConsumer(ctx, stream, config)
		if err != nil && !consumerStoreFailed(err) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(b, ctx))
}
