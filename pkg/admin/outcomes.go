package admin

import (
	"context"
	"errors"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// became is the one rule of what became of an event for a link: it waits while RETRIES holds it, as a
// retry or as a replay of what had died; otherwise the newest record with an outcome says it, and
// "" means that there is none. A message of RETRIES that a record settles counts as gone.
func became(waits bool, newest event.Outcome) event.Outcome {
	if waits {
		return event.Waiting
	}
	return newest
}

// settles reports whether a record ends the way of the message at this sequence of RETRIES, which
// is still there only because its acknowledgement was lost or is on its way.
func settles(r queue.Record, sequence uint64) bool {
	return r.Outcome.Final() && r.Source == queue.FromRetries && r.Sequence == sequence
}

// outcomeOf finds what became of an event for a link that reads it. Where nothing is recorded, the
// link's start decides.
type outcomeOf func(event.Event, linkInfo) (event.Outcome, error)

// linkOutcomes are the links that a query is about, and the way to an event's outcome for each.
type linkOutcomes struct {
	links []linkInfo
	of    outcomeOf
}

// has reports whether the event has an outcome for one of the links.
func (l linkOutcomes) has(e event.Event, want event.Outcome) (bool, error) {
	for _, k := range l.links {
		if !k.reads(e.Key) {
			continue
		}
		if o, err := l.of(e, k); err != nil || o == want {
			return err == nil, err
		}
	}
	return false, nil
}

// row is an event with its outcomes.
func (l linkOutcomes) row(e event.Event) (Row, error) {
	row := Row{Event: e, Outcomes: map[string]event.Outcome{}}
	for _, k := range l.links {
		if !k.reads(e.Key) {
			continue
		}
		o, err := l.of(e, k)
		if err != nil {
			return row, err
		}
		row.Outcomes[k.id] = o
	}
	return row, nil
}

// outcomeWords are the outcomes by their byte; 0 is none.
var outcomeWords = append([]event.Outcome{""}, event.Outcomes...)

// codeOf is the byte of an outcome; 0 too for a word of a newer Touchbox.
func codeOf(o event.Outcome) byte { return byte(max(0, slices.Index(outcomeWords, o))) }

// byKey looks each event up by its key.
func (a Admin) byKey(ctx context.Context) outcomeOf {
	return func(e event.Event, k linkInfo) (event.Outcome, error) {
		retry, err := a.retry(ctx, k.id, e.Key)
		if err != nil {
			return "", err
		}
		records, err := a.Queue.History(ctx, e.Key)
		if err != nil {
			return "", err
		}
		if o := outcomeBy(records, retry, k.id); o != "" {
			return o, nil
		}
		return k.unrecorded(e), nil
	}
}

// retry is what waits of an event for a link, nil when nothing does.
func (a Admin) retry(ctx context.Context, link string, key event.Key) (*queue.Retry, error) {
	r, err := a.Queue.Retry(ctx, link, key)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, nil
	}
	return &r, err
}

// outcomeBy is what an event's records and its retry say for a link, "" when they say nothing.
func outcomeBy(records []queue.Record, retry *queue.Retry, link string) event.Outcome {
	waits := retry != nil && !slices.ContainsFunc(records, func(r queue.Record) bool { return r.Link == link && settles(r, retry.Sequence) })
	if r := newest(records, link); r != nil {
		return became(waits, r.Outcome)
	}
	return became(waits, "")
}

// newest is a link's newest record with an outcome, nil when there is none.
func newest(records []queue.Record, link string) *queue.Record {
	for i, r := range slices.Backward(records) {
		if r.Link == link && r.Outcome != "" {
			return &records[i]
		}
	}
	return nil
}

// Counts are the events of one link by their newest outcome. Taken is the sum of all of them but
// Untaken.
type Counts struct {
	Taken         int `json:"taken"`
	Delivered     int `json:"delivered"`
	Filtered      int `json:"filtered"`
	Undeliverable int `json:"undeliverable"`
	Waiting       int `json:"waiting"`
	Dead          int `json:"dead"`
	Shadow        int `json:"shadow,omitempty"`
	Erased        int `json:"erased,omitempty"`
	Abandoned     int `json:"abandoned,omitempty"`
	Dropped       int `json:"dropped,omitempty"`
	Untaken       int `json:"untaken,omitempty"`
}

// Add counts one event.
func (c *Counts) Add(o event.Outcome) { c.add(o, 1) }

func (c *Counts) add(o event.Outcome, n int) {
	if o != event.Untaken {
		c.Taken += n
	}
	*c.of(o) += n
}

// sum adds other counts.
func (c *Counts) sum(other Counts) {
	c.Taken += other.Taken
	for _, o := range event.Outcomes {
		*c.of(o) += *other.of(o)
	}
}

// of is the count of an outcome; what has none waits.
func (c *Counts) of(o event.Outcome) *int {
	switch o {
	case event.Delivered:
		return &c.Delivered
	case event.Filtered:
		return &c.Filtered
	case event.Undeliverable:
		return &c.Undeliverable
	case event.Dead:
		return &c.Dead
	case event.Shadow:
		return &c.Shadow
	case event.Erased:
		return &c.Erased
	case event.Abandoned:
		return &c.Abandoned
	case event.Dropped:
		return &c.Dropped
	case event.Untaken:
		return &c.Untaken
	}
	return &c.Waiting
}

// Tally counts the stored events of every link, by the link's id: what is not counted ahead (see
// KeepCounts) is read, some ten seconds for a million events. Links that left the file are counted too, as long
// as the queue remembers them.
func Tally(ctx context.Context, q *queue.Queue, file *link.File) (map[string]Counts, error) {
	sums, err := Admin{Queue: q, File: file}.count(ctx)
	return sums.links, err
}
