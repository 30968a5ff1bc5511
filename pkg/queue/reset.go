package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// resetTTL is how long the lease of a reset outlives a process that died with it.
const resetTTL = 10 * time.Second

// resetLease is the name of the lease under which a link is reset or removed.
func resetLease(link string) string { return "reset-" + link }

// ResetLink brings a link's subjects and, where the spec names one, its start to the spec, and
// returns how it stands then. Nothing else changes them. The consumer on EVENTS is made anew at the
// start; up to the place where the log ends now, HISTORY is asked before each sending, so that what
// has an outcome is not sent again. What waits in RETRIES is not concerned.
//
// Before that the link pauses until what it has in hand is finished, at most as long as the server
// waits for an acknowledgement. Interrupted, it goes on by itself: as it was, or, where STATE was
// changed already, with the next worker that opens the link or loses its consumer; the same call
// again ends it. ErrNotFound: STATE does not know the link.
func (q *Queue) ResetLink(ctx context.Context, s LinkSpec) (LinkState, error) {
	if err := checkLink(s); err != nil {
		return LinkState{}, err
	}
	state, err := q.linkState(ctx, s.ID)
	if err != nil || !state.Resetting && differs(s, state) == "" {
		return state, err
	}
	lease, err := q.waitForLease(ctx, resetLease(s.ID))
	if err != nil {
		return state, err
	}
	defer lease.Release()
	ctx = lease.Context()
	if err := q.finishInHand(ctx, s.ID, eventsStream); err != nil {
		return state, err
	}
	_, err = q.changeLink(ctx, s.ID, func(l *LinkState) {
		l.Subjects, l.Resetting = sorted(s.Subjects), true
		if !s.Since.IsZero() {
			l.Start = s.Since.UTC()
		}
	})
	if err != nil {
		return state, err
	}
	return q.renewConsumer(ctx, s.ID)
}

// finishReset waits for the end of a reset that is under way, and ends one that was interrupted.
func (q *Queue) finishReset(ctx context.Context, id string) (LinkState, error) {
	lease, err := q.waitForLease(ctx, resetLease(id))
	if err != nil {
		return LinkState{}, err
	}
	defer lease.Release()
	state, err := q.linkState(lease.Context(), id)
	if err != nil || !state.Resetting {
		return state, err
	}
	if err := q.finishInHand(lease.Context(), id, eventsStream); err != nil {
		return state, err
	}
	return q.renewConsumer(lease.Context(), id)
}

// waitForLease takes a lease, waiting for whoever has it.
func (q *Queue) waitForLease(ctx context.Context, name string) (*Lease, error) {
	for {
		lease, err := q.Lease(ctx, name, resetTTL)
		if !errors.Is(err, ErrHeld) {
			return lease, err
		}
		if err := sleep(ctx, idleWait); err != nil {
			return nil, err
		}
	}
}

// renewConsumer makes a link's consumer on EVENTS anew as STATE says, with what else it had. A link
// without one gets it from the worker that opens it.
func (q *Queue) renewConsumer(ctx context.Context, id string) (LinkState, error) {
	c, err := q.js.Consumer(ctx, eventsStream, consumerName(id))
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return LinkState{}, describe("look for the consumer of link "+id, err)
	}
	if err == nil {
		if err := q.replaceConsumer(ctx, id, c.CachedInfo().Config); err != nil {
			return LinkState{}, fmt.Errorf("reset link %s: %w", id, err)
		}
	}
	return q.changeLink(ctx, id, func(s *LinkState) { s.Resetting = false })
}

func (q *Queue) replaceConsumer(ctx context.Context, id string, config jetstream.ConsumerConfig) error {
	if err := q.js.DeleteConsumer(ctx, eventsStream, config.Durable); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return describe("delete its consumer", err)
	}
	last, err := q.lastSequence(ctx, eventsStream)
	if err != nil {
		return err
	}
	state, err := q.changeLink(ctx, id, func(s *LinkState) { s.CheckTo, s.Opened = last, true })
	if err != nil {
		return err
	}
	setReading(&config, state)
	_, err = q.js.CreateConsumer(ctx, eventsStream, config)
	if errors.Is(err, jetstream.ErrConsumerExists) { // a worker noticed first that it was gone
		err = nil
	}
	return describe("create its consumer", err)
}

// finishInHand pauses a link's consumer for a while and returns when nothing of it is in hand, or
// when whoever has it has let the server wait too long. The pause runs out by itself.
func (q *Queue) finishInHand(ctx context.Context, id, stream string) error {
	what := "finish what link " + id + " has in hand"
	c, err := q.js.Consumer(ctx, stream, consumerName(id))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	if err != nil {
		return describe(what, err)
	}
	info := c.CachedInfo()
	patience := info.Config.AckWait + publishTimeout
	if !info.Paused {
		until := info.TimeStamp.Add(2 * patience)
		if _, err := q.js.PauseConsumer(ctx, stream, consumerName(id), until); err != nil {
			return describe(what, err)
		}
	}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if info, err = c.Info(ctx); err != nil {
			return describe(what, err)
		}
		if info.NumAckPending == 0 {
			return nil
		}
		if err := sleep(ctx, inHandEvery); err != nil {
			return err
		}
	}
	return nil
}

// inHandEvery is how often a link that is to pause is asked whether it has finished.
const inHandEvery = 50 * time.Millisecond

// CountEvents says how many events of the log have one of the subjects and were stored since then.
func (q *Queue) CountEvents(ctx context.Context, subjects []string, since time.Time) (uint64, error) {
	var n uint64
	for _, subject := range subjects {
		what := map[string]any{"start_time": since.UTC(), "next_by_subj": subject, "batch": 1}
		batch, more, err := q.batch(ctx, eventsStream, what)
		if err != nil {
			return 0, describe("count events", err)
		}
		n += uint64(len(batch)) + more
	}
	return n, nil
}
