package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// state is STATE in memory, with its watchers.
type state struct {
	mu       sync.Mutex
	parks    map[string]queue.Park
	revision uint64
	down     bool
	watchers []func(queue.ParkChange)
}

func newState() *state { return &state{parks: map[string]queue.Park{}} }

var errDown = errors.New("no server")

func (s *state) PutPark(_ context.Context, p queue.Park) (queue.Park, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return p, errDown
	}
	if s.parks[p.Scope].Revision != p.Revision {
		return p, queue.ErrConflict
	}
	s.revision++
	p.Revision = s.revision
	s.parks[p.Scope] = p
	s.tell(queue.ParkChange{Park: p})
	return p, nil
}

func (s *state) Unpark(_ context.Context, scope string) error {
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

func (s *state) tell(c queue.ParkChange) {
	for _, w := range s.watchers {
		go w(c)
	}
}

// workerGates are the gates of one worker, watching the state.
func workerGates(s *state) gates {
	g := gates{
		endpoint: newGate("endpoint/e", s, Probing{}, zerolog.Nop(), nil),
		link:     newGate("link/l", s, Probing{}, zerolog.Nop(), nil),
	}
	s.watchers = append(s.watchers, func(c queue.ParkChange) {
		for _, one := range g.both() {
			if one.scope == c.Scope {
				one.apply(c)
			}
		}
	})
	return g
}

const lease = 35 * time.Second

// send passes the gates with an answer and reports whether it was sent and whether it was no
// attempt.
func send(g gates, probe bool, a mindbox.Answer) (sent, parked bool) {
	ctx := context.Background()
	pass, ok := g.enter(ctx, probe, lease)
	if !ok {
		return false, true
	}
	v := mindbox.Judge(a)
	parked, _ = pass.answered(ctx, attempt{start: time.Now(), answer: a, verdict: v}, v.Action)
	synctest.Wait()
	return true, parked
}

var (
	ok       = mindbox.Answer{Status: 200, State: "Success"}
	broken   = mindbox.Answer{Status: 500}
	noKey    = mindbox.Answer{Status: 401}
	noURL    = mindbox.Answer{Status: 404}
	timedOut = mindbox.Answer{Err: &mindbox.TransportError{Failure: mindbox.FailureTimeout}}
)

func refusedWith(format string, args ...any) mindbox.Answer {
	return mindbox.Answer{Status: 400, State: "ProtocolError", Message: fmt.Sprintf(format, args...)}
}

func isParked(g *gate) bool {
	_, parked, _ := g.look()
	return parked
}

func nowTurn(t *testing.T, g gates) (queue.Turn, time.Duration) {
	t.Helper()
	start := time.Now()
	turn, err := g.turn(t.Context(), func() int { return 7 })
	if err != nil {
		t.Fatal(err)
	}
	return turn, time.Since(start)
}

func TestGateParksOnCredentialsForTheWholeEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newState()
		g, other := workerGates(s), workerGates(s)
		if sent, parked := send(g, false, noKey); !sent || !parked {
			t.Fatalf("sent %v, parked %v", sent, parked)
		}
		if !isParked(g.endpoint) || isParked(g.link) || !isParked(other.endpoint) {
			t.Fatal("the endpoint is to be parked, for every worker")
		}
		if sent, _ := send(other, false, ok); sent {
			t.Error("another worker sent over a parked endpoint")
		}
		turn, waited := nowTurn(t, g)
		if !turn.Probe || waited != 5*time.Second {
			t.Fatalf("turn %+v after %v", turn, waited)
		}
		if _, parked := send(g, true, ok); parked || isParked(g.endpoint) || isParked(other.endpoint) {
			t.Error("a good probe is to open the gate for all")
		}
		if turn, waited := nowTurn(t, other); turn.Probe || turn.Max != 7 || waited != 0 {
			t.Errorf("turn %+v after %v", turn, waited)
		}
	})
}

