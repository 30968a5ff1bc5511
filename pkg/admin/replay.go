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
	"github.com/touchbox/touchbox/pkg/wait"
)

// Bounds of a replay, so that live traffic beside it does not slow down.
const (
	mostHeld   = 1000                   // replayed events of one link that wait in RETRIES at a time
	goOnAt     = 750                    // at which it goes on again
	atOnce     = 8                      // items given back at a time
	haltsEvery = 300 * time.Millisecond // between two looks at which links are halted
	catchUp    = time.Second            // of a replay with a pace: what it may be behind and still catch up with
)

// ReplayOptions say how items are replayed. Zero fields change nothing of how they were sent.
type ReplayOptions struct {
	Revision string  // short name of a correction: part of the transaction's id, so Mindbox executes it anew
	As       string  // id of the link that now does the work of a renamed one
	Rate     float64 // at most so many a second; 0 means no limit but mostHeld

	Of  Selection // that found the items, for the audit
	Why string    // likewise

	// Patience is how long a replay waits for a link that works off nothing of what it has; then the
	// rest is left, as for a link that is halted. 0 means ten minutes.
	Patience time.Duration

	// Progress is told, by one goroutine at a time, after each item and, with Held, while the
	// replay waits for the link to work off what it has; nil tells nobody.
	Progress func(Progress)

	again bool // an earlier run may have died between giving back an item and saying so
}

// target is the link that handles an item.
func (o ReplayOptions) target(item Item) string {
	if o.As != "" {
		return o.As
	}
	return item.Link
}

// Progress is how far a replay has come.
type Progress struct {
	Done, Total int
	Replayed    int // of those that are done
	Held        int // not 0: so many wait for the link, and the replay for them
}

// Result is what became of the items.
type Result struct {
	Replayed int `json:"replayed"`
	UnderWay int `json:"under_way"` // refused: a retry or another replay of the event waits already
	Vanished int `json:"vanished"`  // no longer there: replayed by somebody else, dropped or deleted by age
	Pinned   int `json:"pinned"`    // of the replayed: they keep the endpoint and operation of their first attempt
	Left     int `json:"left"`      // not tried, because their link is halted
	Failed   int `json:"failed"`    // what the server answered is in the error; they are where they were

	Halted []Halt `json:"halted,omitempty"`
}

// Halt is a link over which nothing is sent now.
type Halt struct {
	Link  string `json:"link"`
	State string `json:"state"` // stopped, parked, gone, idle or, for events that were tried out, shadow
	Why   string `json:"why,omitempty"`
}

// ErrGone reports dead letters of a link that is not in the file.
var ErrGone = errors.New("the link is not in the file: name the link that does its work now with --as")

// ErrRevision reports a replay of delivered events without the name of a correction: Mindbox
// would take each for a repeat and execute none.
var ErrRevision = errors.New("delivered events need a revision: without one Mindbox takes them for repeats and does nothing")

// ErrShadow reports events that a link tried out, while it still does: it would try them out once more.
var ErrShadow = errors.New("the link still has mode: shadow, so nothing would be sent: set mode: live first")

// Replay gives the items back to their links, each under the transaction's id that it had. It can be
// interrupted at any moment: each dead letter is then where it was or waits in RETRIES, and the
// same selection goes on. When ctx ends, what is begun is finished. Items of a link that is stopped or parked are left where they are; so
// are those behind them when that happens on the way.
func (a Admin) Replay(ctx context.Context, items []Item, o ReplayOptions) (Result, error) {
	var result Result
	_, err := a.inBulk(ctx, AuditEntry{Verb: VerbReplay, On: o.Of.Text(), Why: o.Why, Found: len(items)}, func() (n int, err error) {
		result, err = a.replay(ctx, items, o)
		return result.Replayed, err
	})
	return result, err
}

func (a Admin) replay(ctx context.Context, items []Item, o ReplayOptions) (Result, error) {
	run := replayRun{admin: a, how: o, total: len(items), held: map[string]int{}, halted: map[string]bool{}, pace: paceOf(o.Rate)}
	if err := run.check(ctx, items); err != nil {
		return Result{}, err
	}
	if err := run.giveBackAll(ctx, items); err != nil {
		return run.result, err
	}
	if run.first != nil {
		return run.result, fmt.Errorf("%d of %d could not be replayed, the first: %w", run.result.Failed, run.total, run.first)
	}
	return run.result, nil
}

