package poll

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
)

// BackfillConfig says what to store of the past. Its functions are called one at a time.
type BackfillConfig struct {
	Span
	Store  intake.Store                  // where to
	DryRun bool                          // store nothing; Store may be nil
	New    func(e event.Event)           // called for each event that is new, in a dry run that would be; may be nil
	Aside  func(reason calltouch.Reason) // called for each record that is set aside; may be nil
	Count  func(BackfillCounts)          // called every few seconds and after each step; may be nil
}

// BackfillCounts is what became of the records.
type BackfillCounts struct {
	New        int `json:"new"`         // stored now; in a dry run: would be
	Known      int `json:"known"`       // stored before
	InProgress int `json:"in_progress"` // calls that go on, and what its hook or the next poll will bring
	TooOld     int `json:"too_old"`     // happened before the horizon
	Erased     int `json:"erased"`      // the person was erased
	Aside      int `json:"aside"`       // another call is stored under the id, or there is no id
}

// Backfill stores what Calltouch lists for a span of days and EVENTS does not have. It delivers
// nothing: the events are untaken for every link until a person replays them. Broken off, it
// goes on where it stopped when it is called for the same span within a day, and counts on. Its
// error is ErrCommandRuns, an *api.Error that refuses, an *UnreadError, or that of ctx, of the store
// or of STATE; the counts are right in any case.
func Backfill(ctx context.Context, cfg BackfillConfig) (BackfillCounts, error) {
	steps, err := cfg.steps(time.Now())
	if err != nil {
		return BackfillCounts{}, err
	}
	b := &backfill{cfg: cfg, inFile: idsOf(cfg.Sites), open: map[int]BackfillCounts{}, partial: map[int]int{}}
	err = announce(ctx, cfg.State, func(ctx context.Context) error { return b.run(ctx, steps) })
	return b.counts(), err
}

// backfillMark is how far a backfill came, in STATE.
type backfillMark struct {
	Time     time.Time      `json:"time"`
	Step     int            `json:"step"`               // those before it are done
	Left     []int          `json:"left,omitempty"`     // that are not done; none: all from Step on
	Counts   BackfillCounts `json:"counts"`             // of the steps that are done
	Partial  int            `json:"partial"`            // what is stored of Step
	Partials map[int]int    `json:"partials,omitempty"` // what is stored of each step that is not done
}

// markLife is how long a backfill can be taken up again. Later, records that were listed late may
// lie in the days that are done.
const markLife = 24 * time.Hour

// saveEvery is how often a backfill notes how far it came within a day.
const saveEvery = 10 * time.Second

// backfill is one run of Backfill.
type backfill struct {
	cfg     BackfillConfig
	inFile  siteIDs // all sites of the file
	horizon time.Time
	name    string // of the mark

	mu      sync.Mutex
	saved   time.Time
	done    BackfillCounts         // of the steps that are done
	open    map[int]BackfillCounts // of the others, by this run
	partial map[int]int            // what an earlier run stored of them: it will be known, and was new
	left    []int
}

func (b *backfill) run(ctx context.Context, steps []step) (err error) {
	if b.horizon, err = b.cfg.Ledger.Horizon(ctx); err != nil {
		return fmt.Errorf("read the horizon: %w", err)
	}
	if err := b.resume(ctx, len(steps)); err != nil {
		return err
	}
	r := b.cfg.newReading(steps, len(steps)-len(b.left))
	err = r.readAll(ctx, b.left, func(ctx context.Context, i int, rec calltouch.Listed) error {
		err := b.store(ctx, i, rec)
		b.saveSometimes(ctx)
		return err
	}, func(i int, left []int) {
		b.endStep(i, left)
		b.save(ctx)
	})
	if err != nil {
		b.save(context.WithoutCancel(ctx))
		return err
	}
	r.tell(len(steps))
	if b.cfg.DryRun {
		return nil
	}
	return b.cfg.State.Delete(ctx, b.name)
}

// resume finds how far an earlier run of the same backfill came.
func (b *backfill) resume(ctx context.Context, steps int) error {
	b.left = stepsFrom(0, steps)
	if b.cfg.DryRun {
		return nil
	}
	b.name = event.BackfillKey(b.cfg.Site.ID, b.cfg.From.String(), b.cfg.To.String(), b.cfg.Kinds)
	var m backfillMark
	found, err := b.cfg.State.Get(ctx, b.name, &m)
	switch {
	case err != nil:
		return fmt.Errorf("read how far the backfill came: %w", err)
	case !found, time.Since(m.Time) > markLife, m.Step > steps, len(m.Left) > 0 && slices.Max(m.Left) >= steps:
		return nil
	}
	b.done, b.left = m.Counts, m.Left
	if len(m.Left) == 0 {
		b.left = stepsFrom(m.Step, steps)
	}
	maps.Copy(b.partial, m.Partials)
	if m.Partials == nil && m.Partial > 0 {
		b.partial[m.Step] = m.Partial
	}
	return nil
}

