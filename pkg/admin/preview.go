package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/touchbox/touchbox/pkg/event"
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
	Problem  string            `json:"problem,omitempty"` // why the event cannot be read
}

// Preview renders what a replay of an item would send, and what was sent. Personal values are
// masked unless reveal is set. ErrGone: today's file has no link for it.
func (a Admin) Preview(ctx context.Context, item Item, r Replay, reveal bool) (Preview, error) {
	p := Preview{Item: item}
	today := a.File.Link((&replay{Replay: r}).target(item))
	if today == nil {
		return p, fmt.Errorf("%s: %w", item.Link, ErrGone)
	}
	e, version, err := a.read(ctx, &p)
	if err != nil {
		return p, err
	}
	p.Changed = version != "" && version != today.Version
	fields, err := a.fields(e)
	if err != nil {
		p.Problem = err.Error()
		return p, nil
	}
	now := today.Explain(fields, reveal)
	p.Now = &now
	past, err := a.version(ctx, version, item.Link)
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

// read reads the event of a preview and the version of the link that handled it last.
func (a Admin) read(ctx context.Context, p *Preview) (event.Event, string, error) {
	if p.Outcome == event.Dead {
		d, err := a.Queue.DeadLetter(ctx, p.Link, p.Key)
		p.Pin, p.Revision = d.Pin, d.Revision
		return d.Event, d.Version, err
	}
	e, err := a.Queue.GetEvent(ctx, p.Key)
	if err != nil {
		return e, "", err
	}
	records, err := a.Queue.History(ctx, p.Key)
	if r := newest(records, p.Link); r != nil {
		p.Revision = r.Revision
		return e, r.Version, err
	}
	return e, "", err
}
