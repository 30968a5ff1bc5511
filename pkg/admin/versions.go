package admin

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// versionKeys begin the keys of STATE under which workers keep each version of a link, by its hash.
const versionKeys = "version."

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
