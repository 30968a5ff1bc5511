package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// version reads a link as it was. queue.ErrNotFound: nobody kept it.
func (a Admin) version(ctx context.Context, hash, id string) (*link.Link, error) {
	if l := a.File.Link(id); l != nil && l.Version == hash {
		return l, nil
	}
	if hash == "" {
		return nil, fmt.Errorf("a version of link %s: %w", id, queue.ErrNotFound)
	}
	var document json.RawMessage
	if _, err := a.Queue.State().Get(ctx, event.VersionKeys.Of(hash), &document); err != nil {
		return nil, err
	}
	file, err := parseVersion(hash, document)
	if err != nil { // a stricter file than then: the same as one that nobody kept
		return nil, fmt.Errorf("version %s of link %s cannot be read any more (%v): %w", hash, id, err, queue.ErrNotFound)
	}
	if l := file.Link(id); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("link %s in version %s: %w", id, hash, queue.ErrNotFound)
}

// parseVersion reads a link's document. Its version is the hash under which it was kept: that of the file from which it came,
// which held what a document does not.
func parseVersion(hash string, document []byte) (*link.File, error) {
	file, _, err := link.Parse("version "+hash, document, link.Options{Lenient: true})
	if err != nil {
		return nil, err
	}
	for _, l := range file.Links {
		l.Version = hash
	}
	return file, nil
}

// ErrNothingRuns reports that no worker has written down what it runs.
var ErrNothingRuns = errors.New("no link has run yet")

// Running puts together the configuration by which the workers run, of what they keep in STATE: each
// link of theirs as it was last started, with its sites and destinations. It holds no secret, and of
// `keep` only the defaults. It is for the time in which the file cannot be read. ErrNothingRuns.
func Running(ctx context.Context, q *queue.Queue) (*link.File, error) {
	states, err := q.Links(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := q.State().List(ctx, string(event.VersionKeys))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(x, y queue.Entry) int { return cmp.Compare(y.Revision, x.Revision) }) // the newest first
	running := &link.File{Path: "STATE"}
	for _, entry := range entries {
		hash := event.VersionKeys.Name(entry.Key)
		file, err := parseVersion(hash, entry.Value)
		if err != nil { // a stricter file than then
			continue
		}
		for _, l := range file.Links {
			stays := slices.ContainsFunc(states, func(s queue.LinkState) bool { return s.ID == l.ID && s.Paused != queue.Gone })
			if stays && running.Link(l.ID) == nil {
				add(running, file, l)
			}
		}
	}
	if len(running.Links) == 0 {
		return nil, ErrNothingRuns
	}
	slices.SortFunc(running.Links, func(x, y *link.Link) int { return strings.Compare(x.ID, y.ID) })
	slices.SortFunc(running.Sites, func(x, y *link.Site) int { return strings.Compare(x.ID, y.ID) })
	return running, nil
}

// add takes a link, and those of its sites and destinations that no newer link has brought.
func add(to, from *link.File, l *link.Link) {
	to.Links, to.Keep = append(to.Links, l), from.Keep
	for _, s := range from.Sites {
		if !slices.ContainsFunc(to.Sites, func(t *link.Site) bool { return t.ID == s.ID }) {
			to.Sites = append(to.Sites, s)
		}
	}
	for _, d := range from.Destinations {
		if to.Destination(d.Name) == nil {
			to.Destinations = append(to.Destinations, d)
		}
	}
}
