package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Bounds of a replay, so that live traffic beside it does not slow down.
const (
	mostHeld  = 1000 // replayed events of one link that wait in RETRIES at a time
	enoughOut = 750  // and below which it goes on
	atOnce    = 8    // items given back at a time
	lookEvery = 300 * time.Millisecond
)

// Replay says how items are replayed. Zero fields change nothing of how they were sent.
type Replay struct {
	Revision string  // short name of a correction: part of the transaction's id, so Mindbox executes it anew
	As       string  // id of the link that now does the work of a renamed one
	Rate     float64 // at most so many a second; 0 means no limit but mostHeld

	// Progress is told, by one goroutine at a time, after each item and, with Held, while the
	// replay waits for the link to work off what it has; nil tells nobody.
	Progress func(Progress)
}

// Progress is how far a replay has come.
type Progress struct {
	Done, Total int
	Held        int // not 0: so many wait for the link, and the replay for them
}

// Result is what became of the items.
type Result struct {
	Replayed int `json:"replayed"`
	UnderWay int `json:"under_way"` // refused: a retry or another replay of the event waits already
	Vanished int `json:"vanished"`  // no longer there: replayed by somebody else, dropped or deleted by age
	Pinned   int `json:"pinned"`    // of the replayed: they keep the endpoint and operation of their first attempt
	Left     int `json:"left"`      // not tried, because their link is halted

	Halted []Halt `json:"halted,omitempty"`
}

// Halt is a link over which nothing is sent now.
type Halt struct {
	Link  string `json:"link"`
	State string `json:"state"` // stopped, parked or gone
	Why   string `json:"why,omitempty"`
}

// ErrGone reports dead letters of a link that is not in the file.
var ErrGone = errors.New("the link is not in the file: name the link that does its work now with --as")

// ErrRevision reports a replay of delivered events without the name of a correction: Mindbox
// would take each for a repeat and execute none.
var ErrRevision = errors.New("delivered events need a revision: without one Mindbox takes them for repeats and does nothing")

// Run gives the items back to their links, each under the transaction's id that it had. It can be
// interrupted at any moment: each dead letter is then where it was or waits in RETRIES, and the
// same selection goes on. Items of a link that is stopped or parked are left where they are; so
// are those behind them when that happens on the way.
func (a Admin) Run(ctx context.Context, items []Item, r Replay) (Result, error) {
	run := replay{Admin: a, Replay: r, total: len(items), held: map[string]int{}, halted: map[string]bool{}, pace: rate.NewLimiter(rate.Inf, 1)}
	if r.Rate > 0 {
		run.pace.SetLimit(rate.Limit(r.Rate))
	}
	if err := run.check(ctx, items); err != nil {
		return Result{}, err
	}
	err := run.all(ctx, items)
	return run.result, err
}

// replay is a run on its way.
type replay struct {
	Admin
	Replay
	pace   *rate.Limiter
	held   map[string]int  // at most so many of a link's replayed events wait in RETRIES
	halted map[string]bool // links that were found halted
	looked time.Time       // when the halts were last asked for

	mu     sync.Mutex // of the rest, and of Progress
	result Result
	done   int
	total  int
}

// all gives the items back, some at a time: each takes three synced writes of the server.
func (r *replay) all(ctx context.Context, items []Item) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	feed := func() error {
		for _, item := range items {
			link := r.target(item)
			if err := r.room(ctx, link); err != nil {
				return err
			}
			if r.halted[link] {
				r.count(func(result *Result) { result.Left++ })
				continue
			}
			if err := r.pace.Wait(ctx); err != nil {
				return err
			}
			r.held[link]++
			group.Go(func() error { return r.one(ctx, item) })
		}
		return nil
	}
	fed := feed()
	return cmp.Or(group.Wait(), fed)
}

// count counts an item that is through.
func (r *replay) count(how func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	how(&r.result)
	r.done++
	if r.Progress != nil {
		r.Progress(Progress{Done: r.done, Total: r.total})
	}
}

// wait tells that the replay waits for a link.
func (r *replay) wait(held int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Progress != nil {
		r.Progress(Progress{Done: r.done, Total: r.total, Held: held})
	}
}

// target is the link that handles an item.
func (r *replay) target(item Item) string {
	if r.As != "" {
		return r.As
	}
	return item.Link
}

// check refuses what cannot be replayed before anything is. Items of a link that is gone are left;
// when there are no others, that is an error.
func (r *replay) check(ctx context.Context, items []Item) error {
	gone := 0
	for _, item := range items {
		if item.Outcome == event.Delivered && r.Revision == "" {
			return ErrRevision
		}
		if link := r.target(item); r.File.Link(link) == nil {
			gone++
			r.halt(Halt{Link: link, State: StateGone, Why: ErrGone.Error()})
		}
	}
	if gone > 0 && gone == len(items) {
		return fmt.Errorf("%s: %w", r.target(items[0]), ErrGone)
	}
	return r.look(ctx)
}

// halt remembers that nothing goes over a link in this run.
func (r *replay) halt(h Halt) {
	if !r.halted[h.Link] {
		r.halted[h.Link] = true
		r.result.Halted = append(r.result.Halted, h)
	}
}

func (r *replay) one(ctx context.Context, item Item) error {
	letter, err := r.letter(ctx, item)
	if err == nil {
		err = r.Queue.Replay(ctx, letter, queue.ReplayOptions{Revision: r.Revision, As: r.As})
	}
	switch {
	case errors.Is(err, queue.ErrUnderWay):
		r.count(func(result *Result) { result.UnderWay++ })
		return nil
	case errors.Is(err, queue.ErrConflict), errors.Is(err, queue.ErrNotFound):
		r.count(func(result *Result) { result.Vanished++ })
		return nil
	case err != nil:
		return fmt.Errorf("replay %s of link %s: %w", item.Key, item.Link, err)
	}
	if err := r.note(ctx, item); err != nil {
		return err
	}
	r.count(func(result *Result) {
		result.Replayed++
		if letter.Pin != nil {
			result.Pinned++
		}
	})
	return nil
}

// note says in the history that a person asked for it. It carries no outcome: as long as the event
// waits in RETRIES that says enough.
func (r *replay) note(ctx context.Context, item Item) error {
	note := queue.Record{Link: r.target(item), Note: NoteReplayed, Revision: r.Revision}
	if note.Link != item.Link {
		note.As = item.Link
	}
	return r.Queue.Note(ctx, item.Key, note)
}
