package app

import (
	"context"
	"errors"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// What the source asks of the queue, where the queue's own methods say it otherwise.

// Sites are the sites of a file as the source knows them.
func Sites(file *link.File) []calltouch.Site {
	sites := make([]calltouch.Site, 0, len(file.Sites))
	for _, one := range file.Sites {
		sites = append(sites, one.Site)
	}
	return sites
}

// state is the queue's STATE as the source sees it.
type state struct {
	q    *queue.Queue
	sole bool // no other process can hold what this one asks for: what is held was left by a killed one
}

// NewState gives the source its part of STATE.
func NewState(q *queue.Queue) poll.State { return state{q: q} }

// Get reads a value; false when there is none.
func (s state) Get(ctx context.Context, name string, v any) (bool, error) {
	_, err := s.q.State().Get(ctx, name, v)
	if errors.Is(err, queue.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Put writes a value.
func (s state) Put(ctx context.Context, name string, v any) error {
	_, err := s.q.State().Put(ctx, name, v)
	return err
}

// Delete removes a value.
func (s state) Delete(ctx context.Context, name string) error { return s.q.State().Delete(ctx, name) }

// Lease takes a lease.
func (s state) Lease(ctx context.Context, name string, ttl time.Duration) (poll.Lease, error) {
	lease, err := s.q.Lease(ctx, name, ttl)
	if errors.Is(err, queue.ErrHeld) && s.sole && s.q.BreakLease(ctx, name) == nil {
		lease, err = s.q.Lease(ctx, name, ttl)
	}
	switch {
	case errors.Is(err, queue.ErrHeld):
		return nil, poll.ErrHeld
	case err != nil:
		return nil, err
	}
	return lease, nil
}

// Leased reports whether any process holds a lease.
func (s state) Leased(ctx context.Context, name string) (bool, error) { return s.q.Leased(ctx, name) }

// waitingHooks are the hooks of form requests in ASIDE, as the source sees them.
type waitingHooks struct{ q *queue.Queue }

// Waiting lists them, oldest first.
func (w waitingHooks) Waiting(ctx context.Context) ([]poll.WaitingHook, error) {
	var hooks []poll.WaitingHook
	for a, err := range w.q.Asides(ctx, "", queue.AsideUnpolled) {
		if err != nil {
			return nil, err
		}
		hooks = append(hooks, poll.WaitingHook{Aside: a})
	}
	if len(hooks) == 0 {
		return nil, nil
	}
	edge, err := w.q.AsideEdge(ctx)
	for i := range hooks {
		hooks[i].Pressed = hooks[i].Sequence < edge
	}
	return hooks, err
}

// Known reports whether the log holds the key.
func (w waitingHooks) Known(ctx context.Context, key event.Key) (bool, error) {
	return w.q.HasEvent(ctx, key)
}

// Forget removes one with its bytes: what was removed otherwise could be found in the store's files
// by nobody who erases a person. While a backup runs it stays: the copy of the log may have been made
// before it came there, and that of ASIDE be made after it went.
func (w waitingHooks) Forget(ctx context.Context, h poll.WaitingHook) error {
	held, err := w.q.MovesHeld(ctx)
	if err != nil {
		return err
	}
	if held {
		return poll.ErrNotNow
	}
	return w.q.EraseAside(ctx, h.Sequence)
}

// ledger tells the source what the queue holds.
type ledger struct{ admin admin.Admin }

// NewLedger is what the queue holds, as the source asks for it.
func NewLedger(q *queue.Queue, file *link.File) poll.Ledger {
	return ledger{admin.Admin{Queue: q, File: file}}
}

// Lookup tells what became of an event.
func (l ledger) Lookup(ctx context.Context, key event.Key) (poll.Fate, error) {
	timeline, err := l.admin.Timeline(ctx, key)
	if errors.Is(err, queue.ErrNotFound) {
		return poll.Fate{}, nil
	}
	if err != nil {
		return poll.Fate{}, err
	}
	fate := poll.Fate{Stored: timeline.Event != nil || timeline.Erased, Outcomes: map[string]event.Outcome{}}
	for _, one := range timeline.Links {
		fate.Outcomes[one.Link] = one.Outcome
	}
	return fate, nil
}

// Horizon is the moment before which nothing is stored any more.
func (l ledger) Horizon(ctx context.Context) (time.Time, error) { return l.admin.Queue.Horizon(ctx) }
