package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// standing is how far a link has come in the log. All before from is done; what lies behind it may
// be done too.
type standing struct {
	link    LinkState
	filters []string
	from    uint64
}

// standings are those of every link that STATE knows: running, stopped, parked or gone. end is one
// past the last sequence of the log.
func (q *Queue) standings(ctx context.Context, end uint64) ([]standing, error) {
	links, err := q.Links(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]standing, len(links))
	for i, l := range links {
		if out[i], err = q.standing(ctx, l, end); err != nil {
			return nil, fmt.Errorf("place of link %s: %w", l.ID, err)
		}
	}
	return out, nil
}

// standing asks the link's consumer. One that is not there yet, or not any more, will be made to
// begin where the link starts.
func (q *Queue) standing(ctx context.Context, l LinkState, end uint64) (standing, error) {
	c, err := q.js.Consumer(ctx, eventsStream, consumerName(l.ID))
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		from, err := q.sequenceAt(ctx, eventsStream, l.Start.Add(-clockMargin), end)
		return standing{link: l, filters: l.Subjects, from: from}, err
	}
	if err != nil {
		return standing{}, describe("its consumer on "+eventsStream, err)
	}
	info := c.CachedInfo()
	return standing{link: l, filters: filtersOf(info.Config), from: info.AckFloor.Stream + 1}, nil
}

// firstUndone is the sequence of the first event before end that the link has still to take, and
// end when there is none. The ack floor itself says nothing: a link that reads rare events stands
// still for ever, and would hold the log; and what it will pass over holds nothing.
func (q *Queue) firstUndone(ctx context.Context, s standing, end uint64) (uint64, error) {
	for _, filter := range s.filters {
		for m, err := range q.forward(ctx, eventsStream, filter, s.from) {
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
func (s standing) takes(m *stored) bool {
	if erased(m.Header) {
		return false
	}
	e, err := m.event(eventPrefix)
	return err != nil || event.Taken(e, s.link.Start)
}

// undone is the first event before end that any link has still to take, and end when there is none.
func (q *Queue) undone(ctx context.Context, end uint64) (uint64, error) {
	all, err := q.standings(ctx, end)
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		if end, err = q.firstUndone(ctx, s, end); err != nil {
			return 0, fmt.Errorf("first undone event of link %s: %w", s.link.ID, err)
		}
	}
	return end, nil
}
