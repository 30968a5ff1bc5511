package admin

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// linkEvent is an event on its way through a link.
type linkEvent struct {
	link string
	key  event.Key
}

// outcomeTable holds the outcomes of all events, read at once. HISTORY takes one byte for each event and link,
// because there may be millions of events.
type outcomeTable struct {
	number  map[string]int // of a link
	newest  map[event.Key][]byte
	waiting map[linkEvent]uint64 // in RETRIES, at this sequence
}

// readOutcomes reads RETRIES and then HISTORY once, for the links named: all of it, or for events that were
// stored since a moment what was written since. In this order: what is settled in between counts as
// waiting, and not as what it was before.
func (a Admin) readOutcomes(ctx context.Context, links []linkInfo, since time.Time) (*outcomeTable, error) {
	o := &outcomeTable{number: map[string]int{}, newest: map[event.Key][]byte{}, waiting: map[linkEvent]uint64{}}
	for i, k := range links {
		o.number[k.id] = i
	}
	for r, err := range a.Queue.Retries(ctx, queue.Filter{}) {
		if err != nil {
			return nil, err
		}
		o.waiting[linkEvent{r.Link, r.Event.Key}] = r.Sequence
	}
	for r, err := range a.Queue.ScanRecords(ctx, queue.RecordScan{Since: since, Told: a.scanning(event.HistoryStream)}) {
		if err != nil {
			return nil, err
		}
		o.add(r.Key, r.Record)
	}
	return o, nil
}

func (o *outcomeTable) add(key event.Key, r queue.Record) {
	link, ours := o.number[r.Link]
	code := codeOf(r.Outcome)
	if !ours || code == 0 {
		return // a note, another link's, or a word of a newer Touchbox
	}
	row, ok := o.newest[key]
	if !ok {
		row = make([]byte, len(o.number))
		o.newest[key] = row
	}
	row[link] = code
	if at := (linkEvent{r.Link, key}); settles(r, o.waiting[at]) {
		delete(o.waiting, at)
	}
}

// of is an event's outcome for a link that reads it.
func (o *outcomeTable) of(e event.Event, k linkInfo) (event.Outcome, error) {
	_, waits := o.waiting[linkEvent{k.id, e.Key}]
	newest := event.Outcome("")
	if row := o.newest[e.Key]; row != nil {
		newest = outcomeWords[row[o.number[k.id]]]
	}
	if outcome := became(waits, newest); outcome != "" {
		return outcome, nil
	}
	return k.unrecorded(e), nil
}
