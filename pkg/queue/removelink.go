package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// ReasonRemoved is the reason of what a link that was removed has left: dead letters of what waited,
// abandoned events of what it had not read.
const ReasonRemoved = "link_removed"

// Removal is what became of what a removed link had left.
type Removal struct {
	DeadLetters int `json:"deadletters"` // of what waited in RETRIES; they can be replayed as another link's
	Abandoned   int `json:"abandoned"`   // not read, or read and not settled
}

// RemoveLink forgets a link: what it has in hand is finished, what waits in RETRIES becomes dead
// letters, the events that it has not taken are recorded as abandoned, then its consumers go, its
// park, and last its record in STATE. progress, where not nil, is told how many events are through.
// Interrupted at any line, the same call ends it. ErrNotFound: STATE does not know the link.
//
// Nobody may run the link: it would be registered anew.
func (q *Queue) RemoveLink(ctx context.Context, id string, progress func(done int)) (Removal, error) {
	var r Removal
	lease, err := q.waitForLease(ctx, resetLease(id))
	if err != nil {
		return r, err
	}
	defer lease.Release()
	ctx = lease.Context()
	if err := q.PauseLink(ctx, id, Gone); err != nil {
		return r, err
	}
	state, err := q.linkState(ctx, id)
	if err != nil {
		return r, err
	}
	for _, stream := range []string{eventsStream, retriesStream} {
		if err := q.finishInHand(ctx, id, stream); err != nil {
			return r, err
		}
	}
	if progress == nil {
		progress = func(int) {}
	}
	if r.DeadLetters, err = q.buryRetries(ctx, id, progress); err != nil {
		return r, fmt.Errorf("remove link %s: %w", id, err)
	}
	if r.Abandoned, err = q.abandonUnread(ctx, state, func(n int) { progress(r.DeadLetters + n) }); err != nil {
		return r, fmt.Errorf("remove link %s: %w", id, err)
	}
	for _, stream := range []string{eventsStream, retriesStream} {
		if err := q.js.DeleteConsumer(ctx, stream, consumerName(id)); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
			return r, describe("delete the consumer of link "+id, err)
		}
	}
	if err := q.Unpark(ctx, "link/"+id); err != nil {
		return r, err
	}
	return r, q.State().Delete(ctx, linkKeys+id)
}

// buryRetries makes dead letters of what waits for a link, in the order in which everything dies: the
// dead letter, the record, then the retry goes.
func (q *Queue) buryRetries(ctx context.Context, id string, progress func(int)) (int, error) {
	n := 0
	for m, err := range q.scan(ctx, retriesStream, anyRetry+id+".>", 1) {
		if err != nil {
			return n, err
		}
		retry, ok := readRetry(m)
		if !ok {
			continue
		}
		t := readTrail(m.Header)
		t.Link, t.Reason = id, ReasonRemoved
		if err := q.bury(ctx, retry.key, m.Header, m.Data, t); err != nil {
			return n, err
		}
		record := Record{
			Link: id, Outcome: event.Dead, Reason: ReasonRemoved, Attempts: t.Attempts, Revision: t.Revision, As: t.As,
			Replayed: t.Replayed, Source: fromRetries, Sequence: m.Sequence,
		}
		if err := q.record(ctx, retry.key, record); err != nil {
			return n, err
		}
		if err := q.remove(ctx, retriesStream, m.Sequence); err != nil {
			return n, err
		}
		n++
		progress(n)
	}
	return n, nil
}

// abandonUnread records what a link would have taken and has not settled.
func (q *Queue) abandonUnread(ctx context.Context, state LinkState, progress func(int)) (int, error) {
	last, err := q.lastSequence(ctx, eventsStream)
	if err != nil {
		return 0, err
	}
	s, err := q.standing(ctx, state, last+1)
	if err != nil {
		return 0, err
	}
	return q.abandonPlace(ctx, s, last+1, ReasonRemoved, progress)
}
