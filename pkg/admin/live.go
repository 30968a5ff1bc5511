package admin

import (
	"context"
	"errors"
	"slices"
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
	dead          deadIndex

	mu        sync.RWMutex
	b         *board // nil until all was read once
	sums      boardSums
	links     []linkInfo
	ring      ring
	upTo      reached
	waits     waitingList
	stand     standing
	lookedErr error

	seen sightings
	own  readerOwn
}

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

// waitingList is what RETRIES held when it was read last, in the order in which it began to wait. It is not changed, only replaced.
type waitingList struct {
	of   queue.Extent
	list []queue.Retry
}

// reached is how far the streams were read.
type reached struct{ events, history, gone uint64 }

// standing is how links stand, as the server says.
type standing struct {
	at     time.Time
	links  []LinkStatus
	sizes  []queue.StreamSize
	causes []Cause
	alerts []Attention
	err    error
}

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
	s := &Board{desk: desk, log: log, own: readerOwn{pace: rate.NewLimiter(keepRate, keepRate), touched: map[uint64]bool{}}}
	s.reads.init()
	s.stands.init()
	return s
}

// Run keeps the board until ctx ends. What fails is tried again; those who look are told.
func (s *Board) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.keep(ctx, &s.reads, s.look, lookEvery, lookIdle) })
	group.Go(func() error { return s.keep(ctx, &s.stands, s.standNow, standEvery, standIdle) })
	return group.Wait()
}

