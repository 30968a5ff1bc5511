package app

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// Bridge is ingest, worker and an embedded server in one process:
//
//	ingest ──▶ embedded NATS (Dir, served on Dir/nats.sock) ──▶ worker
type Bridge struct {
	Settings Settings
	File     *link.File
	Log      zerolog.Logger

	// Started is called once everything runs; nil does nothing.
	Started func(*queue.Queue)
	// Hook and Outcome are told what happens, beside the metrics; nil means nobody asks.
	Hook    func(calltouch.Observation)
	Record  func(event.Key, event.Origin, event.Receipt)
	Settled func(*queue.Delivery, queue.Decision)
}

// storeFactor is how much more the embedded server may use than EVENTS is bounded to: the other
// streams have their own shares.
const storeFactor = 2

// Run serves until ctx ends. The server is stopped last, after what is in hand.
func (b Bridge) Run(ctx context.Context) error {
	server, err := embedded.Start(embedded.Config{
		Dir: b.Settings.Data, MaxStore: storeFactor * b.File.Keep.Disk, Socket: true, Log: b.Log,
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	o := b.Settings.queueOptions("touchbox-up", b.File, b.Log)
	o.InProcess, o.SyncKnown = server.Conn, true
	return withQueue(ctx, o, func(ctx context.Context, q *queue.Queue) error {
		metrics := NewMetrics()
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return b.heal(ctx, server) })
		group.Go(func() error {
			return b.Settings.ingest(ctx, q, b.File, observers{both(metrics.hook, b.Hook), b.Record}, metrics, b.Log)
		})
		group.Go(func() error { return work(ctx, q, b.File, b.Settled, metrics, b.Log) })
		for _, addr := range []string{b.Settings.IngestAdminAddr, b.Settings.WorkerAdminAddr} {
			group.Go(func() error { return b.Settings.admin(addr, q, metrics, b.Log).Serve(ctx) })
		}
		if b.Started != nil {
			b.Started(q)
		}
		return group.Wait()
	})
}

// both calls two observers; the second may be nil.
func both[T any](first, second func(T)) func(T) {
	if second == nil {
		return first
	}
	return func(v T) { first(v); second(v) }
}

const (
	healEvery = 2 * time.Second // between two looks at the embedded server's health
	minFree   = 64 << 20        // bytes free on the disk before a restart is worth trying
)

// heal restarts the embedded server in place when its store is wedged: after a full disk JetStream
// answers nothing, even with space again, until it starts anew. It waits for the space.
func (b Bridge) heal(ctx context.Context, server *embedded.Server) error {
	var told bool
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(healEvery):
		}
		err := server.Health()
		if err == nil {
			told = false
			continue
		}
		free, known := freeSpace(b.Settings.Data)
		if !told {
			b.Log.Error().Err(err).Uint64("free_bytes", free).Msg("the embedded server cannot store; it restarts by itself once the disk has space")
			told = true
		}
		if known && free < minFree {
			continue
		}
		if err := server.Restart(); err != nil {
			b.Log.Error().Err(err).Msg("restart of the embedded server")
			continue
		}
		b.Log.Info().Msg("the embedded server was restarted in place")
	}
}
