package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// publisher puts events into EVENTS, each key once.
type publisher struct {
	jet       *jet.Client
	state     *jet.Bucket
	committer *jet.Committer                      // nil with several replicas: an election would hold up what comes after it
	recompute func(event.Event) event.Fingerprint // of a stored event; nil: none is known
	keys      *keyCache
	turns     keyTurns
	horizon   horizon
}

// Publish stores an event under its key, once for as long as it is kept, or says that it need not
// be stored. While nobody answers it is tried again, until ctx ends, at most ten seconds. An
// error means undecided: whoever brought the event must bring it again. ErrFull and ErrTooLarge come
// at once; ErrAway says that nobody was there all the time.
func (q *Queue) Publish(ctx context.Context, e event.Event) (event.Receipt, error) {
	p := &q.publisher
	if p.repeats(e) {
		return event.ReceiptRepeated, nil
	}
	waited, done, err := p.turns.take(ctx, e.Key)
	if err != nil {
		return "", describe("store event "+e.Key.String(), err)
	}
	defer done()
	if waited && p.repeats(e) {
		return event.ReceiptRepeated, nil
	}
	receipt, stored, err := p.storeOnce(ctx, e)
	if err != nil {
		return "", describe("store event "+e.Key.String(), err)
	}
	if receipt == event.ReceiptStored || receipt == event.ReceiptRepeated || receipt == event.ReceiptCollision {
		p.keys.add(e.Key, stored)
	}
	return receipt, nil
}

// repeats reports whether an event is known to be stored. Another call under a known id is rare, and the log has the
// last word on it.
func (p *publisher) repeats(e event.Event) bool {
	f, ok := p.keys.get(e.Key)
	return ok && second(e.Fingerprint, f) == event.ReceiptRepeated
}

// keyTurns lets one event of a key be stored at a time: as a rule the second one need not be, and two of one key
// in a batch refuse all of it. The zero value is ready.
type keyTurns struct {
	mu   sync.Mutex
	busy map[event.Key]*keyTurn
}

// keyTurn is who stores a key just now.
type keyTurn struct{ over chan struct{} } // made by the first one that waits

// take waits until nobody else stores the key, or ctx ends, and reports whether it had to wait. done must be called.
func (t *keyTurns) take(ctx context.Context, k event.Key) (waited bool, done func(), err error) {
	for {
		t.mu.Lock()
		other := t.busy[k]
		if other == nil {
			if t.busy == nil {
				t.busy = map[event.Key]*keyTurn{}
			}
			mine := &keyTurn{}
			t.busy[k] = mine
			t.mu.Unlock()
			return waited, func() { t.end(k, mine) }, nil
		}
		if other.over == nil {
			other.over = make(chan struct{})
		}
		over := other.over
		t.mu.Unlock()
		waited = true
		select {
		case <-over:
		case <-ctx.Done():
			return true, nil, ctx.Err()
		}
	}
}

func (t *keyTurns) end(k event.Key, mine *keyTurn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.busy, k)
	if mine.over != nil {
		close(mine.over)
	}
}

// storeOnce is the rule of publishing. Only the guard's refusal means "stored already". A time-out and a
// proposal in flight are undecided, and where nobody answers nothing is stored: tried again, then an
// error. The guard makes that safe also where the first try was stored after all. f is the fingerprint
// of what is stored under the key.
func (p *publisher) storeOnce(ctx context.Context, e event.Event) (receipt event.Receipt, f event.Fingerprint, err error) {
	err = p.jet.Insist(ctx, func(ctx context.Context) error {
		err := p.storeEvent(ctx, e)
		switch {
		case err == nil:
			receipt, f = event.ReceiptStored, e.Fingerprint
		case errors.Is(err, errTooOld):
			receipt, f, err = p.storeOld(ctx, e)
		case jet.GuardFailed(err):
			receipt, f, err = p.compare(ctx, e)
		}
		return err
	})
	return receipt, f, err
}

