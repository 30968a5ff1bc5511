package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"
)

// defaultFinish bounds the work on what is in hand at the end. A process has 25 s to stop.
const defaultFinish = 20 * time.Second

// pullWait is how long one request for messages stays open.
const pullWait = 10 * time.Second

// idleWait is a short pause where there is nothing to do but to look again.
const idleWait = 500 * time.Millisecond

// handsPerWorker is how many messages of a source may be in hand for each handler: one that is
// handled, and those that wait for it or whose outcome is being stored. With 64 handlers and 5 ms
// an answer, 2 keep a third of the rate that no history has, 8 keep all of it: the outcomes of a
// whole batch are under way while the next one gathers.
const handsPerWorker = 8

// worker handles one link's events in this process. Two loops take messages, one from EVENTS and
// one from RETRIES, so that neither waits behind the other; together they have Workers handlers.
type worker struct {
	*Link
	c    Consumption
	busy chan struct{} // one place for each handler at work

	gate  sync.Mutex // of Turn and the probe
	held  hands
	young atomic.Pointer[time.Time] // when the head of the log, put back as too young, is old enough

	events, retries source
}

// source is one of a link's two consumers.
type source struct {
	stream string
	retry  bool
	slots  *slots
	checks checks
	reader jetstream.Consumer
}

// Consume takes the link's events and carries out what Handle decides, until ctx ends; then it
// finishes what is in hand. It returns an error only when that did not end in time; the events
// concerned are delivered again.
func (l *Link) Consume(ctx context.Context, c Consumption) error {
	if c.Finish == 0 {
		c.Finish = defaultFinish
	}
	w := &worker{Link: l, c: c, busy: make(chan struct{}, l.spec.Workers)}
	w.events = source{stream: eventsStream, reader: l.reader[eventsStream], slots: newSlots(handsPerWorker * l.spec.Workers)}
	w.retries = source{stream: retriesStream, reader: l.reader[retriesStream], retry: true, slots: newSlots(handsPerWorker * l.spec.Workers)}

	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var loops sync.WaitGroup
	loops.Go(func() { w.loop(ctx, work, &w.events) })
	loops.Go(func() { w.loop(ctx, work, &w.retries) })
	keeping := make(chan struct{})
	go func() {
		defer close(keeping)
		w.held.keep(work, l.ackWait()/3)
	}()
	loops.Wait()
	err := w.finish(cancel)
	cancel()
	<-keeping
	return err
}

// finish waits for what is in hand and ends it when the time is over.
func (w *worker) finish(cancel context.CancelFunc) error {
	done := make(chan struct{})
	go func() {
		w.held.wait()
		close(done)
	}()
	select {
	case <-done:
		_ = w.q.nc.FlushTimeout(idleWait) // the acks, before the connection is closed
		return nil
	case <-time.After(w.c.Finish):
	}
	cancel()
	select {
	case <-done:
	case <-time.After(idleWait):
	}
	return fmt.Errorf("link %s: %d events were still in hand after %s; they are delivered again", w.spec.ID, w.held.count(), w.c.Finish)
}

// loop takes messages from one source until ctx ends. An error is logged and waited out.
func (w *worker) loop(ctx, work context.Context, s *source) {
	b := patient()
	for ctx.Err() == nil {
		err := w.step(ctx, work, s)
		switch {
		case err == nil:
			b.Reset()
		case ctx.Err() == nil:
			s.checks.restart()
			w.await(ctx, s, err, b)
		}
	}
}

// await waits and looks after the consumers: somebody may have deleted them.
func (w *worker) await(ctx context.Context, s *source, err error, b backoff.BackOff) {
	if w.q.alarms.due("consume " + s.stream + w.spec.ID) {
		w.q.log.Warn().Str("link", w.spec.ID).Str("stream", s.stream).Err(err).Msg("taking events was interrupted, trying on")
	}
	_ = sleep(ctx, b.NextBackOff())
	if w.q.connected(ctx) != nil {
		return
	}
	if err := w.ensure(ctx); err != nil && ctx.Err() == nil && w.q.alarms.due("ensure "+w.spec.ID) {
		w.q.log.Error().Str("link", w.spec.ID).Err(err).Msg("the link's consumers are not in order")
	}
}

