package hook

import (
	"errors"
	"sync"
	"time"
)

// storeBreaker is the circuit breaker of the store: it says how long a hook may wait for it. While the store
// is known to be unwell, a hook is refused at once, but for one now and then, a half-open probe,
// which waits a moment to see whether all is well again: whatever says that the store is unwell may be
// wrong, and only a hook that was stored shows it. A store that is merely away for a moment is waited for.
type storeBreaker struct {
	unwell func() error // what others know of the store; nil means that nobody does

	mu      sync.Mutex
	failed  bool      // hooks have waited in vain for as long as longVain
	since   time.Time // when the first of the hooks began to wait that waited in vain, and none was stored after it; zero: none did
	works   bool      // a hook was stored although the store is said to be unwell
	probing bool      // one hook is probing
	vain    int       // probes in a row that ran out of time, while nothing is said of the store
	next    time.Time // when the next probe may begin
}

const (
	// probeTimeout is how long a probe waits. A store that is well answers within milliseconds. Where
	// nobody says what is wrong, the next one waits twice as long, up to longestProbe: a store that has become
	// slow, and stores what it is given, must not be taken for broken for as long as it is slow.
	probeTimeout = time.Second
	longestProbe = storeTimeout - time.Second
	// probeEvery is the time between two probes.
	probeEvery = 3 * time.Second
	// longVain is for how long hooks must have waited in vain, where nobody says what is wrong, before the
	// store counts as unwell: a cluster whose leader stands still elects another one in 10 to 15 s, and hooks
	// that come meanwhile are better waited for.
	longVain = 3 * storeTimeout
)

// errUnwell is why a hook was not even offered to the store.
var errUnwell = errors.New("the queue is known to be unwell: /readyz says why")

// ErrKeepsNothing marks what is known of a store that takes events and loses them. It is not probed: that it has stored one
// shows nothing.
var ErrKeepsNothing = errors.New("it keeps nothing of what it takes")

// allow returns how long a hook may wait; zero means that it is refused. Unless it was, done must be
// told what became of it.
func (b *storeBreaker) allow(now time.Time) time.Duration {
	reported := b.reported()
	if errors.Is(reported, ErrKeepsNothing) {
		return 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if reported == nil {
		b.works = false
	}
	switch {
	case !b.failed && (reported == nil || b.works):
		return storeTimeout
	case b.probing || now.Before(b.next):
		return 0
	}
	b.probing, b.next = true, now.Add(probeEvery)
	if reported != nil {
		return probeTimeout
	}
	return min(probeTimeout<<min(b.vain, 4), longestProbe)
}

// reported is what others know to be wrong with the store.
func (b *storeBreaker) reported() error {
	if b.unwell == nil {
		return nil
	}
	return b.unwell()
}

// done notes whether a hook that might wait for so long was stored, and how long it took.
func (b *storeBreaker) done(allowed, took time.Duration, stored bool) {
	reported := b.reported()
	b.mu.Lock()
	defer b.mu.Unlock()
	probe := allowed < storeTimeout
	if probe {
		b.probing = false
		b.vain++
	}
	if reported != nil {
		b.vain = 0
	}
	switch {
	case stored:
		b.failed, b.vain, b.since = false, 0, time.Time{}
		b.works = b.works || probe && reported != nil
	case !probe && took >= storeTimeout*9/10: // less says nothing of the store
		b.works = false
		if b.since.IsZero() {
			b.since = time.Now().Add(-took)
		}
		b.failed = reported != nil || time.Since(b.since) >= longVain
	}
}
