package app

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// storeFactor is how much more the embedded server may use than EVENTS is bounded to: the other
// streams have their own shares.
const storeFactor = 2

// RunBridge runs ingest, worker and an embedded server in one process until ctx ends:
//
//	ingest ──▶ embedded NATS (TOUCHBOX_DATA, served on nats.sock there) ──▶ worker
//
// The server is stopped last, after what is in hand.
func RunBridge(ctx context.Context, n *Node) error {
	n.Ingest, n.Worker, n.Sole = true, true, true
	server, err := embedded.Start(embedded.Config{
		Dir: n.Settings.Data, MaxStore: storeFactor * n.File.Keep.Disk, Socket: true, Log: n.Log,
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	n.Unwell = func() error { return unwell(server, n.Settings.Data) }
	o := n.Settings.queueOptions("touchbox-up", n.File, n.Log)
	o.InProcess, o.SyncKnown = server.Conn, true
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return heal(ctx, server, n.Settings.Data, n.Log) })
	group.Go(func() error { return n.run(ctx, o) })
	return group.Wait()
}

// healEvery is the time between two looks at the embedded server's health.
const healEvery = 2 * time.Second

// unwell says what is wrong with the embedded server, and what a person can do.
func unwell(server *embedded.Server, dir string) error {
	err := server.Health()
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w. If the disk is full, free space for %s: the server restarts by itself then. What was acknowledged is not lost", err, dir)
}

// heal restarts the embedded server in place when its store is wedged: after a full disk JetStream
// answers nothing, even with space again, until it starts anew. It waits for the space.
func heal(ctx context.Context, server *embedded.Server, dir string, log zerolog.Logger) error {
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
		disk, known := spaceOf(dir)
		if !told {
			log.Error().Err(err).Uint64("free_bytes", disk.free).Msg("the embedded server cannot store; it restarts by itself once the disk has space")
			told = true
		}
		if known && !disk.roomy() {
			continue
		}
		if err := server.Restart(); err != nil {
			log.Error().Err(err).Msg("restart of the embedded server")
			continue
		}
		log.Info().Msg("the embedded server was restarted in place")
	}
}

// space is what a disk has, in bytes.
type space struct{ free, all uint64 }

// enoughFree is with how much free space a restart is worth trying on a disk of a usual size; on a
// small one a tenth of it is enough.
const enoughFree = 64 << 20

func (s space) roomy() bool { return s.free >= min(enoughFree, s.all/10) }
