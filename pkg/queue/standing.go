package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Standing is a link's position in the log: how far it has come. All before from is done; what lies behind it may
// be done too.
type Standing struct {
	q       *Queue
	Link    LinkState
	filters []string
	from    uint64
}

// Standings are those of every link that STATE knows: running, stopped, parked or gone. end is one
// past the last sequence of the log.
func (q *Queue) Standings(ctx context.Context, end uint64) ([]Standing, error) {
	links, err := q.Links(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Standing, len(links))
	for i, l := range links {
		if out[i], err = q.standing(ctx, l, end); err != nil {
			return nil, fmt.Errorf("place of link %s: %w", l.ID, err)
		}
	}
	return out, nil
}

// standing asks the link's consumer. One that is not there yet, or not any more, will be made to
// begin where the link starts.
func (q *Queue) standing(ctx context.Context, l LinkState, end uint64) (Standing, error) {
	c, err := q.js.Consumer(ctx, event.EventsStream, ConsumerName(l.ID))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		from, err := q.jet.SequenceAt(ctx, event.EventsStream, l.Start.Add(-clockMargin), end)
		return Standing{q: q, Link: l, filters: l.Subjects, from: from}, err
	}
	if err != nil {
		return Standing{}, jet.Describe("its consumer on "+event.EventsStream, err)
	}
	info := c.CachedInfo()
	return Standing{q: q, Link: l, filters: filtersOf(info.Config), from: info.AckFloor.Stream + 1}, nil
}

// FirstUndone is the sequence of the first event before end that the link has still to take, and
// end when there is none. The ack floor itself does not say it: it moves only when the link
// acknowledges, so a link on rare events would keep the log for ever. What it will pass over keeps nothing.
func (s Standing) FirstUndone(ctx context.Context, end uint64) (uint64, error) {
	for _, filter := range s.filters {
		for m, err := range s.q.jet.Forward(ctx, event.EventsStream, filter, s.from) {
			if err != nil {
				return 0, err
			}
			if m.Sequence >= end {
				break
			}
			if s.takes(m) {
				end = m.Sequence
				break
			}
		}
	}
	return end, nil
}

// takes reports whether the link will do more with a message than pass over it. A damaged one
// becomes a dead letter, one of a newer format waits for a newer worker.
func (s Standing) takes(m *jet.Message) bool {
	if Erased(m.Header) {
		return false
	}
	e, err := ReadEvent(m)
	return err != nil || event.Taken(e, s.Link.Start)
}

// abandonsAtOnce is how many records of abandoned events are written at a time, so that they go
// in batches.
const abandonsAtOnce = 64

// Abandon records what a link loses before a sequence, and says how many events it is. progress is told
// so, by one goroutine.
func (s Standing) Abandon(ctx context.Context, upTo uint64, reason string, progress func(int)) (int, error) {
	var lost atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(abandonsAtOnce)
	for _, filter := range s.filters {
		for m, err := range s.q.jet.Flow(ctx, event.EventsStream, filter, s.from) {
			if err != nil {
				err = cmp.Or(group.Wait(), err)
				return int(lost.Load()), err
			}
			if m.Sequence >= upTo {
				break
			}
			if !s.takes(m) {
				continue
			}
			group.Go(func() error {
				gone, err := s.abandonEvent(ctx, m, reason)
				if gone {
					lost.Add(1)
				}
				return err
			})
			progress(int(lost.Load()))
		}
	}
	err := group.Wait()
	return int(lost.Load()), err
}

// abandonEvent records that a link has lost an event. False: it has not, because it has an outcome
// of it, which came out of turn, or waits for it in RETRIES.
func (s Standing) abandonEvent(ctx context.Context, m *jet.Message, reason string) (bool, error) {
	key := event.LogSubjects.Rest(m.Subject)
	records, err := s.q.history.of(ctx, key)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(records, func(r Record) bool { return r.Link == s.Link.ID && r.Outcome != "" }) {
		return false, nil
	}
	r := Record{Link: s.Link.ID, Outcome: event.Abandoned, Trail: event.Trail{Reason: reason}, Source: FromEvents, Sequence: m.Sequence}
	// A record on its way is waited for, also at the end: one of which nobody hears would be told
	// not at all, or again by the next pass.
	err = s.q.WriteRecord(context.WithoutCancel(ctx), key, r)
	return err == nil, err
}

// Reach is the position of one of a link's consumers: what it has given out, and up to where all of that
// is acknowledged.
type Reach struct {
	Floor, Delivered uint64
	AckWait          time.Duration // of what it gives out
}

// Reaches are those of all links, by stream and link. A link without a consumer has nothing in flight.
func (q *Queue) Reaches(ctx context.Context, links []LinkState) (map[[2]string]Reach, error) {
	out := map[[2]string]Reach{}
	for _, l := range links {
		for _, stream := range []string{event.EventsStream, event.RetriesStream} {
			c, err := q.js.Consumer(ctx, stream, ConsumerName(l.ID))
			if errors.Is(err, jetstream.ErrConsumerNotFound) {
				continue
			}
			if err != nil {
				return nil, jet.Describe("look at link "+l.ID, err)
			}
			info := c.CachedInfo()
			out[[2]string{stream, l.ID}] = Reach{info.AckFloor.Stream, info.Delivered.Stream, info.Config.AckWait}
		}
	}
	return out, nil
}