// storeEvent is the one place that publishes to EVENTS: the guard is the publisher's, the stream
// itself would store the same key twice. The subject must be empty, for as long as it is kept; what
// was fetched and is older than that is errTooOld.
func (p *publisher) storeEvent(ctx context.Context, e event.Event) error {
	if old, err := p.tooOld(ctx, e); err != nil {
		return err
	} else if old {
		return errTooOld
	}
	m := &nats.Msg{Subject: event.LogSubjects.Of(e.Key.Subject()), Header: e.Header(), Data: e.Body}
	jet.Guard(m.Header, 0)
	if !p.jet.Fits(m, trailRoom) {
		return ErrTooLarge
	}
	if p.committer != nil {
		return p.committer.Add(ctx, m)
	}
	_, err := p.jet.Publish(ctx, m)
	return err
}

// trailRoom is what the headers of a retry or dead letter may add to those of its event. What is
// stored leaves it free, so that an event that was taken can also wait, and be given up.
const trailRoom = 8 << 10

var errTooOld = errors.New("it happened before the horizon")

// storeOld says what an event from before the horizon is: one that is still here, or too old.
func (p *publisher) storeOld(ctx context.Context, e event.Event) (event.Receipt, event.Fingerprint, error) {
	receipt, f, err := p.compare(ctx, e)
	if errors.Is(err, ErrNotFound) {
		return event.ReceiptTooOld, event.Fingerprint{}, nil
	}
	return receipt, f, err
}

// compare reads what is stored under e's key and says what e is beside it.
func (p *publisher) compare(ctx context.Context, e event.Event) (event.Receipt, event.Fingerprint, error) {
	m, err := p.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(e.Key.Subject()))
	if err != nil {
		return "", event.Fingerprint{}, err
	}
	if Erased(m.Header) {
		return event.ReceiptErased, event.Fingerprint{}, nil
	}
	stored, err := ReadEvent(m)
	if err != nil { // damaged or newer: there is nothing to compare with, and nothing to lose
		return event.ReceiptRepeated, event.Fingerprint{}, nil
	}
	f := p.fingerprint(stored)
	if stored.Received.Equal(e.Received) && bytes.Equal(stored.Body, e.Body) {
		return event.ReceiptStored, f, nil // by our own publish that came to no answer
	}
	return second(e.Fingerprint, f), f, nil
}

func (p *publisher) fingerprint(e event.Event) event.Fingerprint {
	if p.recompute == nil {
		return event.Fingerprint{}
	}
	return p.recompute(e)
}

// second says what an event is whose key is stored: the same call again, or another one.
func second(f, stored event.Fingerprint) event.Receipt {
	if f.Other(stored) {
		return event.ReceiptCollision
	}
	return event.ReceiptRepeated
}

// keysKept is how many stored keys are remembered: 20,000 are a day's calls of a middling
// company, in some 1.5 MB.
const keysKept = 20_000

// keyCache is the dedupe cache: the keys that were stored lately, with their fingerprints, so that a hook
// sent twice and a poll that reads the same record again cost the server nothing. It is bounded: two
// generations, of which the older is dropped when the younger is full. It holds no pointers: a collection of garbage has nothing to look
// through, and no part of a hook's text keeps all of it.
type keyCache struct {
	seeds [2]maphash.Seed
	limit int

	mu    sync.Mutex
	young map[keySum]keptPrint
	old   map[keySum]keptPrint
}

// keySum stands for a key: 128 bits, under seeds that only this process knows, so that no two keys have one.
type keySum [2]uint64

// keptPrint is a fingerprint, in whole seconds.
type keptPrint struct {
	phone [16]byte // digits; the rest is zero
	time  int64
}

func newKeyCache(limit int) *keyCache {
	return &keyCache{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, limit: max(1, limit/2), young: map[keySum]keptPrint{}}
}

