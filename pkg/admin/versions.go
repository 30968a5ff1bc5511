package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// versionKeys begin the keys of STATE that hold versions of links, by their hash.
const versionKeys = "version."

// KeepVersions stores the version of each link of a file, so that what was sent by it can be
// rendered again when the file says otherwise. A worker calls it before it handles anything, and
// again for a changed file. What is stored holds no secret.
func KeepVersions(ctx context.Context, q *queue.Queue, file *link.File) error {
	for _, l := range file.Links {
		_, err := q.State().Create(ctx, versionKeys+l.Version, json.RawMessage(l.Document()))
		if err != nil && !errors.Is(err, queue.ErrConflict) {
			return fmt.Errorf("keep version %s of link %s: %w", l.Version, l.ID, err)
		}
	}
	return nil
}

// version reads a link as it was. queue.ErrNotFound: nobody kept it.
func (a Admin) version(ctx context.Context, hash, id string) (*link.Link, error) {
	if l := a.File.Link(id); l != nil && l.Version == hash {
		return l, nil
	}
	if hash == "" {
		return nil, fmt.Errorf("a version of link %s: %w", id, queue.ErrNotFound)
	}
	var document json.RawMessage
	if _, err := a.Queue.State().Get(ctx, versionKeys+hash, &document); err != nil {
		return nil, err
	}
	file, _, err := link.Parse("version "+hash, document, link.Options{Lenient: true})
	if err != nil {
		return nil, fmt.Errorf("version %s of link %s cannot be read: %w", hash, id, err)
	}
	if l := file.Link(id); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("link %s in version %s: %w", id, hash, queue.ErrNotFound)
}
