package poll

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// gather is how long hooks of form requests are gathered before they wake the poller, and so the
// least time between two polls.
const gather = 2 * time.Second

// firstHour is how far back a poll looks: in the first hour of a day, at yesterday, too.
const firstHour = time.Hour

// pollRequests is the fast loop: every requests.every, and soon after a hook.
func (s *site) pollRequests(ctx context.Context) {
	l := s.newLoop(api.MethodRequests, s.readRequests)
	l.owe(s.owedDays(ctx, event.PolledKey(s.cfg.ID)), time.Now())
	next, woken := s.due(api.MethodRequests, s.cfg.Requests.Every), false
	for ctx.Err() == nil {
		begin := time.Now()
		var wanted []calltouch.Day
		if woken || !begin.Before(next) {
			s.noteRound(api.MethodRequests, begin)
			wanted, next = s.requestDays(begin), begin.Add(s.cfg.Requests.Every)
		}
		read := l.round(ctx, wanted, s.day(begin.Add(-s.cfg.Requests.Sweep)))
		if read[s.day(begin)] {
			s.noteGoodPoll(ctx, mark{Time: begin, Left: l.owed()})
		}
		s.settleSoon()
		if wait.Sleep(ctx, min(gather, s.cfg.Requests.Every)) != nil {
			return
		}
		woken = s.waitForHook(ctx, l.next(next))
	}
}

// waitForHook waits until the moment, or until a hook wakes the loop, which it reports.
func (s *site) waitForHook(ctx context.Context, until time.Time) (woken bool) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.woken:
		return true
	case <-timer.C:
	}
	return false
}

// requestDays are the days that a poll asks for: today, those before it that a poll may have
// missed, and those of the hooks that wait for their record.
func (s *site) requestDays(now time.Time) []calltouch.Day {
	today := s.day(now)
	days := []calltouch.Day{today}
	for d := range calltouch.Days(s.firstDay(now, firstHour, s.lastPolled(), s.cfg.Requests.Sweep), today) {
		if d != today {
			days = append(days, d)
		}
	}
	return s.days.add(days, now)
}

// firstDay is where a fast loop begins to read: at the day of so long ago, or, when it has not
// succeeded since an earlier day, at that one, but no further back than a sweep.
func (s *site) firstDay(now time.Time, back time.Duration, last time.Time, sweep time.Duration) calltouch.Day {
	first := s.day(now.Add(-back))
	if last.IsZero() || !s.day(last).Before(first) {
		return first
	}
	if oldest := now.Add(-sweep); last.Before(oldest) {
		last = oldest
	}
	if d := s.day(last); d.Before(first) {
		return d
	}
	return first
}

// readRequests reads one day of form requests.
func (s *site) readRequests(ctx context.Context, d calltouch.Day) error {
	o := s.newOffer(ctx, event.Poll)
	err := s.client.Requests(ctx, d, func(r calltouch.Listed) error {
		if s.fromHooks() && r.Younger(s.cfg.Requests.Grace, time.Now()) {
			return nil // its hook is on the way
		}
		return o.once(r)
	})
	return o.finish(err)
}

// noteGoodPoll remembers that what was listed at that time is stored, but for the days that are
// left, and tells the other processes, which answer hooks as well, every few seconds.
func (s *site) noteGoodPoll(ctx context.Context, m mark) {
	s.memory.mu.Lock()
	s.memory.polledAt = m.Time
	tell := m.Time.Sub(s.memory.toldAt) >= tellEvery
	s.memory.mu.Unlock()
	if tell && s.state.Put(ctx, event.PolledKey(s.cfg.ID), m) == nil {
		s.memory.mu.Lock()
		s.memory.toldAt = m.Time
		s.memory.mu.Unlock()
	}
}

// owedDays are the days that the last process which polled could not read.
func (s *site) owedDays(ctx context.Context, name string) []calltouch.Day {
	var m mark
	if _, err := s.state.Get(ctx, name, &m); err != nil {
		return nil // the next sweep reads them
	}
	return m.Left
}

