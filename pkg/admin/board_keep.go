package admin

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
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

// How a worker keeps the board: it looks every keepEvery, and reads at most keepRate messages a second, a third of
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

// keepAlone keeps the board while the lease lasts and the links stay as they are.
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

// KeepOnce brings the kept board up to now. The caller holds the lease.
func (a Admin) KeepOnce(ctx context.Context) error {
	links, err := a.links(ctx)
	if err != nil {
		return err
	}
	links = slices.DeleteFunc(links, func(k linkInfo) bool { return !k.stored })
	b := newBoard(a, links)
	b.writes = true
	if err := b.load(ctx); err != nil {
		return b.anew(ctx, err)
	}
	b.step = b.paced()
	before := b.mark
	if err := b.catchUp(ctx); err != nil {
		return b.anew(ctx, err)
	}
	if before.Events == b.mark.Events && before.History == b.mark.History && b.markRevision > 0 {
		return nil
	}
	if err := b.forget(ctx); err != nil {
		return err
	}
	return b.store(ctx)
}

// anew passes an error on. Where it is that the counts cannot be read, the next look begins anew.
func (b *board) anew(ctx context.Context, err error) error {
	if errors.Is(err, errCounts) {
		return errors.Join(err, b.a.Queue.State().Delete(ctx, event.CountedKey))
	}
	return err
}

// get reads a part of what is kept and returns its revision, also with errCounts. ErrNotFound.
func (b *board) get(ctx context.Context, key string, v any) (uint64, error) {
	revision, err := b.a.Queue.State().Get(ctx, key, v)
	if errors.Is(err, queue.ErrUnreadable) {
		err = errors.Join(errCounts, err)
	}
	return revision, err
}

// paced holds the pace of a reading, and stores what it has when that is much.
func (b *board) paced() func(context.Context) error {
	pace, n := rate.NewLimiter(keepRate, keepStep), 0
	return func(ctx context.Context) error {
		if n++; n%keepStep != 0 {
			return nil
		}
		if err := pace.WaitN(ctx, keepStep); err != nil {
			return err
		}
		if len(b.blocks) > blocksHeld {
			return b.store(ctx)
		}
		return nil
	}
}

// blockJSON is a block as STATE keeps it.
type blockJSON struct {
	Rows  []string                              `json:"rows"`
	Codes []byte                                `json:"codes"` // of all rows, one behind the other, deflated
	Last  map[string]map[event.Origin]time.Time `json:"last,omitempty"`
}

// load reads how far the kept board is. One that is not of these links, or of other streams, counts for none: it
// begins anew.
func (b *board) load(ctx context.Context) error {
	var mark boardMark
	revision, err := b.get(ctx, event.CountedKey, &mark)
	if errors.Is(err, queue.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	b.markRevision = revision
	for stream, at := range map[string]placed{event.EventsStream: mark.Events, event.HistoryStream: mark.History} {
		same, err := b.reaches(ctx, stream, at)
		if err != nil || !same {
			return err
		}
	}
	if mark.Links != linksHash(b.links) {
		b.mark.Hours = mark.Hours // hours are of all links
		return nil
	}
	if mark.Success == nil {
		mark.Success = map[string]time.Time{}
	}
	b.mark, b.kept = mark, true
	return nil
}

// reaches reports whether a stream is the one that was read up to a place, and holds all that came behind it.
func (b *board) reaches(ctx context.Context, stream string, at placed) (bool, error) {
	held, err := b.a.Queue.Extent(ctx, stream)
	if err != nil {
		return false, err
	}
	if at.Sequence > held.Last || stream == event.HistoryStream && at.Sequence+1 < held.First {
		return false, nil
	}
	if at.Time.IsZero() {
		return true, nil
	}
	m, err := b.a.Queue.Client().Next(ctx, stream, ">", at.Sequence)
	if errors.Is(err, queue.ErrNotFound) {
		return true, nil // all of it was purged or removed
	}
	return err == nil && (m.Sequence != at.Sequence || m.Time.Equal(at.Time)), err
}

// block is a part of the log, from memory, from STATE, or new.
func (b *board) block(ctx context.Context, n uint64) (*boardBlock, error) {
	if held := b.blocks[n]; held != nil {
		return held, b.unpacked(held)
	}
	block := &boardBlock{rows: map[string][]byte{}, last: map[string]map[event.Origin]time.Time{}}
	if !b.kept && !b.writes {
		b.hold(n, block)
		return block, nil
	}
	var stored blockJSON
	revision, err := b.get(ctx, countKey(n), &stored)
	switch {
	case errors.Is(err, queue.ErrNotFound):
	case errors.Is(err, errCounts) && !b.kept: // it is written over
		b.revisions[n], err = revision, nil
	case err != nil:
		return nil, err
	default:
		b.revisions[n] = revision
		if b.kept {
			block.rows, err = stored.unpack()
			maps.Copy(block.last, stored.Last)
		}
	}
	if err != nil && !errors.Is(err, queue.ErrNotFound) {
		return nil, err
	}
	b.hold(n, block)
	return block, nil
}

func (b *board) hold(n uint64, block *boardBlock) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.blocks[n] = block
}

