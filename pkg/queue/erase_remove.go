package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// remove removes what a look has found, and counts it. First all tombstones, with the bodies in
// EVENTS, then the rest of each event. What may be in hand meanwhile is reckoned from how far the
// consumers were before and are behind it.
func (r *erasure) remove(ctx context.Context, f *finds, gone *Traces) error {
	if err := r.mark(ctx); err != nil {
		return err
	}
	before, err := r.q.reaches(ctx, r.links)
	if err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(f.events))
	total, done := 2*len(keys)+len(f.asides), 0
	step := func(err error) error {
		done++
		r.tell(ErasureProgress{Step: EraseRemove, Done: done, Total: total, Found: total})
		return err
	}
	for _, key := range keys {
		if err := step(r.entomb(ctx, key, f.events[key], gone)); err != nil {
			return fmt.Errorf("erase %s: %w", key, err)
		}
	}
	r.q.forget()
	for _, key := range keys {
		if err := step(r.removeRest(ctx, key, f.events[key], gone)); err != nil {
			return fmt.Errorf("erase %s: %w", key, err)
		}
	}
	for _, sequence := range f.asides {
		if err := step(r.wipe(ctx, asideStream, sequence, &gone.Aside)); err != nil {
			return err
		}
	}
	return r.reckon(ctx, before, f)
}

// wipe overwrites and removes a message, and counts it.
func (r *erasure) wipe(ctx context.Context, stream string, sequence uint64, count *int) error {
	err := r.q.wipe(ctx, stream, sequence)
	if err == nil {
		*count++
	}
	return err
}

// entomb puts a tombstone in the place of an event and overwrites its body. A full log takes no
// tombstone before it has room: then the body goes first.
func (r *erasure) entomb(ctx context.Context, key string, x *find, gone *Traces) error {
	old, err := r.q.tombstone(ctx, key, x.links)
	full := errors.Is(err, ErrFull)
	if err != nil && !full {
		return err
	}
	sequences := x.events
	if old != 0 && !slices.Contains(sequences, old) { // it was stored again since the look
		sequences = append(slices.Clone(sequences), old)
	}
	for _, sequence := range sequences {
		if err := r.wipe(ctx, eventsStream, sequence, &gone.Events); err != nil {
			return err
		}
	}
	if full {
		if _, err := r.q.tombstone(ctx, key, x.links); err != nil {
			return err
		}
	}
	r.graves[key] = &grave{links: x.links}
	return nil
}

// headerTaken lists on a tombstone the links that had taken the event.
const headerTaken = "Touchbox-Taken-By"

// tombstoneTries is how often a tombstone is tried whose subject changes at the same time.
const tombstoneTries = 5

// tombstone is the rule of erased events: it becomes the newest message of the event's subject, so
// that no publisher finds that empty, and links pass over it. It returns the sequence of the event
// that it follows, 0 for none. Where one is there already, it stays.
//
// It does not replace the event by a rollup: what is purged stays in the store's file until that is
// rewritten, and can no longer be overwritten.
func (q *Queue) tombstone(ctx context.Context, key string, links []string) (uint64, error) {
	var err error
	for range tombstoneTries {
		var m *stored
		m, err = q.last(ctx, eventsStream, eventPrefix+key)
		expected := uint64(0)
		switch {
		case err == nil && erased(m.Header):
			return 0, nil
		case err == nil:
			expected = m.Sequence
		case !errors.Is(err, ErrNotFound):
			return 0, describe("look for the event", err)
		}
		t := &nats.Msg{Subject: eventPrefix + key, Header: nats.Header{
			headerFormat:                        {strconv.Itoa(event.Format)},
			headerErased:                        {moment(time.Now())},
			jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(expected, 10)},
		}}
		if len(links) > 0 {
			t.Header.Set(headerTaken, strings.Join(links, ","))
		}
		_, err = q.publish(ctx, t)
		if c := code(err); c == codeWrongSequence || c == codeWrongSequenceFlying || unanswered(err) {
			continue
		}
		return expected, describe("publish the tombstone", err)
	}
	return 0, describe("publish the tombstone", err)
}

// removeRest removes what is left of an event that has its tombstone, and notes for each link that
// had taken it that it is erased.
func (r *erasure) removeRest(ctx context.Context, key string, x *find, gone *Traces) error {
	for _, sequence := range x.retries {
		if err := r.wipe(ctx, retriesStream, sequence, &gone.Retries); err != nil {
			return err
		}
	}
	for _, sequence := range x.deadLetters {
		if err := r.wipe(ctx, deadStream, sequence, &gone.DeadLetters); err != nil {
			return err
		}
	}
	for _, sequence := range x.history { // no personal data is in it: its bytes may stay for a while
		if err := r.q.remove(ctx, historyStream, sequence); err != nil {
			return err
		}
		gone.History++
	}
	for _, link := range x.unrecorded() {
		if err := r.q.record(ctx, key, Record{Link: link, Outcome: event.Erased}); err != nil {
			return err
		}
	}
	return nil
}

// reach is how far one of a link's consumers has come.
type reach struct {
	floor, delivered uint64
	ackWait          time.Duration
}

// reaches are those of all links, by stream and link. A link without a consumer has nothing in hand.
func (q *Queue) reaches(ctx context.Context, links []LinkState) (map[[2]string]reach, error) {
	out := map[[2]string]reach{}
	for _, l := range links {
		for _, stream := range []string{eventsStream, retriesStream} {
			c, err := q.js.Consumer(ctx, stream, consumerName(l.ID))
			if errors.Is(err, jetstream.ErrConsumerNotFound) {
				continue
			}
			if err != nil {
				return nil, describe("look at link "+l.ID, err)
			}
			info := c.CachedInfo()
			out[[2]string{stream, l.ID}] = reach{info.AckFloor.Stream, info.Delivered.Stream, info.Config.AckWait}
		}
	}
	return out, nil
}

// reckon finds out whether a message that was removed may be in some worker's hands: it was not
// behind the floor of the consumer before, and is not beyond what has been delivered by now. The
// floor of now says nothing, because the server counts a message that is gone as acknowledged.
func (r *erasure) reckon(ctx context.Context, before map[[2]string]reach, f *finds) error {
	after, err := r.q.reaches(ctx, r.links)
	if err != nil {
		return err
	}
	for at, now := range after {
		floor := before[at].floor
		for _, x := range f.events {
			sequences := x.events
			if at[0] == retriesStream {
				sequences = x.retries
			}
			if slices.ContainsFunc(sequences, func(s uint64) bool { return floor < s && s <= now.delivered }) {
				r.mayBeInHand(now)
			}
		}
	}
	return nil
}

// mayBeInHand moves the time before which no look is the last, because of what one consumer may have
// given out. A worker that has had it for longer asks before it stores anything of it.
func (r *erasure) mayBeInHand(now reach) {
	until := time.Now().Add(now.ackWait + publishTimeout)
	if until.After(r.until) {
		r.until = until
	}
}
