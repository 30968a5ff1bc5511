package queue

import (
	"context"
	"errors"
	"time"
)

// RetentionConfig says how long what is kept. How much, and how long dead letters are kept, say
// the queue's Limits.
type RetentionConfig struct {
	Events  time.Duration // keep.events; 0 means 30 days
	History time.Duration // keep.history; 0 means as long as Events. With Limits.NoHistory it does not count

	Location *time.Location // whose night it is; nil: this machine's
	// Versions names the versions of links, by their hashes, that workers use now and that HISTORY
	// may name next; they stay. Nil: none.
	Versions func(context.Context) ([]string, error)
	Now      func() time.Time // nil: the clock of the server, which stamps what arrives
	Every    time.Duration    // between two looks at the sizes; 0 means 5 s
	Observe  RetentionObserver
}

// RetentionObserver is told what retention sees and does. Nil functions are not called; none may
// block for long.
type RetentionObserver struct {
	Looked    func(Look)                    // at each look, in every process, before anything is done
	Abandoned func(link string, events int) // a link has lost its oldest unread events to a full disk
}

// Look is what retention sees.
type Look struct {
	Streams []StreamSize
	Horizon time.Time // see Queue.Horizon
}

// Hundredths of a bound: from pressedShare on room is made at once, down to relaxedShare.
const (
	pressedShare = 80
	relaxedShare = 70
)

// The nightly pass begins at nightHour, local time, or within nightSpan of it. When it was missed
// for nightPatience, it is made up for at once.
const (
	nightHour     = 3
	nightSpan     = 2 * time.Hour
	nightPatience = 36 * time.Hour
)

// pressEvery is how long a pass is not repeated: it asks for the place of every link, and may have
// failed. Only a full log is looked after at each look.
const pressEvery = time.Minute

const (
	retentionLease    = "retention"
	retentionLeaseTTL = 30 * time.Second
	// retainedKey holds when the last nightly pass ended.
	retainedKey = "retained"
)

// keeper carries out the rules of retention.
type keeper struct {
	q   *Queue
	c   RetentionConfig
	now time.Time // of this pass

	tried time.Time            // when the last pass began, by this machine's clock
	told  map[string]time.Time // when a state that lasts was last logged
}

func (q *Queue) keeper(c RetentionConfig) *keeper {
	if c.Events == 0 {
		c.Events = 30 * 24 * time.Hour
	}
	if c.History == 0 {
		c.History = c.Events
	}
	if q.opts.Limits.NoHistory {
		c.History = 0
	}
	if c.Location == nil {
		c.Location = time.Local
	}
	if c.Every == 0 {
		c.Every = 5 * time.Second
	}
	return &keeper{q: q, c: c, told: map[string]time.Time{}}
}

// Retain keeps the streams within their times and bounds until ctx ends: at night, and at once
// when EVENTS or HISTORY fills up. Every worker may call it, one of them at a time does the work.
// What fails is logged and tried again.
func (q *Queue) Retain(ctx context.Context, c RetentionConfig) error {
	k := q.keeper(c)
	for q.connected(ctx) == nil {
		err := k.look(ctx)
		if err != nil && !errors.Is(err, ErrHeld) && ctx.Err() == nil && q.alarms.due("retention") {
			q.log.Error().Err(err).Msg("retention does not get on, trying on")
		}
		_ = sleep(ctx, k.c.Every)
	}
	return nil
}

// RetainOnce is one nightly pass, now. ErrHeld: another process is at it.
func (q *Queue) RetainOnce(ctx context.Context, c RetentionConfig) error {
	k := q.keeper(c)
	events, err := q.extent(ctx, eventsStream)
	if err != nil {
		return err
	}
	k.now = k.clock(events)
	return k.alone(ctx, k.everything)
}

// look looks at the sizes and does what is due.
func (k *keeper) look(ctx context.Context) error {
	extents, err := k.q.extents(ctx)
	if err != nil {
		return err
	}
	horizon, err := k.q.Horizon(ctx)
	if err != nil {
		return err
	}
	if k.c.Observe.Looked != nil {
		k.c.Observe.Looked(Look{Streams: sizesOf(extents), Horizon: horizon})
	}
	var last time.Time
	if _, err := k.q.State().Get(ctx, retainedKey, &last); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	events := extents[eventsStream]
	k.now = k.clock(events)
	rested := time.Since(k.tried) >= pressEvery
	pressed := events.above(pressedShare) || extents[historyStream].above(pressedShare)
	switch {
	case rested && nightDue(k.now.In(k.c.Location), last):
		k.tried = time.Now()
		return k.alone(ctx, k.everything)
	case events.full(), rested && pressed:
		k.tried = time.Now()
		return k.alone(ctx, k.makeRoom)
	}
	return nil
}

// nightDue reports whether the nightly pass is due, the last of which was at last.
func nightDue(now, last time.Time) bool {
	night := time.Date(now.Year(), now.Month(), now.Day(), nightHour, 0, 0, 0, now.Location())
	if now.Before(night) {
		night = night.AddDate(0, 0, -1)
	}
	return last.Before(night) && (now.Sub(night) < nightSpan || now.Sub(last) > nightPatience)
}

func (k *keeper) clock(e extent) time.Time {
	if k.c.Now != nil {
		return k.c.Now()
	}
	return e.at
}

// mayTell reports whether a state that can last for weeks may be logged now: once an hour.
func (k *keeper) mayTell(what string) bool {
	if time.Since(k.told[what]) < time.Hour {
		return false
	}
	k.told[what] = time.Now()
	return true
}

// alone does something while no other process does. ErrHeld.
func (k *keeper) alone(ctx context.Context, do func(context.Context) error) error {
	lease, err := k.q.Lease(ctx, retentionLease, retentionLeaseTTL)
	if err != nil {
		return err
	}
	defer lease.Release()
	return do(lease.Context())
}

// everything is the nightly pass.
func (k *keeper) everything(ctx context.Context) error {
	err := errors.Join(k.makeRoom(ctx), k.dropVersions(ctx), k.warnOfExpiry(ctx))
	if err != nil {
		return err
	}
	_, err = k.q.State().Put(ctx, retainedKey, k.now.UTC())
	return err
}

// makeRoom is the part of it that cannot wait for the night when a stream fills up.
func (k *keeper) makeRoom(ctx context.Context) error {
	if err := k.purgeEvents(ctx); err != nil {
		return err
	}
	if err := k.abandon(ctx); err != nil {
		return err
	}
	return k.purgeHistory(ctx)
}