// follow learns from STATE when another process polled last.
func (s *site) follow(ctx context.Context) {
	var m mark
	if found, err := s.state.Get(ctx, event.PolledKey(s.cfg.ID), &m); err != nil || !found {
		return
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if m.Time.After(s.memory.polledAt) {
		s.memory.polledAt = m.Time
	}
}

func (s *site) lastPolled() time.Time {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return s.memory.polledAt
}

// grace is how long a hook waits for its record: the file's, and where it has none, two rounds.
func (s *site) grace() time.Duration {
	return cmp.Or(s.cfg.Requests.Grace, 2*s.cfg.Requests.Every)
}

// fresh reports whether the last good poll is no older than the grace. Before the first one, as
// long counts from when this process began.
func (s *site) fresh(now time.Time) bool {
	last := s.lastPolled()
	if last.Before(s.memory.since) {
		last = s.memory.since
	}
	return now.Sub(last) <= s.grace()
}

// journalSpan is how far back the journal is read every journal.every.
const journalSpan = 6 * time.Hour

// pollJournal reads the last hours of the journal every journal.every. Calltouch lists whole
// days, so that around noon and earlier more than the last hours are read; all of it is taken.
func (s *site) pollJournal(ctx context.Context) {
	l := s.newLoop(api.MethodCalls, s.readJournal)
	var last mark // unknown is as good as never
	_, _ = s.state.Get(ctx, event.JournalKey(s.cfg.ID), &last)
	l.owe(last.Left, time.Now())
	next := s.due(api.MethodCalls, s.cfg.Journal.Every)
	for ctx.Err() == nil {
		begin := time.Now()
		var wanted []calltouch.Day
		if !begin.Before(next) {
			s.noteRound(api.MethodCalls, begin)
			first := s.firstDay(begin, journalSpan, last.Time, s.cfg.Journal.Sweep)
			wanted, next = slices.Collect(calltouch.Days(first, s.day(begin))), begin.Add(s.cfg.Journal.Every)
		}
		read := l.round(ctx, wanted, s.day(begin.Add(-s.cfg.Journal.Sweep)))
		if read[s.day(begin)] {
			last = mark{Time: begin, Left: l.owed()}
			_ = s.state.Put(ctx, event.JournalKey(s.cfg.ID), last) // the next round notes it again
		}
		_ = wait.Until(ctx, l.next(next))
	}
}

// readJournal reads one day of the journal. A call that goes on, or that ended too lately for its
// hook to be late, is left for the next time.
func (s *site) readJournal(ctx context.Context, d calltouch.Day) error {
	o := s.newOffer(ctx, event.Journal)
	err := s.client.Calls(ctx, d, func(r calltouch.Listed) error {
		if r.InProgress(time.Now()) || r.Younger(s.cfg.Journal.Grace, time.Now()) {
			return nil
		}
		return o.once(r)
	})
	return o.finish(err)
}

// Of the calls of a day, at least missedCalls in number and missedShare of all must have been
// brought by the journal alone before the hooks are called wrong.
const (
	missedCalls = 5
	missedShare = 0.05
)

// checkShare counts what the hooks did not bring, and warns once a day. Only calls since this
// process polls count: what happened while nobody listened is not the hooks' fault.
func (s *site) checkShare(r calltouch.Listed, receipt event.Receipt, now time.Time) {
	found := receipt == event.ReceiptStored
	if !s.cfg.HasHooks() || !found && receipt != event.ReceiptRepeated {
		return
	}
	missed, all, counted := s.memory.share.add(r.Time, found, s.day(now))
	if !counted {
		return
	}
	s.observe.Checked(s.cfg.ID, found)
	if missed >= missedCalls && float64(missed) > missedShare*float64(all) && s.memory.warned.DueAt("share", now, daily) {
		s.log.Warn().Int("missed", missed).Int("calls", all).
			Msg("the journal lists calls that no webhook brought: in Calltouch, under Integrations, Webhooks, check the address, the event \"call ended\" and the conditions of the webhook")
	}
}

// share counts the calls of a day and those that the journal alone brought.
type share struct {
	mu          sync.Mutex
	since       time.Time
	day         calltouch.Day
	missed, all int
}

func (s *share) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = now
}

