package breaker

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker/breakertest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// TestAnEndThatStateDoesNotTake: STATE is away at the very moment at which a probe passes. The next
// park of that scope must be probed and ended like any other.
func TestAnEndThatStateDoesNotTake(t *testing.T) {
	tests := []struct {
		name      string
		meanwhile func(s *breakertest.Store, g, other Pair) // before it parks again
	}{
		{"and nobody looks after", func(*breakertest.Store, Pair, Pair) {}},
		{"and another worker moves the park", func(_ *breakertest.Store, _, other Pair) {
			time.Sleep(time.Minute)
			other.Enter(context.Background(), asProbe)
			synctest.Wait()
		}},
		{"and STATE loses it", func(s *breakertest.Store, _, _ Pair) {
			s.Lose("link/l")
		}},
		{"and it is removed later", func(s *breakertest.Store, g, _ Pair) {
			reconcile(t, s, g.Link)
			if parks(t, s) != 0 {
				t.Error("STATE still holds a park that has ended")
			}
		}},
		{"and it is removed when the watch begins anew", func(s *breakertest.Store, g, _ Pair) {
			g.Link.apply(queue.ParkChange{Park: s.Park("link/l")})
			if parks(t, s) != 0 {
				t.Error("STATE still holds a park that has ended")
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &breakertest.Store{}
				g, other := workerPair(s), workerPair(s)
				send(g, noURL)
				time.Sleep(5 * time.Second)
				endUnstored(t, s, g)
				tt.meanwhile(s, g, other)
				for range 3 { // it works on, or takes back what another worker says
					meet(g, g.Link.isParked(), ok)
				}
				send(g, noURL)
				if !g.Link.isParked() {
					t.Fatal("not parked again")
				}
				for range 3 {
					if turn, waited := nowTurn(t, g); !turn.Probe || waited > 2*time.Minute {
						t.Fatalf("turn %+v after %v", turn, waited)
					}
					if sent, _ := probe(g, ok); sent {
						break
					}
				}
				if g.Link.isParked() || other.Link.isParked() || parks(t, s) != 0 {
					t.Errorf("parked here %v, elsewhere %v; STATE %d", g.Link.isParked(), other.Link.isParked(), parks(t, s))
				}
			})
		})
	}
}

// endUnstored ends a park by a probe while STATE is away.
func endUnstored(t *testing.T, s *breakertest.Store, g Pair) {
	t.Helper()
	pass, entered := g.Enter(t.Context(), asProbe)
	if !entered {
		t.Fatal("no probe")
	}
	synctest.Wait()
	s.Stop()
	pass.Answered(t.Context(), ok, mindbox.Judge(ok))
	s.Start()
	if g.Link.isParked() || parks(t, s) != 1 {
		t.Fatalf("parked %v, STATE %d", g.Link.isParked(), parks(t, s))
	}
}

func reconcile(t *testing.T, s *breakertest.Store, b *Breaker) {
	t.Helper()
	parks, err := s.Parks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.reconcile(t.Context(), held{unremoved: b.held().unremoved}, parkOf(parks, b.scope))
}

// parks is how many parks STATE holds.
func parks(t *testing.T, s *breakertest.Store) int {
	t.Helper()
	all, err := s.Parks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// TestAParkThatIsStoredUnknown: the write was stored and its answer lost, so STATE holds what this
// worker does not know of. The watch is slow.
func TestAParkThatIsStoredUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g := workerPair(s)
		s.Unwatch()
		s.Stop()
		send(g, noURL)
		s.Start()
		if _, err := s.PutPark(t.Context(), queue.Park{Scope: "link/l", Reason: "not_found", Next: time.Now()}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			nowTurn(t, g)
			if sent, _ := probe(g, ok); sent {
				return
			}
		}
		t.Error("never probed")
	})
}

// TestAParkByAWrongClock was written eight hours ahead: by another host, or before its clock was set.
func TestAParkByAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g := workerPair(s)
		_, err := s.PutPark(t.Context(), queue.Park{Scope: "link/l", Reason: "not_found", Next: time.Now().Add(8 * time.Hour), Step: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		turn, waited := nowTurn(t, g)
		if !turn.Probe || waited > time.Minute+lease {
			t.Fatalf("turn %+v after %v; the longest pause is a minute, the lease %v", turn, waited, lease)
		}
		if sent, _ := probe(g, ok); !sent || g.Link.isParked() {
			t.Error("the probe was not made")
		}
	})
}

// TestLinksOfAProcessProbeOneByOne: while one link fetches an event for the probe of their endpoint,
// the others take none.
func TestLinksOfAProcessProbeOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g := workerPair(s)
		other := Pair{Endpoint: g.Endpoint, Link: NewSet(Config{Store: s, Log: zerolog.Nop()}).Of("link/other"), Lease: lease}
		send(g, noKey)
		time.Sleep(5 * time.Second)
		no := func() int { return 0 }
		first, err := g.Turn(t.Context(), no)
		if err != nil || !first.Probe {
			t.Fatal(first, err)
		}
		next := make(chan queue.Turn)
		go func() {
			turn, _ := other.Turn(t.Context(), no)
			next <- turn
		}()
		synctest.Wait()
		select {
		case turn := <-next:
			t.Fatalf("two links were asked for a probe: %+v", turn)
		default:
		}
		first.Done() // there was no event
		turn := <-next
		if !turn.Probe {
			t.Fatalf("turn %+v", turn)
		}
		// One that never says that it is done does not hold the endpoint for longer than its lease.
		if _, waited := nowTurn(t, g); waited > lease {
			t.Errorf("waited %v", waited)
		}
		turn.Done()
	})
}

// flaky is STATE that cannot remove a park for a while.
type flaky struct {
	*queue.Queue
	mu   sync.Mutex
	down bool
}

func (f *flaky) Unpark(ctx context.Context, scope string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return errors.New("no leader")
	}
	return f.Queue.Unpark(ctx, scope)
}

// TestReconcile ends what STATE has lost, and removes what it could not remove before.
func TestReconcile(t *testing.T) {
	q := queuetest.New(t)
	state := &flaky{Queue: q}
	set := NewSet(Config{Store: state, Log: zerolog.Nop()})
	reconcile := func() {
		t.Helper()
		if err := set.Reconcile(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	lost, kept := set.Of("link/lost"), set.Of("link/kept")
	lost.Park(t.Context(), ReasonRefusals, noURL)
	kept.Park(t.Context(), ReasonRefusals, noURL)
	if err := q.Unpark(t.Context(), "link/lost"); err != nil { // no watch runs here
		t.Fatal(err)
	}
	reconcile()
	if lost.isParked() || !kept.isParked() {
		t.Errorf("what STATE lost is parked: %v; what it holds: %v", lost.isParked(), kept.isParked())
	}
	state.down = true
	kept.Unpark(t.Context())
	if parks, err := q.Parks(t.Context()); err != nil || len(parks) != 1 {
		t.Fatalf("parks %+v, %v", parks, err)
	}
	state.down = false
	reconcile()
	if parks, err := q.Parks(t.Context()); err != nil || len(parks) != 0 {
		t.Errorf("parks %+v, %v", parks, err)
	}
}
