package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// A poison message, an event that ends the process when it is tried, would end it again after every
// restart. The server's count of deliveries does not find it: it is lost with an embedded server, and grows
// for every event that was in hand at a plain restart. So each process writes down that it lives and, when
// it stops, that it stopped. After crashesToCare ends without a stop it is careful for a while: events
// are tried one by one, and each is written down before. What was being tried at trialsToBury further
// ends is the cause, and becomes a dead letter.
const (
	crashesToCare = 2
	trialsToBury  = 3 // with the two before: five crashes
	carefulFor    = 10 * time.Minute
	mostSuspects  = 20
)

// life is what a process writes down, by host: what crashed is started again there. Workers that share a
// host take each other's lives for crashes, and are careful without need.
type life struct {
	Stopped  bool      `json:"stopped"`            // it ended as it should
	Crashes  int       `json:"crashes,omitempty"`  // lives before this one that did not, in a row
	Trial    *suspect  `json:"trial,omitempty"`    // what is tried now
	Suspects []suspect `json:"suspects,omitempty"` // what was tried when a life ended
}

// suspect is an event of a link, and how many lives ended while it was tried.
type suspect struct {
	Link    string `json:"link"`
	Event   string `json:"event"`
	Crashes int    `json:"crashes"`
}

// next is the life after this one.
func (l life) next() life {
	if l.Stopped {
		return life{}
	}
	n := life{Crashes: l.Crashes + 1, Suspects: slices.Clone(l.Suspects)}
	if l.Trial == nil {
		return n
	}
	if i := n.find(*l.Trial); i >= 0 {
		n.Suspects[i].Crashes++
		return n
	}
	n.Suspects = append(n.Suspects, suspect{l.Trial.Link, l.Trial.Event, 1})
	if len(n.Suspects) > mostSuspects {
		n.Suspects = n.Suspects[1:]
	}
	return n
}

func (l life) find(s suspect) int {
	return slices.IndexFunc(l.Suspects, func(o suspect) bool { return o.Link == s.Link && o.Event == s.Event })
}

// lifeStore keeps a process's life; queue.State is one.
type lifeStore interface {
	Get(ctx context.Context, key string, v any) (uint64, error)
	Put(ctx context.Context, key string, v any) (uint64, error)
}

// crashes finds the poison message. The zero value is never careful.
type crashes struct {
	store   lifeStore
	key     string
	log     zerolog.Logger
	careful atomic.Bool
	waiting atomic.Int64
	lock    chan struct{} // held, by whoever has put something in, for the one event that is tried, and for life
	life    life
}

func newCrashes(store lifeStore, log zerolog.Logger) *crashes {
	host, _ := os.Hostname()
	sum := sha256.Sum256([]byte(host))
	return &crashes{store: store, key: event.LifeKeys.Of(hex.EncodeToString(sum[:8])), log: log, lock: make(chan struct{}, 1)}
}

// begin reads how the last life ended and begins this one.
func (c *crashes) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	last := life{Stopped: true}
	if _, err := c.store.Get(ctx, c.key, &last); err != nil && !errors.Is(err, queue.ErrNotFound) {
		return err
	}
	now := last.next()
	if _, err := c.store.Put(ctx, c.key, now); err != nil {
		return err
	}
	c.lock <- struct{}{}
	c.life = now
	<-c.lock
	if now.Crashes >= crashesToCare {
		c.careful.Store(true)
		c.log.Warn().Int("crashes", now.Crashes).Dur("for", carefulFor).
			Msg("the last processes here ended without a stop: events are looked at one by one for a while, " +
				"to find out whether one of them is the cause")
	}
	return nil
}

// live begins the life, trying until it works, and ends being careful when it has gone well for a
// while.
func (c *crashes) live(ctx context.Context, begun bool) {
	for !begun && wait.Sleep(ctx, time.Second) == nil {
		begun = c.begin(ctx) == nil
	}
	if wait.Sleep(ctx, carefulFor) != nil {
		return
	}
	c.careful.Store(false)
	c.write(ctx, life{})
}

// end writes down that the process stops.
func (c *crashes) end() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	c.write(ctx, life{Stopped: true})
}

// write begins another life, as far as the lock can be had in time.
func (c *crashes) write(ctx context.Context, now life) {
	select {
	case c.lock <- struct{}{}:
		c.life = now
		c.put(ctx)
		<-c.lock
	case <-ctx.Done():
	}
}

// put stores the life; the lock is held. Without STATE a crash of now is not told from others.
func (c *crashes) put(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	if _, err := c.store.Put(ctx, c.key, c.life); err != nil && ctx.Err() == nil {
		c.log.Debug().Err(err).Msg("how this process lives could not be written down")
	}
}

// tried is what came of try.
type tried int

const (
	tryMade        tried = iota // the event was tried
	tryCondemned                // it is the cause of the crashes, and was not tried
	tryInterrupted              // the end came first
)

// try runs what is to be done with an event: alone, and written down before, where this process is careful.
func (c *crashes) try(ctx context.Context, d *queue.Delivery, run func()) tried {
	if !c.careful.Load() {
		run()
		return tryMade
	}
	c.waiting.Add(1)
	select {
	case c.lock <- struct{}{}:
	case <-ctx.Done():
		c.waiting.Add(-1)
		return tryInterrupted
	}
	c.waiting.Add(-1)
	defer func() { <-c.lock }()
	s := suspect{Link: d.Link, Event: d.Event.Key.String()}
	if i := c.life.find(s); i >= 0 && c.life.Suspects[i].Crashes >= trialsToBury {
		c.life.Suspects = slices.Delete(c.life.Suspects, i, i+1) // a replay begins anew
		c.put(ctx)
		return tryCondemned
	}
	c.life.Trial = &s
	c.put(ctx)
	defer func() {
		if c.life.Trial = nil; c.waiting.Load() == 0 { // else the next one writes itself down
			c.put(ctx)
		}
	}()
	run()
	return tryMade
}
