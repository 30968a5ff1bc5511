package calltouch

import (
	"context"
	"time"
)

// State is what the API side keeps where every process and every later run sees it. Names are
// dotted words of letters, digits, "-" and "_".
type State interface {
	// Get reads the JSON value under name into v and reports whether there is one.
	Get(ctx context.Context, name string, v any) (bool, error)
	// Put writes v as JSON under name.
	Put(ctx context.Context, name string, v any) error
	// Delete removes name; that there is none is no error.
	Delete(ctx context.Context, name string) error
	// Lease takes the lease name for this process, or renews it. It reports false when another
	// process holds it. A lease ends by itself ttl after it was last renewed, on the store's
	// clock.
	Lease(ctx context.Context, name string, ttl time.Duration) (bool, error)
	// Release gives up a lease that this process holds.
	Release(ctx context.Context, name string) error
	// Leased reports whether any process holds the lease name.
	Leased(ctx context.Context, name string) (bool, error)
}

// Names in STATE.
const (
	leasePoll    = "calltouch.poll"    // the one process that polls
	leaseCommand = "calltouch.command" // the one backfill or gaps that runs
)

// leaseTTL and leaseRenewal let another process take over within leaseTTL + leaseRenewal, 40 s.
const (
	leaseTTL     = 30 * time.Second
	leaseRenewal = 10 * time.Second
)

// mark is a moment that other processes and later runs want to know.
type mark struct {
	Time time.Time `json:"time"`
}

func polledName(site string) string { return "calltouch." + site + ".polled" } // last good poll of requests

func sweptName(site, method string) string { return "calltouch." + site + "." + method + ".swept" }