// keep does something again and again: often while somebody looks, and at once when it is asked for.
func (s *Board) keep(ctx context.Context, t *turn, do func(context.Context) error, often, seldom time.Duration) error {
	var alarms wait.Throttle
	for ctx.Err() == nil {
		n := t.begin()
		err := do(ctx)
		if err != nil && ctx.Err() == nil && s.desk().Reachable() && alarms.Due("board", time.Minute) {
			s.log.Warn().Err(err).Msg("the console's board could not be brought up to date, trying on")
		}
		t.end(n, err)
		pause := seldom
		if s.watched() {
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
func (s *Board) watched() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.ring.followers) > 0 || time.Since(time.Unix(0, s.asked.Load())) < lookedFor
}

// look reads what is new.
func (s *Board) look(ctx context.Context) error {
	a := s.desk()
	a.Board, a.Scans = nil, s.scanned
	err := s.dead.refresh(ctx, a.Queue, s.own.pace)
	if err == nil {
		err = s.readOn(ctx, a)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookedErr = err
	return err
}

func (s *Board) readOn(ctx context.Context, a Admin) error {
	links, err := a.links(ctx)
	if err != nil {
		return err
	}
	links = slices.DeleteFunc(links, func(k linkInfo) bool { return !k.stored })
	if err := s.readRetries(ctx, a); err != nil {
		return err
	}
	b, fits, err := s.fitting(ctx, links)
	if err != nil {
		return err
	}
	if !fits {
		if b, err = s.begin(ctx, a, links); err != nil {
			return err
		}
	}
	before := b.mark
	if err := b.catchUp(ctx); err != nil {
		return err
	}
	if fits && before.Events == b.mark.Events && before.History == b.mark.History && time.Since(s.own.counted) < standEvery {
		return nil
	}
	sums, err := b.sums(ctx, s.own.retries)
	if err != nil {
		return err
	}
	s.own.counted = time.Now()
	return s.publish(ctx, a, b, links, sums)
}

// fitting is the board that is there, where it is of these links and of these streams.
func (s *Board) fitting(ctx context.Context, links []linkInfo) (*board, bool, error) {
	b := s.b // the reader alone writes it
	if b == nil || linksHash(b.links) != linksHash(links) {
		return nil, false, nil
	}
	for stream, at := range map[string]placed{event.EventsStream: b.mark.Events, event.HistoryStream: b.mark.History} {
		if same, err := b.reaches(ctx, stream, at); err != nil || !same {
			return nil, false, err
		}
	}
	return b, true, nil
}

// begin reads what is kept in STATE. What is not kept, all of it where nothing is, is read then.
func (s *Board) begin(ctx context.Context, a Admin, links []linkInfo) (*board, error) {
	s.share.Store(0)
	for {
		b := newBoard(a, links)
		if err := b.load(ctx); err != nil {
			return nil, err
		}
		wasKept := b.kept
		if err := errors.Join(b.loadHours(ctx), b.readBlocks(ctx)); errors.Is(err, errCounts) {
			b, wasKept = newBoard(a, links), false
		} else if err != nil {
			return nil, err
		}
		b.kept = false // from here on it is in memory, whatever the worker does with what is kept
		again := newBoard(a, links)
		if err := again.load(ctx); err != nil {
			return nil, err
		}
		if wasKept && !again.kept {
			continue // the worker has begun anew meanwhile, and taken parts away that were still to be read
		}
		if !wasKept {
			b.blocks = map[uint64]*boardBlock{}
		}
		n := 0
		b.step = func(ctx context.Context) error {
			if n++; n%keepStep != 0 {
				return nil
			}
			return s.own.pace.WaitN(ctx, keepStep)
		}
		if !wasKept { // it is a long way, of which nobody is told: the ring is read at its end
			if err := b.catchUp(ctx); err != nil {
				return nil, err
			}
		}
		s.own.fresh, s.own.touched = nil, map[uint64]bool{}
		b.came = func(e event.Event) { s.own.came(s.desk().rowOf(e)) }
		b.changed = func(place uint64) {
			if place+2*ringMost > b.mark.Events.Sequence { // of what is older nobody is told
				s.own.touched[place] = true
			}
		}
		return b, nil
	}
}

// scanned notes how far a long reading is. EVENTS come first, then HISTORY.
func (s *Board) scanned(x Scanned) {
	if x.Total == 0 {
		return
	}
	const half = 500
	share := half * int64(x.Done) / int64(x.Total)
	if x.Stream == event.HistoryStream {
		share += half
	}
	s.share.Store(share)
}

// readRetries reads what waits: where something has changed, and so seldom that it takes no more than a twentieth of the
// time. It comes before HISTORY: what is settled in between counts as waiting.
func (s *Board) readRetries(ctx context.Context, a Admin) error {
	held, err := a.Queue.Extent(ctx, event.RetriesStream)
	if err != nil {
		return err
	}
	const seldom, quick = 20, 20 * time.Millisecond
	if held.SameAs(s.own.retriesOf) || s.own.took > quick && time.Since(s.own.retriesAt) < seldom*s.own.took {
		return nil
	}
	began := time.Now()
	list, err := a.retriesNow(ctx)
	if err != nil {
		return err
	}
	s.own.retries, s.own.retriesOf, s.own.retriesAt, s.own.took = list, held, time.Now(), time.Since(began)
	s.own.counted = time.Time{}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = waitingList{held, list}
	return nil
}

// publish makes what was read the board of those who look, and tells the followers.
func (s *Board) publish(ctx context.Context, a Admin, b *board, links []linkInfo, sums boardSums) error {
	fresh, touched := s.own.fresh, s.own.touched
	s.own.fresh, s.own.touched = nil, map[uint64]bool{}
	held, err := a.Queue.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	gaps, err := a.Queue.Client().Gaps(ctx, event.EventsStream)
	if err == nil {
		err = b.packOld(held.First)
	}
	if err != nil {
		return err
	}
	filled := s.b == b
	var newest []ringRow
	var all bool
	if !filled { // first the newest few, so that a page has something to show
		if newest, all, err = s.readNewest(ctx, a, b, ringFirst); err != nil {
			return err
		}
	}
	s.mu.Lock()
	s.b, s.sums, s.links = b, sums, links
	s.upTo = reached{b.mark.Events.Sequence, b.mark.History.Sequence, uint64(len(gaps))}
	s.share.Store(allRead)
	if !filled {
		s.ring.begin(newest, all)
	} else {
		s.ring.add(fresh)
	}
	s.ring.forget(held.First, gaps)
	rows := s.rowsToTell(fresh, touched)
	s.mu.Unlock()
	s.tell(rows)
	if filled {
		return nil
	}
	b.bodies = true
	older, all, err := s.readNewest(ctx, a, b, ringMost)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring.begin(older, all)
	s.ring.forget(held.First, gaps)
	return nil
}

// allRead is the share of a board that has read all, in thousandths.
const allRead = 1000

// counts are the board and what it says, for who asks for outcomes. ErrReading.
func (s *Board) counts(ctx context.Context) (*board, boardSums, error) {
	if err := s.fresh(ctx); err != nil {
		return nil, boardSums{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.b == nil {
		return nil, boardSums{}, s.readingErr()
	}
	return s.b, s.sums, nil
}

// readingErr is why there is no board yet. mu is held.
func (s *Board) readingErr() error {
	if s.lookedErr != nil {
		return s.lookedErr
	}
	return ErrReading
}

// Share is how much of what there is to read was read, from 0 to 1.
func (s *Board) Share() float64 { return float64(s.share.Load()) / allRead }

// away reports that nobody answers.
func (s *Board) away() error {
	if !s.desk().Reachable() {
		return ErrAway
	}
	return nil
}

// fresh waits a moment for what was written by now, so that who has just done something sees it.
func (s *Board) fresh(ctx context.Context) error {
	s.asked.Store(time.Now().UnixNano())
	if err := s.away(); err != nil {
		return err
	}
	q := s.desk().Queue
	log, err := q.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	history, err := q.Extent(ctx, event.HistoryStream)
	if err != nil {
		return err
	}
	gone := log.Last + 1 - log.First - log.Messages
	s.mu.RLock()
	at, there := s.upTo, s.b != nil
	s.mu.RUnlock()
	if there && at.events >= log.Last && at.history >= history.Last && at.gone == gone {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, freshWithin)
	defer cancel()
	_ = s.reads.await(within) // else what is there is shown
	if there && at.gone == gone {
		return nil
	}
	gaps, err := q.Client().Gaps(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring.forget(log.First, gaps) // nobody who was erased is shown, however far the reading is
	return nil
}

// deadNow is the index of DEADLETTERS as of now. ErrReading.
func (s *Board) deadNow(ctx context.Context) (*deadIndex, error) {
	s.asked.Store(time.Now().UnixNano())
	if err := s.away(); err != nil {
		return nil, err
	}
	if !s.dead.whole.Load() { // the first reading may take long
		within, cancel := context.WithTimeout(ctx, freshWithin)
		defer cancel()
		if _ = s.reads.await(within); !s.dead.whole.Load() {
			return nil, ErrReading
		}
	}
	return &s.dead, s.dead.refresh(ctx, s.desk().Queue, nil)
}

// retriesNow is what waits, as of now where that can be had within a moment. ErrReading.
func (s *Board) retriesNow(ctx context.Context) ([]queue.Retry, error) {
	s.asked.Store(time.Now().UnixNano())
	if err := s.away(); err != nil {
		return nil, err
	}
	held, err := s.desk().Queue.Extent(ctx, event.RetriesStream)
	if err != nil {
		return nil, err
	}
	now := s.waiting()
	if !now.of.SameAs(held) {
		within, cancel := context.WithTimeout(ctx, freshWithin)
		defer cancel()
		_ = s.reads.await(within) // else what is there is shown
		now = s.waiting()
	}
	if now.of.At.IsZero() {
		return nil, ErrReading
	}
	return now.list, nil
}

func (s *Board) waiting() waitingList {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.waits
}

// deadRows are the letters that a filter selects: the first so many, and how many there are.
func (s *Board) deadRows(ctx context.Context, a Admin, f Filter, cause string, limit int) ([]queue.DeadLetter, int, error) {
	dead, err := s.deadNow(ctx)
	if err != nil {
		return nil, 0, err
	}
	sequences, total := dead.found(f, cause, limit)
	list, err := a.deadLettersAt(ctx, sequences)
	return list, total, err
}

// standNow asks the server how links stand.
func (s *Board) standNow(ctx context.Context) error {
	a := s.desk()
	now := standing{at: time.Now()}
	now.links, now.err = a.Links(ctx)
	if now.err == nil {
		now.sizes, now.err = a.Queue.Sizes(ctx)
	}
	if now.err == nil {
		now.alerts, now.err = a.alerts(ctx)
	}
	if now.err == nil && s.dead.whole.Load() {
		now.err = s.dead.refresh(ctx, a.Queue, nil)
		now.causes = s.dead.grouped(Filter{})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.err != nil {
		s.stand.err = now.err
		return now.err
	}
	s.stand = now
	return nil
}

// Standing is how links and sites stand.
type Standing struct {
	At        time.Time
	Read      float64        // share of what there is to read that was read; below 1 outcomes and sites are not known yet
	Links     []LinkStatus   // with their outcomes, where these are known
	Sites     []SourceStatus // where they are known
	Sizes     []queue.StreamSize
	Attention []Attention
}

// Standing says how links and sites stand, by the Board where there is one.
func (a Admin) Standing(ctx context.Context) (Standing, error) {
	if a.Board != nil {
		return a.Board.Standing(ctx)
	}
	links, sites, err := a.LinksWithOutcomes(ctx)
	return Standing{At: a.now(), Read: 1, Links: links, Sites: sites}, err
}

// Standing gives it as of a moment ago; where that is too long ago, it is asked for.
func (s *Board) Standing(ctx context.Context) (Standing, error) {
	watched := s.watched()
	s.asked.Store(time.Now().UnixNano())
	if err := s.away(); err != nil {
		return Standing{}, err
	}
	s.mu.RLock()
	old, never := time.Since(s.stand.at) > standLimit, s.stand.at.IsZero()
	s.mu.RUnlock()
	if old && !never { // nothing can be shown without it: a server that is slow is waited for, a first reading is said to go on
		_ = s.stands.await(ctx)
	}
	if old || !watched { // who comes back in the morning does not see the evening
		s.Refresh(ctx)
	}
	return s.shown()
}

// Refresh waits until the board has all that was written before it, for who has just changed something.
func (s *Board) Refresh(ctx context.Context) {
	within, cancel := context.WithTimeout(ctx, freshWithin)
	defer cancel()
	s.reads.poke()
	_ = s.stands.await(within) // else what is there is shown
	_ = s.reads.await(within)
}

func (s *Board) shown() (Standing, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.stand
	if time.Since(now.at) > standLimit {
		if now.err == nil {
			now.err = ErrReading
		}
		return Standing{}, now.err
	}
	a := s.desk()
	out := Standing{At: now.at, Read: s.Share(), Links: slices.Clone(now.links), Sizes: now.sizes}
	if s.b != nil {
		for i := range out.Links {
			c, counted := s.sums.links[out.Links[i].ID]
			if !counted {
				continue
			}
			out.Links[i].Outcomes = &c
			if t, ok := s.sums.success[out.Links[i].ID]; ok {
				out.Links[i].Success = &t
			}
		}
		out.Sites = s.sums.sources(a)
	}
	out.Attention = s.seen.dated(out.attention(now.causes, now.alerts), now.at)
	return out, nil
}

// Hours are the last n hours of a link, this one last. None is known until the board has read all once.
func (s *Board) Hours(link string, n int) []Hour {
	s.mu.RLock()
	b := s.b
	s.mu.RUnlock()
	if b == nil {
		b = newBoard(s.desk(), nil)
	}
	return b.lastHours(link, n)
}