// unpacked gives a block its rows back.
func (b *board) unpacked(p *boardBlock) error {
	if p.packed == nil {
		return nil
	}
	rows, err := p.packed.unpack()
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p.rows, p.packed = rows, nil
	return nil
}

// packOld packs the blocks that are counted, but for the newest, and lets those go that are older than a place: of a log
// of a million events and a hundred links that leaves some MB of a hundred.
func (b *board) packOld(first uint64) error {
	newest := b.mark.Events.Sequence / blockSize
	for n, p := range b.blocks {
		if n < first/blockSize {
			b.mu.Lock()
			delete(b.blocks, n)
			b.mu.Unlock()
			continue
		}
		if p.packed != nil || p.sums == nil || n+blocksOpen > newest {
			continue
		}
		packed, err := p.pack()
		if err != nil {
			return err
		}
		b.mu.Lock()
		p.packed, p.rows = &packed, map[string][]byte{}
		b.mu.Unlock()
	}
	return nil
}

// blocksOpen is how many of the newest blocks are kept as they are.
const blocksOpen = 8

func countKey(n uint64) string { return event.CountKeys.Of(strconv.FormatUint(n, 10)) }

// unpack gives the rows of a block. errCounts.
func (stored blockJSON) unpack() (map[string][]byte, error) {
	codes, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(stored.Codes)), int64(len(stored.Rows))*blockSize+1))
	if err != nil || len(codes) != len(stored.Rows)*blockSize {
		return nil, errCounts
	}
	rows := make(map[string][]byte, len(stored.Rows))
	for i, name := range stored.Rows {
		rows[name] = codes[i*blockSize : (i+1)*blockSize : (i+1)*blockSize]
	}
	return rows, nil
}

func (p *boardBlock) pack() (blockJSON, error) {
	stored := blockJSON{Rows: slices.Sorted(maps.Keys(p.rows)), Last: p.last}
	var codes bytes.Buffer
	w, err := flate.NewWriter(&codes, flate.DefaultCompression)
	if err != nil {
		return stored, err
	}
	for _, name := range stored.Rows {
		_, _ = w.Write(p.rows[name]) // into memory
	}
	err = w.Close()
	stored.Codes = codes.Bytes()
	return stored, err
}

// store writes what has changed, how far it is last, and lets all blocks go. ErrConflict: another process keeps
// the board.
func (b *board) store(ctx context.Context) error {
	if !b.kept { // blocks of before are no part of this one
		if err := b.begin(ctx); err != nil {
			return err
		}
	}
	for n, block := range b.blocks {
		if !block.dirty {
			continue
		}
		stored, err := block.pack()
		if err != nil {
			return err
		}
		if b.revisions[n], err = b.put(ctx, countKey(n), stored, b.revisions[n]); err != nil {
			return err
		}
	}
	b.mark.Links = linksHash(b.links)
	var err error
	if b.markRevision, err = b.put(ctx, event.CountedKey, b.mark, b.markRevision); err != nil {
		return err
	}
	clear(b.blocks)
	return nil
}

// begin takes away what was kept for other links: first how far it was, so that nobody reads the one for the
// other.
func (b *board) begin(ctx context.Context) error {
	if err := b.a.Queue.State().Delete(ctx, event.CountedKey); err != nil {
		return err
	}
	b.markRevision = 0
	entries, err := b.a.Queue.State().List(ctx, string(event.CountKeys))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := b.a.Queue.State().Delete(ctx, e.Key); err != nil {
			return err
		}
	}
	clear(b.revisions)
	b.kept = true
	return nil
}

func (b *board) put(ctx context.Context, key string, v any, over uint64) (uint64, error) {
	if over == 0 {
		return b.a.Queue.State().Create(ctx, key, v)
	}
	return b.a.Queue.State().Update(ctx, key, v, over)
}

// forget removes the blocks whose events are purged.
func (b *board) forget(ctx context.Context) error {
	log, err := b.a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	for ; b.mark.Oldest < log.First/blockSize; b.mark.Oldest++ {
		if _, kept := b.revisions[b.mark.Oldest]; !kept && !b.kept {
			continue
		}
		if err := b.a.Queue.State().Delete(ctx, countKey(b.mark.Oldest)); err != nil {
			return err
		}
		delete(b.blocks, b.mark.Oldest)
		delete(b.revisions, b.mark.Oldest)
	}
	return nil
}
