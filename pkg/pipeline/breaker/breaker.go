// Package breaker holds the circuit breakers before Mindbox: one for each link and one for each endpoint.
//
// What an event came to goes in (an answer and its verdict), and whether the next one may be sent comes
// out. A breaker is closed as a rule: events pass. It opens where every further event would meet the same
// answer: a key that is refused, an address that is not there, an outage, the same refusal many times in a
// row. We say that the link or the endpoint is parked; the park stands in STATE, and all workers obey it.
// Events then wait without an attempt being counted. While parked it is half open now and then: one event
// at a time is a probe, which one worker claims in STATE, and whose answer decides.
//
//	            Park: an answer that parks, or enough equal ones in a row
//	closed ───────────────────────────────────────────────▶ parked
//	  ▲                                            claimProbe │  ▲ probeFailed: the same answer,
//	  │                                        when it is due ▼  │   the next probe is later
//	  └──────────────────────────────────────────────────── probing
//	            Unpark: any other answer
//
// The package sends nothing, and does not decide about events: when to try again is the pipeline's
// business, what an answer means stands in package mindbox.
package breaker

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Reasons of a park that no single answer gives; the others are those of mindbox.
const (
	ReasonOutage   = "outage"   // the endpoint's last answers were all temporary failures
	ReasonRefusals = "refusals" // the link's last answers were all the same refusal
)

// Config is what all breakers of a Set have in common.
type Config struct {
	Store   Store
	Probing Probing
	Log     zerolog.Logger

	// Parked and Unparked, where not nil, are told when a scope ("link/ID" or "endpoint/NAME") parks, by
	// this worker or another one, and when it goes on.
	Parked, Unparked func(scope string)
}

// Store keeps what is parked where every worker sees it; *queue.Queue is one. PutPark writes over
// the park's Revision and returns queue.ErrConflict when something else stands there. Parks lists
// all.
type Store interface {
	Parks(ctx context.Context) ([]queue.Park, error)
	PutPark(ctx context.Context, p queue.Park) (queue.Park, error)
	Unpark(ctx context.Context, scope string) error
}

// Probing is how often a probe finds out whether the far end is back: first after First, then after
// twice as long each time, at most Max. Zero values are 5 s and 1 min.
type Probing struct{ First, Max time.Duration }

func (p Probing) withDefaults() Probing {
	if p.First <= 0 {
		p.First = 5 * time.Second
	}
	if p.Max <= 0 {
		p.Max = time.Minute
	}
	return p
}

// inARow is how many equal failures in a row park a link or an endpoint.
const inARow = 20

// stateTimeout bounds one write to STATE. What is parked here holds here in any case.
const stateTimeout = 5 * time.Second

// Breaker is the circuit breaker of one link or one endpoint: closed, or parked with the park that all
// workers share. STATE decides which that is: what this worker wants to write and STATE contradicts is
// read and taken over. A Set makes it.
type Breaker struct {
	scope  string
	config Config

	mu        sync.Mutex
	parked    bool
	current   queue.Park    // where parked; Revision 0: STATE has not got it yet
	learned   time.Time     // when this worker learned of the park as it is
	seen      uint64        // newest revision known, of a park or of its end
	unremoved uint64        // revision of a park that has ended here and could not be removed from STATE; else 0
	reserved  *reservation  // of this process's probe; nil: nobody's
	change    chan struct{} // closed and replaced at every change
	row       int           // equal failures in a row
	rowOf     string        // what makes them equal
}

// state returns the park, if there is one, and a channel that closes when that changes.
func (b *Breaker) state() (queue.Park, bool, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current, b.parked, b.change
}

// isParked reports whether it is open: nothing but probes may pass.
func (b *Breaker) isParked() bool {
	_, parked, _ := b.state()
	return parked
}

// count counts failures that are equal in a row and reports whether there are enough of them to park.
func (b *Breaker) count(equal string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if equal != b.rowOf {
		b.row, b.rowOf = 0, equal
	}
	b.row++
	return b.row >= inARow
}

// endRow notes an answer of another kind: the count begins anew.
func (b *Breaker) endRow() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.row, b.rowOf = 0, ""
}

