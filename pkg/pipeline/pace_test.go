package pipeline

import (
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// What an answer says of the rate.
const tooMany, welcome = true, false

func TestPaceWithoutARateHasNoLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := newPace(), time.Now()
		for range 1000 {
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if time.Since(start) != 0 || p.inHand() != 0 {
			t.Errorf("took %v, in hand %d", time.Since(start), p.inHand())
		}
	})
}

func TestPaceKeepsTheShareOfTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		p.share(100)
		if got := sent(t, p, 5*time.Second); got < 495 || got > 502 {
			t.Errorf("%d in 5 s at 100/s", got)
		}
		p.share(50) // a second worker has come
		if got := sent(t, p, 4*time.Second); got < 195 || got > 202 {
			t.Errorf("%d in 4 s at 50/s", got)
		}
		p.share(100) // and has gone
		if got := sent(t, p, 4*time.Second); got < 395 || got > 402 {
			t.Errorf("%d in 4 s at 100/s", got)
		}
	})
}

// sent counts the calls that go out in a time, each answered at once and well.
func sent(t *testing.T, p *pace, d time.Duration) int {
	t.Helper()
	n := 0
	for end := time.Now().Add(d); time.Now().Before(end); n++ {
		if err := p.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.answered(time.Now(), welcome, 0)
	}
	return n
}

// second answers n calls over one second, slow of them with 429.
func second(p *pace, n, slow int) {
	for i := range n {
		time.Sleep(time.Second / time.Duration(n))
		p.answered(time.Now(), i < slow, 0)
	}
}

func TestPaceSlowsDown(t *testing.T) {
	tests := []struct {
		name    string
		n, slow int
		halved  bool
	}{
		{"four of five are too few", 5, 4, false},
		{"five of five", 5, 5, true},
		{"five of a hundred are too small a part", 100, 5, false},
		{"a fifth", 25, 5, true},
		{"none", 100, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPace()
				// Well answered calls first, so that the few 429 do not stand alone in their second.
				for i := range tt.n {
					time.Sleep(time.Second / time.Duration(tt.n))
					p.answered(time.Now(), i >= tt.n-tt.slow, 0)
				}
				if halved := !math.IsInf(p.limit, 1); halved != tt.halved {
					t.Errorf("limit %v", p.limit)
				}
			})
		})
	}
}

func TestPaceHalvesOnceASecondAndGrowsByATenth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		p.share(100)
		for i := range 12 { // no row of refusals is long enough for a pause
			p.answered(time.Now(), i%3 > 0, 0)
		}
		if p.limit >= 100 {
			t.Fatalf("limit %v", p.limit)
		}
		halved := p.limit
		time.Sleep(900 * time.Millisecond)
		p.answered(time.Now(), tooMany, 0)
		if p.limit != halved {
			t.Fatalf("halved twice in one second: %v, then %v", halved, p.limit)
		}
		time.Sleep(1100 * time.Millisecond)
		p.answered(time.Now(), welcome, 0)
		if want := halved * 1.1 * 1.1; math.Abs(p.limit-want) > 1e-9 {
			t.Fatalf("limit %v after two seconds, want %v", p.limit, want)
		}
		time.Sleep(time.Minute)
		p.answered(time.Now(), welcome, 0)
		if p.limit != 100 {
			t.Fatalf("limit %v after a minute, want the configured 100", p.limit)
		}
	})
}

func TestPaceForgetsTheLimitWhereNoneIsConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace()
		second(p, 50, 50)
		if p.inHand() == 0 {
			t.Fatal("no limit after fifty 429")
		}
		time.Sleep(5 * time.Minute)
		p.answered(time.Now(), welcome, 0)
		if p.inHand() != 0 {
			t.Errorf("limit %v after five good minutes", p.limit)
		}
	})
}

func TestPaceUnderTheLimitThatMindboxHas(t *testing.T) {
	// A Mindbox that takes 20 a second, and a worker that would send as fast as it may.
	synctest.Test(t, func(t *testing.T) {
		p, good, slow, tokens, last := newPace(), 0, 0, 20.0, time.Now()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); {
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
			now := time.Now()
			tokens, last = min(20, tokens+20*now.Sub(last).Seconds()), now
			if tokens >= 1 {
				tokens--
				good++
				p.answered(now, welcome, 0)
				continue
			}
			slow++
			p.answered(now, tooMany, 0)
		}
		if good < 700 || slow > good/2 {
			t.Errorf("%d taken and %d refused in a minute at 20/s", good, slow)
		}
	})
}
