package poll

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
)

// GapsRow says, for one day and one kind, what Calltouch lists and what of it Touchbox holds:
// Listed = Stored + Missing + InProgress + TooOld.
type GapsRow struct {
	Day        calltouch.Day         `json:"day"`
	Kind       string                `json:"kind"`   // dotted
	Listed     int                   `json:"listed"` // by Calltouch
	Stored     int                   `json:"stored"`
	Missing    int                   `json:"missing"`
	InProgress int                   `json:"in_progress"` // too young to judge: not stored, calls that go on, and what its hook or the next poll may still bring
	TooOld     int                   `json:"too_old"`     // not stored, and happened before the horizon
	Outcomes   map[event.Outcome]int `json:"outcomes"`    // of the stored ones, each once for every link that may take it
	Keys       []string              `json:"missing_keys,omitempty"`
	Unread     bool                  `json:"unread,omitempty"` // Calltouch did not list this day: nothing is known of it
}

// maxMissingKeys bounds GapsRow.Keys: enough to look some up in the cabinet.
const maxMissingKeys = 100

// Gaps compares what Calltouch lists for a span of days with what Touchbox holds. There is a row
// for each day and kind, in the order of the days. Its error is ErrCommandRuns, an *api.Error that
// refuses, or that of ctx, of the ledger or of STATE; with an *UnreadError there are rows all the
// same.
func Gaps(ctx context.Context, span Span) ([]GapsRow, error) {
	steps, err := span.steps(time.Now())
	if err != nil {
		return nil, err
	}
	g := &gaps{span: span, rows: make([]GapsRow, len(steps)), at: map[step]int{}}
	for i, st := range steps {
		g.rows[i] = GapsRow{Day: st.day, Kind: st.kind.Dotted(), Outcomes: map[event.Outcome]int{}}
		g.at[st] = i
	}
	err = announce(ctx, span.State, func(ctx context.Context) error { return g.run(ctx, steps) })
	if _, unread := errors.AsType[*UnreadError](err); err != nil && !unread {
		return nil, err
	}
	return g.rows, err
}

// AnyMissing reports whether something is missing in any row.
func AnyMissing(rows []GapsRow) bool {
	for _, r := range rows {
		if r.Missing > 0 {
			return true
		}
	}
	return false
}

// gaps is one run of Gaps.
type gaps struct {
	span    Span
	horizon time.Time
	at      map[step]int // the row of a step

	mu   sync.Mutex
	rows []GapsRow
}

func (g *gaps) run(ctx context.Context, steps []step) (err error) {
	if g.horizon, err = g.span.Ledger.Horizon(ctx); err != nil {
		return fmt.Errorf("read the horizon: %w", err)
	}
	r := g.span.newReading(steps, 0)
	all := make([]int, len(steps))
	for i := range steps {
		all[i], g.rows[i].Unread = i, true
	}
	err = r.readAll(ctx, all, g.compare, func(i int, _ []int) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.rows[i].Unread = false
	})
	r.tell(len(steps))
	return err
}

// compare counts one record, in the row of its own day: an answer may list a neighbouring one.
func (g *gaps) compare(ctx context.Context, i int, r calltouch.Listed) error {
	if r.Site != "" && r.Site != g.span.Site.ID {
		return nil
	}
	if own, ok := g.at[step{g.span.day(r.Time), r.Kind}]; ok && !r.Time.IsZero() {
		i = own
	}
	now := time.Now()
	young := g.span.unfinished(r, now)
	a := intake.Record(&g.span.Site, r, event.Backfill, now)
	e := a.Event
	key, named := a.Key()
	switch {
	case a.Note.Aside == "":
	case named && r.Untakable() != "": // its hook may have brought it
		e = event.Event{Key: key, Time: r.Time}
	case young:
		g.count(i, func(row *GapsRow) { row.InProgress++ })
		return nil
	default: // no id: nothing can be held under it
		g.count(i, func(row *GapsRow) { row.Missing++ })
		return nil
	}
	fate, err := g.span.Ledger.Lookup(ctx, e.Key)
	if err != nil {
		return err
	}
	g.count(i, func(row *GapsRow) { row.add(e, fate, g.horizon, young) })
	return nil
}

// count counts one record in row i, and what else is to be counted of it.
func (g *gaps) count(i int, f func(*GapsRow)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows[i].Listed++
	f(&g.rows[i])
}

// add counts an event by its fate. What is stored is, however young.
func (row *GapsRow) add(e event.Event, f Fate, horizon time.Time, young bool) {
	switch {
	case f.Stored:
		row.Stored++
		for _, o := range f.Outcomes {
			row.Outcomes[o]++
		}
	case young:
		row.InProgress++
	case !e.Time.IsZero() && e.Time.Before(horizon):
		row.TooOld++
	default:
		row.Missing++
		if len(row.Keys) < maxMissingKeys {
			row.Keys = append(row.Keys, e.Key.String())
		}
	}
}
