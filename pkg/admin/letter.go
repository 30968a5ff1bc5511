package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// letter reads what is replayed: the dead letter as long as it is the one that was selected, or an
// event that has not died, with what its history says of the way so far; that one has no place in
// DEADLETTERS, its Sequence is 0. queue.ErrNotFound.
func (a Admin) letter(ctx context.Context, item Item) (queue.DeadLetter, error) {
	if item.Outcome == event.Dead {
		d, err := a.Queue.DeadLetter(ctx, item.Link, item.Key)
		if err == nil && d.Sequence != item.sequence {
			err = queue.ErrNotFound // it has been replayed and has died again
		}
		return d, err
	}
	e, err := a.Queue.GetEvent(ctx, item.Key)
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

// pinOf finds out what an event was sent as by an attempt that Mindbox may have executed without
// saying so; nil when there was none. An event that was filtered after such an attempt, and is
// replayed, must keep its transaction's id.
func (a Admin) pinOf(ctx context.Context, records []queue.Record, link string) (*queue.Pin, error) {
	for _, r := range slices.Backward(records) {
		if r.Link != link || !unsure(r) {
			continue
		}
		l, err := a.version(ctx, r.Version, link)
		if errors.Is(err, queue.ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return &queue.Pin{Endpoint: l.To.Endpoint, Operation: l.Operation, Revision: r.Revision}, nil
	}
	return nil, nil
}

// unsure reports whether a record tells of an attempt that may have been executed: no answer, or
// one that is neither a refusal nor a success.
func unsure(r queue.Record) bool {
	if r.TransactionID == "" || r.Outcome != event.Waiting {
		return false
	}
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusTooManyRequests:
		return false
	}
	return true
}
