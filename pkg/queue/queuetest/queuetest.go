// Package queuetest gives tests a queue on a real server: on one inside the test's process (New,
// Start), or on one in a process of its own that can be killed (Spawn). With it comes what tests do
// with a queue: events and links (Call, Calls), Publish, a Handler that decides as it is told and
// remembers what it was given (Consume), what the streams hold (Kept, Retries, DeadLetters, History),
// waiting until something holds (Eventually), a log that many may write (Buffer).
package queuetest

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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

// Purge empties a stream behind the queue's back, as a damaged disk or a person does.
func Purge(t testing.TB, s *embedded.Server, stream string) {
	t.Helper()
	change(t, s, stream, func(ctx context.Context, _ jetstream.JetStream, one jetstream.Stream) error { return one.Purge(ctx) })
}

// MaxMsgSize makes a stream refuse what is larger.
func MaxMsgSize(t testing.TB, s *embedded.Server, stream string, n int32) {
	t.Helper()
	change(t, s, stream, func(ctx context.Context, js jetstream.JetStream, one jetstream.Stream) error {
		config := one.CachedInfo().Config
		config.MaxMsgSize = n
		_, err := js.UpdateStream(ctx, config)
		return err
	})
}

// Fill leaves a stream no room for another message.
func Fill(t testing.TB, s *embedded.Server, stream string) {
	t.Helper()
	change(t, s, stream, func(ctx context.Context, js jetstream.JetStream, one jetstream.Stream) error {
		config := one.CachedInfo().Config
		config.MaxBytes = int64(one.CachedInfo().State.Bytes)
		_, err := js.UpdateStream(ctx, config)
		return err
	})
}

// Delete deletes a stream, with all that is in it.
func Delete(t testing.TB, s *embedded.Server, stream string) {
	t.Helper()
	change(t, s, stream, func(ctx context.Context, js jetstream.JetStream, _ jetstream.Stream) error {
		return js.DeleteStream(ctx, stream)
	})
}

func change(t testing.TB, s *embedded.Server, stream string, how func(context.Context, jetstream.JetStream, jetstream.Stream) error) {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(inside(s.Conn)))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	one, err := js.Stream(ctx, stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := how(ctx, js, one); err != nil {
		t.Fatal(err)
	}
}

// inside is what nats.go calls at each connect.
type inside func() (net.Conn, error)

func (f inside) InProcessConn() (net.Conn, error) { return f() }

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
