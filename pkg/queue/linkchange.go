package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// resetTTL is how long the lease of a reset outlives a process that died with it.
const resetTTL = 10 * time.Second

// linkChange is a reset or a removal of a link on its way.
type linkChange struct {
	q  *Queue
	id string
	w  Watching
}

// ResetLink brings a link's subjects and, where the spec names one, its start to the spec, and
// returns how it stands then. Nothing else changes them. The consumer on EVENTS is made anew at the
// start; up to the place where the log ends now, HISTORY is asked before each sending, so that what
// has an outcome is not sent again. What waits in RETRIES is not concerned.
//
// Before that the link pauses until what it has in flight is finished, at most as long as the server
// waits for an acknowledgement. Interrupted, it goes on by itself: as it was, or, where STATE was
// changed already, with the next worker that opens the link or loses its consumer; the same call
// again ends it. ErrNotFound: STATE does not know the link.
func (q *Queue) ResetLink(ctx context.Context, s LinkSpec, w Watching) (LinkState, error) {
	if err := checkLink(s); err != nil {
		return LinkState{}, err
	}
	state, err := q.registry.get(ctx, s.ID)
	if err != nil || !state.Resetting && differs(s, state) == "" {
		return state, err
	}
	change := linkChange{q, s.ID, w}
	lease, err := change.waitForLease(ctx)
	if err != nil {
		return state, err
	}
	defer lease.Release()
	ctx = lease.Context()
	if err := change.finishInHand(ctx, event.EventsStream); err != nil {
		return state, err
	}
	_, err = q.registry.change(ctx, s.ID, func(l *LinkState) {
		l.Subjects, l.Resetting = sorted(s.Subjects), true
		if !s.Since.IsZero() {
			l.Start = s.Since.UTC()
		}
	})
	if err != nil {
		return state, err
	}
	return change.renewConsumer(ctx)
}

// finishReset waits for the end of a reset that is under way, and ends one that was interrupted.
func (l linkChange) finishReset(ctx context.Context) (LinkState, error) {
	lease, err := l.waitForLease(ctx)
	if err != nil {
		return LinkState{}, err
	}
	defer lease.Release()
	state, err := l.q.registry.get(lease.Context(), l.id)
	if err != nil || !state.Resetting {
		return state, err
	}
	if err := l.finishInHand(lease.Context(), event.EventsStream); err != nil {
		return state, err
	}
	return l.renewConsumer(lease.Context())
}

// renewConsumer makes a link's consumer on EVENTS anew as STATE says, with what else it had. A link
// without one gets it from the worker that opens it.
func (l linkChange) renewConsumer(ctx context.Context) (LinkState, error) {
	c, err := l.q.js.Consumer(ctx, event.EventsStream, ConsumerName(l.id))
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return LinkState{}, jet.Describe("look for the consumer of link "+l.id, err)
	}
	if err == nil {
		if err := l.replaceConsumer(ctx, c.CachedInfo().Config); err != nil {
			return LinkState{}, fmt.Errorf("reset link %s: %w", l.id, err)
		}
	}
	return l.q.registry.change(ctx, l.id, func(s *LinkState) { s.Resetting = false })
}

// replaceConsumer deletes a link's consumer on EVENTS, which is paused, and makes it anew. Before that it lets
// what workers know of the link grow old.
func (l linkChange) replaceConsumer(ctx context.Context, config jetstream.ConsumerConfig) error {
	if err := wait.Sleep(ctx, stateFor+stateMargin); err != nil {
		return err
	}
	if err := l.q.js.DeleteConsumer(ctx, event.EventsStream, config.Durable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return jet.Describe("delete its consumer", err)
	}
	last, err := l.q.jet.LastSequence(ctx, event.EventsStream)
	if err != nil {
		return err
	}
	state, err := l.q.registry.change(ctx, l.id, func(s *LinkState) { s.CheckTo, s.Opened = last, true })
	if err != nil {
		return err
	}
	setReading(&config, state)
	err = l.q.jet.CreateConsumer(ctx, event.EventsStream, config)
	if errors.Is(err, jetstream.ErrConsumerExists) { // a worker noticed first that it was gone
		err = nil
	}
	return jet.Describe("create its consumer", err)
}

// finishInHand pauses a link's consumer for a while and returns when nothing of it is in flight, or
// when whoever has it has let the server wait too long. The pause runs out by itself.
func (l linkChange) finishInHand(ctx context.Context, stream string) error {
	what := "finish what link " + l.id + " has in hand"
	c, err := l.q.js.Consumer(ctx, stream, ConsumerName(l.id))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	if err != nil {
		return jet.Describe(what, err)
	}
	info := c.CachedInfo()
	patience := info.Config.AckWait + jet.PublishTimeout
	if !info.Paused {
		until := info.TimeStamp.Add(2 * patience)
		if _, err := l.q.js.PauseConsumer(ctx, stream, ConsumerName(l.id), until); err != nil {
			return jet.Describe(what, err)
		}
	}
	_, err = l.w.wait(ctx, Wait{WaitInHand, time.Now().Add(patience)}, func() (bool, error) {
		info, err := c.Info(ctx)
		return err == nil && info.NumAckPending == 0, jet.Describe(what, err)
	})
	return err
}

// stateMargin is for the way of a message that was given out just before the pause.
const stateMargin = 250 * time.Millisecond

// ReasonRemoved is the reason of what a link that was removed has left: dead letters of what waited,
// abandoned events of what it had not read.
const ReasonRemoved = "link_removed"

// Removal is what became of what a removed link had left.
type Removal struct {
	DeadLetters int `json:"deadletters"` // of what waited in RETRIES; they can be replayed as another link's
	Abandoned   int `json:"abandoned"`   // not read, or read and not settled
}

