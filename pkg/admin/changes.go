package admin

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Changes says what the file does to the links that the queue knows: what would start, what would
// be paused, what waits for a reset, what filters or renders anew.
func (a Admin) Changes(ctx context.Context) ([]link.Change, error) {
	links, err := a.links(ctx)
	if err != nil {
		return nil, err
	}
	var changes []link.Change
	for _, k := range links {
		more, err := a.changesOf(ctx, k)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

func (a Admin) changesOf(ctx context.Context, k known) ([]link.Change, error) {
	switch {
	case k.file == nil && k.state.Paused == queue.Gone:
		return nil, nil // it is gone already
	case k.file == nil:
		return []link.Change{{Link: k.id, Kind: link.LinkGone}}, nil
	case !k.stored:
		return []link.Change{{Link: k.id, Kind: link.LinkNew, After: sinceText(k.file.Since)}}, nil
	}
	var changes []link.Change
	if !same(k.state.Subjects, slices.Sorted(slices.Values(k.file.Subjects()))) {
		changes = append(changes, link.Change{Link: k.id, Kind: link.LinkSubjects})
	}
	if !k.file.Since.IsZero() && !k.file.Since.Equal(k.state.Start) {
		changes = append(changes, link.Change{Link: k.id, Kind: link.LinkSince})
	}
	var document any
	_, err := a.Queue.State().Get(ctx, "version."+k.file.Version, &document)
	if errors.Is(err, queue.ErrNotFound) { // no worker has ever run this version of the link
		return append(changes, link.Change{Link: k.id, Kind: link.LinkVersion}), nil
	}
	return changes, err
}

func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}
