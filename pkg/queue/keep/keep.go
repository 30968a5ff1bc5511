// Package keep keeps the streams of the queue within their times and bounds.
//
// At night, and at once when a stream fills up, it purges what every link has done with and what is
// older than it need be, and tells of what it meets: a link that loses its oldest events to a full disk,
// events that wait and that nothing holds, dead letters that are about to go. It asks the queue how far
// each link is; the rule that nothing undone is purged stands in purgeEvents. It decides about no event.
package keep

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/defaults"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Config says how long what is kept. How much, and how long dead letters are kept, say
// the queue's Limits.
type Config struct {
	Events  time.Duration // keep.events; 0 means 30 days
	History time.Duration // keep.history; 0 means as long as Events. With Limits.NoHistory it does not count

	Location *time.Location // whose night it is; nil: this machine's
	// Versions names the versions of links, by their hashes, that workers use now and that HISTORY
	// may name next; they stay. Nil: none.
	Versions func(context.Context) ([]string, error)
	Now      func() time.Time // nil: the clock of the server, which stamps what arrives
	Every    time.Duration    // between two looks at the sizes; 0 means 5 s
	Observe  Observer
}

// Observer is told what retention sees and does. Nil functions are not called; none may
// block for long.
type Observer struct {
	Looked    func(Look)                    // at each look, in every process, before anything is done
	Abandoned func(link string, events int) // a link has lost its oldest unread events to a full disk
	// Lost is told of every link, after the nightly pass and when what it found was put back, how
	// many events wait for it that RETRIES does not hold.
	Lost func(link string, events int)
}

// Look is what retention sees.
type Look struct {
	Streams []queue.StreamSize
	Horizon time.Time // see queue.Queue.Horizon
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
	// clockSlack is by how much two clocks may differ that are both right.
	clockSlack = time.Hour
)

// tellEvery is how long nothing more is logged of a state that can last for weeks.
const tellEvery = time.Hour

// pressEvery is how long a pass is not repeated: it asks for the place of every link, and may have
// failed. Only a full log is looked after at each look.
const pressEvery = time.Minute

// leaseTTL is how long the lease of a process that died keeps the others from it.
const leaseTTL = 30 * time.Second

// keeper carries out the rules of retention.
type keeper struct {
	q   *queue.Queue
	jet *jet.Client
	log zerolog.Logger
	c   Config
	now time.Time // of this pass

	tried    time.Time     // when the last pass began, by this machine's clock
	throttle wait.Throttle // of what is logged
	lost     lostSeen
}

func newKeeper(q *queue.Queue, c Config) *keeper {
	if c.Events == 0 {
		c.Events = defaults.Events
	}
	if c.History == 0 {
		c.History = c.Events
	}
	if q.Options().Limits.NoHistory {
		c.History = 0
	}
	if c.Location == nil {
		c.Location = time.Local
	}
	if c.Every == 0 {
		c.Every = 5 * time.Second
	}
	return &keeper{q: q, jet: q.Client(), log: q.Options().Log, c: c}
}

// Run keeps the streams within their times and bounds until ctx ends: at night, and at once
// when EVENTS or HISTORY fills up. Every worker may call it, one of them at a time does the work.
// What fails is logged and tried again.
func Run(ctx context.Context, q *queue.Queue, c Config) error {
	k := newKeeper(q, c)
	for k.jet.Connected(ctx) == nil {
		err := k.look(ctx)
		if err != nil && !errors.Is(err, queue.ErrHeld) && ctx.Err() == nil && k.throttle.Due("retention", time.Minute) {
			k.log.Error().Err(err).Msg("retention does not get on, trying on")
		}
		_ = wait.Sleep(ctx, k.c.Every)
	}
	return nil
}

// Once is one nightly pass, now. queue.ErrHeld: another process is at it.
func Once(ctx context.Context, q *queue.Queue, c Config) error {
	k := newKeeper(q, c)
	events, err := q.Extent(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	k.now = k.clock(events)
	return k.alone(ctx, k.nightlyPass)
}

// look looks at the sizes and does what is due.
func (k *keeper) look(ctx context.Context) error {
	extents, err := k.q.Extents(ctx)
	if err != nil {
		return err
	}
	horizon, err := k.q.Horizon(ctx)
	if err != nil {
		return err
	}
	if k.c.Observe.Looked != nil {
		k.c.Observe.Looked(Look{Streams: queue.SizesOf(extents), Horizon: horizon})
	}
	var last time.Time
	_, err = k.q.State().Get(ctx, event.RetainedKey, &last)
	if err != nil && !errors.Is(err, queue.ErrNotFound) && !errors.Is(err, queue.ErrUnreadable) { // then it was never, and is written anew
		return err
	}
	k.now = k.clock(extents[event.EventsStream])
	return errors.Join(k.recheckLost(ctx), k.act(ctx, extents, last)) // room is made whatever becomes of the other
}

// act does what is due by the sizes and the time.
func (k *keeper) act(ctx context.Context, extents map[string]queue.Extent, last time.Time) error {
	events := extents[event.EventsStream]
	rested := time.Since(k.tried) >= pressEvery
	pressed := events.Above(pressedShare) || extents[event.HistoryStream].Above(pressedShare)
	switch {
	case rested && nightDue(k.now.In(k.c.Location), last):
		k.tried = time.Now()
		return k.alone(ctx, k.nightlyPass)
	case events.Full(), rested && pressed:
		k.tried = time.Now()
		return k.alone(ctx, k.makeRoom)
	}
	return nil
}

// nightDue reports whether the nightly pass is due, the last of which was at last. One that lies ahead was noted by a clock
// that was set back since.
func nightDue(now, last time.Time) bool {
	night := time.Date(now.Year(), now.Month(), now.Day(), nightHour, 0, 0, 0, now.Location())
	if now.Before(night) {
		night = night.AddDate(0, 0, -1)
	}
	if last.Sub(now) > clockSlack {
		last = time.Time{}
	}
	return last.Before(night) && (now.Sub(night) < nightSpan || now.Sub(last) > nightPatience)
}

func (k *keeper) clock(e queue.Extent) time.Time {
	if k.c.Now != nil {
		return k.c.Now()
	}
	return e.At
}

// alone does something under the lease of retention, while no other process does. queue.ErrHeld.
func (k *keeper) alone(ctx context.Context, do func(context.Context) error) error {
	lease, err := k.q.Lease(ctx, event.LeaseRetention, leaseTTL)
	if err != nil {
		return err
	}
	defer lease.Release()
	return do(lease.Context())
}

// nightlyPass does all that is done once a night.
func (k *keeper) nightlyPass(ctx context.Context) error {
	// What was lost is told of before its event may be purged.
	err := errors.Join(k.findLost(ctx), k.makeRoom(ctx), k.dropVersions(ctx), k.warnOfExpiry(ctx))
	if err != nil {
		return err
	}
	_, err = k.q.State().Put(ctx, event.RetainedKey, k.now.UTC())
	return err
}

// makeRoom is the part of the nightly pass that cannot wait for the night when a stream fills up.
func (k *keeper) makeRoom(ctx context.Context) error {
	if err := k.purgeEvents(ctx); err != nil {
		return err
	}
	if err := k.abandon(ctx); err != nil {
		return err
	}
	return k.purgeHistory(ctx)
}
