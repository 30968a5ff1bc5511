package pipeline

import (
	"context"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker/breakertest"
	"github.com/touchbox/touchbox/pkg/queue"
)

// TestAProbeThatOurStopEndsIsGivenBack: the next worker need not wait until its lease is over.
func TestAProbeThatOurStopEndsIsGivenBack(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b := newBench(t, mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply {
		stop()
		return &mindboxtest.Reply{Delay: 10 * time.Second}
	}}, "CallTouch")
	store := &breakertest.Store{}
	b.breakers = newBreakers(store, breaker.Probing{First: time.Millisecond, Max: time.Hour})
	b.breakers.Lease = time.Hour
	b.breakers.Endpoint.Park(t.Context(), breaker.ReasonOutage, mindbox.Answer{Status: 500})
	awaitProbe(t, b.breakers)
	x := process(ctx, b.setup, b.breakers, &queue.Delivery{Event: Hook(t, "1"), Link: b.setup.link.ID, Probe: true})
	if x.Outcome != event.Waiting || x.Reason != string(mindbox.FailureInterrupted) || x.Attempts != 0 {
		t.Fatalf("got %+v", x)
	}
	awaitProbe(t, b.breakers) // here
	if wait := time.Until(store.Park("endpoint/main").Next); wait > 0 {
		t.Errorf("the next probe waits for %v elsewhere", wait)
	}
}

// awaitProbe waits until a probe is due, which is at once or, of these breakers, in an hour.
func awaitProbe(t *testing.T, p breaker.Pair) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	turn, err := p.Turn(ctx, func() int { return 0 })
	if err != nil || !turn.Probe {
		t.Fatalf("no probe is due: %+v, %v", turn, err)
	}
	turn.Done()
}

// TestThePaceBoundsWhatIsTaken: no more events are taken than go out within some seconds.
func TestThePaceBoundsWhatIsTaken(t *testing.T) {
	b := newBench(t, mindboxtest.Config{}, "CallTouch")
	r := &runner{breaker: b.breakers.Link}
	r.setup.Store(b.setup)
	for _, tt := range []struct {
		rate float64
		want int
	}{{0, 0}, {2, 6}, {0.1, 1}} {
		b.setup.to.pace.share(tt.rate)
		turn, err := r.turn(t.Context())
		if err != nil || turn.Probe || turn.Max != tt.want {
			t.Errorf("at %v a second: %+v, %v", tt.rate, turn, err)
		}
	}
}
