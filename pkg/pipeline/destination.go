package pipeline

import (
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
)

// destination is one endpoint as all its links in this process share it: connections, rate limiter,
// circuit breaker.
type destination struct {
	file    *link.Destination
	client  *mindbox.Client
	pace    *pace
	breaker *breaker.Breaker
	paused  func(until time.Time) // is told of a pause that begins
}

// leaseMargin is how much longer than an attempt a probe is one worker's.
const leaseMargin = 5 * time.Second

// lease is how long a probe belongs to the worker that took it.
func (d *destination) lease() time.Duration { return d.file.Timeout + leaseMargin }

// Client makes a client for a destination of the file, for whoever makes single attempts beside
// the worker.
func Client(d *link.Destination, userAgent string) (*mindbox.Client, error) {
	// Each read anew before an attempt: a key in a file may be changed at any time.
	key := func(i int) func() string {
		return func() string {
			if keys := d.Secret.Values(); i < len(keys) {
				return keys[i]
			}
			return ""
		}
	}
	client, err := mindbox.New(mindbox.Config{
		URL: d.URL, Secret: key(0), SecondSecret: key(1), Authorization: d.Authorization, Timeout: d.Timeout, UserAgent: userAgent,
	})
	if err != nil {
		return nil, fmt.Errorf("destination %s: %w", d.Name, err)
	}
	return client, nil
}