// paceOf lets so many through a second, 0 any number. What was missed while something else was waited for is caught up
// with, so that the pace is kept; there is nothing to catch up with at the beginning.
func paceOf(most float64) *rate.Limiter {
	if most <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	missed := max(1, int(most*catchUp.Seconds()))
	pace := rate.NewLimiter(rate.Limit(most), missed)
	pace.AllowN(time.Now(), missed-1)
	return pace
}

// replayRun is a replay on its way.
type replayRun struct {
	admin Admin
	how   ReplayOptions

	pace   *rate.Limiter
	held   map[string]int  // at most so many of a link's replayed events wait in RETRIES
	halted map[string]bool // links that were found halted
	asked  time.Time       // when the halts were last asked for

	mu          sync.Mutex // of the rest, and of Progress
	result      Result
	done        int
	total       int
	first       error // of the items that failed
	failedInRow int   // up to now
}

// giveBackAll gives the items back, some at a time: each takes three synced writes of the server.
func (r *replayRun) giveBackAll(ctx context.Context, items []Item) error {
	inHand, end := whole(ctx)
	defer end()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var stopped error
	for _, item := range items {
		if stopped = r.waitFor(ctx, item); stopped != nil {
			break
		}
		link := r.how.target(item)
		if r.halted[link] {
			r.count(func(result *Result) { result.Left++ })
			continue
		}
		r.held[link]++
		group.Go(func() error { return r.giveBack(inHand, item) })
	}
	return cmp.Or(group.Wait(), stopped)
}

// waitFor waits until the link of an item has room, and the pace allows it; or until the link is found halted.
func (r *replayRun) waitFor(ctx context.Context, item Item) error {
	link := r.how.target(item)
	if err := r.waitForRoom(ctx, link); err != nil || r.halted[link] {
		return err
	}
	return r.pace.Wait(ctx)
}

// wholeWithin is how long what is begun may go on when nothing more is to be begun.
const wholeWithin = 5 * time.Second

