package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

func noLink(id string) error { return fmt.Errorf("%w: %s", ErrNoLink, id) }

// An event's outcome for a link is Waiting while RETRIES holds it: a retry, or a replay of what
// had died. Otherwise the newest record says it, and without one the link's start.

// outcomeOf says what became of an event for a link that reads it.
type outcomeOf func(event.Event, known) (event.Outcome, error)

// fromRetries is the source of records that settle a message of RETRIES.
const fromRetries = "retries"

// place is an event on its way through a link.
type place struct {
	link string
	key  event.Key
}

// outcomes knows the outcomes of all events. HISTORY takes one byte for each event and link,
// because there may be millions of events.
type outcomes struct {
	number  map[string]int // of a link
	newest  map[event.Key][]byte
	waiting map[place]uint64 // in RETRIES, at this sequence
}

// words are the outcomes by their byte; 0 is none.
var words = [...]event.Outcome{
	"", event.Waiting, event.Delivered, event.Shadow, event.Filtered, event.Undeliverable,
	event.Dead, event.Untaken, event.Erased, event.Abandoned,
}

// outcomes reads RETRIES and then the whole of HISTORY once, for the links named. In this order:
// what is settled in between counts as waiting, and not as what it was before.
func (a Admin) outcomes(ctx context.Context, links []known) (*outcomes, error) {
	o := &outcomes{number: map[string]int{}, newest: map[event.Key][]byte{}, waiting: map[place]uint64{}}
	for i, k := range links {
		o.number[k.id] = i
	}
	for r, err := range a.Queue.Retries(ctx, queue.Filter{}) {
		if err != nil {
			return nil, err
		}
		o.waiting[place{r.Link, r.Event.Key}] = r.Sequence
	}
	for r, err := range a.Queue.Records(ctx) {
		if err != nil {
			return nil, err
		}
		o.add(r.Key, r.Record)
	}
	return o, nil
}

func (o *outcomes) add(key event.Key, r queue.Record) {
	link, known := o.number[r.Link]
	word := slices.Index(words[:], r.Outcome)
	if !known || word <= 0 {
		return // a note, another link's, or a word of a newer Touchbox
	}
	row, ok := o.newest[key]
	if !ok {
		row = make([]byte, len(o.number))
		o.newest[key] = row
	}
	row[link] = byte(word)
	if at := (place{r.Link, key}); settles(r, o.waiting[at]) {
		delete(o.waiting, at)
	}
}

// of is an event's outcome for a link that reads it.
func (o *outcomes) of(e event.Event, k known) (event.Outcome, error) {
	if _, waits := o.waiting[place{k.id, e.Key}]; waits {
		return event.Waiting, nil
	}
	if row := o.newest[e.Key]; row != nil && row[o.number[k.id]] != 0 {
		return words[row[o.number[k.id]]], nil
	}
	return k.unrecorded(e), nil
}

// settles reports whether a record ends the way of the message at this sequence of RETRIES, which
// is still there only because its acknowledgement was lost or is on its way.
func settles(r queue.Record, sequence uint64) bool {
	return r.Outcome.Final() && r.Source == fromRetries && r.Sequence == sequence
}

// byKey looks each event up by its key.
func (a Admin) byKey(ctx context.Context) outcomeOf {
	return func(e event.Event, k known) (event.Outcome, error) {
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
	for r, err := range a.Queue.Retries(ctx, queue.Filter{Link: link, Key: key}) {
		return &r, err
	}
	return nil, nil
}

// outcomeBy is what an event's records and its retry say for a link, "" when they say nothing.
func outcomeBy(records []queue.Record, retry *queue.Retry, link string) event.Outcome {
	r := newest(records, link)
	switch {
	case retry != nil && (r == nil || !settles(*r, retry.Sequence)):
		return event.Waiting
	case r == nil:
		return ""
	}
	return r.Outcome
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

// same reports whether two lists hold the same words in any order.
func same(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
