package calltouch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// GapsRow says, for one day and one kind, what Calltouch lists and what of it Touchbox holds:
// Listed = Stored + Missing + InProgress + TooOld.
type GapsRow struct {
	Day        Day                   `json:"day"`
	Kind       string                `json:"kind"`   // dotted
	Listed     int                   `json:"listed"` // by Calltouch
	Stored     int                   `json:"stored"`
	Missing    int                   `json:"missing"`
	InProgress int                   `json:"in_progress"` // calls that go on, and what its hook or the next poll may still bring
	TooOld     int                   `json:"too_old"`     // not stored, and happened before the horizon
	Outcomes   map[event.Outcome]int `json:"outcomes"`    // of the stored ones, each once for every link that may take it
	Keys       []string              `json:"missing_keys,omitempty"`
}

// maxMissingKeys bounds GapsRow.Keys: enough to look some up in the cabinet.
const maxMissingKeys = 100

// Gaps compares what Calltouch lists for a span of days with what Touchbox holds. There is a row
// for each day and kind, in the order of the days. Its error is ErrCommandRuns, an *APIError that
// refuses, or that of ctx, of the ledger or of STATE.
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
	if err := announce(ctx, span.State, func(ctx context.Context) error { return g.run(ctx, steps) }); err != nil {
		return nil, err
	}
	return g.rows, nil
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
	r := g.span.reading(steps, 0)
	for i := range steps {
		err := r.read(ctx, i, func(ctx context.Context, rec Listed) error { return g.take(ctx, i, rec) })
		if err != nil {
			return err
		}
	}
	r.tell(len(steps))
	return nil
}

// take counts one record, in the row of its own day: an answer may list a neighbouring one.
func (g *gaps) take(ctx context.Context, i int, r Listed) error {
	if r.Site != "" && r.Site != g.span.Site.ID {
		return nil
	}
	if own, ok := g.at[step{g.span.day(r.Time), r.Kind}]; ok && !r.Time.IsZero() {
		i = own
	}
	now := time.Now()
	if g.span.unfinished(r, now) {
		g.count(i, func(row *GapsRow) { row.InProgress++ })
		return nil
	}
	e, _, reason := r.event(g.span.Site, event.Backfill, now)
	if reason != "" { // no id: nothing can be held under it
		g.count(i, func(row *GapsRow) { row.Missing++ })
		return nil
	}
	fate, err := g.span.Ledger.Lookup(ctx, e.Key)
	if err != nil {
		return err
	}
	g.count(i, func(row *GapsRow) { row.add(e, fate, g.horizon) })
	return nil
}

func (g *gaps) count(i int, f func(*GapsRow)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.rows[i].Listed++
	f(&g.rows[i])
}

func (row *GapsRow) add(e event.Event, f Fate, horizon time.Time) {
	switch {
	case f.Stored:
		row.Stored++
		for _, o := range f.Outcomes {
			row.Outcomes[o]++
		}
	case !e.Time.IsZero() && e.Time.Before(horizon):
		row.TooOld++
	default:
		row.Missing++
		if len(row.Keys) < maxMissingKeys {
			row.Keys = append(row.Keys, e.Key.String())
		}
	}
}