// Park opens the circuit, unless it is open: nothing is sent from now on but probes. It holds in this
// process at once, and for the others as soon as STATE has it.
func (b *Breaker) Park(ctx context.Context, reason string, a mindbox.Answer) {
	b.mu.Lock()
	if b.parked {
		b.mu.Unlock()
		return
	}
	now := time.Now()
	park := queue.Park{
		Scope: b.scope, Since: now, Reason: reason, Status: a.Status, Text: signature(a.Message),
		Next: now.Add(b.config.Probing.First), Step: b.config.Probing.First,
	}
	b.set(park)
	unremoved := b.unremoved
	b.mu.Unlock()
	b.config.Log.WithLevel(parkLevel(park)).Str("scope", b.scope).Str("reason", reason).Int("status", a.Status).Msg(parkAdvice(park))
	b.config.Parked(b.scope)
	if unremoved == 0 {
		_ = b.put(ctx, park)
		return
	}
	onto := park
	onto.Revision = unremoved
	if errors.Is(b.put(ctx, onto), queue.ErrConflict) {
		if now, parked, _ := b.state(); parked && now.Revision == 0 { // STATE had lost the old one, and holds none
			_ = b.put(ctx, park)
		}
	}
}

// claimProbe takes the probe that is due, for this worker alone: until the lease is over no other
// worker probes. False means that none is due, or that another worker has it.
func (b *Breaker) claimProbe(ctx context.Context, lease time.Duration) bool {
	park, parked, _ := b.state()
	now := time.Now()
	if !parked {
		return true
	}
	if now.Before(b.due(lease)) {
		return false
	}
	park.Next = now.Add(lease)
	if err := b.put(ctx, park); err != nil {
		b.postpone()
		return false
	}
	return true
}

// probeFailed doubles the time to the next probe, at most Probing.Max, and returns when that is due.
// The probe met the answer that had parked.
func (b *Breaker) probeFailed(ctx context.Context) time.Time {
	park, parked, _ := b.state()
	if !parked {
		return time.Time{}
	}
	park.Step = min(2*park.Step, b.config.Probing.Max)
	park.Next = time.Now().Add(park.Step)
	if b.put(ctx, park) != nil {
		b.postpone()
	}
	return park.Next
}

// returnProbe gives back a claimed probe that was not made: the next one is due at once.
func (b *Breaker) returnProbe(ctx context.Context) {
	if park, parked, _ := b.state(); parked {
		park.Next = time.Now()
		_ = b.put(ctx, park)
	}
}

// Unpark closes the circuit, here and for all. What STATE does not take now is removed later.
func (b *Breaker) Unpark(ctx context.Context) {
	b.mu.Lock()
	ended := b.current.Revision
	if b.parked {
		b.unremoved = ended
	}
	b.mu.Unlock()
	if b.close() {
		b.remove(ctx, ended)
	}
}

// due is when the next probe may go. The park says so by the clock of the worker that wrote it,
// which may be wrong or of another boot: no wait is longer than the longest pause and the lease of a
// probe, from the moment on when this worker learned of it.
func (b *Breaker) due(lease time.Duration) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest := b.learned.Add(b.config.Probing.Max + lease)
	if latest.Before(b.current.Next) {
		return latest
	}
	return b.current.Next
}

// postpone puts off the next probe of this worker, where STATE gave it none.
func (b *Breaker) postpone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); b.parked && b.current.Next.Before(now.Add(b.config.Probing.First)) {
		b.current.Next = now.Add(b.config.Probing.First)
	}
}

// reservation is one link's right to fetch the event for this process's probe.
type reservation struct{ until time.Time }

// reserve takes the right to fetch an event for the probe for one link of this process, so that the
// others do not fetch one in vain. It ends with release, at the latest after lease. ok is false where
// another one has it; then until is when it ends.
func (b *Breaker) reserve(lease time.Duration) (release func(), until time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.reserved != nil && now.Before(b.reserved.until) {
		return nil, b.reserved.until, false
	}
	mine := &reservation{until: now.Add(lease)}
	b.reserved = mine
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.reserved == mine {
			b.reserved = nil
			b.wake()
		}
	}, time.Time{}, true
}

// set changes the park; the lock is held.
func (b *Breaker) set(park queue.Park) {
	b.parked, b.current, b.learned, b.seen = true, park, time.Now(), max(b.seen, park.Revision)
	b.wake()
}

// close closes the circuit here, and reports whether it was open.
func (b *Breaker) close() bool {
	b.mu.Lock()
	was, park := b.parked, b.current
	b.parked, b.row, b.rowOf = false, 0, ""
	b.wake()
	b.mu.Unlock()
	if was {
		b.config.Log.Info().Str("scope", b.scope).Str("reason", park.Reason).Dur("parked", time.Since(park.Since)).Msg("no longer parked")
		b.config.Unparked(b.scope)
	}
	return was
}

// wake tells whoever waits for a change; the lock is held.
func (b *Breaker) wake() {
	close(b.change)
	b.change = make(chan struct{})
}
