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

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// defaultFinish bounds the work on what is in flight at the end, counted from when the end was asked
// for. A process has 25 s to stop, and what comes behind this takes some of them.
const defaultFinish = 18 * time.Second

// pullWait is how long one request for messages stays open.
const pullWait = 10 * time.Second

// idleWait is a short pause where there is nothing to do but to look again.
const idleWait = 500 * time.Millisecond

// inFlight is how many messages of a source may be in flight: those that are handled, and those that wait for a
// handler or whose outcome is being stored. That is eight for each handler, so that the outcomes of a whole batch are
// under way while the next one gathers, up to 512, and two where the handlers are many.
func (s LinkSpec) inFlight() int { return max(2*s.Handlers, min(8*s.Handlers, 512)) }

// worker handles one link's events in this process. Two loops take messages, one from EVENTS and
// one from RETRIES, so that neither waits behind the other; they share the link's handlers.
type worker struct {
	*Link
	c     Consumption
	began time.Time

	turnMu     sync.Mutex // of Turn, the probe and eventsNext
	eventsNext bool       // the next probe is of EVENTS first
	inFlight   inFlight
	again      chan *begun               // for goroutines that have just finished a message
	young      atomic.Pointer[time.Time] // when the head of the log, returned as too young, is old enough
	unfinished atomic.Int64              // begun, and returned unfinished at the end
	stateRead  atomic.Pointer[time.Time] // when the link's state was read, see refresh
	died       func(point)               // of tests: a process dies in settle

	events, retries source
}

// source is one of a link's two consumers.
type source struct {
	stream   string
	retry    bool
	share    *share      // of what the process may have in flight
	todo     chan *begun // in flight, and waiting for a handler
	checks   checks
	consumer jetstream.Consumer
}

func (l *Link) source(stream string) source {
	most := l.spec.inFlight()
	return source{
		stream: stream, retry: stream == event.RetriesStream, consumer: l.consumers[stream],
		share: l.q.room.join(most), todo: make(chan *begun, most),
	}
}

// Consume takes the link's events and carries out what Handle decides, until ctx ends; then it
// finishes what is begun and returns the rest to the server, for another worker or the next start. It returns an
// error only when that did not end in time; the events concerned are delivered again.
func (l *Link) Consume(ctx context.Context, c Consumption) error {
	if c.Finish == 0 {
		c.Finish = defaultFinish
	}
	w := &worker{Link: l, c: c, began: time.Now(), inFlight: newInFlight(l.spec.Handlers), again: make(chan *begun), events: l.source(event.EventsStream), retries: l.source(event.RetriesStream)}
	w.forgetState()
	defer w.events.share.leave()
	defer w.retries.share.leave()

	// One clock, from the moment when the end is asked for: whatever the loops are at, a probe or a
	// wait for the server, counts in it.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(c.Finish, cancel) })()
	var keeping, loops sync.WaitGroup
	keeping.Go(func() { w.inFlight.keepAlive(work, ackWait(l.spec)/3) })
	loops.Go(func() { w.loop(ctx, work, &w.events) })
	loops.Go(func() { w.loop(ctx, work, &w.retries) })
	loops.Go(func() { w.dispatch(ctx, work) })
	loops.Wait()
	w.returnUnbegun(&w.events)
	w.returnUnbegun(&w.retries)
	err := w.finish(work)
	cancel()
	keeping.Wait()
	return err
}

// loop takes messages from one source until ctx ends. An error is logged and waited out.
func (w *worker) loop(ctx, work context.Context, s *source) {
	b := jet.NewBackoff()
	for ctx.Err() == nil {
		err := w.step(ctx, work, s)
		switch {
		case err == nil:
			b.Reset()
		case ctx.Err() == nil:
			s.checks.restart()
			w.forgetState()
			w.backOff(ctx, s, err, b)
		}
	}
}

// step takes messages once: as many as the turn allows, the batch holds and there is room for.
func (w *worker) step(ctx, work context.Context, s *source) error {
	if err := w.q.jet.Connected(ctx); err != nil {
		return err
	}
	if !s.retry {
		full, err := w.load.full(ctx, func(ctx context.Context) (uint64, error) { return w.q.Waiting(ctx, w.spec.ID) })
		if err != nil {
			return err
		}
		if full {
			return w.waitForFewer(ctx)
		}
	}
	allowed, err := w.askTurn(ctx, work)
	if err != nil || allowed == 0 {
		return err
	}
	asked := s.share.ask(min(allowed, w.batch(s)))
	if asked.n == 0 {
		return s.share.wait(ctx) // and ask for a turn again: the link may be parked by then
	}
	return w.pull(ctx, work, s, asked)
}

