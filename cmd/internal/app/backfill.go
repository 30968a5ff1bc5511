package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Backfill asks Calltouch for past days, by a file that holds the tokens of its sites.
func Backfill(q *queue.Queue, file *link.File) admin.Backfill {
	return func(ctx context.Context, d admin.Days, told func(admin.BackfillProgress)) (admin.Backfilled, error) {
		site := file.Site(d.Site)
		if site == nil {
			return admin.Backfilled{}, admin.ErrNoSite
		}
		if site.Token.Value() == "" {
			return admin.Backfilled{}, fmt.Errorf("site %s: %w", site.Name, admin.ErrNoToken)
		}
		span := Span(d, q, file)
		for {
			sum, err := Fill(ctx, Filling{Span: span, Store: q, File: file, DryRun: d.DryRun, Told: told})
			if !errors.Is(err, poll.ErrCommandRuns) {
				return sum, err
			}
			told(admin.BackfillProgress{Waits: err.Error()})
			if err := wait.Sleep(ctx, commandEvery); err != nil {
				return sum, err
			}
		}
	}
}

// commandEvery is between two looks whether the other command has ended that asks Calltouch.
const commandEvery = 5 * time.Second

// Span is what Calltouch is asked for some days of a site of the file.
func Span(d admin.Days, q *queue.Queue, file *link.File) poll.Span {
	span := poll.Span{Site: file.Site(d.Site).Site, From: d.From, To: d.To, Sites: Sites(file), State: NewState(q), Ledger: stock{q}}
	if d.Kind != "" {
		span.Kinds = []event.Kind{d.Kind}
	}
	return span
}

// stock tells what is stored, and nothing of what became of it: who takes events in may not read that.
type stock struct{ q *queue.Queue }

// Lookup tells whether an event is stored.
func (s stock) Lookup(ctx context.Context, key event.Key) (poll.Fate, error) {
	stored, err := s.q.HasEvent(ctx, key)
	return poll.Fate{Stored: stored}, err
}

// Horizon is the moment before which nothing is stored any more.
func (s stock) Horizon(ctx context.Context) (time.Time, error) { return s.q.Horizon(ctx) }

// Filling is a backfill that is to be done.
type Filling struct {
	poll.Span
	Store  *queue.Queue
	File   *link.File
	DryRun bool
	Told   func(admin.BackfillProgress) // may be nil
}

// Fill does a backfill and tells how far it is. Its errors are those of poll.Backfill.
func Fill(ctx context.Context, f Filling) (admin.Backfilled, error) {
	t := &filling{Filling: f, matches: map[string]int{}}
	cfg := poll.BackfillConfig{Span: f.Span, Store: f.Store, DryRun: f.DryRun, Count: t.count}
	if f.DryRun {
		cfg.New = t.match
	}
	show, waiting := cfg.Progress, cfg.Waiting
	cfg.Progress = func(p poll.Progress) {
		t.step(p)
		if show != nil {
			show(p)
		}
	}
	cfg.Waiting = func(err error, before time.Duration) {
		//lint:ignore ST1005 Calltouch is a name, and the text is one of an error: so it is said in the language of who looks
		t.wait(fmt.Errorf("Calltouch: %w; next try in %s", err, before.Round(time.Second)).Error())
		if waiting != nil {
			waiting(err, before)
		}
	}
	counts, err := poll.Backfill(ctx, cfg)
	return t.sum(counts), err
}

// filling is one on its way.
type filling struct {
	Filling
	mu      sync.Mutex
	at      admin.BackfillProgress
	matches map[string]int // of a dry run, by link
}

// sum is what became of the records.
func (f *filling) sum(c poll.BackfillCounts) admin.Backfilled {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sumLocked(c)
}

func (f *filling) sumLocked(c poll.BackfillCounts) admin.Backfilled {
	sum := admin.Backfilled{New: c.New, Known: c.Known, InProgress: c.InProgress, TooOld: c.TooOld, Erased: c.Erased, Aside: c.Aside}
	for link, n := range f.matches {
		if sum.Matches == nil {
			sum.Matches = map[string]int{}
		}
		sum.Matches[link] = n
	}
	return sum
}

// change changes how far it is, and tells of it.
func (f *filling) change(how func(*admin.BackfillProgress)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(&f.at)
	if f.Told != nil {
		f.Told(f.at)
	}
}

func (f *filling) step(p poll.Progress) {
	f.change(func(at *admin.BackfillProgress) { at.Done, at.Total, at.Waits = p.Step, p.Steps, "" })
}

func (f *filling) wait(why string) { f.change(func(at *admin.BackfillProgress) { at.Waits = why }) }

func (f *filling) count(c poll.BackfillCounts) {
	f.change(func(at *admin.BackfillProgress) { at.Sum = f.sumLocked(c) })
}

// match counts the links that would pass an event.
func (f *filling) match(e event.Event) {
	fields, err := calltouch.Parse(e, f.File.View(e.Key.Site))
	if err != nil {
		return
	}
	for _, l := range f.File.Links {
		if !slices.Contains(l.Sites, e.Key.Site) || !slices.Contains(l.Kinds, e.Key.Kind) {
			continue
		}
		if verdict, err := l.Filter(fields); err == nil && verdict.Pass {
			f.mu.Lock()
			f.matches[l.ID]++
			f.mu.Unlock()
		}
	}
}
