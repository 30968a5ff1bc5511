package pipeline

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/wait"
)

// How an endpoint slows down when it says 429. Mindbox allows 8,000 requests a minute per
// operation and endpoint and asks to repeat later, slower.
const (
	slowLeast   = 5    // answers 429 in the last second, at least
	slowShare   = 0.2  // of all its answers
	slowFactor  = 0.5  // then the rate is halved, at most once a second
	growFactor  = 1.1  // and grows by a tenth a second,
	knownFactor = 2    // or twofold up to the rate to which it was lowered last while the endpoint took something
	paceFree    = 1000 // a second: from there on a pace without a configured rate is no limit any more
	paceLeast   = 0.1  // a second
)

// When an endpoint is not asked at all: it has said 429 to so many requests in a row. The pause is as long as it says, a second where
// it says nothing. A minute is the time over which Mindbox counts; who wants a longer pause is asked once a minute whether that
// holds on.
const (
	pauseAfter   = 10
	leastPause   = time.Second
	longestPause = time.Minute
	// pauseInHand is how long an event waits in hand for the end of a pause, or of several: one that is held for longer goes on to be
	// sent though its person may have been erased meanwhile.
	pauseInHand = 3 * time.Second
)

// errPaused reports that the endpoint is not asked for longer than an event may wait in hand.
var errPaused = errors.New("the endpoint has asked for a pause")

// pace is the adaptive rate limiter of one endpoint in this worker. Where Mindbox says 429 to a part of the requests, the rate is
// halved, and grows again by itself. Where it says 429 to all of them, it is not asked until the time that it says. Without a configured rate there is no limit until Mindbox asks for one.
type pace struct {
	limiter *rate.Limiter
	head    chan struct{} // whoever waits for the limiter; the others wait for it, and so meet the rate of their own time

	mu      sync.Mutex
	top     float64 // this worker's share of the configured rate; +Inf with none
	limit   float64 // present rate; +Inf: none
	known   float64 // to which it was lowered last while the endpoint took something; +Inf: never
	lowered time.Time
	grown   time.Time // or lowered, or when the pause ends
	row     int       // answers 429 in a row
	paused  time.Time // nothing is asked before
	last    window    // answers of the last second
}

// window holds the answers of the last second.
type window struct {
	stamps []stamp // from first on; what stands before is dropped now and then
	first  int
	slow   int // of those from first on
}

type stamp struct {
	at   time.Time
	slow bool
}

// add counts an answer and forgets those that are older than a second.
func (w *window) add(now time.Time, slow bool) {
	w.stamps = append(w.stamps, stamp{now, slow})
	if slow {
		w.slow++
	}
	for w.stamps[w.first].at.Before(now.Add(-time.Second)) {
		if w.stamps[w.first].slow {
			w.slow--
		}
		w.first++
	}
	if w.first > len(w.stamps)/2 { // so that each answer is moved once or twice, not once for each that follows
		w.stamps = append(w.stamps[:0], w.stamps[w.first:]...)
		w.first = 0
	}
}

func (w *window) count() int { return len(w.stamps) - w.first }

// observed is the rate of the answers of the last second, or of the part of it in which there
// were any: it is what is halved where there was no limit.
func (w *window) observed() float64 {
	span := w.stamps[len(w.stamps)-1].at.Sub(w.stamps[w.first].at)
	return float64(w.count()) / max(span, 100*time.Millisecond).Seconds()
}

func (w *window) tooMany() bool {
	return w.slow >= slowLeast && float64(w.slow) >= slowShare*float64(w.count())
}

func newPace() *pace {
	return &pace{limiter: rate.NewLimiter(rate.Inf, 1), head: make(chan struct{}, 1), top: math.Inf(1), limit: math.Inf(1), known: math.Inf(1)}
}

// wait blocks until one more call may go out, or ctx ends. errPaused: that is too long to wait for in hand.
func (p *pace) wait(ctx context.Context) error {
	if free, _ := p.state(); free {
		return ctx.Err()
	}
	began := time.Now()
	select {
	case p.head <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.head }()
	if err := p.sitOut(ctx, began); err != nil {
		return err
	}
	if err := p.limiter.Wait(ctx); err != nil {
		return err
	}
	return p.sitOut(ctx, began)
}

