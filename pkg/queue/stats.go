package queue

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// LinkStats are a link's numbers.
type LinkStats struct {
	Unread      uint64    // events in the log that it has not taken, those among them that it will pass over too
	InHand      int       // taken from EVENTS or RETRIES and not settled
	Waiting     uint64    // in RETRIES, due or not, in hand included
	DeadLetters uint64    // in DEADLETTERS
	Oldest      time.Time // when EVENTS stored the oldest event that is not settled; zero: none
	Paused      bool
}

// oldestOf is how many waiting retries are searched for the oldest event.
const oldestOf = 100

// LinkStats reads the numbers of a link in a handful of small requests. ErrNotFound: it has no
// consumers yet.
func (q *Queue) LinkStats(ctx context.Context, id string) (LinkStats, error) {
	var st LinkStats
	for _, stream := range []string{eventsStream, retriesStream} {
		c, err := q.js.Consumer(ctx, stream, consumerName(id))
		if err != nil {
			return st, describe("link "+id, err)
		}
		info := c.CachedInfo()
		st.InHand += info.NumAckPending
		st.Paused = st.Paused || info.Paused
		if stream != eventsStream {
			continue
		}
		st.Unread = info.NumPending
		first, err := q.oldestUnread(ctx, info)
		if err != nil {
			return st, describe("link "+id, err)
		}
		if first != nil {
			st.Oldest = first.Time
		}
	}
	return st, describe("link "+id, q.countStored(ctx, id, &st))
}

// oldestUnread returns the first event behind a link's ack floor that it has to read; nil when
// there is none.
func (q *Queue) oldestUnread(ctx context.Context, info *jetstream.ConsumerInfo) (*stored, error) {
	var first *stored
	for _, subject := range filtersOf(info.Config) {
		m, err := q.next(ctx, eventsStream, subject, info.AckFloor.Stream+1)
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
func (q *Queue) countStored(ctx context.Context, id string, st *LinkStats) error {
	batch, more, err := q.page(ctx, retriesStream, anyRetry+id+".>", 1, oldestOf)
	if err != nil {
		return err
	}
	st.Waiting = uint64(len(batch)) + more
	for _, m := range batch {
		if at := readTrail(m.Header).Stored; !at.IsZero() && (st.Oldest.IsZero() || at.Before(st.Oldest)) {
			st.Oldest = at
		}
	}
	st.DeadLetters, _, err = q.count(ctx, deadStream, deadPrefix+id+".>", 1)
	return err
}

// CountSince counts the events of a site that were stored since a moment, and what of it was set
// aside since then. A repeat is neither.
func (q *Queue) CountSince(ctx context.Context, site string, since time.Time) (events, asides uint64, err error) {
	if events, err = q.countSince(ctx, eventsStream, eventPrefix+site+".*.*", since); err != nil {
		return 0, 0, err
	}
	asides, err = q.countSince(ctx, asideStream, asidePrefix+site+".*", since)
	return events, asides, err
}

func (q *Queue) countSince(ctx context.Context, stream, filter string, since time.Time) (uint64, error) {
	first, err := q.nextSince(ctx, stream, filter, since)
	if err != nil {
		return 0, ignore(err, ErrNotFound)
	}
	n, _, err := q.count(ctx, stream, filter, first.Sequence)
	return n, describe("count "+stream, err)
}
