package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// readerOwn is what the reader alone uses.
type readerOwn struct {
	fresh     []ringRow       // came since the last look
	touched   map[uint64]bool // places of which something became known
	pace      *rate.Limiter
	retries   []queue.Retry
	retriesOf queue.Extent // when they were read
	retriesAt time.Time
	took      time.Duration
	counted   time.Time
}

// look reads what is new.
func (b *Board) look(ctx context.Context) error {
	a := b.desk()
	a.Board, a.Scans = nil, b.scanned
	err := b.dead.refresh(ctx, a.Queue, b.own.pace)
	if err == nil {
		err = b.readOn(ctx, a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lookedErr = err
	return err
}

func (b *Board) readOn(ctx context.Context, a Admin) error {
	links, err := a.links(ctx)
	if err != nil {
		return err
	}
	links = slices.DeleteFunc(links, func(k linkInfo) bool { return !k.stored })
	if err := b.readRetries(ctx, a); err != nil {
		return err
	}
	x, fits, err := b.fitting(ctx, links)
	if err != nil {
		return err
	}
	if !fits {
		if x, err = b.begin(ctx, a, links); err != nil {
			return err
		}
	}
	before := x.mark
	if err := x.catchUp(ctx); err != nil {
		return err
	}
	if fits && before.Events == x.mark.Events && before.History == x.mark.History && time.Since(b.own.counted) < standEvery {
		return nil
	}
	sums, err := x.sums(ctx, b.own.retries)
	if err != nil {
		return err
	}
	b.own.counted = time.Now()
	return b.publish(ctx, a, x, links, sums)
}

// fitting is the index that is there, where it is of these links and of these streams.
func (b *Board) fitting(ctx context.Context, links []linkInfo) (*outcomeIndex, bool, error) {
	x := b.index // the reader alone writes it
	if x == nil || linksHash(x.links) != linksHash(links) {
		return nil, false, nil
	}
	for stream, at := range map[string]placed{event.EventsStream: x.mark.Events, event.HistoryStream: x.mark.History} {
		if same, err := x.reaches(ctx, stream, at); err != nil || !same {
			return nil, false, err
		}
	}
	return x, true, nil
}

// begin reads what is kept in STATE. What is not kept, all of it where nothing is, is read then.
func (b *Board) begin(ctx context.Context, a Admin, links []linkInfo) (*outcomeIndex, error) {
	b.share.Store(0)
	for {
		x := newIndex(a, links)
		if err := x.load(ctx); err != nil {
			return nil, err
		}
		wasKept := x.kept
		if err := errors.Join(x.loadHours(ctx), x.readBlocks(ctx)); errors.Is(err, errCounts) {
			x, wasKept = newIndex(a, links), false
		} else if err != nil {
			return nil, err
		}
		x.kept = false // from here on it is in memory, whatever the worker does with what is kept
		again := newIndex(a, links)
		if err := again.load(ctx); err != nil {
			return nil, err
		}
		if wasKept && !again.kept {
			continue // the worker has begun anew meanwhile, and taken parts away that were still to be read
		}
		if !wasKept {
			x.blocks = map[uint64]*indexBlock{}
		}
		n := 0
		x.step = func(ctx context.Context) error {
			if n++; n%keepStep != 0 {
				return nil
			}
			return b.own.pace.WaitN(ctx, keepStep)
		}
		if !wasKept { // it is a long way, of which nobody is told: the ring is read at its end
			if err := x.catchUp(ctx); err != nil {
				return nil, err
			}
		}
		b.own.fresh, b.own.touched = nil, map[uint64]bool{}
		x.came = func(e event.Event) { b.own.came(b.desk().rowOf(e)) }
		x.changed = func(place uint64) {
			if place+2*ringMost > x.mark.Events.Sequence { // of what is older nobody is told
				b.own.touched[place] = true
			}
		}
		return x, nil
	}
}

// scanned notes how far a long reading is. EVENTS come first, then HISTORY.
func (b *Board) scanned(x Scanned) {
	if x.Total == 0 {
		return
	}
	const half = 500
	share := half * int64(x.Done) / int64(x.Total)
	if x.Stream == event.HistoryStream {
		share += half
	}
	b.share.Store(share)
}

// readRetries reads what waits: where something has changed, and so seldom that it takes no more than a twentieth of the
// time. It comes before HISTORY: what is settled in between counts as waiting.
func (b *Board) readRetries(ctx context.Context, a Admin) error {
	held, err := a.Queue.Extent(ctx, event.RetriesStream)
	if err != nil {
		return err
	}
	const seldom, quick = 20, 20 * time.Millisecond
	read := !b.own.retriesAt.IsZero() // a stream to which nothing ever came is like one that was never looked at
	if read && (held.SameAs(b.own.retriesOf) || b.own.took > quick && time.Since(b.own.retriesAt) < seldom*b.own.took) {
		return nil
	}
	began := time.Now()
	list, err := a.retriesNow(ctx)
	if err != nil {
		return err
	}
	b.own.retries, b.own.retriesOf, b.own.retriesAt, b.own.took = list, held, time.Now(), time.Since(began)
	b.own.counted = time.Time{}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waits = waitingList{held, list}
	return nil
}

// publish makes what was read what those who look are answered from, and tells the followers.
func (b *Board) publish(ctx context.Context, a Admin, x *outcomeIndex, links []linkInfo, sums indexSums) error {
	fresh, touched := b.own.fresh, b.own.touched
	b.own.fresh, b.own.touched = nil, map[uint64]bool{}
	held, err := a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	gaps, err := a.Queue.Client().Gaps(ctx, event.EventsStream)
	if err == nil {
		err = x.packOld(held.First)
	}
	if err != nil {
		return err
	}
	filled := b.index == x
	var newest []ringRow
	var all bool
	if !filled { // first the newest few, so that a page has something to show
		if newest, all, err = b.readNewest(ctx, a, x, ringFirst); err != nil {
			return err
		}
	}
	b.mu.Lock()
	b.index, b.sums, b.links = x, sums, links
	b.upTo = reached{x.mark.Events.Sequence, x.mark.History.Sequence, uint64(len(gaps))}
	b.share.Store(allRead)
	if !filled {
		b.ring.begin(newest, all)
	} else {
		b.ring.add(fresh)
	}
	b.ring.forget(held.First, gaps)
	rows := b.rowsToTell(fresh, touched)
	b.mu.Unlock()
	b.tell(rows)
	if filled {
		return nil
	}
	x.bodies = true
	older, all, err := b.readNewest(ctx, a, x, ringMost)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ring.begin(older, all)
	b.ring.forget(held.First, gaps)
	return nil
}

// came remembers an event for the ring: the last ones, however many come between two looks.
func (own *readerOwn) came(row ringRow) {
	if own.fresh = append(own.fresh, row); len(own.fresh) > 2*ringMost {
		own.fresh = slices.Clone(own.fresh[len(own.fresh)-ringMost-ringSlack-1:]) // so many that the ring lets all before them go
	}
}

// rowOf is an event as the ring holds it: nothing of its body but the number.
func (a Admin) rowOf(e event.Event) ringRow {
	row := ringRow{place: e.Sequence, event: e, caller: a.Caller(e, Mask{})}
	row.event.Body, row.event.Query, row.event.Fingerprint = nil, "", event.Fingerprint{}
	return row
}

// readNewest reads the newest events of the log, about so many, and reports whether those are all.
func (b *Board) readNewest(ctx context.Context, a Admin, x *outcomeIndex, most uint64) (rows []ringRow, all bool, err error) {
	end := x.mark.Events.Sequence
	held, err := a.Queue.Extent(ctx, event.EventsStream)
	if err != nil || end == 0 || held.Messages == 0 {
		return nil, true, err
	}
	from := max(held.First, end-min(end, most)+1)
	for e, err := range a.scanLog(ctx, queue.ScanOptions{From: from, Before: end + 1}) {
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, a.rowOf(e))
		if len(rows)%keepStep == 0 {
			if err := b.own.pace.WaitN(ctx, keepStep); err != nil {
				return nil, false, err
			}
		}
	}
	return rows, from == held.First, nil
}