// whole is ctx for a thing that is not to end half done: it outlives ctx by a moment.
func whole(ctx context.Context) (longer context.Context, end func()) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(wholeWithin, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

// count counts an item that is through.
func (r *replayRun) count(how func(*Result)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	how(&r.result)
	r.done++
	if r.how.Progress != nil {
		r.how.Progress(Progress{Done: r.done, Total: r.total, Replayed: r.result.Replayed})
	}
}

// tellHeld tells that the replay waits for a link.
func (r *replayRun) tellHeld(held int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.how.Progress != nil {
		r.how.Progress(Progress{Done: r.done, Total: r.total, Replayed: r.result.Replayed, Held: held})
	}
}

// check refuses, before anything is replayed, what cannot be. Items of a link that is gone, or tries them out still, are
// left; when there are no others, that is an error.
func (r *replayRun) check(ctx context.Context, items []Item) error {
	refused := 0
	var why error
	for _, item := range items {
		if item.Outcome == event.Delivered && r.how.Revision == "" {
			return ErrRevision
		}
		state, err := r.refusal(item)
		if err == nil {
			continue
		}
		refused++
		why = cmp.Or(why, fmt.Errorf("%s: %w", r.how.target(item), err))
		r.halt(Halt{Link: r.how.target(item), State: state, Why: err.Error()})
	}
	if refused > 0 && refused == len(items) {
		return why
	}
	return r.findHalts(ctx)
}

// refusal is the state of a link to which an item cannot be given, and why; nil for any other.
func (r *replayRun) refusal(item Item) (state string, why error) {
	switch link := r.admin.File.Link(r.how.target(item)); {
	case link == nil:
		return StateGone, ErrGone
	case link.Shadow && item.Outcome == event.Shadow:
		return StateShadow, ErrShadow
	}
	return "", nil
}

// halt remembers that nothing goes over a link in this run.
func (r *replayRun) halt(h Halt) {
	if !r.halted[h.Link] {
		r.halted[h.Link] = true
		r.result.Halted = append(r.result.Halted, h)
	}
}

// mostFailed is how many items may fail in a row before the replay ends: then it is not
// about them.
const mostFailed = 20

// giveBack gives an item back. One that fails is left where it is, and does not stop the others.
func (r *replayRun) giveBack(ctx context.Context, item Item) error {
	err := sound(func() error { return r.replayItem(ctx, item) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	r.mu.Lock()
	if r.failedInRow++; err == nil {
		r.failedInRow = 0
	}
	r.first = cmp.Or(r.first, err)
	failed := r.failedInRow
	r.mu.Unlock()
	if err != nil {
		r.count(func(result *Result) { result.Failed++ })
	}
	if failed >= mostFailed {
		return err
	}
	return nil
}

// replayItem replays an item and counts what became of it, unless it failed.
func (r *replayRun) replayItem(ctx context.Context, item Item) error {
	dead, err := r.admin.deadLetterOf(ctx, item)
	if err == nil {
		err = r.admin.Queue.Replay(ctx, dead, queue.ReplayOptions{Revision: r.how.Revision, As: r.how.As})
	}
	switch {
	case errors.Is(err, queue.ErrUnderWay):
		r.count(func(result *Result) { result.UnderWay++ })
		return nil
	case errors.Is(err, queue.ErrGivenBack) && r.how.again: // by the run before this one, which did not come to say so
	case errors.Is(err, queue.ErrConflict), errors.Is(err, queue.ErrNotFound), errors.Is(err, queue.ErrGivenBack):
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
		if dead.Pin != nil {
			result.Pinned++
		}
	})
	return nil
}

// note says in the history that a person asked for it. It carries no outcome: as long as the event
// waits in RETRIES that says enough.
func (r *replayRun) note(ctx context.Context, item Item) error {
	note := queue.Record{Link: r.how.target(item), Note: NoteReplayed, Trail: event.Trail{Revision: r.how.Revision}}
	if note.Link != item.Link {
		note.As = item.Link
	}
	return r.admin.note(ctx, item.Key, note)
}

// waitForRoom waits until the link has worked off enough of what was replayed to it, or is found halted.
// It asks the server only where the bound may be reached: between two looks no more can wait than
// waited then and was replayed since.
func (r *replayRun) waitForRoom(ctx context.Context, link string) error {
	if err := r.refreshHalts(ctx); err != nil {
		return err
	}
	if r.held[link] < mostHeld-atOnce { // those on their way may not be counted yet
		return nil
	}
	least, since := mostHeld+1, time.Now()
	for !r.halted[link] {
		held, err := r.countHeld(ctx, link)
		if err != nil {
			return err
		}
		r.held[link] = held
		if held <= goOnAt {
			return nil
		}
		if held < least {
			least, since = held, time.Now()
		}
		if time.Since(since) >= r.patience() {
			r.halt(Halt{Link: link, State: StateIdle, Why: fmt.Sprintf("none of the %d replayed events that wait was worked off for %s: does a worker run, and does Mindbox answer?", held, r.patience())})
			return nil
		}
		r.tellHeld(held)
		if err := wait.Sleep(ctx, haltsEvery); err != nil {
			return err
		}
		if err := r.findHalts(ctx); err != nil {
			return err
		}
	}
	return nil
}

// defaultPatience is longer than the pauses between two attempts, of which a link makes many at a time.
const defaultPatience = 10 * time.Minute

func (r *replayRun) patience() time.Duration { return cmp.Or(r.how.Patience, defaultPatience) }

// countHeld counts the replayed events of a link that wait in RETRIES.
func (r *replayRun) countHeld(ctx context.Context, link string) (int, error) {
	n := 0
	for retry, err := range r.admin.Queue.Retries(ctx, queue.Filter{Link: link}) {
		if err != nil {
			return 0, err
		}
		if retry.Replayed {
			n++
		}
	}
	return n, nil
}

// refreshHalts is findHalts unless that was done just now.
func (r *replayRun) refreshHalts(ctx context.Context) error {
	if time.Since(r.asked) < haltsEvery {
		return nil
	}
	return r.findHalts(ctx)
}

// findHalts finds the links that are halted. One that was found halted stays so for this run: what is
// behind it has been left.
func (r *replayRun) findHalts(ctx context.Context) error {
	halts, err := r.admin.Halts(ctx)
	if err != nil {
		return err
	}
	for _, h := range halts {
		r.halt(h)
	}
	r.asked = time.Now()
	return nil
}