// stepsFrom lists the steps from the first to before the end.
func stepsFrom(first, end int) []int {
	var steps []int
	for i := first; i < end; i++ {
		steps = append(steps, i)
	}
	return steps
}

// saveSometimes notes how far the backfill came when it is time.
func (b *backfill) saveSometimes(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.saved) >= saveEvery {
		b.saveLocked(ctx)
	}
}

// save notes how far the backfill came.
func (b *backfill) save(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saveLocked(ctx)
}

// saveLocked is save by who holds mu.
func (b *backfill) saveLocked(ctx context.Context) {
	b.saved = time.Now()
	if b.cfg.Count != nil {
		b.cfg.Count(b.sum())
	}
	if b.cfg.DryRun || len(b.left) == 0 {
		return
	}
	m := backfillMark{Time: b.saved, Step: slices.Min(b.left), Left: b.left, Counts: b.done, Partials: map[int]int{}}
	for _, i := range b.left {
		if n := b.partial[i] + b.open[i].New; n > 0 {
			m.Partials[i] = n
		}
	}
	m.Partial = m.Partials[m.Step]
	if b.cfg.State.Put(ctx, b.name, m) != nil {
		b.saved = time.Time{} // try again with the next record
	}
}

// endStep ends a step. The events that an interrupted run had stored of it move from Known to New: they
// are new to both runs together.
func (b *backfill) endStep(i int, left []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.open[i]
	c.New += b.partial[i]
	c.Known = max(c.Known-b.partial[i], 0)
	b.done.plus(c)
	delete(b.open, i)
	delete(b.partial, i)
	b.left = left
}

// counts are what became of the records up to now.
func (b *backfill) counts() BackfillCounts {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sum()
}

// sum is counts by who holds mu.
func (b *backfill) sum() BackfillCounts {
	all := b.done
	for _, c := range b.open {
		all.plus(c)
	}
	return all
}

// store stores one record of step i, or counts why not.
func (b *backfill) store(ctx context.Context, i int, r calltouch.Listed) error {
	now := time.Now()
	if b.cfg.unfinished(r, now) {
		b.count(i, func(c *BackfillCounts) { c.InProgress++ })
		return nil
	}
	a := intake.Record(&b.cfg.Site, r, event.Backfill, now)
	switch e := a.Event; {
	case a.Note.Aside == calltouch.AsideOtherSite && b.inFile[r.Site]:
		return nil // it is read by itself
	case a.Note.Aside == "" && !e.Time.IsZero() && e.Time.Before(b.horizon):
		b.count(i, func(c *BackfillCounts) { c.TooOld++ })
		return nil
	}
	result, err := b.offer(ctx, &a)
	if err != nil {
		return err
	}
	b.count(i, func(c *BackfillCounts) { b.became(c, a.Event, result) })
	return nil
}

// offer offers a record, or in a dry run says what would become of it. What is on its way to the store is
// waited for when ctx ends: what it stored is to be counted as new.
func (b *backfill) offer(ctx context.Context, a *intake.Arrival) (intake.Result, error) {
	if !b.cfg.DryRun {
		return intake.Intake{Store: b.cfg.Store}.Offer(context.WithoutCancel(ctx), a)
	}
	if a.Note.Aside != "" {
		return intake.Result{Aside: a.Note.Aside}, nil
	}
	fate, err := b.cfg.Ledger.Lookup(ctx, a.Event.Key)
	if fate.Stored {
		return intake.Result{Receipt: event.ReceiptRepeated}, err
	}
	return intake.Result{Receipt: event.ReceiptStored}, err
}

// became counts what became of a record, and tells of it.
func (b *backfill) became(c *BackfillCounts, e event.Event, r intake.Result) {
	if r.Aside != "" {
		c.Aside++
		if b.cfg.Aside != nil {
			b.cfg.Aside(r.Aside)
		}
		return
	}
	c.note(r.Receipt)
	if r.Receipt == event.ReceiptStored && b.cfg.New != nil {
		b.cfg.New(e)
	}
}

// count changes the counts of step i; f is also where the caller is told, one thing at a time.
func (b *backfill) count(i int, f func(*BackfillCounts)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.open[i]
	f(&c)
	b.open[i] = c
}

// plus adds the counts of d.
func (c *BackfillCounts) plus(d BackfillCounts) {
	c.New += d.New
	c.Known += d.Known
	c.InProgress += d.InProgress
	c.TooOld += d.TooOld
	c.Erased += d.Erased
	c.Aside += d.Aside
}

// note counts a record by the receipt of the log.
func (c *BackfillCounts) note(r event.Receipt) {
	switch r {
	case event.ReceiptStored:
		c.New++
	case event.ReceiptErased:
		c.Erased++
	case event.ReceiptTooOld:
		c.TooOld++
	default:
		c.Known++
	}
}
