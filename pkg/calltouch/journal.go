package calltouch

import (
	"context"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// journalSpan is how far back the journal is read every journal.every.
const journalSpan = 6 * time.Hour

// pollJournal reads the last hours of the journal every journal.every. Calltouch lists whole
// days, so that around noon and earlier more than the last hours are read; all of it is taken.
func (s *site) pollJournal(ctx context.Context) {
	var last time.Time
	for ctx.Err() == nil {
		begin := time.Now()
		first := s.firstDay(begin, journalSpan, last, s.cfg.Journal.Sweep)
		if s.readDays(ctx, methodCalls, first, s.day(begin), s.readJournal) != nil {
			return
		}
		last = begin
		_ = sleep(ctx, time.Until(begin.Add(s.cfg.Journal.Every)))
	}
}

// readJournal reads one day of the journal. A call that goes on, or that ended too lately for its
// hook to be late, is left for the next time.
func (s *site) readJournal(ctx context.Context, d Day) error {
	o := s.newOffer(ctx, event.Journal)
	err := s.client.Calls(ctx, d, func(r Listed) error {
		if r.inProgress() || r.younger(s.cfg.Journal.Grace, time.Now()) {
			return nil
		}
		return o.take(r)
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
func (s *site) checkShare(r Listed, receipt event.Receipt, now time.Time) {
	found := receipt == event.ReceiptStored
	if !s.cfg.Hooks || !found && receipt != event.ReceiptRepeated {
		return
	}
	missed, all, counted := s.share.add(r.Time, found, s.day(now))
	if !counted {
		return
	}
	if f := s.poller.Observe.Checked; f != nil {
		f(s.cfg.ID, found)
	}
	if missed >= missedCalls && float64(missed) > missedShare*float64(all) && s.warned.due("share", now) {
		s.log.Warn().Int("missed", missed).Int("calls", all).
			Msg("the journal lists calls that no webhook brought: in Calltouch, under Integrations, Webhooks, check the address, the event \"call ended\" and the conditions of the webhook")
	}
}

// share counts the calls of a day and those that the journal alone brought.
type share struct {
	mu          sync.Mutex
	since       time.Time
	day         Day
	missed, all int
}

func (s *share) begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = now
}

// add counts one call that started at start, on the given day of the reading.
func (s *share) add(start time.Time, found bool, today Day) (missed, all int, counted bool) {
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
