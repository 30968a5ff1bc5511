package pipeline

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Parks keeps what is parked where every worker sees it; *queue.Queue is one. PutPark writes over
// the park's Revision and returns queue.ErrConflict when another worker was faster.
type Parks interface {
	PutPark(ctx context.Context, p queue.Park) (queue.Park, error)
	Unpark(ctx context.Context, scope string) error
}

// Probing is how often a parked link looks whether the far end is back: first after First, then
// after twice as long each time, at most Max. Zero values are 5 s and 1 min.
type Probing struct{ First, Max time.Duration }

func (p Probing) withDefaults() Probing {
	if p.First <= 0 {
		p.First = 5 * time.Second
	}
	if p.Max <= 0 {
		p.Max = time.Minute
	}
	return p
}

// inARow is how many equal failures in a row park a link or an endpoint.
const inARow = 20

// stateTimeout bounds one write to STATE. What is parked here holds here in any case.
const stateTimeout = 5 * time.Second

// gate stands before one link or one endpoint. It is open, or holds the park that all workers
// share. The zero value is not usable.
type gate struct {
	scope   string
	parks   Parks
	probing Probing
	log     zerolog.Logger
	observe func(scope string, parked bool)

	mu     sync.Mutex
	parked bool
	park   queue.Park    // where parked; Revision 0: STATE has not got it yet
	seen   uint64        // newest revision known, of a park or of its end
	change chan struct{} // closed and replaced at every change
	row    int           // equal failures in a row
	sign   string        // what makes them equal
}

func newGate(scope string, parks Parks, probing Probing, log zerolog.Logger, observe func(string, bool)) *gate {
	if observe == nil {
		observe = func(string, bool) {}
	}
	return &gate{scope: scope, parks: parks, probing: probing.withDefaults(), log: log, observe: observe, change: make(chan struct{})}
}

// look returns the park, if there is one, and a channel that closes when that changes.
func (g *gate) look() (queue.Park, bool, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.park, g.parked, g.change
}

// count counts failures that are equal in a row and reports whether there are enough of them to
// park. An empty sign is an answer that ends the row.
func (g *gate) count(sign string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if sign != g.sign {
		g.row, g.sign = 0, sign
	}
	if sign == "" {
		return false
	}
	g.row++
	return g.row >= inARow
}

// shut parks, unless it is parked. It holds in this process at once, and for the others as soon
// as STATE has it.
func (g *gate) shut(ctx context.Context, reason string, a mindbox.Answer) {
	g.mu.Lock()
	if g.parked {
		g.mu.Unlock()
		return
	}
	now := time.Now()
	park := queue.Park{
		Scope: g.scope, Since: now, Reason: reason, Status: a.Status, Text: signature(a.Message),
		Next: now.Add(g.probing.First), Step: g.probing.First,
	}
	g.set(park)
	g.mu.Unlock()
	g.log.WithLevel(parkLevel(reason)).Str("scope", g.scope).Str("reason", reason).Int("status", a.Status).Msg(parkAdvice(reason))
	g.observe(g.scope, true)
	_ = g.put(ctx, park)
}

// claim takes the probe that is due, for this worker alone: until the lease is over no other
// worker probes. False means that none is due, or that another worker has it.
func (g *gate) claim(ctx context.Context, lease time.Duration) bool {
	park, parked, _ := g.look()
	now := time.Now()
	if !parked {
		return true
	}
	if now.Before(park.Next) {
		return false
	}
	park.Next = now.Add(lease)
	if err := g.put(ctx, park); err != nil {
		g.postpone()
		return false
	}
	return true
}

// met says that the probe met the answer that had parked: the next one comes later. It returns
// when.
func (g *gate) met(ctx context.Context) time.Time {
	park, parked, _ := g.look()
	if !parked {
		return time.Time{}
	}
	park.Step = min(2*park.Step, g.probing.Max)
	park.Next = time.Now().Add(park.Step)
	if g.put(ctx, park) != nil {
		g.postpone()
	}
	return park.Next
}

// giveUp returns a claimed probe that was not made.
func (g *gate) giveUp(ctx context.Context) {
	if park, parked, _ := g.look(); parked {
		park.Next = time.Now()
		_ = g.put(ctx, park)
	}
}

// open ends the park, here and for all.
func (g *gate) open(ctx context.Context) {
	if !g.clear() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stateTimeout)
	defer cancel()
	if err := g.parks.Unpark(ctx, g.scope); err != nil {
		g.log.Warn().Str("scope", g.scope).Err(err).Msg("the end of a park could not be stored: other workers probe for themselves")
	}
}

// apply takes over what another worker did.
func (g *gate) apply(c queue.ParkChange) {
	g.mu.Lock()
	if c.Revision != 0 && c.Revision <= g.seen {
		g.mu.Unlock()
		return
	}
	was := g.parked
	g.seen = c.Revision
	if !c.Gone {
		g.set(c.Park)
	}
	g.mu.Unlock()
	switch {
	case c.Gone:
		g.clear()
	case !was:
		g.log.Warn().Str("scope", g.scope).Str("reason", c.Reason).Msg("parked by another worker")
		g.observe(g.scope, true)
	}
}

// ended opens here when STATE has lost the park of this revision and none came after it.
func (g *gate) ended(revision uint64) {
	if park, parked, _ := g.look(); parked && park.Revision == revision {
		g.clear()
	}
}

// put stores a park over its revision and takes over the new one.
func (g *gate) put(ctx context.Context, park queue.Park) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stateTimeout)
	defer cancel()
	stored, err := g.parks.PutPark(ctx, park)
	switch {
	case errors.Is(err, queue.ErrConflict): // the watch brings what the other worker wrote
		return err
	case err != nil:
		g.log.Warn().Str("scope", g.scope).Err(err).Msg("a park could not be stored: it holds in this worker alone")
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.parked && stored.Revision >= g.seen {
		g.set(stored)
	}
	return nil
}

// postpone moves the next probe of this worker when STATE gave none.
func (g *gate) postpone() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now := time.Now(); g.parked && g.park.Next.Before(now.Add(g.probing.First)) {
		g.park.Next = now.Add(g.probing.First)
	}
}

// set changes the park; the lock is held.
func (g *gate) set(park queue.Park) {
	g.parked, g.park, g.seen = true, park, max(g.seen, park.Revision)
	g.wake()
}

// clear opens here, and reports whether it was parked.
func (g *gate) clear() bool {
	g.mu.Lock()
	was, park := g.parked, g.park
	g.parked, g.row, g.sign = false, 0, ""
	g.wake()
	g.mu.Unlock()
	if was {
		g.log.Info().Str("scope", g.scope).Str("reason", park.Reason).Dur("parked", time.Since(park.Since)).Msg("no longer parked")
		g.observe(g.scope, false)
	}
	return was
}

func (g *gate) wake() {
	close(g.change)
	g.change = make(chan struct{})
}
