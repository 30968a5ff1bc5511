package admin

import (
	"context"
	"fmt"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

func noLink(id string) error { return fmt.Errorf("%w: %s", ErrNoLink, id) }

// outcomes is the newest recorded outcome of each event, by link: one byte for each event and
// link, because there may be millions of events.
type outcomes struct {
	number map[string]int // of a link
	newest map[event.Key][]byte
}

// words are the outcomes by their byte; 0 is none.
var words = [...]event.Outcome{
	"", event.Waiting, event.Delivered, event.Shadow, event.Filtered, event.Undeliverable,
	event.Dead, event.Untaken, event.Erased, event.Abandoned,
}

// outcomes reads the whole of HISTORY once, for the links named.
func (a Admin) outcomes(ctx context.Context, links []known) (*outcomes, error) {
	o := &outcomes{number: map[string]int{}, newest: map[event.Key][]byte{}}
	for i, k := range links {
		o.number[k.id] = i
	}
	for r, err := range records(ctx, a.Queue) {
		if err != nil {
			return nil, err
		}
		o.add(r.key, r.record)
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
}

// of is an event's outcome for a link that reads it.
func (o *outcomes) of(e event.Event, k known) event.Outcome {
	if row := o.newest[e.Key]; row != nil && row[o.number[k.id]] != 0 {
		return words[row[o.number[k.id]]]
	}
	return k.unrecorded(e)
}

// newest is the outcome that an event's records give a link, "" when they give none.
func newest(records []queue.Record, link string) event.Outcome {
	for _, r := range slices.Backward(records) {
		if r.Link == link && r.Outcome != "" {
			return r.Outcome
		}
	}
	return ""
}