// add counts one call that started at start, on the given day of the reading.
func (s *share) add(start time.Time, found bool, today calltouch.Day) (missed, all int, counted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if start.Before(s.since) {
		return 0, 0, false
	}
	if s.day != today {
		s.day, s.missed, s.all = today, 0, 0
	}
	s.all++
	if found {
		s.missed++
	}
	return s.missed, s.all, true
}

const (
	// sweepEvery is the time between the begins of two sweeps.
	sweepEvery = 24 * time.Hour
	// sweepAgain is how old the last sweep of whatever process may be for one that begins to poll
	// to leave it at that: a process that is restarted again and again must not spend Calltouch's
	// daily budget.
	sweepAgain = 6 * time.Hour
)

// sweepMark says in STATE which sweep of a method began last, and what of it is to be done.
type sweepMark struct {
	Time   time.Time       `json:"time"` // when it began
	Window time.Duration   `json:"window,omitempty"`
	Left   []calltouch.Day `json:"left,omitempty"` // not read yet
}

// sweeping is what is swept.
type sweeping struct {
	method string
	window time.Duration // how far back
	read   func(context.Context, calltouch.Day) error
}

// sweep reads the days of the last window, now if none has begun within again, and then once a day. What
// was listed late is found so. A sweep that was broken off goes on where it was. A day that cannot
// be read is asked again behind the others; the next sweep begins even if it never was.
func (s *site) sweep(ctx context.Context, w sweeping, again time.Duration) {
	for ctx.Err() == nil {
		var m sweepMark
		if _, err := s.state.Get(ctx, event.SweptKey(s.cfg.ID, w.method), &m); err != nil {
			_ = wait.Sleep(ctx, tellEvery) // who cannot read STATE cannot store either
			continue
		}
		if now := time.Now(); m.Window < w.window || now.Sub(m.Time) >= again || m.Time.After(now.Add(time.Hour)) { // a clock was wrong
			m = sweepMark{Time: now, Window: w.window, Left: slices.Collect(calltouch.Days(s.day(now.Add(-w.window)), s.day(now)))}
			s.noteSweep(ctx, w.method, m)
		}
		s.sweepDays(ctx, w, m)
		again = sweepEvery
		_ = wait.Until(ctx, m.Time.Add(sweepEvery))
	}
}

// sweepDays reads the days that are left, until the next sweep is due.
func (s *site) sweepDays(ctx context.Context, w sweeping, m sweepMark) {
	waits := newWaits()
	for len(m.Left) > 0 && time.Since(m.Time) < sweepEvery {
		d := m.Left[0]
		err := s.ask(ctx, w.method, d, w.read)
		if ctx.Err() != nil {
			return
		}
		m.Left = slices.Clone(m.Left[1:])
		if err == nil {
			waits.Reset()
			s.noteSweep(ctx, w.method, m)
			continue
		}
		m.Left = append(m.Left, d)
		if wait.Sleep(ctx, askedAgain(waits, err)) != nil {
			return
		}
	}
	s.memory.seen.forget(m.Time.Add(-sweepEvery - time.Hour).Unix()) // the sweep of a day lists all that counts
}

func (s *site) noteSweep(ctx context.Context, method string, m sweepMark) {
	if err := s.state.Put(ctx, event.SweptKey(s.cfg.ID, method), m); err != nil && ctx.Err() == nil {
		s.log.Warn().Err(err).Msg("the sweep cannot be noted")
	}
}
