package admin

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// CountWhole counts the stored events of every link by the rule itself: one reading of HISTORY, one of the log, and
// when each link last delivered something by another reading of HISTORY.
func (a Admin) CountWhole(ctx context.Context) (map[string]Counts, map[string]time.Time, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, nil, err
	}
	outcomes, err := a.readOutcomes(ctx, links, time.Time{})
	if err != nil {
		return nil, nil, err
	}
	counts := make([]Counts, len(links))
	for e, err := range a.scanLog(ctx, queue.ScanOptions{Erased: true, HeadersOnly: true, Told: a.scanning(event.EventsStream)}) {
		if err != nil {
			return nil, nil, err
		}
		for i, k := range links {
			if !k.reads(e.Key) {
				continue
			}
			outcome, err := outcomes.of(e, k)
			if err != nil {
				return nil, nil, err
			}
			counts[i].Add(outcome)
		}
	}
	byLink := make(map[string]Counts, len(links))
	for i, k := range links {
		byLink[k.id] = counts[i]
	}
	success := map[string]time.Time{}
	for r, err := range a.Queue.ScanRecords(ctx, queue.RecordScan{}) {
		if err != nil {
			return nil, nil, err
		}
		if _, ours := byLink[r.Link]; ours && r.Outcome == event.Delivered && r.Time.After(success[r.Link]) {
			success[r.Link] = r.Time
		}
	}
	return byLink, success, nil
}
