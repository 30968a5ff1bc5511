package pipeline

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// limited is a far end with a limit of its own, and a worker with a backlog before it: 256 handlers that send
// as fast as the pace lets them, and events that wait as conclude says. All of it in simulated time.
type limited struct {
	// takes says of a request whether the far end takes it, and of one that it refuses when to come again.
	takes func(now time.Time) (ok bool, told time.Duration)

	p   *pace
	due map[*waiting]bool // what waits in RETRIES

	mu      sync.Mutex
	held    int
	early   int           // events that were asked before the time they were told
	longest time.Duration // that one waited in hand for its request
	taken   []int         // by second
	refused []int
}

// waiting is an event that was refused.
type waiting struct {
	attempts    int
	told, until time.Time
}

const handlersOfTest, latencyOfTest = 256, 20 * time.Millisecond

// run lets the worker work for a time.
func (l *limited) run(ctx context.Context, d time.Duration) {
	start := time.Now()
	l.p, l.due = newPace(), map[*waiting]bool{}
	l.taken, l.refused = make([]int, d/time.Second+1), make([]int, d/time.Second+1)
	ctx, cancel := context.WithCancel(ctx)
	defer time.AfterFunc(d, cancel).Stop()
	var handlers sync.WaitGroup
	for range handlersOfTest {
		handlers.Go(func() {
			for ctx.Err() == nil {
				if w := l.next(ctx); w != nil {
					l.ask(ctx, w, start)
				}
			}
		})
	}
	handlers.Wait()
}

// next is the turn and the request for an event: what is due, else a fresh one; nil where enough are in hand.
func (l *limited) next(ctx context.Context) *waiting {
	if l.p.resumed(ctx) != nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if most := l.p.inHand(); most > 0 && l.held >= most {
		l.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		l.mu.Lock()
		return nil
	}
	l.held++
	for w := range l.due {
		if !w.until.After(time.Now()) {
			delete(l.due, w)
			return w
		}
	}
	return &waiting{}
}

