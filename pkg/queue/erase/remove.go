package erase

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
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// remove removes what a look has found, and counts it. First all tombstones, with the bodies in
// EVENTS, then the rest of each event. What may be in flight meanwhile is reckoned from how far the
// consumers had come before it and have come after it.
func (r *erasure) remove(ctx context.Context, f *finds, gone *Traces) error {
	if err := r.mark(ctx); err != nil {
		return err
	}
	before, err := r.q.Reaches(ctx, r.links)
	if err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(f.events))
	total, done := 2*len(keys)+len(f.asides), 0
	step := func(err error) error {
		done++
		r.tell(Progress{Step: Remove, Done: done, Total: total, Found: total})
		return err
	}
	for _, key := range keys {
		if err := step(r.replace(ctx, key, f.events[key], gone)); err != nil {
			return fmt.Errorf("erase %s: %w", key, err)
		}
	}
	r.q.ForgetKeys()
	for _, key := range keys {
		if err := step(r.removeRest(ctx, key, f.events[key], gone)); err != nil {
			return fmt.Errorf("erase %s: %w", key, err)
		}
	}
	for _, sequence := range f.asides {
		if err := step(r.wipe(ctx, event.AsideStream, sequence, &gone.Aside)); err != nil {
			return err
		}
	}
	return r.findInFlight(ctx, before, f)
}

// wipe overwrites and removes a message, and counts it.
func (r *erasure) wipe(ctx context.Context, stream string, sequence uint64, count *int) error {
	err := r.jet.Wipe(ctx, stream, sequence)
	if err == nil {
		*count++
	}
	return err
}

// replace puts a tombstone in the place of an event and overwrites its body. A full log takes no
// tombstone before it has room: then the body goes first.
func (r *erasure) replace(ctx context.Context, key string, x *find, gone *Traces) error {
	old, err := r.tombstone(ctx, key, x.links)
	full := errors.Is(err, queue.ErrFull)
	if err != nil && !full {
		return err
	}
	sequences := x.events
	if old != 0 && !slices.Contains(sequences, old) { // it was stored again since the look
		sequences = append(slices.Clone(sequences), old)
	}
	for _, sequence := range sequences {
		if err := r.wipe(ctx, event.EventsStream, sequence, &gone.Events); err != nil {
			return err
		}
	}
	if full {
		if _, err := r.tombstone(ctx, key, x.links); err != nil {
			return err
		}
	}
	r.erased[key] = &erasedEvent{links: x.links}
	return nil
}

// tombstoneTries is how often a tombstone is tried whose subject changes at the same time.
const tombstoneTries = 5

// tombstone is the rule of erased events: it becomes the newest message of the event's subject, so
// that no publisher finds that empty, and links pass over it. It returns the sequence of the event
// that it follows, 0 for none. Where one is there already, it stays.
//
// It does not replace the event by a rollup: what is purged stays in the store's file until that is
// rewritten, and can no longer be overwritten.
func (r *erasure) tombstone(ctx context.Context, key string, links []string) (uint64, error) {
	var err error
	for range tombstoneTries {
		var m *jet.Message
		m, err = r.jet.Last(ctx, event.EventsStream, event.LogSubjects.Of(key))
		expected := uint64(0)
		switch {
		case err == nil && queue.Erased(m.Header):
			return 0, nil
		case err == nil:
			expected = m.Sequence
		case !errors.Is(err, queue.ErrNotFound):
			return 0, jet.Describe("look for the event", err)
		}
		t := &nats.Msg{Subject: event.LogSubjects.Of(key), Header: nats.Header{
			event.HeaderFormat:                  {strconv.Itoa(event.Format)},
			event.HeaderErased:                  {event.FormatMoment(time.Now())},
			jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(expected, 10)},
		}}
		if len(links) > 0 {
			t.Header.Set(event.HeaderTakenBy, strings.Join(links, ","))
		}
		_, err = r.jet.Publish(ctx, t)
		if jet.GuardFailed(err) || jet.InFlight(err) || jet.Unanswered(err) {
			continue
		}
		return expected, jet.Describe("publish the tombstone", err)
	}
	return 0, jet.Describe("publish the tombstone", err)
}

// removeRest removes what is left of an event that has its tombstone, and notes for each link that
// had taken it that it is erased.
func (r *erasure) removeRest(ctx context.Context, key string, x *find, gone *Traces) error {
	for _, sequence := range x.retries {
		if err := r.wipe(ctx, event.RetriesStream, sequence, &gone.Retries); err != nil {
			return err
		}
	}
	for _, sequence := range x.deadLetters {
		if err := r.wipe(ctx, event.DeadLettersStream, sequence, &gone.DeadLetters); err != nil {
			return err
		}
	}
	for _, sequence := range x.history { // no personal data is in it: its bytes may stay for a while
		if err := r.jet.Remove(ctx, event.HistoryStream, sequence); err != nil {
			return err
		}
		gone.History++
	}
	for _, link := range x.unrecorded() {
		if err := r.q.WriteRecord(ctx, key, queue.Record{Link: link, Outcome: event.Erased}); err != nil {
			return err
		}
	}
	return nil
}

// findInFlight finds out whether a message that was removed may be in flight at some worker: it was not
// behind the floor of the consumer before, and is not beyond what has been delivered by now. The
// floor of now says nothing, because the server counts a message that is gone as acknowledged.
func (r *erasure) findInFlight(ctx context.Context, before map[[2]string]queue.Reach, f *finds) error {
	after, err := r.q.Reaches(ctx, r.links)
	if err != nil {
		return err
	}
	for at, now := range after {
		floor := before[at].Floor
		for _, x := range f.events {
			sequences := x.events
			if at[0] == event.RetriesStream {
				sequences = x.retries
			}
			if slices.ContainsFunc(sequences, func(s uint64) bool { return floor < s && s <= now.Delivered }) {
				r.mayBeInFlight(now)
			}
		}
	}
	return nil
}

// mayBeInFlight moves the time before which no look is the last, because of what one consumer may have
// given out. A worker that has had it for longer asks before it stores anything of it.
func (r *erasure) mayBeInFlight(now queue.Reach) {
	until := time.Now().Add(now.AckWait + jet.PublishTimeout)
	if until.After(r.until) {
		r.until = until
	}
}
