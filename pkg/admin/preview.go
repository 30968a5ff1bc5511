package admin

import (
	"context"
	"fmt"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Preview is what a replay of one item would send, by the file as it is now.
type Preview struct {
	Item
	Event    event.Event
	Pass     bool           // the conditions hold
	Request  *link.Rendered // nil: nothing would be sent
	Problem  string         // why not, in words without values; empty otherwise
	Changed  bool           // another version of the link handled it last, or none is known
	Pin      *queue.Pin     // not nil: it keeps this endpoint and operation
	Revision string         // that it has had so far
}

// Preview renders what a replay of an item would send. ErrGone: today's file has no link for it.
func (a Admin) Preview(ctx context.Context, item Item, r Replay) (Preview, error) {
	p := Preview{Item: item}
	l := a.File.Link((&replay{Replay: r}).target(item))
	if l == nil {
		return p, fmt.Errorf("%s: %w", item.Link, ErrGone)
	}
	version, err := a.read(ctx, &p)
	if err != nil {
		return p, err
	}
	p.Changed = version != l.Version
	p.render(a, l)
	return p, nil
}

// read reads the event of a preview and the version of the link that handled it last.
func (a Admin) read(ctx context.Context, p *Preview) (string, error) {
	if p.Outcome == event.Dead {
		d, err := a.Queue.DeadLetter(ctx, p.Link, p.Key)
		p.Event, p.Pin, p.Revision = d.Event, d.Pin, d.Revision
		return d.Version, err
	}
	e, err := a.Queue.GetEvent(ctx, p.Key)
	if err != nil {
		return "", err
	}
	p.Event = e
	records, err := a.Queue.History(ctx, p.Key)
	if r := newest(records, p.Link); r != nil {
		p.Revision = r.Revision
		return r.Version, err
	}
	return "", err
}

// render fills in what today's link makes of the event. Its own failures belong to the preview.
func (p *Preview) render(a Admin, l *link.Link) {
	fields, err := a.fields(p.Event)
	if err != nil {
		p.Problem = err.Error()
		return
	}
	verdict, err := l.Filter(fields)
	if p.Pass = verdict.Pass; err != nil || !p.Pass {
		p.Problem = problem(err, "filtered")
		return
	}
	request, err := l.Render(fields)
	if err != nil || len(request.Missing) > 0 {
		p.Problem = problem(err, "undeliverable")
		return
	}
	p.Request = &request
}

func problem(err error, otherwise string) string {
	if err != nil {
		return err.Error()
	}
	return otherwise
}
