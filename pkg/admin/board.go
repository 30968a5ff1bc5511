package admin

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Board is a read model of the queue for a process that shows it to many: one reader follows the log, HISTORY and
// DEADLETTERS, and whoever looks is answered from memory. It begins with what is kept in STATE (see KeepCounts), reads
// on at the pace of that, and says how far it is until it has read all.
//
//	EVENTS, HISTORY ──▶ look ──▶ outcomes, hours, ring of the newest events ──▶ pages, followers
//	DEADLETTERS ──────▶ look ──▶ index by cause
//	links, sizes ─────▶ stand ──▶ how links stand
type Board struct {
	desk func() Admin
	log  zerolog.Logger

	reads, stands turn
	asked         atomic.Int64 // when somebody looked last, Unix nanoseconds
	share         atomic.Int64 // of what there is to read, in thousandths
	dead          *deadIndex

	mu        sync.RWMutex
	index     *outcomeIndex // nil until all was read once
	sums      indexSums
	links     []linkInfo
	ring      ring
	upTo      reached
	waits     waitingList
	stand     standing
	lookedErr error

	seen sightings
	own  readerOwn
}

// waitingList is what RETRIES held when it was read last, in the order in which it began to wait. It is not changed, only replaced.
type waitingList struct {
	of   queue.Extent
	list []queue.Retry
}

// reached is how far the streams were read.
type reached struct{ events, history, gone uint64 }

// ErrReading reports that the Board has not read all yet: what it would say is not known.
var ErrReading = errors.New("the outcomes are still being counted")

// ErrAway reports that nobody answers for the queue.
var ErrAway = errors.New("the queue does not answer")

// Reachable reports whether there is a connection to the queue. One that has answered no ping for some seconds is none.
func (a Admin) Reachable() bool { return a.Queue.Client().Conn().IsConnected() }

// The Board looks for what is new every lookEvery, and how links stand every standEvery while somebody looks at it, else
// every standIdle. Somebody looks as long as lookedFor after the last page.
const (
	lookEvery   = 500 * time.Millisecond
	lookIdle    = 2 * time.Second
	standEvery  = 2 * time.Second
	standIdle   = 10 * time.Second
	lookedFor   = 30 * time.Second
	standLimit  = 15 * time.Second // an older standing is not shown
	freshWithin = time.Second      // how long a page waits for what was written by now
)

// NewBoard makes a Board of what an Admin sees; desk gives one by the file that is in force. Run keeps it.
func NewBoard(desk func() Admin, log zerolog.Logger) *Board {
	b := &Board{desk: desk, log: log, dead: newDeadIndex(), own: readerOwn{pace: rate.NewLimiter(keepRate, keepRate), touched: map[uint64]bool{}}}
	b.reads.init()
	b.stands.init()
	return b
}

// Run keeps the Board until ctx ends. What fails is tried again; those who look are told.
func (b *Board) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.keep(ctx, &b.reads, b.look, lookEvery, lookIdle) })
	group.Go(func() error { return b.keep(ctx, &b.stands, b.standNow, standEvery, standIdle) })
	return group.Wait()
}

