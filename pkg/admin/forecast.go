package admin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Forecast is what a replay of a selection would do: what today's links make of it, beside what was sent or what became of it.
type Forecast struct {
	Selected   int         `json:"selected"`
	Pinned     int         `json:"pinned"`              // of them: they keep the endpoint and operation of their first attempt
	UnderWay   Group       `json:"under_way,omitzero"`  // would be refused: a retry or another replay of them waits
	Unreadable Group       `json:"unreadable,omitzero"` // cannot be read, so nothing would be sent
	Gone       Group       `json:"gone,omitzero"`       // their link is not in the file
	Vanished   int         `json:"vanished,omitempty"`  // have gone on in the meantime
	Links      []LinkTrial `json:"links"`               // by the link that would handle them
}

// forecaster is a forecast on its way.
type forecaster struct {
	admin    Admin
	how      ReplayOptions
	reveal   bool
	result   Forecast
	links    []*tally
	versions map[linkVersion]*link.Link // nil: nobody knows it any more
}

// linkVersion is a version of a link by its hash.
type linkVersion struct{ link, hash string }

// Forecast says what Replay would do with all items, and does nothing. Of each it reads what Replay reads; Progress of the options is
// told. Personal values are masked unless reveal is set.
func (a Admin) Forecast(ctx context.Context, items []Item, o ReplayOptions, reveal bool) (Forecast, error) {
	return a.forecast(ctx, items, o, reveal, 0)
}

// ForecastWithin is Forecast of as many of the items as can be looked at within a time, taken from all of them: Selected says how many.
// Personal values are masked.
func (a Admin) ForecastWithin(ctx context.Context, items []Item, o ReplayOptions, within time.Duration) (Forecast, error) {
	return a.forecast(ctx, scattered(items), o, false, within)
}

// scattered is a list in an order of which each beginning is from all of it.
func scattered[T any](list []T) []T {
	const steps = 16
	out := make([]T, 0, len(list))
	for from := range steps {
		for i := (from * 7) % steps; i < len(list); i += steps {
			out = append(out, list[i])
		}
	}
	return out
}

func (a Admin) forecast(ctx context.Context, items []Item, o ReplayOptions, reveal bool, within time.Duration) (Forecast, error) {
	f := &forecaster{admin: a, how: o, reveal: reveal, versions: map[linkVersion]*link.Link{}}
	f.result.Links = []LinkTrial{}
	began := time.Now()
	for i, item := range items {
		if within > 0 && time.Since(began) > within {
			break
		}
		f.result.Selected++
		if err := f.add(ctx, item); err != nil {
			return f.result, err
		}
		if o.Progress != nil {
			o.Progress(Progress{Done: i + 1, Total: len(items)})
		}
	}
	for _, t := range f.links {
		f.result.Links = append(f.result.Links, t.lists())
	}
	slices.SortFunc(f.result.Links, func(x, y LinkTrial) int { return cmp.Compare(x.Link, y.Link) })
	return f.result, nil
}

// add finds out what would become of an item.
func (f *forecaster) add(ctx context.Context, item Item) error {
	today := f.admin.File.Link(f.how.target(item))
	if today == nil {
		f.result.Gone.add(item.Key)
		return nil
	}
	d, err := f.admin.deadLetterOf(ctx, item)
	if errors.Is(err, queue.ErrNotFound) {
		f.result.Vanished++
		return nil
	}
	if err != nil {
		return err
	}
	retry, err := f.admin.retry(ctx, today.ID, item.Key)
	if err != nil {
		return err
	}
	if retry != nil {
		f.result.UnderWay.add(item.Key)
		return nil
	}
	fields, err := f.admin.fields(d.Event)
	if errors.Is(err, errNoFields) {
		return err
	}
	if err != nil {
		f.result.Unreadable.add(item.Key)
		return nil
	}
	return f.count(ctx, item, d, today, fields)
}

// count compares what today's link makes of an item with what was sent.
func (f *forecaster) count(ctx context.Context, item Item, d queue.DeadLetter, today *link.Link, fields map[string]any) error {
	now := render(today, fields)
	if d.Pin != nil {
		f.result.Pinned++
		if now.request != nil {
			now.request.endpoint, now.request.operation = d.Pin.Endpoint, d.Pin.Operation
		}
	}
	t := f.tally(today)
	then := made{outcome: item.Outcome, why: item.Reason}
	past, err := f.version(ctx, linkVersion{item.Link, d.Version})
	switch {
	case err != nil:
		return err
	case past != nil:
		then.request = render(past, fields).request
	case d.Version != "" && now.request != nil:
		t.result.Unknown++
	}
	return t.count(item.Key, then, now)
}

// tally is that of the link, begun where it is a new one.
func (f *forecaster) tally(today *link.Link) *tally {
	for _, t := range f.links {
		if t.result.Link == today.ID {
			return t
		}
	}
	t := newTally(today.ID, TryOptions{Reveal: f.reveal})
	t.result.To = today.Version
	f.links = append(f.links, t)
	return t
}

// version is a link as it was; nil when nobody knows that any more.
func (f *forecaster) version(ctx context.Context, v linkVersion) (*link.Link, error) {
	if past, known := f.versions[v]; known {
		return past, nil
	}
	past, err := f.admin.version(ctx, v.hash, v.link)
	if errors.Is(err, queue.ErrNotFound) {
		past, err = nil, nil
	}
	if err == nil {
		f.versions[v] = past
	}
	return past, err
}

// WouldSend is how many events the replay would send.
func (f Forecast) WouldSend() int {
	n := 0
	for _, l := range f.Links {
		n += l.After.Delivered
	}
	return n
}