// ask sends an event as deliver does.
func (l *limited) ask(ctx context.Context, w *waiting, start time.Time) {
	began := time.Now()
	err := l.p.wait(ctx)
	waited := time.Since(began)
	var now time.Time
	ok, told := false, time.Duration(0)
	if err == nil {
		l.mu.Lock()
		ok, told = l.takes(time.Now())
		if time.Now().Before(w.told) {
			l.early++
		}
		l.mu.Unlock()
		time.Sleep(latencyOfTest)
		now = time.Now()
		l.p.answered(now, !ok, told)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held--
	l.longest = max(l.longest, waited)
	switch second := int(now.Sub(start) / time.Second); {
	case err == errPaused:
		w.until = l.p.pausedUntil().Truncate(time.Second).Add(time.Second)
		l.due[w] = true
	case err != nil || second >= len(l.taken):
	case ok:
		l.taken[second]++
	default:
		l.refused[second]++
		w.attempts++
		w.told = now.Add(told)
		again := Backoff(w.attempts, 15*time.Minute)
		if told > 0 {
			again = afterTold(w.attempts, told, 15*time.Minute)
		}
		w.until = now.Add(again).Truncate(time.Second).Add(time.Second)
		l.due[w] = true
	}
}

// sum is for all seconds.
func sum(n []int) int {
	all := 0
	for _, x := range n {
		all += x
	}
	return all
}

// bucket takes perSecond requests, and as many at once after a second of silence.
func bucket(perSecond float64, told time.Duration) func(time.Time) (bool, time.Duration) {
	tokens, last := perSecond, time.Now()
	return func(now time.Time) (bool, time.Duration) {
		tokens, last = min(perSecond, tokens+perSecond*now.Sub(last).Seconds()), now
		if tokens < 1 {
			return false, told
		}
		tokens--
		return true, 0
	}
}

// minutes takes perMinute requests in each minute of the clock, and tells whoever is refused when the next begins.
func minutes(perMinute int, tells bool) func(time.Time) (bool, time.Duration) {
	n, minute := 0, time.Time{}
	return func(now time.Time) (bool, time.Duration) {
		if this := now.Truncate(time.Minute); this != minute {
			n, minute = 0, this
		}
		if n++; n <= perMinute {
			return true, 0
		}
		if !tells {
			return false, 0
		}
		return false, (minute.Add(time.Minute).Sub(now) + time.Second - 1).Truncate(time.Second)
	}
}

func never(told time.Duration) func(time.Time) (bool, time.Duration) {
	return func(time.Time) (bool, time.Duration) { return false, told }
}

// anything takes all requests from a time on, and none before.
func anything(from time.Time, told time.Duration) func(time.Time) (bool, time.Duration) {
	return func(now time.Time) (bool, time.Duration) { return now.After(from), told }
}

func TestPaceBeforeAFarEndWithALimit(t *testing.T) {
	const d = 3 * time.Minute
	tests := []struct {
		name    string
		takes   func() func(time.Time) (bool, time.Duration)
		taken   int // at least, of what it would take
		refused int // at most, in all
		once    int // at most in one second, when it has found the pace
	}{
		{"50 a second, told", func() func(time.Time) (bool, time.Duration) { return bucket(50, time.Second) }, 50 * 180 * 9 / 10, 256 + 50*180/10, 25},
		{"50 a second", func() func(time.Time) (bool, time.Duration) { return bucket(50, 0) }, 50 * 180 * 9 / 10, 256 + 50*180/10, 25},
		{"500 a second, told", func() func(time.Time) (bool, time.Duration) { return bucket(500, time.Second) }, 500 * 180 * 9 / 10, 256 + 500*180/10, 200},
		{"2 a second, told", func() func(time.Time) (bool, time.Duration) { return bucket(2, time.Second) }, 2 * 180 * 6 / 10, 256 + 2*180*2, 10},
		{"8000 a minute, told", func() func(time.Time) (bool, time.Duration) { return minutes(8000, true) }, 3 * 8000, 4 * 400, 2 * 256},
		{"8000 a minute", func() func(time.Time) (bool, time.Duration) { return minutes(8000, false) }, 3 * 8000, 3 * 600, 2 * 256},
		{"nothing, told a second", func() func(time.Time) (bool, time.Duration) { return never(time.Second) }, 0, 256 + 2*180 + 10, 2},
		{"nothing, told a minute", func() func(time.Time) (bool, time.Duration) { return never(time.Minute) }, 0, 256 + 10, 2},
		{"nothing, told a day", func() func(time.Time) (bool, time.Duration) { return never(24 * time.Hour) }, 0, 256 + 10, 2},
		{"nothing", func() func(time.Time) (bool, time.Duration) { return never(0) }, 0, 256 + 2*180 + 10, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &limited{takes: tt.takes()}
				l.run(t.Context(), d)
				taken, refused, once := sum(l.taken), sum(l.refused), slices.Max(l.refused[10:])
				held := 20 * time.Second // some hundred in hand when the pace falls to two a second
				if tt.taken == 0 {
					held = pauseInHand
				}
				if taken < tt.taken || refused > tt.refused || once > tt.once || l.early > 0 || l.longest > held {
					t.Errorf("%d taken, %d refused, %d of them in one second, %d before their time, one held for %v", taken, refused, once, l.early, l.longest)
				}
			})
		})
	}
}

func TestPaceAfterAFarEndThatTookNothing(t *testing.T) {
	for _, told := range []time.Duration{0, time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			const away, soon = 30, 15
			l := &limited{takes: anything(time.Now().Add(away*time.Second), told)}
			l.run(t.Context(), (away+2*soon)*time.Second)
			if first := slices.Max(l.taken[away : away+2]); first > 100 {
				t.Errorf("told %v: %d in one second at once", told, first)
			}
			if l.taken[away+soon] < paceFree {
				t.Errorf("told %v: %v in the seconds after", told, l.taken[away:])
			}
		})
	}
}

func TestPaceIsFreeWhereFewAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(1, 2))
		l := &limited{takes: func(time.Time) (bool, time.Duration) { return dice.Float64() > .05, time.Second }}
		l.run(t.Context(), 10*time.Second)
		if l.p.inHand() != 0 || slices.Min(l.taken[:10]) < 10_000 {
			t.Errorf("limit %v, taken %v", l.p.limit, l.taken)
		}
	})
}