// keep does something again and again: often while somebody looks, and at once when it is asked for.
func (b *Board) keep(ctx context.Context, t *turn, do func(context.Context) error, often, seldom time.Duration) error {
	var alarms wait.Throttle
	for ctx.Err() == nil {
		n := t.begin()
		err := do(ctx)
		if err != nil && ctx.Err() == nil && b.desk().Reachable() && alarms.Due("board", time.Minute) {
			b.log.Warn().Err(err).Msg("the console's board could not be brought up to date, trying on")
		}
		t.end(n, err)
		pause := seldom
		if b.watched() {
			pause = often
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// watched reports whether somebody looks.
func (b *Board) watched() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.ring.followers) > 0 || time.Since(time.Unix(0, b.asked.Load())) < lookedFor
}

// allRead is the share of a Board that has read all, in thousandths.
const allRead = 1000

// counts are the index of outcomes and what it counts, for who asks for outcomes. ErrReading.
func (b *Board) counts(ctx context.Context) (*outcomeIndex, indexSums, error) {
	if err := b.fresh(ctx); err != nil {
		return nil, indexSums{}, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.index == nil {
		return nil, indexSums{}, b.readingErr()
	}
	return b.index, b.sums, nil
}

// readingErr is why there is no index yet. mu is held.
func (b *Board) readingErr() error {
	if b.lookedErr != nil {
		return b.lookedErr
	}
	return ErrReading
}

// Share is how much of what there is to read was read, from 0 to 1.
func (b *Board) Share() float64 { return float64(b.share.Load()) / allRead }

// away reports that nobody answers.
func (b *Board) away() error {
	if !b.desk().Reachable() {
		return ErrAway
	}
	return nil
}

// fresh waits a moment for what was written by now, so that who has just done something sees it.
func (b *Board) fresh(ctx context.Context) error {
	b.asked.Store(time.Now().UnixNano())
	if err := b.away(); err != nil {
		return err
	}
	q := b.desk().Queue
	log, err := q.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	history, err := q.Extent(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	gone := log.Last + 1 - log.First - log.Messages
	b.mu.RLock()
	at, there := b.upTo, b.index != nil
	b.mu.RUnlock()
	if there && at.events >= log.Last && at.history >= history.Last && at.gone == gone {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, freshWithin)
	defer cancel()
	_ = b.reads.await(within) // else what is there is shown
	if there && at.gone == gone {
		return nil
	}
	gaps, err := q.Client().Gaps(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ring.forget(log.First, gaps) // nobody who was erased is shown, however far the reading is
	return nil
}

// deadNow is the index of DEADLETTERS, as of now where that can be had within a moment. ErrReading.
func (b *Board) deadNow(ctx context.Context) (*deadIndex, error) {
	b.asked.Store(time.Now().UnixNano())
	if err := b.away(); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, freshWithin)
	defer cancel()
	if !b.dead.whole.Load() { // the first reading may take long
		if _ = b.reads.await(within); !b.dead.whole.Load() {
			return nil, ErrReading
		}
	}
	err := b.dead.refresh(within, b.desk().Queue, nil)
	if within.Err() != nil && ctx.Err() == nil && b.dead.whole.Load() {
		err = nil // what is there is shown
	}
	return b.dead, err
}

// retriesNow is what waits, as of now where that can be had within a moment. ErrReading.
func (b *Board) retriesNow(ctx context.Context) ([]queue.Retry, error) {
	b.asked.Store(time.Now().UnixNano())
	if err := b.away(); err != nil {
		return nil, err
	}
	held, err := b.desk().Queue.Extent(ctx, event.RetriesStream)
	if err != nil {
		return nil, err
	}
	now := b.waiting()
	if !now.of.SameAs(held) {
		within, cancel := context.WithTimeout(ctx, freshWithin)
		defer cancel()
		_ = b.reads.await(within) // else what is there is shown
		now = b.waiting()
	}
	if now.of.At.IsZero() {
		return nil, ErrReading
	}
	return now.list, nil
}

func (b *Board) waiting() waitingList {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.waits
}

// deadRows are the letters that a filter selects: the first so many, and how many there are.
func (b *Board) deadRows(ctx context.Context, a Admin, f Filter, cause string, limit int) ([]queue.DeadLetter, int, error) {
	dead, err := b.deadNow(ctx)
	if err != nil {
		return nil, 0, err
	}
	sequences, total := dead.found(f, cause, limit)
	list, err := a.deadLettersAt(ctx, sequences)
	return list, total, err
}

// Refresh waits until the Board has all that was written before it, for who has just changed something.
func (b *Board) Refresh(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, freshWithin)
	defer cancel()
	b.reads.poke()
	_ = b.stands.await(within) // else what is there is shown
	_ = b.reads.await(within)
}

// Hours are the last n hours of a link, this one last. None is known until the Board has read all once.
func (b *Board) Hours(link string, n int) []Hour {
	b.mu.RLock()
	x := b.index
	b.mu.RUnlock()
	if x == nil {
		x = newIndex(b.desk(), nil)
	}
	return x.lastHours(link, n)
}
