package pipeline

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// How an endpoint slows down when it says 429. Mindbox allows 8,000 requests a minute per
// operation and endpoint and asks to repeat later, slower.
const (
	slowLeast  = 5    // answers 429 in the last second, at least
	slowShare  = 0.2  // of all its answers
	slowFactor = 0.5  // then the rate is halved, at most once a second
	growFactor = 1.1  // and grows by a tenth a second
	paceFree   = 1000 // a second: from there on a pace without a configured rate is no limit any more
	paceLeast  = 0.1  // a second
)

// pace bounds how fast one endpoint is called by this worker. Without a configured rate there is
// no limit until Mindbox asks for one.
type pace struct {
	limiter *rate.Limiter

	mu     sync.Mutex
	top    float64 // this worker's share of the configured rate; +Inf with none
	limit  float64 // present rate; +Inf: none
	halved time.Time
	grown  time.Time // or halved
	last   []stamp   // answers of the last second
}

type stamp struct {
	at   time.Time
	slow bool
}

func newPace() *pace {
	return &pace{limiter: rate.NewLimiter(rate.Inf, 1), top: math.Inf(1), limit: math.Inf(1)}
}

// wait blocks until one more call may go out, or ctx ends.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	p.grow(time.Now())
	p.mu.Unlock()
	return p.limiter.Wait(ctx)
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

// answered counts an answer and slows down where too many ask for it.
func (p *pace) answered(now time.Time, slow bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grow(now)
	p.last = append(p.last, stamp{now, slow})
	first := 0
	for p.last[first].at.Before(now.Add(-time.Second)) {
		first++
	}
	p.last = append(p.last[:0], p.last[first:]...)
	if !slow || now.Sub(p.halved) < time.Second || !tooMany(p.last) {
		return
	}
	p.limit = max(paceLeast, slowFactor*min(p.limit, observed(p.last)))
	p.halved, p.grown = now, now
	p.apply(now)
}

// observed is the rate of the answers of the last second, or of the part of it in which there
// were any: it is what is halved where there was no limit.
func observed(last []stamp) float64 {
	span := last[len(last)-1].at.Sub(last[0].at)
	return float64(len(last)) / max(span, 100*time.Millisecond).Seconds()
}

func tooMany(last []stamp) bool {
	slow := 0
	for _, s := range last {
		if s.slow {
			slow++
		}
	}
	return slow >= slowLeast && float64(slow) >= slowShare*float64(len(last))
}

// grow raises a lowered rate for each whole second that has passed; the lock is held.
func (p *pace) grow(now time.Time) {
	seconds := math.Floor(now.Sub(p.grown).Seconds())
	if p.limit >= p.top || seconds < 1 {
		return
	}
	p.limit = min(p.top, p.limit*math.Pow(growFactor, seconds))
	if math.IsInf(p.top, 1) && p.limit >= paceFree {
		p.limit = p.top
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

// inHand is how many events may be taken at once so that the last of them does not wait for more
// than some seconds; 0 is no limit.
func (p *pace) inHand() int {
	const seconds = 3
	p.mu.Lock()
	defer p.mu.Unlock()
	if math.IsInf(p.limit, 1) {
		return 0
	}
	return max(1, int(p.limit*seconds))
}
