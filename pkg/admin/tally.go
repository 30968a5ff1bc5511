package admin

import (
	"context"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

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
	Untaken       int `json:"untaken,omitempty"`
}

// Add counts one event.
func (c *Counts) Add(o event.Outcome) {
	if o != event.Untaken {
		c.Taken++
	}
	switch o {
	case event.Delivered:
		c.Delivered++
	case event.Filtered:
		c.Filtered++
	case event.Undeliverable:
		c.Undeliverable++
	case event.Dead:
		c.Dead++
	case event.Shadow:
		c.Shadow++
	case event.Erased:
		c.Erased++
	case event.Abandoned:
		c.Abandoned++
	case event.Untaken:
		c.Untaken++
	default:
		c.Waiting++
	}
}

// Tally counts the stored events of every link, by the link's id, with one scan of the history
// and one of the log: some ten seconds for a million events. Links that left the file are counted
// too, as long as the queue remembers them.
func Tally(ctx context.Context, q *queue.Queue, file *link.File) (map[string]Counts, error) {
	return Admin{Queue: q, File: file}.tally(ctx)
}

func (a Admin) tally(ctx context.Context) (map[string]Counts, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	outcomes, err := a.outcomes(ctx, links)
	if err != nil {
		return nil, err
	}
	counts := make([]Counts, len(links))
	for e, err := range a.log(ctx, queue.ScanOptions{}) {
		if err != nil {
			return nil, err
		}
		for i, k := range links {
			if !k.reads(e.Key) {
				continue
			}
			outcome, err := outcomes.of(e, k)
			if err != nil {
				return nil, err
			}
			counts[i].Add(outcome)
		}
	}
	byLink := make(map[string]Counts, len(links))
	for i, k := range links {
		byLink[k.id] = counts[i]
	}
	return byLink, nil
}