func TestGateParksTheLinkAloneOn404(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerGates(newState())
		if _, parked := send(g, false, noURL); !parked || isParked(g.endpoint) || !isParked(g.link) {
			t.Error("404 is to park the link")
		}
	})
}

func TestGateProbesRarerAndRarer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerGates(newState())
		send(g, false, noURL)
		for _, want := range []time.Duration{5, 10, 20, 40, 60, 60} {
			turn, waited := nowTurn(t, g)
			if !turn.Probe || waited != want*time.Second {
				t.Fatalf("turn %+v after %v, want a probe after %d s", turn, waited, want)
			}
			if _, parked := send(g, true, noURL); !parked {
				t.Fatal("a probe that meets the same answer is no attempt")
			}
		}
	})
}

func TestGateLetsOneProbeThroughAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newState()
		g, other := workerGates(s), workerGates(s)
		send(g, false, noURL)
		time.Sleep(5 * time.Second)
		if _, ok := g.enter(t.Context(), true, lease); !ok {
			t.Fatal("the probe is due")
		}
		synctest.Wait()
		for range 2 {
			if _, ok := other.enter(t.Context(), true, lease); ok {
				t.Fatal("two probes at a time")
			}
			if _, ok := g.enter(t.Context(), true, lease); ok {
				t.Fatal("two probes of one worker at a time")
			}
			time.Sleep(lease / 3)
		}
		// The prober has died: when its lease is over another one probes.
		if turn, _ := nowTurn(t, other); !turn.Probe {
			t.Fatal("no probe any more")
		}
		if _, ok := other.enter(t.Context(), true, lease); !ok {
			t.Error("the lease of a dead prober does not end")
		}
	})
}

func TestGateGivesBackAProbeThatWasNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerGates(newState())
		send(g, false, noURL)
		time.Sleep(5 * time.Second)
		pass, _ := g.enter(t.Context(), true, lease)
		pass.giveUp(t.Context())
		if turn, waited := nowTurn(t, g); !turn.Probe || waited != 0 {
			t.Errorf("turn %+v after %v", turn, waited)
		}
	})
}

func TestOutageOpensAfterTwentyTemporaryFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerGates(newState())
		for i := range 19 {
			a := broken
			if i%2 == 0 {
				a = timedOut
			}
			if _, parked := send(g, false, a); parked {
				t.Fatalf("parked after %d", i+1)
			}
		}
		send(g, false, ok) // one answer that is no failure, and the row begins anew
		for i := range 20 {
			_, parked := send(g, false, broken)
			if parked != (i == 19) {
				t.Fatalf("parked %v after %d", parked, i+1)
			}
		}
		time.Sleep(5 * time.Second)
		if _, parked := send(g, true, timedOut); !parked {
			t.Error("a probe that fails in another way is still the outage")
		}
		time.Sleep(10 * time.Second)
		// 400 is no temporary failure: the endpoint works again, and the event's verdict holds.
		if _, parked := send(g, true, refusedWith("no")); parked || isParked(g.endpoint) {
			t.Error("an answer ends an outage, a refusal too")
		}
		if _, parked := send(g, false, broken); parked {
			t.Error("one failure after an outage parks again")
		}
	})
}

func TestEqualRefusalsPark(t *testing.T) {
	tests := []struct {
		name   string
		answer func(i int) mindbox.Answer
		parks  bool
	}{
		{"the same text", func(int) mindbox.Answer { return refusedWith("no such operation") }, true},
		{"digits do not count", func(i int) mindbox.Answer { return refusedWith("call %d", i) }, true},
		{"masked digits do not count", func(i int) mindbox.Answer {
			return refusedWith("%s", mindbox.Mask(fmt.Sprintf("phone 7900%07d", i), 100))
		}, true},
		{"each its own text", func(i int) mindbox.Answer { return refusedWith("%s", string(rune('a'+i))) }, false},
		{"another status", func(i int) mindbox.Answer { return mindbox.Answer{Status: 409 + i%2*4, Message: "x"} }, false},
		{"a success in between", func(i int) mindbox.Answer {
			if i == 10 {
				return ok
			}
			return refusedWith("no")
		}, false},
		{"a failure in between changes nothing", func(i int) mindbox.Answer {
			if i%5 == 0 {
				return broken
			}
			return refusedWith("no")
		}, true},
		{"refusals inside a 200", func(int) mindbox.Answer { return mindbox.Answer{Status: 200, State: "ValidationError"} }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := workerGates(newState())
				for i := range 25 {
					send(g, false, tt.answer(i))
				}
				if isParked(g.link) != tt.parks || isParked(g.endpoint) {
					t.Errorf("parked: link %v, endpoint %v", isParked(g.link), isParked(g.endpoint))
				}
			})
		})
	}
}

