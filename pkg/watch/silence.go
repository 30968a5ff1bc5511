package watch

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Silence is an anomaly detector of gaps between hooks: it knows from the log when each site's hooks
// came and how long the site is usually quiet, and finds the one that is quiet for longer. The log and
// not this process decides: of several ingests one may get all the hooks, and each of them must say the
// same.
type Silence struct {
	queue *queue.Queue
	file  func() *link.File
	heard func(site string, at time.Time) // told of the newest hook of each site, the zero time where the log has none

	next   uint64          // first sequence of the log that is still to be read; 0: nothing was read yet
	traced map[string]bool // sites whose newest hook was looked for in the whole log

	mu       sync.Mutex
	sites    map[string]*rhythm
	complete bool // all that the log has was read
}

// hearing is what is known of a site's silence.
type hearing int

const (
	unknownSilence hearing = iota // the log was not read to its end yet, or cannot be read now
	usualSilence
	unusualSilence
)

// rhythm is when a site's hooks came.
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

// NewSilence makes a detector that has read nothing. It tells heard of the newest hook of each site, the
// zero time where the log has none.
func NewSilence(q *queue.Queue, file func() *link.File, heard func(string, time.Time)) *Silence {
	return &Silence{queue: q, file: file, heard: heard, traced: map[string]bool{}, sites: map[string]*rhythm{}}
}

// Run keeps up with the log until ctx ends.
func (s *Silence) Run(ctx context.Context) error {
	for {
		s.catchUp(ctx)
		if wait.Sleep(ctx, silenceEvery) != nil {
			return nil
		}
	}
}

// silenceEvery is how often the log is read, and silenceRate how many events a second at most, some at a time: a silence is not
// noticed before two hours, and a backlog that waits to be delivered is not to wait for it.
const (
	silenceEvery = 15 * time.Second
	silenceRate  = 10_000
	silenceStep  = 50
)

// catchUp reads what the log has got since the last time, at first that of the last days.
func (s *Silence) catchUp(ctx context.Context) {
	o := queue.ScanOptions{From: s.next}
	if s.next == 0 {
		o.Since = time.Now().AddDate(0, 0, -rhythmDays)
	}
	last, err := s.read(ctx, o)
	s.next = max(s.next, last+1)
	if err == nil {
		err = s.trace(ctx)
	}
	s.mu.Lock()
	s.complete = err == nil && ctx.Err() == nil
	s.mu.Unlock()
}

// trace looks in the whole log for the newest hook of the sites that had none in the last days, once
// for each.
func (s *Silence) trace(ctx context.Context) error {
	for _, site := range s.file().Sites {
		if s.traced[site.ID] {
			continue
		}
		if s.last(site.ID).IsZero() {
			if _, err := s.read(ctx, queue.ScanOptions{Subjects: event.SubjectsOf(site.ID, event.Kinds...), From: 1}); err != nil {
				return err
			}
		}
		if s.last(site.ID).IsZero() && site.Key.Set() {
			s.heard(site.ID, time.Time{})
		}
		s.traced[site.ID] = true
	}
	return nil
}

// read takes note of the hooks in a part of the log and returns the last sequence it read.
func (s *Silence) read(ctx context.Context, o queue.ScanOptions) (last uint64, err error) {
	o.HeadersOnly, o.Gently = true, true
	newest := map[string]time.Time{}
	pace, n := rate.NewLimiter(silenceRate, silenceStep), 0
	for e, err := range s.queue.Events(ctx, o) {
		if n++; n%silenceStep == 0 && pace.WaitN(ctx, silenceStep) != nil {
			return last, ctx.Err()
		}
		if err != nil && e.Sequence == 0 {
			return last, err
		}
		last = e.Sequence
		if err != nil || e.Origin != event.Webhook {
			continue // an event that cannot be read tells nothing, and hides no other
		}
		if now := time.Now(); e.Received.After(now) { // by a clock that was set back since
			e.Received = now
		}
		s.hear(e.Key.Site, e.Received)
		newest[e.Key.Site] = e.Received
	}
	for site := range newest {
		s.heard(site, s.last(site))
	}
	return last, ctx.Err()
}

// last is when the newest hook of a site came, as far as it was read.
func (s *Silence) last(site string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.sites[site]; r != nil {
		return r.last
	}
	return time.Time{}
}

// hear notes a hook of a site. One that is older than the newest adds nothing to the gaps.
func (s *Silence) hear(site string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sites[site]
	if r == nil {
		s.sites[site] = &rhythm{last: at, day: dayNumber(at)}
		return
	}
	if at.Before(r.last) {
		return
	}
	r.advance(dayNumber(at))
	today := &r.longest[r.day%rhythmDays]
	*today = max(*today, at.Sub(r.last))
	r.last = at
}

// advance moves the ring buffer to a day: it empties the entries of the days that have begun since the newest.
func (r *rhythm) advance(day int) {
	for r.day = max(r.day, day-rhythmDays); r.day < day; {
		r.day++
		r.longest[r.day%rhythmDays] = 0
	}
}

func dayNumber(t time.Time) int { return int(t.Unix() / (24 * 3600)) }

// of returns how long a site has been silent, and whether that is unusual. A site that was
// never heard, or for less than a day, has no usual gap yet.
func (s *Silence) of(site string, now time.Time) (time.Duration, hearing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.complete {
		return 0, unknownSilence
	}
	r := s.sites[site]
	if r == nil {
		return 0, usualSilence
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
	if days >= 2 && silent > max(leastSilence, time.Duration(silenceFactor*float64(usual))) {
		return silent, unusualSilence
	}
	return silent, usualSilence
}
