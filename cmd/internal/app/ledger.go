package app

import (
	"context"
	"errors"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// ledger tells the source what the queue holds.
type ledger struct{ admin admin.Admin }

// NewLedger is what the queue holds, as the source asks for it.
func NewLedger(q *queue.Queue, file *link.File) calltouch.Ledger {
	return ledger{admin.Admin{Queue: q, File: file}}
}

// Lookup tells what became of an event.
func (l ledger) Lookup(ctx context.Context, key event.Key) (calltouch.Fate, error) {
	timeline, err := l.admin.Timeline(ctx, key)
	if errors.Is(err, queue.ErrNotFound) {
		return calltouch.Fate{}, nil
	}
	if err != nil {
		return calltouch.Fate{}, err
	}
	fate := calltouch.Fate{Stored: timeline.Event != nil, Outcomes: map[string]event.Outcome{}}
	for _, one := range timeline.Links {
		fate.Outcomes[one.Link] = one.Outcome
	}
	return fate, nil
}

// Horizon is the moment before which nothing is stored any more.
func (l ledger) Horizon(ctx context.Context) (time.Time, error) { return l.admin.Queue.Horizon(ctx) }