func TestEqualRefusalsPass(t *testing.T) {
	tests := []struct {
		name   string
		answer mindbox.Answer
		passes bool
	}{
		{"the same", refusedWith("no such operation 42"), false},
		{"another text", refusedWith("phone"), true},
		{"another status", mindbox.Answer{Status: 409, Message: "no such operation"}, true},
		{"success", ok, true},
		{"a failure is another answer", broken, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := workerGates(newState())
				for i := range 20 {
					send(g, false, refusedWith("no such operation %d", i))
				}
				// What was in hand meets the same answer, and it is no attempt.
				time.Sleep(5 * time.Second)
				_, parked := send(g, true, tt.answer)
				if parked == tt.passes || isParked(g.link) == tt.passes {
					t.Errorf("parked %v, gate %v", parked, isParked(g.link))
				}
			})
		})
	}
}

func TestWhatWasInHandWhileParkingIsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerGates(newState())
		late, _ := g.enter(t.Context(), false, lease)
		later, _ := g.enter(t.Context(), false, lease)
		send(g, false, noKey)
		answered := func(p pass, a mindbox.Answer) bool {
			v := mindbox.Judge(a)
			parked, _ := p.answered(t.Context(), attempt{answer: a, verdict: v}, v.Action)
			return parked
		}
		if !answered(late, noKey) {
			t.Error("the same answer counted as an attempt")
		}
		if answered(later, ok) {
			t.Error("another answer has its own verdict")
		}
		if !isParked(g.endpoint) {
			t.Error("only a probe opens")
		}
	})
}

func TestGateHoldsWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newState()
		g := workerGates(s)
		s.down = true
		send(g, false, noURL)
		if !isParked(g.link) {
			t.Fatal("not parked")
		}
		time.Sleep(5 * time.Second)
		if _, ok := g.enter(t.Context(), true, lease); ok {
			t.Error("a probe without its claim")
		}
		if turn, waited := nowTurn(t, g); !turn.Probe || waited < time.Second {
			t.Errorf("turn %+v after %v: a probe that cannot be claimed is to wait", turn, waited)
		}
		s.down = false
		if _, parked := send(g, true, ok); parked || isParked(g.link) {
			t.Error("not open again")
		}
	})
}

func TestGateIgnoresOldNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerGates(newState())
		send(g, false, noURL)
		park, _, _ := g.link.look()
		time.Sleep(5 * time.Second)
		send(g, true, ok)
		g.link.apply(queue.ParkChange{Park: park})
		if isParked(g.link) {
			t.Error("an old park came back")
		}
	})
}

func TestTurnWakesWhenAnotherWorkerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newState()
		g, other := workerGates(s), workerGates(s)
		send(g, false, noKey)
		time.Sleep(5 * time.Second)
		go func() {
			pass, _ := g.enter(context.Background(), true, lease)
			time.Sleep(3 * time.Second)
			pass.answered(context.Background(), attempt{answer: ok, verdict: mindbox.Judge(ok)}, mindbox.Success)
		}()
		synctest.Wait()
		if turn, waited := nowTurn(t, other); turn.Probe || waited != 3*time.Second {
			t.Errorf("turn %+v after %v", turn, waited)
		}
	})
}
