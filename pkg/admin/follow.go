package admin

import (
	"context"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Bounds of a live tail.
const (
	followEvery = time.Second     // between two looks at what became of the events
	followFor   = 5 * time.Minute // how long an event's outcomes are looked after
	followMost  = 1000            // how many events at a time; the oldest is let go
)

// Follow tells of each new event that the query selects, and again when an outcome of it changes,
// until ctx ends, which is no error, or show reports an error. A query with an outcome tells of an
// event when it has it.
func (a Admin) Follow(ctx context.Context, q EventQuery, show func(Row) error) error {
	links, err := a.chosen(ctx, q.Link)
	if err != nil {
		return err
	}
	if a.Board != nil {
		return a.Board.follow(ctx, q, links, show)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fresh, failed := a.arrivals(ctx, q, links)
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	t := tail{show: show, outcome: q.Outcome, read: linkOutcomes{links, a.byKey(ctx)}.row}
	for {
		select {
		case e := <-fresh:
			err = t.add(e)
		case err = <-failed:
		case <-ticker.C:
			err = t.refresh()
		case <-ctx.Done():
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// arrivals reads the log from its end on.
func (a Admin) arrivals(ctx context.Context, q EventQuery, links []linkInfo) (<-chan event.Event, <-chan error) {
	fresh, failed := make(chan event.Event), make(chan error, 1)
	want := q
	want.Outcome = "" // it is not known yet when an event comes
	scan := q.scan(links)
	scan.Since, scan.Follow = a.now(), true
	go func() {
		for e, err := range a.scanLog(ctx, scan) {
			ok := false
			if err == nil {
				ok, err = want.selects(e, linkOutcomes{links: links})
			}
			if err != nil {
				failed <- err
				return
			}
			if !ok {
				continue
			}
			select {
			case fresh <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return fresh, failed
}

// tail are the events that came lately, whose outcomes may still change.
type tail struct {
	show    func(Row) error
	read    func(event.Event) (Row, error) // with the outcomes of now
	outcome event.Outcome
	lately  []followed
}

type followed struct {
	row  Row
	came time.Time
}

func (t *tail) add(e event.Event) error {
	row, err := t.read(e)
	if err != nil {
		return err
	}
	if len(t.lately) >= followMost {
		t.lately = t.lately[1:]
	}
	t.lately = append(t.lately, followed{row, time.Now()})
	return t.tell(row)
}

// refresh shows the events whose outcomes have changed, and lets the settled and the old ones go.
func (t *tail) refresh() error {
	var kept []followed
	for _, f := range t.lately {
		row, err := t.read(f.row.Event)
		if err != nil {
			return err
		}
		if !maps.Equal(row.Outcomes, f.row.Outcomes) {
			if err := t.tell(row); err != nil {
				return err
			}
		}
		f.row = row
		if time.Since(f.came) < followFor && !settled(row) {
			kept = append(kept, f)
		}
	}
	t.lately = kept
	return nil
}

func (t *tail) tell(row Row) error {
	if t.outcome != "" {
		has := false
		for _, o := range row.Outcomes {
			has = has || o == t.outcome
		}
		if !has {
			return nil
		}
	}
	return t.show(row)
}

func settled(row Row) bool {
	for _, o := range row.Outcomes {
		if o == event.Waiting {
			return false
		}
	}
	return true
}

// follower is one who follows the newest events.
type follower struct {
	rows chan Row
	lost atomic.Int64 // rows that came while nobody took them
}

// rowsToTell are the rows of what came and of what has changed. mu is held.
func (b *Board) rowsToTell(fresh []ringRow, touched map[uint64]bool) []Row {
	if len(b.ring.followers) == 0 {
		return nil
	}
	for _, row := range fresh {
		touched[row.place] = true
	}
	places := make([]uint64, 0, len(touched))
	for place := range touched {
		places = append(places, place)
	}
	slices.Sort(places)
	var rows []Row
	for _, place := range places[max(0, len(places)-followMost):] {
		if r, there := b.ring.at(place); there {
			rows = append(rows, b.row(r, b.links))
		}
	}
	return rows
}

// tell gives rows to all who follow. Who does not take them loses them.
func (b *Board) tell(rows []Row) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for f := range b.ring.followers {
		for _, row := range rows {
			select {
			case f.rows <- row:
			default:
				f.lost.Add(1)
			}
		}
	}
}

// follow tells of each new event that the query selects, and again when an outcome of it changes, until ctx ends.
func (b *Board) follow(ctx context.Context, q EventQuery, links []linkInfo, show func(Row) error) error {
	f := &follower{rows: make(chan Row, followMost)}
	b.mu.Lock()
	if b.ring.followers == nil {
		b.ring.followers = map[*follower]struct{}{}
	}
	b.ring.followers[f] = struct{}{}
	b.mu.Unlock()
	b.reads.poke()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.ring.followers, f)
	}()
	t := tail{show: show, outcome: q.Outcome}
	q.Outcome = ""
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case row := <-f.rows:
			reads := q.Link == "" || slices.ContainsFunc(links, func(k linkInfo) bool { return k.reads(row.Event.Key) })
			ok, err := q.selects(row.Event, linkOutcomes{})
			if err == nil && ok && reads && row.Event.Stored.After(began.Add(-followFor)) {
				err = t.tell(row)
			}
			if err != nil {
				return err
			}
		}
	}
}
