package admin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// How a worker keeps the index: it looks every keepEvery, and reads at most keepRate messages a second, a third of
// a core, so that a first reading of a long history takes nothing from what is delivered. Between two stores it
// holds at most blocksHeld blocks more.
const (
	keepEvery  = 10 * time.Second
	keepRate   = 20_000
	keepStep   = 50 // messages at a time: what is delivered meanwhile waits for no more
	blocksHeld = 32
	keepTTL    = 30 * time.Second
)

// KeepCounts keeps the counted outcomes in STATE until ctx ends, so that nobody who asks reads the whole
// history. Every worker may call it, one of them at a time does the work. What fails is logged and tried again.
func KeepCounts(ctx context.Context, q *queue.Queue, file func() *link.File, log zerolog.Logger) error {
	var alarms wait.Throttle
	for wait.Sleep(ctx, keepEvery) == nil {
		err := Admin{Queue: q, File: file()}.keepAlone(ctx, file)
		if err != nil && !errors.Is(err, queue.ErrHeld) && !errors.Is(err, queue.ErrConflict) && ctx.Err() == nil && alarms.Due("counts", time.Minute) {
			log.Warn().Err(err).Msg("outcomes are not counted ahead, trying on; `touchbox links` counts them itself")
		}
	}
	return nil
}

// keepAlone keeps the index while the lease lasts and the links stay as they are.
func (a Admin) keepAlone(ctx context.Context, file func() *link.File) error {
	lease, err := a.Queue.Lease(ctx, event.LeaseCounts, keepTTL)
	if err != nil {
		return err
	}
	defer lease.Release()
	ctx = lease.Context()
	for {
		a.File = file()
		if err := a.KeepOnce(ctx); err != nil {
			return err
		}
		if err := wait.Sleep(ctx, keepEvery); err != nil {
			return err
		}
	}
}

// KeepOnce brings the kept index up to now. The caller holds the lease.
func (a Admin) KeepOnce(ctx context.Context) error {
	links, err := a.links(ctx)
	if err != nil {
		return err
	}
	links = slices.DeleteFunc(links, func(k linkInfo) bool { return !k.stored })
	x := newIndex(a, links)
	x.writes = true
	if err := x.load(ctx); err != nil {
		return x.anew(ctx, err)
	}
	x.step = x.paced()
	before := x.mark
	if err := x.catchUp(ctx); err != nil {
		return x.anew(ctx, err)
	}
	if before.Events == x.mark.Events && before.History == x.mark.History && x.markRevision > 0 {
		return nil
	}
	if err := x.forget(ctx); err != nil {
		return err
	}
	return x.store(ctx)
}

// anew passes an error on. Where it is that the counts cannot be read, the next look begins anew.
func (x *outcomeIndex) anew(ctx context.Context, err error) error {
	if errors.Is(err, errCounts) {
		return errors.Join(err, x.a.Queue.State().Delete(ctx, event.CountedKey))
	}
	return err
}

// get reads a part of what is kept and returns its revision, also with errCounts. ErrNotFound.
func (x *outcomeIndex) get(ctx context.Context, key string, v any) (uint64, error) {
	revision, err := x.a.Queue.State().Get(ctx, key, v)
	if errors.Is(err, queue.ErrUnreadable) {
		err = errors.Join(errCounts, err)
	}
	return revision, err
}

// paced holds the pace of a reading, and stores what it has when that is much.
func (x *outcomeIndex) paced() func(context.Context) error {
	pace, n := rate.NewLimiter(keepRate, keepStep), 0
	return func(ctx context.Context) error {
		if n++; n%keepStep != 0 {
			return nil
		}
		if err := pace.WaitN(ctx, keepStep); err != nil {
			return err
		}
		if len(x.blocks) > blocksHeld {
			return x.store(ctx)
		}
		return nil
	}
}

