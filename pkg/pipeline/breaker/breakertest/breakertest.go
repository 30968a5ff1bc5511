// Package breakertest gives tests of circuit breakers a STATE in memory, with its watchers.
package breakertest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/touchbox/touchbox/pkg/queue"
)

// Store keeps parks as STATE does, for breakers of several workers. The zero value is ready.
type Store struct {
	mu       sync.Mutex
	parks    map[string]queue.Park
	revision uint64
	down     bool
	watchers []func(queue.ParkChange)
}

var errDown = errors.New("no server")

// Watch tells of each change from now on, as the watch of a worker does.
func (s *Store) Watch(tell func(queue.ParkChange)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, tell)
}

// Unwatch ends every watch: they are slow, or broken.
func (s *Store) Unwatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = nil
}

// Stop takes the server away until Start.
func (s *Store) Stop() { s.setDown(true) }

// Start brings the server back.
func (s *Store) Start() { s.setDown(false) }

func (s *Store) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Lose drops a park without a word.
func (s *Store) Lose(scope string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.parks, scope)
}

// Park returns what is kept of a scope; the zero park where nothing is.
func (s *Store) Park(scope string) queue.Park {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parks[scope]
}

// Parks implements breaker.Store.
func (s *Store) Parks(context.Context) ([]queue.Park, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return nil, errDown
	}
	return slices.Collect(maps.Values(s.parks)), nil
}

// PutPark implements breaker.Store.
func (s *Store) PutPark(_ context.Context, p queue.Park) (queue.Park, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return p, errDown
	}
	if s.parks[p.Scope].Revision != p.Revision {
		return p, queue.ErrConflict
	}
	if s.parks == nil {
		s.parks = map[string]queue.Park{}
	}
	s.revision++
	p.Revision = s.revision
	s.parks[p.Scope] = p
	s.tell(queue.ParkChange{Park: p})
	return p, nil
}

// Unpark implements breaker.Store.
func (s *Store) Unpark(_ context.Context, scope string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return errDown
	}
	delete(s.parks, scope)
	s.revision++
	s.tell(queue.ParkChange{Park: queue.Park{Scope: scope, Revision: s.revision}, Gone: true})
	return nil
}

func (s *Store) tell(c queue.ParkChange) {
	for _, w := range s.watchers {
		go w(c)
	}
}
