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

// remove removes what a look has found. First all tombstones, with the bodies in EVENTS, then the
// rest of each event. What may be in hand meanwhile is reckoned from how far the consumers were
// before and are behind it.
func (r *erasure) remove(ctx context.Context, f *finds) (Traces, error) {
	var gone Traces
	before, err := r.q.reaches(ctx, r.links)
	if err != nil {
		return gone, err
	}
	keys := slices.Sorted(maps.Keys(f.events))
	total := 2*len(keys) + len(f.asides)
	done := 0
	step := func() {
		done++
		r.tell(ErasureProgress{Step: EraseRemove, Done: done, Total: total, Found: total})
	}
	for _, key := range keys {
		n, err := r.entomb(ctx, key, f.events[key])
		gone.Events += n
		if err != nil {
			return gone, fmt.Errorf("erase %s: %w", key, err)
		}
		step()
	}
	r.q.forget()
	for _, key := range keys {
		removed, err := r.removeRest(ctx, key, f.events[key])
		gone.add(removed)
		if err != nil {
			return gone, fmt.Errorf("erase %s: %w", key, err)
		}
		step()
	}
	for _, sequence := range f.asides {
		if err := r.q.wipe(ctx, asideStream, sequence); err != nil {
			return gone, err
		}
		gone.Aside++
		step()
	}
	return gone, r.mayBeInHand(ctx, before, f)
}

// entomb puts a tombstone in the place of an event and overwrites its body, and says how many
// bodies there were. A full log takes no tombstone before it has room: then the body goes first.
func (r *erasure) entomb(ctx context.Context, key string, x *find) (int, error) {
	old, err := r.q.tombstone(ctx, key, x.links)
	full := errors.Is(err, ErrFull)
	if err != nil && !full {
		return 0, err
	}
	sequences := x.events
	if old != 0 && !slices.Contains(sequences, old) { // it was stored again since the look
		sequences = append(slices.Clone(sequences), old)
	}
	for _, sequence := range sequences {
		if err := r.q.wipe(ctx, eventsStream, sequence); err != nil {
			return 0, err
		}
	}
	if full {
		if _, err := r.q.tombstone(ctx, key, x.links); err != nil {
			return len(sequences), err
		}
	}
	r.bury(key, x.links)
	return len(sequences), nil
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
func (r *erasure) removeRest(ctx context.Context, key string, x *find) (Traces, error) {
	var gone Traces
	for _, from := range []struct {
		stream    string
		sequences []uint64
		count     *int
	}{{retriesStream, x.retries, &gone.Retries}, {deadStream, x.deadLetters, &gone.DeadLetters}} {
		for _, sequence := range from.sequences {
			if err := r.q.wipe(ctx, from.stream, sequence); err != nil {
				return gone, err
			}
			*from.count++
		}
	}
	for _, sequence := range x.history { // no personal data is in it, so its bytes may stay for a while
		if err := r.q.remove(ctx, historyStream, sequence); err != nil {
			return gone, err
		}
		gone.History++
	}
	for _, link := range x.unrecorded() {
		if err := r.q.record(ctx, key, Record{Link: link, Outcome: event.Erased}); err != nil {
			return gone, err
		}
	}
	return gone, nil
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

// mayBeInHand moves the time before which no look is the last, where a message that was removed may
// be in some worker's hands: it was not behind the floor of the consumer before, and is not beyond
// what has been delivered by now. The floor of now says nothing, because the server counts a
// message that is gone as acknowledged.
func (r *erasure) mayBeInHand(ctx context.Context, before map[[2]string]reach, f *finds) error {
	after, err := r.q.reaches(ctx, r.links)
	if err != nil {
		return err
	}
	for at, now := range after {
		was, known := before[at]
		if !known {
			was.floor = 0
		}
		for _, x := range f.events {
			sequences := x.events
			if at[0] == retriesStream {
				sequences = x.retries
			}
			for _, sequence := range sequences {
				if sequence > was.floor && sequence <= now.delivered {
					r.until = later(r.until, time.Now().Add(now.ackWait+publishTimeout))
				}
			}
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// dropDead drops the files in which the server keeps what was removed before this: retries that
// were due, dead letters that were replayed. It can do so only where the stream is empty; else the
// server rewrites its files by and by.
func (q *Queue) dropDead(ctx context.Context) error {
	for _, name := range []string{retriesStream, deadStream, asideStream} {
		s, err := q.stream(ctx, name)
		if err != nil {
			return err
		}
		info, err := s.Info(ctx)
		if err != nil {
			return describe("look at "+name, err)
		}
		if info.State.Msgs > 0 || info.State.LastSeq == 0 {
			continue
		}
		if err := s.Purge(ctx, jetstream.WithPurgeSequence(info.State.LastSeq+1)); err != nil {
			return describe("drop the empty files of "+name, err)
		}
	}
	return nil
}
