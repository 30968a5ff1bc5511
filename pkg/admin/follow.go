package admin

import (
	"context"
	"maps"
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
