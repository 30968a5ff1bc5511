package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/wait"
)

// StoreFactor is how much more the embedded server may use than EVENTS is bounded to: the other
// streams have their own shares.
const StoreFactor = 2

// RunBridge runs ingest, worker and an embedded server in one process until ctx ends:
//
//	ingest ──▶ embedded NATS (TOUCHBOX_DATA, served on nats.sock there) ──▶ worker
//
// The server is stopped last, after what is in hand.
func RunBridge(ctx context.Context, n *Node) error {
	n.Ingest, n.Worker, n.Sole = true, true, true
	beginService(n.Log)
	defer tellStop(ctx, n.Log)()
	server, err := embedded.Start(embedded.Config{
		Dir: n.Settings.Data, MaxStore: StoreFactor * n.File.Keep.Disk, Socket: true, Context: ctx, Log: n.Log,
	})
	if err != nil {
		return err
	}
	n.Unwell = func() error { return unwell(server, n.Settings.Data) }
	o := n.Settings.queueOptions("touchbox-up", n.File, n.Log)
	o.InProcess, o.SyncKnown = server.Conn, true
	group, ctx := errgroup.WithContext(ctx)
	clock := newStopClock(ctx)
	room := func() bool { disk, known := spaceOf(n.Settings.Data); return !known || disk.roomy() }
	group.Go(func() error { return (&healer{server: server, room: room, log: n.Log}).run(ctx) })
	group.Go(func() error { return n.run(ctx, o) })
	err = clock.within(partsWithin, "the bridge", group.Wait)
	return errors.Join(err, clock.within(processWithin, "the embedded server", func() error { server.Stop(); return nil }))
}

// healEvery is the time between two looks at the embedded server's health. It is restarted after
// healLooks bad ones in a row; the pause between two restarts doubles from healEvery to healMost, and
// begins anew when the server was not restarted for twice as long.
const (
	healEvery = 2 * time.Second
	healLooks = 3
	healMost  = 5 * time.Minute
)

// oddEvery is how often what is odd about the store, and mended by no restart, is told again.
const oddEvery = time.Hour

// unwell says what is wrong with the embedded server, and what a person can do.
func unwell(server *embedded.Server, dir string) error {
	err := server.Health()
	if err == nil {
		return nil
	}
	if errors.Is(err, embedded.ErrAstray) {
		return fmt.Errorf("%w. Stop Touchbox, bring the folder back if there is one, and start it again: it begins with what stands there then", err)
	}
	return fmt.Errorf("%w. If the disk is full, free space for %s: the server restarts by itself then. What was acknowledged is not lost", err, dir)
}

// healer is a supervisor that restarts the embedded server in place when its store is stalled: after a full disk JetStream
// answers nothing, even with space again, until it starts anew. Whatever else is wrong is told.
type healer struct {
	server interface {
		Health() error
		Oddities() []string
		Restart() error
	}
	room func() bool // the disk has space enough for a restart
	log  zerolog.Logger

	bad       int // bad looks in a row
	restarted time.Time
	pause     time.Duration
	odd       string // as it was told last
	toldOdd   time.Time
}

func (h *healer) run(ctx context.Context) error {
	ticker := time.NewTicker(healEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			h.look()
		}
	}
}

func (h *healer) look() {
	err := h.server.Health()
	if err == nil {
		h.bad = 0
		h.tellOdd()
		return
	}
	if h.bad++; h.bad == healLooks && errors.Is(err, embedded.ErrAstray) {
		h.log.Error().Err(err).Msg("the store of the embedded server is not where it was, and hooks are refused: stop Touchbox, bring the folder back if there is one, and start it again")
	} else if h.bad == healLooks {
		h.log.Error().Err(err).Msg("the embedded server cannot store; if its disk is full, free space: it restarts by itself then")
	}
	if h.bad < healLooks || !errors.Is(err, embedded.ErrStalled) || !h.room() {
		return
	}
	since := time.Since(h.restarted)
	if since < h.pause {
		return
	}
	h.pause = min(max(2*h.pause, healEvery), healMost)
	if since > 2*healMost {
		h.pause = healEvery
	}
	h.bad, h.restarted = 0, time.Now()
	if err := h.server.Restart(); err != nil {
		h.log.Error().Err(err).Dur("again_in", h.pause).Msg("restart of the embedded server")
		return
	}
	h.log.Info().Msg("the embedded server was restarted in place")
}

// tellOdd tells of what the server finds odd about its store.
func (h *healer) tellOdd() {
	odd := strings.Join(h.server.Oddities(), "; ")
	if odd == h.odd && (odd == "" || time.Since(h.toldOdd) < oddEvery) {
		return
	}
	h.odd, h.toldOdd = odd, time.Now()
	if odd != "" {
		h.log.Error().Str("what", odd).Msg("something is wrong with the store of the embedded server that a restart does not mend: look into its folder")
	}
}

// wellness is a cached health check of the server inside this process. A hook need not wait for a store
// that is known to be broken, as with a full disk, and is not given to one that was taken away. One that is only away for a moment, or starts again,
// is waited for.
type wellness struct {
	look  func() error
	wrong atomic.Pointer[error]
}

// wellnessEvery is the time between two looks. Two bad ones in a row count: the server may be on its
// way down.
const wellnessEvery = time.Second

// unwell says what is known to be wrong, nil when nothing is.
func (w *wellness) unwell() error {
	if wrong := w.wrong.Load(); wrong != nil {
		return *wrong
	}
	return nil
}

// watch looks until ctx ends.
func (w *wellness) watch(ctx context.Context) error {
	if w.look == nil {
		return nil
	}
	for bad := 0; wait.Sleep(ctx, wellnessEvery) == nil; {
		err := w.look()
		lasting := errors.Is(err, embedded.ErrStalled) && !errors.Is(err, embedded.ErrDown) || errors.Is(err, embedded.ErrAstray)
		if !lasting {
			bad = 0
			w.wrong.Store(nil)
			continue
		}
		if errors.Is(err, embedded.ErrAstray) {
			err = errors.Join(hook.ErrKeepsNothing, err)
		}
		if bad++; bad > 1 {
			w.wrong.Store(&err)
		}
	}
	return nil
}