// sitOut waits for the end of a pause, as long as an event that has waited since began may.
func (p *pace) sitOut(ctx context.Context, began time.Time) error {
	for {
		_, pause := p.state()
		if pause <= 0 {
			return nil
		}
		if time.Since(began)+pause > pauseInHand {
			return errPaused
		}
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// resumed blocks until no pause is left, or ctx ends: until then no events are taken for the endpoint.
func (p *pace) resumed(ctx context.Context) error {
	for {
		_, pause := p.state()
		if pause <= 0 {
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// state reports whether nothing limits the pace now, and how long a pause is still.
func (p *pace) state() (free bool, pause time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.grow(now)
	pause = p.paused.Sub(now)
	return pause <= 0 && math.IsInf(p.limit, 1), pause
}

// pausedUntil is when a pause ends.
func (p *pace) pausedUntil() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// share sets this worker's part of the configured rate; 0 is no limit.
func (p *pace) share(perSecond float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	top := math.Inf(1)
	if perSecond > 0 {
		top = perSecond
	}
	if p.limit == p.top || p.limit > top {
		p.limit = top
	}
	p.top = top
	p.apply(time.Now())
}

// answered counts an answer, slows down where too many of them are 429, and pauses where all are. told is the answer's
// Retry-After, 0 where it has none. It reports whether a pause has begun.
func (p *pace) answered(now time.Time, slow bool, told time.Duration) (pauses bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow(now)
	p.last.add(now, slow)
	if !slow {
		p.row = 0
		return false
	}
	p.row++
	refused := p.row >= pauseAfter
	if now.Sub(p.lowered) >= time.Second && (p.last.tooMany() || refused && math.IsInf(p.limit, 1)) {
		p.lower(now)
	}
	if until := now.Add(min(max(told, leastPause), longestPause)); refused && until.After(p.paused) {
		pauses = !p.paused.After(now)
		p.paused = until
		p.grown = until // what is not asked says nothing of what may be asked
	}
	return pauses
}

// lower halves the rate; the lock is held.
func (p *pace) lower(now time.Time) {
	p.limit = min(p.top, max(paceLeast, slowFactor*min(p.limit, p.last.observed())))
	if p.last.count() > p.last.slow {
		p.known = p.limit
	}
	p.lowered, p.grown = now, now
	p.apply(now)
}

// grow raises a lowered rate for each whole second that has passed; the lock is held.
func (p *pace) grow(now time.Time) {
	seconds := math.Floor(now.Sub(p.grown).Seconds())
	if p.limit >= p.top || seconds < 1 {
		return
	}
	for i := 0.; i < seconds && p.limit < p.top; i++ {
		if p.limit < p.known {
			p.limit = min(p.known, knownFactor*p.limit)
		} else {
			p.limit *= growFactor
		}
		if p.limit >= p.top || math.IsInf(p.top, 1) && p.limit >= paceFree {
			p.limit = p.top
		}
	}
	p.grown = p.grown.Add(time.Duration(seconds) * time.Second)
	p.apply(now)
}

// apply brings the limiter to the present rate; the lock is held. The burst is what a hundredth
// of a second allows: timers are no finer.
func (p *pace) apply(now time.Time) {
	if math.IsInf(p.limit, 1) {
		p.limiter.SetLimitAt(now, rate.Inf)
		return
	}
	p.limiter.SetLimitAt(now, rate.Limit(p.limit))
	p.limiter.SetBurstAt(now, max(1, int(p.limit/100)))
}

// inHand is how many events of a link may be in hand so that the last of them does not wait for more
// than some seconds; 0 is no limit. Where everything is refused one is enough to see whether that holds on.
func (p *pace) inHand() int {
	const seconds = 3
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.row >= pauseAfter {
		return 1
	}
	if math.IsInf(p.limit, 1) {
		return 0
	}
	return max(1, int(p.limit*seconds))
}
