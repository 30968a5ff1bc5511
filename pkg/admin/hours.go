package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Hour is what became of a link's events in one hour, by the time at which HISTORY took it: how many records of each
// outcome. An event that is tried again has one for each attempt that came to nothing (event.Waiting).
type Hour struct {
	Start  time.Time
	Known  bool // it was counted; else nobody knows, and nothing is not zero
	Counts map[event.Outcome]int
}

// hourCounts are the records of an hour, of all links: a function of HISTORY, so whoever counts an hour a second time
// writes the same.
type hourCounts struct {
	Start time.Time                        `json:"start,omitzero"`
	Links map[string]map[event.Outcome]int `json:"links,omitempty"`
}

// hoursKept is how many hours are kept: those of 31 days. The key of an hour is its number among them, so each takes the
// place of one that is too old.
const hoursKept = 31 * 24

func hourKey(start time.Time) string {
	const seconds = int64(time.Hour / time.Second)
	return event.HourKeys.Of(fmt.Sprintf("%03d", start.Unix()/seconds%hoursKept))
}

// beginHours is told of the first record of HISTORY that is read, where that begins anew. What was purged before it makes
// the hour of that record a part, and all before it unknown.
func (x *outcomeIndex) beginHours(first time.Time, sequence uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	since := time.Unix(0, 0).UTC() // nothing is missing
	if sequence > 1 {
		x.partial = first.UTC().Truncate(time.Hour)
		since = x.partial.Add(time.Hour)
	}
	if x.mark.Hours.IsZero() || since.Before(x.mark.Hours) {
		x.mark.Hours = since
	}
	x.mark.Hour = hourCounts{}
}

// countHour counts a record. Its hour is the one of HISTORY's clock, or the newest where that went back.
func (x *outcomeIndex) countHour(ctx context.Context, r queue.Record) error {
	if r.Link == "" || codeOf(r.Outcome) == 0 {
		return nil
	}
	if start := r.Stored().UTC().Truncate(time.Hour); start.After(x.mark.Hour.Start) {
		if err := x.closeHour(ctx); err != nil {
			return err
		}
		x.mu.Lock()
		x.mark.Hour = hourCounts{Start: start}
		x.mu.Unlock()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	h := &x.mark.Hour
	if h.Links == nil {
		h.Links = map[string]map[event.Outcome]int{}
	}
	if h.Links[r.Link] == nil {
		h.Links[r.Link] = map[event.Outcome]int{}
	}
	h.Links[r.Link][r.Outcome]++
	return nil
}

// closeHour keeps the newest hour, which is over.
func (x *outcomeIndex) closeHour(ctx context.Context) error {
	h := x.mark.Hour
	if h.Start.IsZero() || h.Start.Equal(x.partial) || h.Start.Before(x.a.now().Add(-hoursKept*time.Hour)) {
		return nil
	}
	if x.writes {
		_, err := x.a.Queue.State().Put(ctx, hourKey(h.Start), h)
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.hours[h.Start.Unix()] = h
	oldest := h.Start.Add(-hoursKept * time.Hour).Unix()
	maps.DeleteFunc(x.hours, func(start int64, _ hourCounts) bool { return start <= oldest })
	return nil
}

// loadHours reads the hours that are kept.
func (x *outcomeIndex) loadHours(ctx context.Context) error {
	entries, err := x.a.Queue.State().List(ctx, string(event.HourKeys))
	if err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range entries {
		var h hourCounts
		if json.Unmarshal(e.Value, &h) == nil {
			x.hours[h.Start.Unix()] = h
		}
	}
	return nil
}

// lastHours are the last n hours of a link, this one last.
func (x *outcomeIndex) lastHours(link string, n int) []Hour {
	x.mu.RLock()
	defer x.mu.RUnlock()
	now := x.a.now().UTC().Truncate(time.Hour)
	list := make([]Hour, n)
	for i := range list {
		start := now.Add(-time.Duration(n-1-i) * time.Hour)
		h := Hour{Start: start, Known: !x.mark.Hours.IsZero() && !start.Before(x.mark.Hours), Counts: map[event.Outcome]int{}}
		kept, ok := x.hours[start.Unix()]
		if x.mark.Hour.Start.Equal(start) {
			kept, ok = x.mark.Hour, true
		}
		h.Known = h.Known || ok && !start.Equal(x.partial)
		for outcome, count := range kept.Links[link] {
			h.Counts[outcome] = count
		}
		list[i] = h
	}
	return list
}
