package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/queue"
)

// state is the queue's STATE as the source sees it.
type state struct {
	q    *queue.Queue
	sole bool // no other process can hold what this one asks for: what is held was left by a killed one

	mu     *sync.Mutex
	leases map[string]*queue.Lease // held by this process
}

var _ calltouch.State = state{}

// NewState gives the source its part of STATE.
func NewState(q *queue.Queue) calltouch.State { return newState(q, false) }

func newState(q *queue.Queue, sole bool) calltouch.State {
	return state{q: q, sole: sole, mu: &sync.Mutex{}, leases: map[string]*queue.Lease{}}
}

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

// Lease takes a lease, or says whether the one that this process took still holds: the queue
// renews it by itself.
func (s state) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.leases[name]; held != nil {
		if held.Context().Err() == nil {
			return true, nil
		}
		delete(s.leases, name)
	}
	// The lease lives until Release, not until the end of one caller's context.
	lease, err := s.q.Lease(context.WithoutCancel(ctx), name, ttl)
	if errors.Is(err, queue.ErrHeld) && s.sole && s.q.BreakLease(ctx, name) == nil {
		lease, err = s.q.Lease(context.WithoutCancel(ctx), name, ttl)
	}
	if errors.Is(err, queue.ErrHeld) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.leases[name] = lease
	return true, nil
}

// Release gives a lease up.
func (s state) Release(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.leases[name]; held != nil {
		held.Release()
		delete(s.leases, name)
	}
	return nil
}

// Leased reports whether any process holds a lease.
func (s state) Leased(ctx context.Context, name string) (bool, error) { return s.q.Leased(ctx, name) }
