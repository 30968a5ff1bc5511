package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	Pin      *event.Pin        `json:"pin,omitempty"`  // it keeps this endpoint and operation
	Revision string            `json:"revision,omitempty"`
	Problem  string            `json:"problem,omitempty"` // why there is no Now
}

// Preview renders what a replay of an item would send, and what was sent. Personal values are
// masked unless reveal is set. ErrGone: today's file has no link for it.
func (a Admin) Preview(ctx context.Context, item Item, o ReplayOptions, reveal bool) (Preview, error) {
	p := Preview{Item: item}
	today := a.File.Link(o.target(item))
	if today == nil {
		return p, fmt.Errorf("%s: %w", item.Link, ErrGone)
	}
	d, err := a.deadLetterOf(ctx, item)
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

// deadLetterOf reads what is replayed. Of an event that has died that is its dead letter, as long as it is the
// one that was selected. Any other event is made into one, with what its history says of the way so far;
// it has no place in DEADLETTERS, so its Sequence is 0. queue.ErrNotFound.
func (a Admin) deadLetterOf(ctx context.Context, item Item) (queue.DeadLetter, error) {
	if item.Outcome == event.Dead {
		d, err := a.Queue.DeadLetter(ctx, item.Link, item.Key)
		if err == nil && d.Sequence != item.sequence {
			err = queue.ErrNotFound // it has been replayed and has died again
		}
		return d, err
	}
	e, err := a.event(ctx, item.Key)
	if err != nil {
		return queue.DeadLetter{}, err
	}
	records, err := a.Queue.History(ctx, item.Key)
	if err != nil {
		return queue.DeadLetter{}, err
	}
	d := queue.DeadLetter{Link: item.Link, Event: e}
	if r := newest(records, item.Link); r != nil {
		d.Revision, d.As, d.Version = r.Revision, r.As, r.Version
	}
	d.Pin, err = a.pinOf(ctx, records, item.Link)
	return d, err
}

// pinOf finds out what an event was sent as by an attempt that Mindbox may have executed; nil when
// there was none. An event that was filtered after such an attempt, and is replayed, must keep its
// transaction's id. The records hold it. What a delivery was sent as binds nothing: with a new revision
// it is sent as its link says today.
func (a Admin) pinOf(ctx context.Context, records []queue.Record, link string) (*event.Pin, error) {
	for _, r := range slices.Backward(records) {
		if r.Link != link || r.Outcome == event.Delivered {
			continue
		}
		if pin := r.Pinned(); pin != nil {
			return pin, nil
		}
		if a.mayHaveRun(r) {
			return a.pinBefore(ctx, r)
		}
	}
	return nil, nil
}

// mayHaveRun reports whether a record without a pin tells of an attempt that may have been executed: one
// of an earlier version, which knew of none.
func (a Admin) mayHaveRun(r queue.Record) bool {
	return r.TransactionID != "" && r.Outcome == event.Waiting && (a.MayHaveRun == nil || a.MayHaveRun(r.Reason))
}

// pinBefore is the pin of an attempt whose record does not hold it: by the link as it was then.
func (a Admin) pinBefore(ctx context.Context, r queue.Record) (*event.Pin, error) {
	l, err := a.version(ctx, r.Version, r.Link)
	if errors.Is(err, queue.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &event.Pin{Endpoint: l.To.Endpoint, Operation: l.Operation, Revision: r.Revision}, nil
}
