package calltouch

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// BackfillConfig says what to store of the past. Its functions are called one at a time.
type BackfillConfig struct {
	Span
	Store  Store                // where to
	DryRun bool                 // store nothing; Store may be nil
	New    func(e event.Event)  // called for each event that is new, in a dry run that would be; may be nil
	Aside  func(reason Reason)  // called for each record that is set aside; may be nil
	Count  func(BackfillCounts) // called every few seconds and after each step; may be nil
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
// error is ErrCommandRuns, an *APIError that refuses, or that of ctx, of the store or of STATE;
// the counts are right in any case.
func Backfill(ctx context.Context, cfg BackfillConfig) (BackfillCounts, error) {
	steps, err := cfg.steps(time.Now())
	if err != nil {
		return BackfillCounts{}, err
	}
	b := &backfill{cfg: cfg}
	err = announce(ctx, cfg.State, func(ctx context.Context) error { return b.run(ctx, steps) })
	return b.counts, err
}

// backfillMark is how far a backfill came, in STATE.
type backfillMark struct {
	Time    time.Time      `json:"time"`
	Step    int            `json:"step"` // the first that is not done
	Counts  BackfillCounts `json:"counts"`
	Partial int            `json:"partial"` // of Counts.New, those of the step that is not done
}

// markLife is how long a backfill can be taken up again. Later, records that were listed late may
// lie in the days that are done.
const markLife = 24 * time.Hour

// saveEvery is how often a backfill notes how far it came within a day.
const saveEvery = 10 * time.Second

type backfill struct {
	cfg     BackfillConfig
	horizon time.Time
	name    string // of the mark

	mu      sync.Mutex
	saved   time.Time
	counts  BackfillCounts
	before  BackfillCounts // at the begin of the step
	partial int            // of the step, what an earlier run stored: it will be known, and was new
}

func (b *backfill) run(ctx context.Context, steps []step) (err error) {
	if b.horizon, err = b.cfg.Ledger.Horizon(ctx); err != nil {
		return fmt.Errorf("read the horizon: %w", err)
	}
	first, err := b.resume(ctx, len(steps))
	if err != nil {
		return err
	}
	r := b.cfg.reading(steps, first)
	for i := first; i < len(steps); i++ {
		err := r.read(ctx, i, func(ctx context.Context, rec Listed) error {
			err := b.take(ctx, rec)
			b.save(ctx, i, false)
			return err
		})
		b.settle(err == nil)
		if err != nil {
			b.save(context.WithoutCancel(ctx), i, true)
			return err
		}
		b.save(ctx, i+1, true)
	}
	r.tell(len(steps))
	if b.cfg.DryRun {
		return nil
	}
	return b.cfg.State.Delete(ctx, b.name)
}

// resume finds how far an earlier run of the same backfill came.
func (b *backfill) resume(ctx context.Context, steps int) (first int, err error) {
	if b.cfg.DryRun {
		return 0, nil
	}
	name := []string{"calltouch", b.cfg.Site.ID, "backfill", b.cfg.From.String(), b.cfg.To.String()}
	for _, k := range b.cfg.Kinds {
		name = append(name, string(k))
	}
	b.name = strings.Join(name, ".")
	var m backfillMark
	found, err := b.cfg.State.Get(ctx, b.name, &m)
	switch {
	case err != nil:
		return 0, fmt.Errorf("read how far the backfill came: %w", err)
	case !found, time.Since(m.Time) > markLife, m.Step > steps:
		return 0, nil
	}
	b.counts, b.before, b.partial = m.Counts, m.Counts, m.Partial
	return m.Step, nil
}

// save notes how far the backfill came: at once, or when it is time.
func (b *backfill) save(ctx context.Context, step int, now bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !now && time.Since(b.saved) < saveEvery {
		return
	}
	b.saved = time.Now()
	if b.cfg.Count != nil {
		b.cfg.Count(b.counts)
	}
	if b.cfg.DryRun {
		return
	}
	m := backfillMark{Time: b.saved, Step: step, Counts: b.before, Partial: b.partial + b.counts.New - b.before.New}
	if b.cfg.State.Put(ctx, b.name, m) != nil {
		b.saved = time.Time{} // try again with the next record
	}
}

// settle ends a step. What an earlier run stored of it was known to this one, and is new to both
// together.
func (b *backfill) settle(done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !done {
		return // the mark tells the next run
	}
	b.counts.New += b.partial
	b.counts.Known = max(b.counts.Known-b.partial, 0)
	b.before, b.partial = b.counts, 0
}

// take stores one record, or counts why not.
func (b *backfill) take(ctx context.Context, r Listed) error {
	now := time.Now()
	if b.cfg.unfinished(r, now) {
		b.count(func(c *BackfillCounts) { c.InProgress++ })
		return nil
	}
	e, _, reason := r.event(b.cfg.Site, event.Backfill, now)
	switch {
	case reason != "":
		return b.setAside(ctx, r, reason, now)
	case !e.Time.IsZero() && e.Time.Before(b.horizon):
		b.count(func(c *BackfillCounts) { c.TooOld++ })
		return nil
	}
	receipt, err := b.offer(ctx, e)
	switch {
	case err != nil:
		return err
	case receipt == event.ReceiptCollision:
		return b.setAside(ctx, r, AsideCollision, now)
	}
	b.count(func(c *BackfillCounts) {
		c.add(receipt)
		if receipt == event.ReceiptStored && b.cfg.New != nil {
			b.cfg.New(e)
		}
	})
	return nil
}

// offer publishes an event, or in a dry run says what publishing would do. A publish that is on its
// way is waited for when ctx ends: what it stored is to be counted as new.
func (b *backfill) offer(ctx context.Context, e event.Event) (event.Receipt, error) {
	if !b.cfg.DryRun {
		return b.cfg.Store.Publish(context.WithoutCancel(ctx), e)
	}
	fate, err := b.cfg.Ledger.Lookup(ctx, e.Key)
	if fate.Stored {
		return event.ReceiptRepeated, err
	}
	return event.ReceiptStored, err
}

func (b *backfill) setAside(ctx context.Context, r Listed, reason Reason, now time.Time) error {
	if !b.cfg.DryRun {
		err := b.cfg.Store.PutAside(ctx, Aside{
			Site: b.cfg.Site.ID, Reason: reason, Origin: event.Backfill, ContentType: "application/json", Body: r.Raw, Received: now,
		})
		if err != nil {
			return err
		}
	}
	b.count(func(c *BackfillCounts) {
		c.Aside++
		if b.cfg.Aside != nil {
			b.cfg.Aside(reason)
		}
	})
	return nil
}

// count changes the counts; f is also where the caller is told, one thing at a time.
func (b *backfill) count(f func(*BackfillCounts)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(&b.counts)
}

func (c *BackfillCounts) add(r event.Receipt) {
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