// load reads how far the kept index is. One that is not of these links, or of other streams, counts for none: it
// begins anew.
func (x *outcomeIndex) load(ctx context.Context) error {
	var mark indexMark
	revision, err := x.get(ctx, event.CountedKey, &mark)
	if errors.Is(err, queue.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	x.markRevision = revision
	for stream, at := range map[string]placed{event.EventsStream: mark.Events, event.HistoryStream: mark.History} {
		same, err := x.reaches(ctx, stream, at)
		if err != nil || !same {
			return err
		}
	}
	if mark.Links != linksHash(x.links) {
		x.mark.Hours = mark.Hours // hours are of all links
		return nil
	}
	if mark.Success == nil {
		mark.Success = map[string]time.Time{}
	}
	x.mark, x.kept = mark, true
	return nil
}

// reaches reports whether a stream is the one that was read up to a place, and holds all that came behind it.
func (x *outcomeIndex) reaches(ctx context.Context, stream string, at placed) (bool, error) {
	held, err := x.a.Queue.Extent(ctx, stream)
	if err != nil {
		return false, err
	}
	if at.Sequence > held.Last || stream == event.HistoryStream && at.Sequence+1 < held.First {
		return false, nil
	}
	if at.Time.IsZero() {
		return true, nil
	}
	m, err := x.a.Queue.Client().Next(ctx, stream, ">", at.Sequence)
	if errors.Is(err, queue.ErrNotFound) {
		return true, nil // all of it was purged or removed
	}
	return err == nil && (m.Sequence != at.Sequence || m.Time.Equal(at.Time)), err
}

// block is a part of the log, from memory, from STATE, or new.
func (x *outcomeIndex) block(ctx context.Context, n uint64) (*indexBlock, error) {
	if held := x.blocks[n]; held != nil {
		return held, x.unpacked(held)
	}
	block := &indexBlock{rows: map[string][]byte{}, last: map[string]map[event.Origin]time.Time{}}
	if !x.kept && !x.writes {
		x.hold(n, block)
		return block, nil
	}
	var stored blockJSON
	revision, err := x.get(ctx, countKey(n), &stored)
	switch {
	case errors.Is(err, queue.ErrNotFound):
	case errors.Is(err, errCounts) && !x.kept: // it is written over
		x.revisions[n], err = revision, nil
	case err != nil:
		return nil, err
	default:
		x.revisions[n] = revision
		if x.kept {
			block.rows, err = stored.unpack()
			maps.Copy(block.last, stored.Last)
		}
	}
	if err != nil && !errors.Is(err, queue.ErrNotFound) {
		return nil, err
	}
	x.hold(n, block)
	return block, nil
}

func (x *outcomeIndex) hold(n uint64, block *indexBlock) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.blocks[n] = block
}

func countKey(n uint64) string { return event.CountKeys.Of(strconv.FormatUint(n, 10)) }

// store writes what has changed, how far it is last, and lets all blocks go. ErrConflict: another process keeps
// the index.
func (x *outcomeIndex) store(ctx context.Context) error {
	if !x.kept { // blocks of before are no part of this one
		if err := x.begin(ctx); err != nil {
			return err
		}
	}
	for n, block := range x.blocks {
		if !block.dirty {
			continue
		}
		stored, err := block.pack()
		if err != nil {
			return err
		}
		if x.revisions[n], err = x.put(ctx, countKey(n), stored, x.revisions[n]); err != nil {
			return err
		}
	}
	x.mark.Links = linksHash(x.links)
	var err error
	if x.markRevision, err = x.put(ctx, event.CountedKey, x.mark, x.markRevision); err != nil {
		return err
	}
	clear(x.blocks)
	return nil
}

// begin takes away what was kept for other links: first how far it was, so that nobody reads the one for the
// other.
func (x *outcomeIndex) begin(ctx context.Context) error {
	if err := x.a.Queue.State().Delete(ctx, event.CountedKey); err != nil {
		return err
	}
	x.markRevision = 0
	entries, err := x.a.Queue.State().List(ctx, string(event.CountKeys))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := x.a.Queue.State().Delete(ctx, e.Key); err != nil {
			return err
		}
	}
	clear(x.revisions)
	x.kept = true
	return nil
}

func (x *outcomeIndex) put(ctx context.Context, key string, v any, over uint64) (uint64, error) {
	if over == 0 {
		return x.a.Queue.State().Create(ctx, key, v)
	}
	return x.a.Queue.State().Update(ctx, key, v, over)
}

// forget removes the blocks whose events are purged.
func (x *outcomeIndex) forget(ctx context.Context) error {
	log, err := x.a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	for ; x.mark.Oldest < log.First/blockSize; x.mark.Oldest++ {
		if _, kept := x.revisions[x.mark.Oldest]; !kept && !x.kept {
			continue
		}
		if err := x.a.Queue.State().Delete(ctx, countKey(x.mark.Oldest)); err != nil {
			return err
		}
		delete(x.blocks, x.mark.Oldest)
		delete(x.revisions, x.mark.Oldest)
	}
	return nil
}