func (c *keyCache) sum(k event.Key) keySum {
	return keySum{maphash.Comparable(c.seeds[0], k), maphash.Comparable(c.seeds[1], k)}
}

// add remembers a key, but for one whose phone is longer than any.
func (c *keyCache) add(k event.Key, f event.Fingerprint) {
	kept := keptPrint{time: f.Time.Unix()}
	if copy(kept.phone[:], f.Phone) < len(f.Phone) {
		return
	}
	sum := c.sum(k)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.limit {
		c.old, c.young = c.young, make(map[keySum]keptPrint, c.limit)
	}
	c.young[sum] = kept
}

// clear forgets everything.
func (c *keyCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.old, c.young = nil, map[keySum]keptPrint{}
}

func (c *keyCache) get(k event.Key) (event.Fingerprint, bool) {
	sum := c.sum(k)
	c.mu.Lock()
	kept, ok := c.young[sum]
	if !ok {
		kept, ok = c.old[sum]
	}
	c.mu.Unlock()
	if !ok {
		return event.Fingerprint{}, false
	}
	phone, _, _ := bytes.Cut(kept.phone[:], []byte{0})
	return event.Fingerprint{Phone: string(phone), Time: time.Unix(kept.time, 0)}, true // the zero time stays zero
}

// listen empties the dedupe cache whenever some process calls ForgetKeys. Who was away then does so at the reconnect, see Open.
func (p *publisher) listen() error {
	_, err := p.jet.Conn().Subscribe(event.ForgetSubject, func(*nats.Msg) { p.keys.clear() })
	if err != nil {
		return fmt.Errorf("listen for erasures: %w", err)
	}
	return nil
}

// ForgetKeys makes every process ask the log anew about each key: one that is remembered as stored
// would be counted as repeated and not as erased. Nothing else hangs on it, so nobody waits for it.
func (q *Queue) ForgetKeys() {
	q.publisher.keys.clear()
	_ = q.jet.Conn().Publish(event.ForgetSubject, nil)
}

// horizonAge is how old what a publisher knows of the horizon may be, and horizonSettles how long
// a purge waits behind telling it, so that every publisher has heard of it by then.
const (
	horizonAge     = 250 * time.Millisecond
	horizonSettles = 2 * horizonAge
)

// Horizon is the low watermark of the log: the moment before which nothing is stored any more, because
// retention has purged what happened then; the zero time while nothing was purged.
func (q *Queue) Horizon(ctx context.Context) (time.Time, error) { return readHorizon(ctx, q.state) }

func readHorizon(ctx context.Context, state *jet.Bucket) (time.Time, error) {
	var horizon time.Time
	_, err := state.Get(ctx, event.HorizonKey, &horizon)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return horizon, err
}

// MoveHorizon tells everybody that what arrived up to t is about to be purged, and returns when
// they have heard. It never goes back.
func (q *Queue) MoveHorizon(ctx context.Context, t time.Time) error {
	before, err := q.Horizon(ctx)
	if err != nil {
		return err
	}
	if t.After(before) {
		if _, err := q.state.Put(ctx, event.HorizonKey, t.UTC()); err != nil {
			return err
		}
	}
	return wait.Sleep(ctx, horizonSettles)
}

// horizon caches the low watermark of the log, at most horizonAge old: each polled record asks for it.
type horizon struct {
	mu   sync.Mutex
	at   time.Time
	read time.Time
}

// tooOld reports whether an event that was fetched from Calltouch happened before the horizon: it
// may have been here and been purged, and must not come back. A hook is what happens now.
func (p *publisher) tooOld(ctx context.Context, e event.Event) (bool, error) {
	if e.Origin == event.Webhook || e.Time.IsZero() {
		return false, nil
	}
	h := &p.horizon
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.read) > horizonAge {
		began := time.Now()
		at, err := readHorizon(ctx, p.state)
		if err != nil {
			return false, err
		}
		h.at, h.read = at, began
	}
	return e.Time.Before(h.at), nil
}