// askTurn asks for permission to take messages and returns how many. A probe is made right here,
// while the other loop waits: it is to be the only event on its way.
func (w *worker) askTurn(ctx, work context.Context) (int, error) {
	w.turnMu.Lock()
	defer w.turnMu.Unlock()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if w.c.Turn == nil {
		return w.spec.inFlight(), nil
	}
	t, err := w.c.Turn(ctx)
	switch {
	case err != nil:
		return 0, err
	case t.Probe:
		return 0, w.probe(ctx, work, t)
	case t.Max <= 0:
		return w.spec.inFlight(), nil
	}
	if held := w.inFlight.count(); held < t.Max {
		return t.Max - held, nil
	}
	return 0, wait.Sleep(ctx, enoughWait)
}

// enoughWait is the pause after which a link that has as much in flight as it may looks again.
const enoughWait = 50 * time.Millisecond

// batch is how many messages one request may bring at most. A link with a delay takes the head of
// the log alone, because what is too young goes back.
func (w *worker) batch(s *source) int {
	if w.spec.Delay > 0 && !s.retry {
		return 1
	}
	return w.spec.inFlight()
}

// waitForFewer waits a little, because too much of the link waits in RETRIES.
func (w *worker) waitForFewer(ctx context.Context) error {
	if w.q.alarms.due("backlog " + w.spec.ID) {
		w.q.log.Warn().Str("link", w.spec.ID).Int("waiting", maxWaiting).Msg("too many events wait for another attempt: no fresh ones are taken until there are fewer")
	}
	return wait.Sleep(ctx, idleWait)
}

// backOff waits after an error, ever longer, and looks after the consumers: somebody may have deleted them.
func (w *worker) backOff(ctx context.Context, s *source, err error, b backoff.BackOff) {
	if w.q.alarms.due("consume " + s.stream + w.spec.ID) {
		w.q.log.Warn().Str("link", w.spec.ID).Str("stream", s.stream).Err(err).Msg("taking events was interrupted, trying on")
	}
	if errors.Is(err, jetstream.ErrNoHeartbeat) || jet.Unanswered(err) {
		w.q.jet.SwitchServer()
	}
	_ = wait.Sleep(ctx, b.NextBackOff())
	if w.q.jet.Connected(ctx) != nil {
		return
	}
	err = w.ensure(ctx)
	if err == nil || ctx.Err() != nil {
		return
	}
	if Unanswered(err) {
		w.q.jet.SwitchServer()
	}
	if w.q.alarms.due("ensure " + w.spec.ID) {
		w.q.log.Error().Str("link", w.spec.ID).Err(err).Msg("the link's consumers are not in order")
	}
}

// dispatch hands what waits in todo to the handlers, each as soon as one is free, until ctx ends.
func (w *worker) dispatch(ctx, work context.Context) {
	for {
		if w.inFlight.takeHandler(ctx) != nil {
			return
		}
		select {
		case b := <-w.events.todo:
			w.start(work, b)
		case b := <-w.retries.todo:
			w.start(work, b)
		case <-ctx.Done():
			return
		}
	}
}

// start goes on with a message, in a goroutine that has just finished another where there is one: the stack of
// a new one would grow anew for each message.
func (w *worker) start(work context.Context, b *begun) {
	select {
	case w.again <- b:
	default:
		go w.work(work, b)
	}
}

// againWait is how long a goroutine waits for another message.
const againWait = time.Second

// work goes on with one message after another, until none has come for a while or all work ends.
func (w *worker) work(work context.Context, b *begun) {
	rest := time.NewTimer(againWait)
	defer rest.Stop()
	for {
		w.goOn(work, b)
		rest.Reset(againWait)
		select {
		case b = <-w.again:
		case <-rest.C:
			return
		case <-work.Done():
			return
		}
	}
}

// goOn handles a message for which a handler is free.
func (w *worker) goOn(work context.Context, b *begun) {
	b.m.free = w.inFlight.freeHandler
	together := w.handle(work, b)
	b.m.handled()
	if !together {
		w.returnInterrupted(work, b.m)
		w.release(b)
	}
}

// release lets go of a message that was in flight.
func (w *worker) release(b *begun) {
	w.inFlight.drop(b.m)
	b.s.share.give(1, b.m.size)
}

// returnUnbegun returns what waits for a handler to the server, which gives it to others at once.
func (w *worker) returnUnbegun(s *source) {
	for {
		select {
		case b := <-s.todo:
			_ = b.m.msg.NakWithDelay(returnIn)
			w.release(b)
		default:
			return
		}
	}
}

// finish waits for what is begun, until the time for it is over.
func (w *worker) finish(work context.Context) error {
	if w.inFlight.awaitEmpty(work) != nil { // the time is over: what was interrupted needs a moment to be returned
		last, cancel := context.WithTimeout(context.Background(), idleWait)
		defer cancel()
		_ = w.inFlight.awaitEmpty(last)
	}
	_ = w.q.jet.Conn().FlushTimeout(idleWait) // the acks, before the connection is closed
	if n := w.unfinished.Load() + int64(w.inFlight.count()); n > 0 {
		return fmt.Errorf("link %s: %d events were still in hand after %s; they are delivered again", w.spec.ID, n, w.c.Finish)
	}
	return nil
}
