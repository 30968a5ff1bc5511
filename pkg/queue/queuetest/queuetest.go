// Package queuetest gives tests a queue on a real server: on one inside the test's process (New,
// Start), or on one in a process of its own that can be killed (Spawn).
package queuetest

import (
	"context"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// disk is keep.disk of the test queues.
const disk = 200_000_000

// openTimeout bounds opening and provisioning.
const openTimeout = 20 * time.Second

// New returns a provisioned queue on a fresh embedded server; both end with the test.
func New(t testing.TB) *queue.Queue {
	t.Helper()
	return Open(t, Start(t), queue.Options{})
}

// Start starts an embedded server on a fresh store; it ends with the test.
func Start(t testing.TB) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(embedded.Config{Dir: t.TempDir(), MaxStore: 2 * disk, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Open opens and provisions a queue on an embedded server; it is closed with the test. The options
// need not say where the server is.
func Open(t testing.TB, s *embedded.Server, o queue.Options) *queue.Queue {
	t.Helper()
	o.InProcess, o.SyncKnown = s.Conn, true
	return open(t, o)
}

func open(t testing.TB, o queue.Options) *queue.Queue {
	t.Helper()
	if o.Limits.Disk == 0 {
		o.Limits.Disk = disk
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	q, err := queue.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if err := q.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	return q
}