// step takes messages once: as many as there are free handlers and the turn allows.
func (w *worker) step(ctx, work context.Context, s *source) error {
	if err := w.q.connected(ctx); err != nil {
		return err
	}
	if !s.retry {
		full, err := w.load.full(ctx, func(ctx context.Context) (uint64, error) { return w.q.Waiting(ctx, w.spec.ID) })
		if err != nil || full {
			return errors.Join(err, w.tooMany(ctx, full))
		}
	}
	n, err := s.slots.take(ctx, w.batch(s))
	if err != nil {
		return err
	}
	allowed, err := w.turn(ctx, work)
	if err != nil || allowed == 0 {
		s.slots.free(n)
		return err
	}
	if allowed < n {
		s.slots.free(n - allowed)
		n = allowed
	}
	return w.pull(ctx, work, s, n)
}

// batch is how many messages one request may bring at most. A link with a delay takes the head of
// the log alone, because what is too young goes back.
func (w *worker) batch(s *source) int {
	if w.spec.Delay > 0 && !s.retry {
		return 1
	}
	return handsPerWorker * w.spec.Workers
}

// tooMany waits while too much of the link waits in RETRIES.
func (w *worker) tooMany(ctx context.Context, full bool) error {
	if full && w.q.alarms.due("backlog "+w.spec.ID) {
		w.q.log.Warn().Str("link", w.spec.ID).Int("waiting", maxWaiting).Msg("too many events wait for another attempt: no fresh ones are taken until there are fewer")
	}
	return sleep(ctx, idleWait)
}

// turn asks for permission to take messages and returns how many. A probe is made right here,
// while the other loop waits: it is to be the only event on its way.
func (w *worker) turn(ctx, work context.Context) (int, error) {
	w.gate.Lock()
	defer w.gate.Unlock()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if w.c.Turn == nil {
		return handsPerWorker * w.spec.Workers, nil
	}
	t, err := w.c.Turn(ctx)
	if err != nil {
		return 0, err
	}
	if t.Probe {
		return 0, w.probe(ctx, work)
	}
	if t.Max <= 0 {
		return handsPerWorker * w.spec.Workers, nil
	}
	return t.Max, nil
}

// hands are the messages in hand. The server must hear of each before its AckWait is over.
type hands struct {
	mu    sync.Mutex
	group sync.WaitGroup
	n     atomic.Int64
	since map[place]hand
}

// place is where a message stands in its stream.
type place struct {
	retry    bool
	sequence uint64
}

type hand struct {
	m     *message
	since time.Time
}

// add takes a message into the hands. False: it is in hand already. After a reconnect the server
// gives out again what is still worked on here; handling it twice would send it twice.
func (h *hands) add(m *message) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := place{m.retry, m.sequence()}
	if _, held := h.since[at]; held {
		return false
	}
	if h.since == nil {
		h.since = map[place]hand{}
	}
	h.since[at] = hand{m, time.Now()}
	h.group.Add(1)
	h.n.Add(1)
	return true
}

func (h *hands) drop(m *message) {
	h.mu.Lock()
	delete(h.since, place{m.retry, m.sequence()})
	h.mu.Unlock()
	h.n.Add(-1)
	h.group.Done()
}

func (h *hands) wait()        { h.group.Wait() }
func (h *hands) count() int64 { return h.n.Load() }

// keep tells the server every so often that what is in hand for longer is still worked on.
func (h *hands) keep(ctx context.Context, every time.Duration) {
	for sleep(ctx, every) == nil {
		h.mu.Lock()
		for _, held := range h.since {
			if time.Since(held.since) >= every/2 {
				_ = held.m.msg.InProgress()
			}
		}
		h.mu.Unlock()
	}
}
