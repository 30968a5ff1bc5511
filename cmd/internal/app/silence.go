package app

import (
	"context"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// silence knows how long each site is usually quiet, and finds the one that is quiet for longer.
type silence struct {
	mu      sync.Mutex
	sites   map[string]*rhythm
	waiting map[string]time.Time // newest hook by site while the log is read; nil once it is
}

// rhythm is when a site's events came.
type rhythm struct {
	last    time.Time
	longest [rhythmDays]time.Duration // longest gap that ended on each of the last days
	day     int                       // of the newest entry, in days since 1970
}

const (
	rhythmDays = 7
	// leastSilence is the shortest silence worth a call: a night of a small shop is longer, and
	// stands among its usual gaps after a day.
	leastSilence = 2 * time.Hour
	// silenceFactor is how much longer than the longest usual gap a silence must be.
	silenceFactor = 1.5
)

func newSilence() *silence {
	return &silence{sites: map[string]*rhythm{}, waiting: map[string]time.Time{}}
}

// hook notes a hook that was received.
func (s *silence) hook(o calltouch.Observation) {
	if o.Receipt == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != nil {
		s.waiting[o.Site] = time.Now()
		return
	}
	s.heard(o.Site, time.Now())
}

// remember learns from the log what was usual before this process started. Hooks that come in the
// meantime count after it, because time goes one way here.
func (s *silence) remember(ctx context.Context, q *queue.Queue) error {
	defer s.catchUp()
	for e, err := range q.Events(ctx, queue.ScanOptions{Since: time.Now().AddDate(0, 0, -rhythmDays)}) {
		if err != nil {
			return nil // what is usual is learnt anew
		}
		if e.Origin == event.Webhook {
			s.mu.Lock()
			s.heard(e.Key.Site, e.Received)
			s.mu.Unlock()
		}
	}
	return nil
}

func (s *silence) catchUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for site, at := range s.waiting {
		s.heard(site, at)
	}
	s.waiting = nil
}

// heard notes an event of a site. The caller holds mu.
func (s *silence) heard(site string, at time.Time) {
	r := s.sites[site]
	if r == nil {
		s.sites[site] = &rhythm{last: at, day: dayNumber(at)}
		return
	}
	if at.Before(r.last) {
		return
	}
	r.turn(dayNumber(at))
	today := &r.longest[r.day%rhythmDays]
	*today = max(*today, at.Sub(r.last))
	r.last = at
}

// turn empties the entries of the days that have begun since the newest.
func (r *rhythm) turn(day int) {
	for r.day < day {
		r.day++
		r.longest[r.day%rhythmDays] = 0
	}
}

func dayNumber(t time.Time) int { return int(t.Unix() / (24 * 3600)) }

// quiet returns how long a site has been silent, and whether that is unusual. A site that was
// never heard, or for less than a day, has no usual gap yet.
func (s *silence) quiet(site string, now time.Time) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sites[site]
	if r == nil {
		return 0, false
	}
	var usual time.Duration
	days := 0
	for _, gap := range r.longest {
		if gap > 0 {
			days++
		}
		usual = max(usual, gap)
	}
	silent := now.Sub(r.last)
	return silent, days >= 2 && silent > max(leastSilence, time.Duration(silenceFactor*float64(usual)))
}
