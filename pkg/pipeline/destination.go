package pipeline

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
)

// destination is one endpoint as all its links in this process share it: connections, rate limiter,
// circuit breaker.
type destination struct {
	file    *link.Destination
	client  *mindbox.Client
	pace    *pace
	breaker *breaker.Breaker
}

// leaseMargin is how much longer than an attempt a probe is one worker's.
const leaseMargin = 5 * time.Second

// lease is how long a probe belongs to the worker that took it.
func (d *destination) lease() time.Duration { return d.file.Timeout + leaseMargin }

// Client makes a client for a destination of the file, for whoever makes single attempts beside
// the worker.
func Client(d *link.Destination, userAgent string) (*mindbox.Client, error) {
	// Each read anew before an attempt: a key in a file may be changed at any time.
	key := func(i int) func() string {
		return func() string {
			if keys := d.Secret.Values(); i < len(keys) {
				return keys[i]
			}
			return ""
		}
	}
	client, err := mindbox.New(mindbox.Config{
		URL: d.URL, Secret: key(0), SecondSecret: key(1), Authorization: d.Authorization, Timeout: d.Timeout, UserAgent: userAgent,
	})
	if err != nil {
		return nil, fmt.Errorf("destination %s: %w", d.Name, err)
	}
	return client, nil
}

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

// pace is the adaptive rate limiter of one endpoint in this worker: the rate is halved when Mindbox asks for
// that, and grows again by itself. Without a configured rate there is no limit until Mindbox asks for one.
type pace struct {
	limiter *rate.Limiter

	mu     sync.Mutex
	top    float64 // this worker's share of the configured rate; +Inf with none
	limit  float64 // present rate; +Inf: none
	halved time.Time
	grown  time.Time // or halved
	last   window    // answers of the last second
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
	p.last.add(now, slow)
	if !slow || now.Sub(p.halved) < time.Second || !p.last.tooMany() {
		return
	}
	p.limit = max(paceLeast, slowFactor*min(p.limit, p.last.observed()))
	p.halved, p.grown = now, now
	p.apply(now)
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

// inHand is how many events of a link may be in hand so that the last of them does not wait for more
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
