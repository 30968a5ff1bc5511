package breaker

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker/breakertest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// asProbe and asEvent say whether what enters was taken as a probe.
const asProbe, asEvent = true, false

// workerPair is the pair of one worker, watching the store.
func workerPair(s *breakertest.Store) Pair {
	set := NewSet(Config{Store: s, Log: zerolog.Nop()})
	s.Watch(func(c queue.ParkChange) { set.Of(c.Scope).apply(c) })
	return Pair{Endpoint: set.Of("endpoint/e"), Link: set.Of("link/l"), Lease: lease}
}

const lease = 35 * time.Second

// send lets an event meet an answer and reports whether it was sent and whether it was no attempt.
func send(p Pair, a mindbox.Answer) (sent, parked bool) { return meet(p, asEvent, a) }

// probe is send for an event that was taken as a probe.
func probe(p Pair, a mindbox.Answer) (sent, parked bool) { return meet(p, asProbe, a) }

func meet(p Pair, probe bool, a mindbox.Answer) (sent, parked bool) {
	ctx := context.Background()
	pass, ok := p.Enter(ctx, probe)
	if !ok {
		return false, true
	}
	parked, _ = pass.Answered(ctx, a, mindbox.Judge(a))
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

func nowTurn(t *testing.T, g Pair) (queue.Turn, time.Duration) {
	t.Helper()
	start := time.Now()
	turn, err := g.Turn(t.Context(), func() int { return 7 })
	if err != nil {
		t.Fatal(err)
	}
	if turn.Probe { // these tests fetch nothing
		turn.Done()
	}
	return turn, time.Since(start)
}

func TestBreakerParksOnCredentialsForTheWholeEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g, other := workerPair(s), workerPair(s)
		if sent, parked := send(g, noKey); !sent || !parked {
			t.Fatalf("sent %v, parked %v", sent, parked)
		}
		if !g.Endpoint.isParked() || g.Link.isParked() || !other.Endpoint.isParked() {
			t.Fatal("the endpoint is to be parked, for every worker")
		}
		if sent, _ := send(other, ok); sent {
			t.Error("another worker sent over a parked endpoint")
		}
		turn, waited := nowTurn(t, g)
		if !turn.Probe || waited != 5*time.Second {
			t.Fatalf("turn %+v after %v", turn, waited)
		}
		if _, parked := probe(g, ok); parked || g.Endpoint.isParked() || other.Endpoint.isParked() {
			t.Error("a good probe is to open the breaker for all")
		}
		if turn, waited := nowTurn(t, other); turn.Probe || turn.Max != 7 || waited != 0 {
			t.Errorf("turn %+v after %v", turn, waited)
		}
	})
}

func TestBreakerParksTheLinkAloneOn404(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerPair(&breakertest.Store{})
		if _, parked := send(g, noURL); !parked || g.Endpoint.isParked() || !g.Link.isParked() {
			t.Error("404 is to park the link")
		}
	})
}

func TestBreakerProbesRarerAndRarer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerPair(&breakertest.Store{})
		send(g, noURL)
		for _, want := range []time.Duration{5, 10, 20, 40, 60, 60} {
			turn, waited := nowTurn(t, g)
			if !turn.Probe || waited != want*time.Second {
				t.Fatalf("turn %+v after %v, want a probe after %d s", turn, waited, want)
			}
			if _, parked := probe(g, noURL); !parked {
				t.Fatal("a probe that meets the same answer is no attempt")
			}
		}
	})
}

func TestBreakerLetsOneProbeThroughAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g, other := workerPair(s), workerPair(s)
		send(g, noURL)
		time.Sleep(5 * time.Second)
		if _, ok := g.Enter(t.Context(), asProbe); !ok {
			t.Fatal("the probe is due")
		}
		synctest.Wait()
		for range 2 {
			if _, ok := other.Enter(t.Context(), asProbe); ok {
				t.Fatal("two probes at a time")
			}
			if _, ok := g.Enter(t.Context(), asProbe); ok {
				t.Fatal("two probes of one worker at a time")
			}
			time.Sleep(lease / 3)
		}
		// The prober has died: when its lease is over another one probes.
		if turn, _ := nowTurn(t, other); !turn.Probe {
			t.Fatal("no probe any more")
		}
		if _, ok := other.Enter(t.Context(), asProbe); !ok {
			t.Error("the lease of a dead prober does not end")
		}
	})
}

func TestBreakerGivesBackAProbeThatWasNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerPair(&breakertest.Store{})
		send(g, noURL)
		time.Sleep(5 * time.Second)
		pass, _ := g.Enter(t.Context(), asProbe)
		pass.GiveBack(t.Context())
		if turn, waited := nowTurn(t, g); !turn.Probe || waited != 0 {
			t.Errorf("turn %+v after %v", turn, waited)
		}
	})
}

func TestOutageOpensAfterTwentyTemporaryFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerPair(&breakertest.Store{})
		for i := range 19 {
			a := broken
			if i%2 == 0 {
				a = timedOut
			}
			if _, parked := send(g, a); parked {
				t.Fatalf("parked after %d", i+1)
			}
		}
		send(g, ok) // one answer that is no failure, and the row begins anew
		for i := range 20 {
			_, parked := send(g, broken)
			if parked != (i == 19) {
				t.Fatalf("parked %v after %d", parked, i+1)
			}
		}
		time.Sleep(5 * time.Second)
		if _, parked := probe(g, timedOut); !parked {
			t.Error("a probe that fails in another way is still the outage")
		}
		time.Sleep(10 * time.Second)
		// 400 is no temporary failure: the endpoint works again, and the event's verdict holds.
		if _, parked := probe(g, refusedWith("no")); parked || g.Endpoint.isParked() {
			t.Error("an answer ends an outage, a refusal too")
		}
		if _, parked := send(g, broken); parked {
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
			return refusedWith("%s", show.Line(fmt.Sprintf("phone 7900%07d", i), 100))
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
				g := workerPair(&breakertest.Store{})
				for i := range 25 {
					send(g, tt.answer(i))
				}
				if g.Link.isParked() != tt.parks || g.Endpoint.isParked() {
					t.Errorf("parked: link %v, endpoint %v", g.Link.isParked(), g.Endpoint.isParked())
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
				g := workerPair(&breakertest.Store{})
				for i := range 20 {
					send(g, refusedWith("no such operation %d", i))
				}
				// What was in hand meets the same answer, and it is no attempt.
				time.Sleep(5 * time.Second)
				_, parked := probe(g, tt.answer)
				if parked == tt.passes || g.Link.isParked() == tt.passes {
					t.Errorf("parked %v, breaker %v", parked, g.Link.isParked())
				}
			})
		})
	}
}

func TestWhatWasInHandWhileParkingIsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerPair(&breakertest.Store{})
		late, _ := g.Enter(t.Context(), asEvent)
		later, _ := g.Enter(t.Context(), asEvent)
		send(g, noKey)
		answered := func(p Pass, a mindbox.Answer) bool {
			parked, _ := p.Answered(t.Context(), a, mindbox.Judge(a))
			return parked
		}
		if !answered(late, noKey) {
			t.Error("the same answer counted as an attempt")
		}
		if answered(later, ok) {
			t.Error("another answer has its own verdict")
		}
		if !g.Endpoint.isParked() {
			t.Error("only a probe opens")
		}
	})
}

func TestBreakerHoldsWithoutState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g := workerPair(s)
		s.Stop()
		send(g, noURL)
		if !g.Link.isParked() {
			t.Fatal("not parked")
		}
		time.Sleep(5 * time.Second)
		if _, ok := g.Enter(t.Context(), asProbe); ok {
			t.Error("a probe without its claim")
		}
		if turn, waited := nowTurn(t, g); !turn.Probe || waited < time.Second {
			t.Errorf("turn %+v after %v: a probe that cannot be claimed is to wait", turn, waited)
		}
		s.Start()
		if _, parked := probe(g, ok); parked || g.Link.isParked() {
			t.Error("not open again")
		}
	})
}

func TestBreakerIgnoresOldNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := workerPair(&breakertest.Store{})
		send(g, noURL)
		park, _, _ := g.Link.state()
		time.Sleep(5 * time.Second)
		probe(g, ok)
		g.Link.apply(queue.ParkChange{Park: park})
		if g.Link.isParked() {
			t.Error("an old park came back")
		}
	})
}

func TestTurnWakesWhenAnotherWorkerOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &breakertest.Store{}
		g, other := workerPair(s), workerPair(s)
		send(g, noKey)
		time.Sleep(5 * time.Second)
		go func() {
			pass, _ := g.Enter(context.Background(), asProbe)
			time.Sleep(3 * time.Second)
			pass.Answered(context.Background(), ok, mindbox.Judge(ok))
		}()
		synctest.Wait()
		if turn, waited := nowTurn(t, other); turn.Probe || waited != 3*time.Second {
			t.Errorf("turn %+v after %v", turn, waited)
		}
	})
}
