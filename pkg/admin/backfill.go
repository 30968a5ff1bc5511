package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// Days are past days of a site of which Calltouch is asked.
type Days struct {
	Site     string // its number
	From, To calltouch.Day
	Kind     event.Kind // "": calls that ended, and form requests
	DryRun   bool       // nothing is stored
}

// Backfilled is what became of what Calltouch listed for some days.
type Backfilled struct {
	New        int            `json:"new"` // stored; of a dry run: would be
	Known      int            `json:"known"`
	InProgress int            `json:"in_progress"` // too young to judge
	TooOld     int            `json:"too_old"`
	Erased     int            `json:"erased"`
	Aside      int            `json:"aside"`
	Matches    map[string]int `json:"matches,omitempty"` // of a dry run, by link: new events that would pass its conditions
}

// Any reports whether anything was listed.
func (b Backfilled) Any() bool {
	return b.New+b.Known+b.InProgress+b.TooOld+b.Erased+b.Aside > 0
}

// BackfillProgress is how far a backfill has come.
type BackfillProgress struct {
	Done, Total int // questions to Calltouch: days times kinds
	Sum         Backfilled
	Waits       string // why it has to ask again, and when it does; "" when it goes on
}

// Backfill stores what Calltouch lists for some days and Touchbox does not have, and tells how far it is, from one
// goroutine at a time. Broken off, it goes on where it was when it is asked for the same days within a day.
type Backfill func(ctx context.Context, d Days, told func(BackfillProgress)) (Backfilled, error)

var (
	// ErrDays reports days that are none, or none of the past.
	ErrDays = errors.New("name days as in 2026-11-01: the first not behind the last, and none that is to come")
	// ErrNoSite reports a site that the file does not have.
	ErrNoSite = errors.New("the site is not in the file")
	// ErrNoToken reports a site of which Calltouch cannot be asked.
	ErrNoToken = errors.New("the site has no API token in the file, so Calltouch cannot be asked")

	errNoBackfill = errors.New("nobody here can ask Calltouch")
)

// days are those that the work names. ErrDays, ErrNoToken, ErrNoSite.
func (a Admin) days(w Work) (Days, error) {
	site := a.File.Site(w.Site)
	switch {
	case site == nil:
		return Days{}, fmt.Errorf("%w: %s", ErrNoSite, w.Site)
	case !site.Token.Set():
		return Days{}, fmt.Errorf("site %s: %w", site.Name, ErrNoToken)
	}
	d := Days{Site: site.ID, Kind: w.Kind, DryRun: w.DryRun}
	var err error
	if d.From, err = calltouch.ParseDay(w.From); err != nil {
		return d, fmt.Errorf("%w (%w)", ErrDays, err)
	}
	if d.To, err = calltouch.ParseDay(w.To); err != nil {
		return d, fmt.Errorf("%w (%w)", ErrDays, err)
	}
	if d.To.Before(d.From) || calltouch.DayOf(a.now(), site.Location).Before(d.From) || w.Kind == event.CallStarted {
		return d, ErrDays
	}
	return d, nil
}

// WorkOfDays is the work of a backfill.
func WorkOfDays(d Days) Work {
	return Work{Site: d.Site, From: d.From.String(), To: d.To.String(), Kind: d.Kind, DryRun: d.DryRun}
}

// daysText says in words which days of which site are fetched.
func daysText(w Work) string {
	text := fmt.Sprintf("site %s, %s to %s", w.Site, w.From, w.To)
	if w.Kind != "" {
		text += ", kind " + w.Kind.Dotted()
	}
	if w.DryRun {
		text += ", dry run"
	}
	return text
}

// changedBy is how much a backfill has changed.
func changedBy(d Days, sum Backfilled) int {
	if d.DryRun {
		return 0
	}
	return sum.New
}

// filling takes word of how far a backfill is: it counts all its steps, those of an earlier run too.
func (r *jobRun) filling(p BackfillProgress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits = p.Waits
	if p.Total > 0 {
		r.counted, r.anew, r.done, r.total, r.filled = true, true, p.Done, p.Total, &p.Sum
	}
}

// fill keeps what became of it.
func (r *jobRun) fill(sum Backfilled) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counted, r.anew, r.filled = true, true, &sum
}

// BackfillByCommand is a backfill as a job that this process alone works at, as ReplayByCommand is a replay.
func (a Admin) BackfillByCommand(ctx context.Context, d Days, do func(context.Context, func(BackfillProgress)) (Backfilled, error)) error {
	return a.byCommand(ctx, a.newJob(JobBackfill, WorkOfDays(d), ""), 0, func(ctx context.Context, r *jobRun) (int, error) {
		sum, err := do(ctx, r.filling)
		r.fill(sum)
		return changedBy(d, sum), err
	})
}
