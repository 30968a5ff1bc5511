package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Preview is what a replay of one item would do, beside what was done before.
type Preview struct {
	Item
	Now      *link.Explanation `json:"now,omitempty"`  // by today's file; nil: the event cannot be read
	Then     *link.Explanation `json:"then,omitempty"` // by the link as it was; nil: nobody knows that any more
	Changed  bool              `json:"changed"`        // the link is not the one of then
	Pin      *queue.Pin        `json:"pin,omitempty"`  // it keeps this endpoint and operation
	Revision string            `json:"revision,omitempty"`
	Problem  string            `json:"problem,omitempty"` // why there is no Now
}

// Preview renders what a replay of an item would send, and what was sent. Personal values are
// masked unless reveal is set. ErrGone: today's file has no link for it.
func (a Admin) Preview(ctx context.Context, item Item, r Replay, reveal bool) (Preview, error) {
	p := Preview{Item: item}
	today := a.File.Link((&replay{Replay: r}).target(item))
	if today == nil {
		return p, fmt.Errorf("%s: %w", item.Link, ErrGone)
	}
	d, err := a.letter(ctx, item)
	if err != nil {
		return p, err
	}
	p.Pin, p.Revision = d.Pin, d.Revision
	p.Changed = d.Version != "" && d.Version != today.Version
	fields, err := a.fields(d.Event)
	if err != nil {
		p.Problem = err.Error()
		return p, nil
	}
	now := today.Explain(fields, reveal)
	p.Now = &now
	past, err := a.version(ctx, d.Version, item.Link)
	if errors.Is(err, queue.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	then := past.Explain(fields, reveal)
	p.Then = &then
	return p, nil
}
