package queue

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// pull asks a source for up to n messages, whose slots are taken, and starts a handler for each.
// The request ends with ctx, with the connection, or after pullWait.
func (w *worker) pull(ctx, work context.Context, s *source, n int) error {
	era, ended := w.q.era.now()
	wait, cancel := context.WithTimeout(ctx, pullWait)
	defer cancel()
	defer context.AfterFunc(ended, cancel)()

	batch, err := s.reader.Fetch(n, jetstream.FetchContext(wait))
	if err != nil {
		s.slots.free(n)
		return err
	}
	used := 0
	for msg := range batch.Messages() {
		if used == 0 {
			w.refresh(work, s)
		}
		m, err := w.take(s, msg, era)
		if err != nil {
			continue // no message of JetStream, or one that is in hand already
		}
		used++
		go func() {
			defer s.slots.free(1)
			defer w.held.drop(m)
			w.handle(work, m, false)
		}()
	}
	s.slots.free(n - used)
	if err := batch.Error(); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return w.rest(ctx, s)
}

// refresh reads the link's state when the first message of a request is there: the link may have been
// reset since the last one, and a message from a new consumer must not be judged by the old start. A
// consumer that is deleted ends the requests that wait at it, so one request has messages of one
// consumer only. Without an answer the message waits, as it would for any other.
func (w *worker) refresh(ctx context.Context, s *source) {
	if s.retry {
		return
	}
	_ = w.persist(ctx, func() error {
		state, err := w.q.linkState(ctx, w.spec.ID)
		switch {
		case errors.Is(err, ErrNotFound): // the link is being removed
			return nil
		case err != nil:
			return err
		case state.revision != w.now.Load().revision:
			w.now.Store(&state)
		}
		return nil
	})
}

// errHeld reports a message that is in hand already.
var errHeld = errors.New("in hand already")

// take puts a message into the hands.
func (w *worker) take(s *source, msg jetstream.Msg, era uint64) (*message, error) {
	m, err := newMessage(msg, w.spec.ID, s.retry)
	if err != nil {
		return nil, err
	}
	m.check = s.checks.due(era) || !s.retry && m.sequence() <= w.now.Load().CheckTo
	if !w.held.add(m) {
		return nil, errHeld
	}
	return m, nil
}

// rest waits until the head of the log, which was too young and went back, is old enough.
func (w *worker) rest(ctx context.Context, s *source) error {
	if s.retry || w.spec.Delay == 0 {
		return nil
	}
	if until := w.young.Swap(nil); until != nil {
		_ = sleep(ctx, time.Until(*until))
	}
	return nil
}

// probe takes one event, from RETRIES or else from EVENTS, and handles it alone. Where there is
// none it waits a little, so that Turn is not asked without end.
func (w *worker) probe(ctx, work context.Context) error {
	for _, s := range []*source{&w.retries, &w.events} {
		era, _ := w.q.era.now()
		batch, err := s.reader.FetchNoWait(1)
		if err != nil {
			return err
		}
		for msg := range batch.Messages() {
			w.refresh(work, s)
			m, err := w.take(s, msg, era)
			if err != nil {
				continue
			}
			w.handle(work, m, true)
			w.held.drop(m)
			return nil
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			return err
		}
	}
	return sleep(ctx, idleWait)
}
