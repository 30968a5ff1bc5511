package queue

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/streams"
)

// LinkStats are a link's numbers.
type LinkStats struct {
	Unread      uint64    // events in the log that it has not taken, those among them that it will pass over too
	InHand      int       // taken from EVENTS or RETRIES and not settled
	Waiting     uint64    // in RETRIES, due or not, in flight included
	DeadLetters uint64    // in DEADLETTERS
	Oldest      time.Time // when EVENTS stored the oldest event that is not settled; zero: none
	Paused      bool
}

// oldestOf is how many waiting retries are searched for the oldest event, and oldestEvery how often: their
// bodies come along. In between the first of them speaks for itself alone.
const (
	oldestOf    = 100
	oldestEvery = time.Minute
)

// sampled is what the last search has found.
type sampled struct {
	at     time.Time
	oldest time.Time
}

// LinkStats reads the numbers of a link in a handful of small requests. ErrNotFound: it has no
// consumers yet.
func (q *Queue) LinkStats(ctx context.Context, id string) (LinkStats, error) {
	var st LinkStats
	for _, stream := range []string{event.EventsStream, event.RetriesStream} {
		c, err := q.js.Consumer(ctx, stream, ConsumerName(id))
		if err != nil {
			return st, jet.Describe("link "+id, err)
		}
		info := c.CachedInfo()
		st.InHand += info.NumAckPending
		st.Paused = st.Paused || info.Paused
		if stream != event.EventsStream {
			continue
		}
		st.Unread = info.NumPending
		first, err := oldestUnread(ctx, q, info)
		if err != nil {
			return st, jet.Describe("link "+id, err)
		}
		if first != nil {
			st.Oldest = first.Time
		}
	}
	return st, jet.Describe("link "+id, countStored(ctx, q, id, &st))
}

// oldestUnread returns the first event behind a link's ack floor that it has to read; nil when
// there is none.
func oldestUnread(ctx context.Context, q *Queue, info *jetstream.ConsumerInfo) (*jet.Message, error) {
	var first *jet.Message
	for _, subject := range filtersOf(info.Config) {
		m, err := q.jet.Next(ctx, event.EventsStream, subject, info.AckFloor.Stream+1)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if first == nil || m.Sequence < first.Sequence {
			first = m
		}
	}
	return first, nil
}

// countStored counts what a link has in RETRIES and DEADLETTERS, and looks for the oldest event
// among the first that wait.
func countStored(ctx context.Context, q *Queue, id string, st *LinkStats) error {
	last, _ := q.samples.Load(id)
	sample, _ := last.(sampled)
	due := time.Since(sample.at) >= oldestEvery
	n := 1
	if due {
		n, sample = oldestOf, sampled{at: time.Now()}
	}
	batch, more, err := q.jet.Page(ctx, event.RetriesStream, event.RetrySubjects.OfLink(id, ">"), 1, n)
	if err != nil {
		return err
	}
	st.Waiting = uint64(len(batch)) + more
	for _, m := range batch {
		if at := event.ReadLabel(m.Header).Stored; !at.IsZero() && (sample.oldest.IsZero() || at.Before(sample.oldest)) {
			sample.oldest = at
		}
	}
	switch {
	case len(batch) == 0:
		q.samples.Delete(id)
	case due:
		q.samples.Store(id, sample)
	}
	if len(batch) > 0 && !sample.oldest.IsZero() && (st.Oldest.IsZero() || sample.oldest.Before(st.Oldest)) {
		st.Oldest = sample.oldest
	}
	st.DeadLetters, _, err = q.jet.Count(ctx, event.DeadLettersStream, event.DeadSubjects.OfLink(id, ">"), 1)
	return err
}

// CountEvents says how many events of the log have one of the subjects and were stored since then.
func (q *Queue) CountEvents(ctx context.Context, subjects []string, since time.Time) (uint64, error) {
	var n uint64
	for _, subject := range subjects {
		matching, err := q.jet.CountSince(ctx, event.EventsStream, subject, since)
		if err != nil {
			return 0, jet.Describe("count events", err)
		}
		n += matching
	}
	return n, nil
}

// CountSince counts the events of a site that were stored since a moment, and what of it was set
// aside since then. A repeat is neither, nor is what waits to become an event.
func (q *Queue) CountSince(ctx context.Context, site string, since time.Time) (events, asides uint64, err error) {
	if events, err = q.jet.CountSince(ctx, event.EventsStream, event.LogSubjects.Of(site+".*.*"), since); err != nil {
		return 0, 0, jet.Describe("count events", err)
	}
	if asides, err = q.jet.CountSince(ctx, event.AsideStream, event.AsideSubjects.Of(site+".*"), since); err != nil || asides == 0 {
		return events, 0, jet.Describe("count what was set aside", err)
	}
	waiting, err := q.jet.CountSince(ctx, event.AsideStream, event.AsideSubjects.Of(site+"."+AsideUnpolled), since)
	return events, asides - min(asides, waiting), jet.Describe("count what was set aside", err)
}

// Extent is what a stream holds, and Size how much that is.
type (
	Extent     = streams.Extent
	StreamSize = streams.Size
)

// Names of EVENTS and AUDIT in a StreamSize.
const (
	StreamEvents = streams.Events
	StreamAudit  = streams.Audit
)

// SizesOf are the sizes that the extents of all streams say.
func SizesOf(extents map[string]Extent) []StreamSize { return streams.SizesOf(extents) }

// Health is how a process that takes or delivers events finds the queue.
type Health = jet.Health