// RemoveLink forgets a link: what it has in flight is finished, what waits in RETRIES becomes dead
// letters, the events that it has not taken are recorded as abandoned, then its consumers go, its
// park, and last its record in STATE. Interrupted at any line, the same call ends it. ErrNotFound: STATE
// does not know the link. ErrHeld: another reset or removal of it is under way, and does not end.
//
// Nobody may run the link: it would be registered anew.
func (q *Queue) RemoveLink(ctx context.Context, id string, w Watching) (Removal, error) {
	var r Removal
	change := linkChange{q, id, w}
	lease, err := change.waitForLease(ctx)
	if err != nil {
		return r, err
	}
	defer lease.Release()
	ctx = lease.Context()
	if err := q.PauseLink(ctx, id, Gone); err != nil {
		return r, err
	}
	state, err := q.registry.get(ctx, id)
	if err != nil {
		return r, err
	}
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		if err := change.finishInHand(ctx, stream); err != nil {
			return r, err
		}
	}
	if r.DeadLetters, err = change.buryRetries(ctx, w.done); err != nil {
		return r, fmt.Errorf("remove link %s: %w", id, err)
	}
	if r.Abandoned, err = change.abandonUnread(ctx, state, func(n int) { w.done(r.DeadLetters + n) }); err != nil {
		return r, fmt.Errorf("remove link %s: %w", id, err)
	}
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		if err := q.js.DeleteConsumer(ctx, stream, ConsumerName(id)); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return r, jet.Describe("delete the consumer of link "+id, err)
		}
	}
	if err := q.Unpark(ctx, event.LinkScope(id)); err != nil {
		return r, err
	}
	if _, err := q.state.Put(ctx, event.RemovedKeys.Of(id), time.Now().UTC()); err != nil {
		return r, err
	}
	return r, q.state.Delete(ctx, event.LinkKeys.Of(id))
}

// buryRetries makes dead letters of what waits for a link.
func (l linkChange) buryRetries(ctx context.Context, progress func(int)) (int, error) {
	n := 0
	for m, err := range l.q.jet.Scan(ctx, event.RetriesStream, event.RetrySubjects.OfLink(l.id, ">"), 1) {
		if err != nil {
			return n, err
		}
		retry, ok := ReadRetry(m)
		if !ok {
			continue
		}
		if err := l.q.giveUp(ctx, m, retry, Record{Trail: event.Trail{Reason: ReasonRemoved}}); err != nil {
			return n, err
		}
		n++
		progress(n)
	}
	return n, nil
}

// abandonUnread records what a link would have taken and has not settled.
func (l linkChange) abandonUnread(ctx context.Context, state LinkState, progress func(int)) (int, error) {
	last, err := l.q.jet.LastSequence(ctx, event.EventsStream)
	if err != nil {
		return 0, err
	}
	s, err := l.q.standing(ctx, state, last+1)
	if err != nil {
		return 0, err
	}
	return s.Abandon(ctx, last+1, ReasonRemoved, progress)
}

// waitForLease takes the lease under which a link is reset or removed, waiting for whoever has it, but
// not for ever. ErrHeld.
func (l linkChange) waitForLease(ctx context.Context) (*Lease, error) {
	var lease *Lease
	ok, err := l.w.wait(ctx, Wait{WaitReset, time.Now().Add(resetPatience)}, func() (bool, error) {
		var err error
		lease, err = l.q.Lease(ctx, event.LeaseReset(l.id), resetTTL)
		if errors.Is(err, ErrHeld) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil || ok {
		return lease, err
	}
	h, _ := holderOf(ctx, l.q, event.LeaseReset(l.id)) // to name it, where it is known
	return nil, fmt.Errorf("another reset or removal of link %s is under way, begun %s by %s: wait until it ends, then repeat the command: %w",
		l.id, h.Since.Format(time.RFC3339), h.Name, ErrHeld)
}

// Watching is told how a command gets on that may take a while. Nil functions are not called.
type Watching struct {
	Done  func(n int) // so many events are through
	Waits func(Wait)  // it has waited for a second, and goes on
}

// Wait is what a command waits for, and until when at the latest.
type Wait struct {
	For   WaitFor
	Until time.Time
}

// WaitFor is a reason to wait.
type WaitFor string

// The reasons.
const (
	WaitReset  WaitFor = "reset"   // another reset or removal of the link
	WaitInHand WaitFor = "in_hand" // what a worker has in hand of the link
)

// slowWait is how long a wait is not worth a word.
const slowWait = time.Second

// resetPatience bounds the wait for another reset or removal. One whose process has died is over
// before; a removal with a long backlog may take longer.
const resetPatience = 3 * resetTTL

// done tells how many events are through.
func (w Watching) done(n int) {
	if w.Done != nil {
		w.Done(n)
	}
}

// askEvery is how often Watching.wait asks whether what it waits for is over.
const askEvery = 50 * time.Millisecond

// wait asks every so often until it is over or the time has come, and tells once that it waits. False:
// the time has come.
func (w Watching) wait(ctx context.Context, what Wait, over func() (bool, error)) (bool, error) {
	tell := time.Now().Add(slowWait)
	for told := w.Waits == nil; ; {
		ok, err := over()
		if ok || err != nil {
			return ok, err
		}
		now := time.Now()
		if now.After(what.Until) {
			return false, nil
		}
		if !told && now.After(tell) {
			w.Waits(what)
			told = true
		}
		if err := wait.Sleep(ctx, askEvery); err != nil {
			return false, err
		}
	}
}
