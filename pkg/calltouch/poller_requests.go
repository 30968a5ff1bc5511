package calltouch

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// gather is how long hooks of form requests are gathered before they wake the poller, and so the
// least time between two polls.
const gather = 2 * time.Second

// firstHour is how far back a poll looks: in the first hour of a day, at yesterday, too.
const firstHour = time.Hour

// pollRequests is the fast loop: every requests.every, and soon after a hook.
func (s *site) pollRequests(ctx context.Context) {
	for ctx.Err() == nil {
		begin := time.Now()
		first := s.firstDay(begin, firstHour, s.lastPolled(), s.cfg.Requests.Sweep)
		if s.readDays(ctx, methodRequests, first, s.day(begin), s.readRequests) != nil {
			return
		}
		s.noteGoodPoll(ctx, begin)
		if sleep(ctx, min(gather, s.cfg.Requests.Every)) != nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-s.woken:
		case <-time.After(time.Until(begin.Add(s.cfg.Requests.Every))):
		}
	}
}

// firstDay is where a fast loop begins to read: at the day of so long ago, or, when it has not
// succeeded since an earlier day, at that one, but no further back than a sweep.
func (s *site) firstDay(now time.Time, back time.Duration, last time.Time, sweep time.Duration) Day {
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

// sweep reads the days of the last window at start, and then once a day. What was listed late is
// found so.
func (s *site) sweep(ctx context.Context, method string, window time.Duration, read func(context.Context, Day) error) {
	for ctx.Err() == nil {
		begin := time.Now()
		if s.readDays(ctx, method, s.day(begin.Add(-window)), s.day(begin), read) != nil {
			return
		}
		s.seen.forget(begin.Add(-25 * time.Hour).Unix()) // the sweep of a day lists all that counts
		if err := s.poller.State.Put(ctx, sweptName(s.cfg.ID, method), mark{begin}); err != nil {
			s.log.Warn().Err(err).Msg("the sweep cannot be noted")
		}
		_ = sleep(ctx, time.Until(begin.Add(24*time.Hour)))
	}
}

// readDays reads day after day, each until it succeeds. Its only error is that of ctx.
func (s *site) readDays(ctx context.Context, method string, first, last Day, read func(context.Context, Day) error) error {
	for d := range Days(first, last) {
		err := retry(ctx, func() error {
			err := read(ctx, d)
			if s.poller.Observe.Asked != nil && ctx.Err() == nil {
				s.poller.Observe.Asked(s.cfg.ID, method, err)
			}
			return err
		}, nil, s.noteFailure(method, d))
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// noteFailure logs why a day could not be read, the first time and then every tenth, some ten
// minutes apart. A refused token is a person's affair, the rest passes.
func (s *site) noteFailure(method string, d Day) func(error, time.Duration) {
	failures := 0
	return func(err error, wait time.Duration) {
		if failures++; failures%10 != 1 {
			return
		}
		line, text := s.log.Warn(), "what Calltouch lists cannot be stored; it will be asked again"
		if api := (*APIError)(nil); errors.As(err, &api) {
			text = "Calltouch was not read; it will be asked again"
			if api.Refused() {
				line, text = s.log.Error(), "Calltouch refuses to be read: check the API token and the site id"
			}
		}
		line.Err(err).Str("method", method).Stringer("day", d).Dur("wait", wait.Round(time.Millisecond)).Msg(text)
	}
}

// readRequests reads one day of form requests.
func (s *site) readRequests(ctx context.Context, d Day) error {
	o := s.newOffer(ctx, event.Poll)
	err := s.client.Requests(ctx, d, func(r Listed) error {
		if s.cfg.Requests.FromHook && r.younger(s.cfg.Requests.Grace, time.Now()) {
			return nil // its hook is on the way
		}
		return o.take(r)
	})
	return o.finish(err)
}

// noteGoodPoll remembers that everything listed at begin is stored, and tells the other
// processes, which answer hooks as well, every few seconds.
func (s *site) noteGoodPoll(ctx context.Context, begin time.Time) {
	s.mu.Lock()
	s.polled = begin
	tell := begin.Sub(s.told) >= leaseRenewal
	s.mu.Unlock()
	if tell && s.poller.State.Put(ctx, polledName(s.cfg.ID), mark{begin}) == nil {
		s.mu.Lock()
		s.told = begin
		s.mu.Unlock()
	}
}

// follow learns from STATE when another process polled last.
func (s *site) follow(ctx context.Context) {
	var m mark
	if found, err := s.poller.State.Get(ctx, polledName(s.cfg.ID), &m); err != nil || !found {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Time.After(s.polled) {
		s.polled = m.Time
	}
}

func (s *site) lastPolled() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.polled
}

// fresh reports whether the last good poll is no older than the grace; where there is none, than
// two rounds.
func (s *site) fresh(now time.Time) bool {
	last := s.lastPolled()
	return !last.IsZero() && now.Sub(last) <= cmp.Or(s.cfg.Requests.Grace, 2*s.cfg.Requests.Every)
}
