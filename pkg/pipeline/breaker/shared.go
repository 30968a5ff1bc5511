package breaker

import (
	"context"
	"errors"
	"sync"

	"github.com/touchbox/touchbox/pkg/queue"
)

// Set holds the breakers of one process, one for each scope. It brings them what other workers park. It
// is safe for concurrent use.
type Set struct {
	config Config

	mu  sync.Mutex
	all map[string]*Breaker
}

// NewSet returns a set without breakers.
func NewSet(config Config) *Set {
	config.Probing = config.Probing.withDefaults()
	if config.Parked == nil {
		config.Parked = func(string) {}
	}
	if config.Unparked == nil {
		config.Unparked = func(string) {}
	}
	return &Set{config: config, all: map[string]*Breaker{}}
}

// Of returns the breaker of a scope, the same one each time.
func (s *Set) Of(scope string) *Breaker {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.all[scope]
	if b == nil {
		b = &Breaker{scope: scope, config: s.config, change: make(chan struct{})}
		s.all[scope] = b
	}
	return b
}

// Follow takes over what other workers park, until changes closes. A park of a scope that nobody has
// asked for is remembered: a file may bring it yet.
func (s *Set) Follow(changes <-chan queue.ParkChange) {
	for c := range changes {
		s.Of(c.Scope).apply(c)
	}
}

// Reconcile ends the parks whose end Follow missed or STATE did not take.
func (s *Set) Reconcile(ctx context.Context) error {
	before := s.held() // read before STATE, so that a park of this moment is not taken for an old one
	if len(before) == 0 {
		return nil
	}
	parks, err := s.config.Store.Parks(ctx)
	if err != nil {
		return err
	}
	for b, known := range before {
		b.reconcile(ctx, known, parkOf(parks, b.scope))
	}
	return nil
}

// held is what is known of the parks in STATE, by breaker.
func (s *Set) held() map[*Breaker]held {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[*Breaker]held{}
	for _, b := range s.all {
		if h := b.held(); h != (held{}) {
			known[b] = h
		}
	}
	return known
}

// held is what a breaker knows of the park in STATE: the revision by which it is parked, or the one that
// has ended here and could not be removed; the other is 0.
type held struct{ parked, unremoved uint64 }

// held is what this breaker knows now.
func (b *Breaker) held() held {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.parked {
		return held{parked: b.current.Revision}
	}
	return held{unremoved: b.unremoved}
}

// apply takes over what another worker did.
func (b *Breaker) apply(c queue.ParkChange) {
	b.mu.Lock()
	if c.Revision != 0 && c.Revision <= b.seen {
		unremoved := b.unremoved
		due := !c.Gone && !b.parked && c.Revision == unremoved
		b.mu.Unlock()
		if due { // a watch that begins anew shows what is still to be removed
			b.remove(context.Background(), unremoved)
		}
		return
	}
	was := b.parked
	b.unremoved = 0
	b.seen = c.Revision
	if !c.Gone {
		b.set(c.Park)
	}
	b.mu.Unlock()
	switch {
	case c.Gone:
		b.close()
	case !was:
		b.config.Log.Warn().Str("scope", b.scope).Str("reason", c.Reason).Msg("parked by another worker")
		b.config.Parked(b.scope)
	}
}

// reconcile compares what was known with what STATE holds of this breaker: it removes the park that was
// to be removed, and closes where STATE has lost the park that was known and none came after it.
func (b *Breaker) reconcile(ctx context.Context, known held, there queue.Park) {
	switch {
	case known.unremoved != 0 && there.Revision == known.unremoved:
		b.remove(ctx, known.unremoved)
	case known.unremoved != 0:
		b.removed(known.unremoved)
	case known.parked != 0 && there.Revision == 0:
		if park, parked, _ := b.state(); parked && park.Revision == known.parked {
			b.close()
		}
	}
}

// put stores a park over its revision and takes over the new one, or what STATE holds instead.
func (b *Breaker) put(ctx context.Context, park queue.Park) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stateTimeout)
	defer cancel()
	stored, err := b.config.Store.PutPark(ctx, park)
	switch {
	case errors.Is(err, queue.ErrConflict):
		b.adopt(ctx, park.Revision)
		return err
	case err != nil:
		b.config.Log.Warn().Str("scope", b.scope).Err(err).Msg("a park could not be stored: it holds in this worker alone")
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unremoved = 0 // it was written over
	if b.parked && stored.Revision >= b.seen {
		b.set(stored)
	}
	return nil
}

// adopt takes over what STATE holds where it refused to write over the revision tried. The watch may
// have brought it already, or may never: STATE is asked.
func (b *Breaker) adopt(ctx context.Context, tried uint64) {
	parks, err := b.config.Store.Parks(ctx)
	if err != nil {
		b.config.Log.Warn().Str("scope", b.scope).Err(err).Msg("what is parked could not be read")
		return
	}
	there := parkOf(parks, b.scope)
	b.mu.Lock()
	lost := there.Revision == 0 && b.parked && tried != 0 && b.current.Revision == tried
	switch {
	case there.Revision == 0:
		b.unremoved = 0
	case b.parked && there.Revision >= b.seen: // an older one was read from a server that is behind
		b.unremoved = 0
		b.set(there)
	}
	b.mu.Unlock()
	if lost {
		b.close()
	}
}

// remove takes the park of this revision, which has ended here, out of STATE.
func (b *Breaker) remove(ctx context.Context, ended uint64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stateTimeout)
	defer cancel()
	if err := b.config.Store.Unpark(ctx, b.scope); err != nil {
		b.config.Log.Warn().Str("scope", b.scope).Err(err).Msg("the end of a park could not be stored yet: " +
			"until then other workers probe for themselves")
		return
	}
	b.removed(ended)
}

// removed notes that STATE does not hold the park of this revision any more.
func (b *Breaker) removed(ended uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unremoved == ended {
		b.unremoved = 0
	}
}

// parkOf returns the park of a scope; the zero one where there is none.
func parkOf(parks []queue.Park, scope string) queue.Park {
	for _, p := range parks {
		if p.Scope == scope {
			return p
		}
	}
	return queue.Park{}
}
