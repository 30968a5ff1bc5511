package queue

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/wait"
)

// heartbeat is how often the server says that a request waits. Two that do not come mean that nobody
// has the request: the leader died, or the server was cut off from the others.
const heartbeat = 3 * time.Second

// pull asks a source for messages, for which there is room, and puts them where a handler finds
// them. The request ends with ctx, with the connection, or after pullWait.
func (w *worker) pull(ctx, work context.Context, s *source, asked request) error {
	epoch, ended := w.q.jet.Epoch()
	open, cancel := context.WithTimeout(ctx, asked.openFor())
	defer cancel()
	defer context.AfterFunc(ended, cancel)()

	opts := []jetstream.FetchOpt{jetstream.FetchContext(open)}
	if !asked.large { // else it is over before the first heartbeat
		opts = append(opts, jetstream.FetchHeartbeat(heartbeat))
	}
	if asked.bytes > 0 {
		opts = append(opts, jetstream.FetchMaxBytes(asked.bytes))
	}
	began := time.Now()
	batch, err := s.consumer.Fetch(asked.n, opts...)
	if err != nil {
		s.share.give(asked.n, 0)
		s.share.fetched(asked, drained)
		return err
	}
	used, stateErr := w.collect(ctx, work, s, batch, epoch)
	s.share.give(asked.n-used, 0)
	err = batch.Error()
	end := drained
	switch cut := stateErr == nil && err == nil && open.Err() == nil && asked.cut(used, time.Since(began)); {
	case cut && used == 0:
		end = metLarge
	case cut, used == asked.n:
		end = filled
	}
	s.share.fetched(asked, end)
	switch {
	case stateErr != nil: // no answer from STATE is not the request's own end
		return stateErr
	case err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return w.rest(ctx, s)
}

// collect takes the messages of a request into flight and returns how many there are. What needs no handler is handled right
// here.
func (w *worker) collect(ctx, work context.Context, s *source, batch jetstream.MessageBatch, epoch uint64) (used int, err error) {
	fresh := false
	for msg := range batch.Messages() {
		if !fresh && err == nil {
			err = w.refresh(ctx, s)
			fresh = err == nil
		}
		if err != nil || ctx.Err() != nil {
			_ = msg.NakWithDelay(returnIn)
			continue
		}
		m, mistake := w.admit(ctx, s, msg, epoch)
		if errors.Is(mistake, errUnchecked) {
			err = mistake
			_ = msg.NakWithDelay(returnIn)
		}
		if mistake != nil {
			continue // no message of JetStream, or one that is in flight already
		}
		used++
		s.share.arrived(m.size)
		if b := (&begun{s: s, m: m}); !w.begin(work, b) {
			s.todo <- b
		}
	}
	return used, err
}

// stateFor is how long a worker goes by what it has read of its link's state. A reset pauses the link for longer before
// it makes the consumer anew, so that no message of the new one is judged by the old start.
const stateFor = 500 * time.Millisecond

// refresh reads the link's state when the first message of a request is there and what is known of it is not
// fresh: the link may have been reset since the last one. A consumer that is deleted ends the requests that wait
// at it, so one request has messages of one consumer only. Without an answer the messages go back before the
// server misses a word about them.
func (w *worker) refresh(ctx context.Context, s *source) error {
	began := time.Now()
	if s.retry || began.Sub(*w.stateRead.Load()) < stateFor {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait(w.spec)/2)
	defer cancel()
	return w.keepTrying(ctx, func() error {
		state, err := w.q.registry.get(ctx, w.spec.ID)
		switch {
		case errors.Is(err, ErrNotFound): // the link is being removed
			return nil
		case err != nil:
			return err
		}
		w.adopt(state)
		w.stateRead.Store(&began)
		return nil
	})
}

// forgetState makes the next message read the link's state: something is not as it was.
func (w *worker) forgetState() { w.stateRead.Store(&time.Time{}) }

// adopt takes up a newer state of the link. A replica that answers may be behind: back to an older
// start would pass over events without a word.
func (l *Link) adopt(state LinkState) {
	if state.revision > l.now.Load().revision {
		l.now.Store(&state)
	}
}

// errInFlight reports a message that is in flight already.
var errInFlight = errors.New("in flight already")

// errUnchecked reports a message of which is not known whether it was settled before.
var errUnchecked = errors.New("HISTORY does not say what was settled lately")

// admit takes a message into flight.
func (w *worker) admit(ctx context.Context, s *source, msg jetstream.Msg, epoch uint64) (*message, error) {
	m, err := newMessage(msg, s.retry)
	if err != nil {
		return nil, err
	}
	if how := s.checks.interrupted(epoch, m.meta); how != uninterrupted {
		s.checks.expect(how, m.meta.NumPending)
	}
	if !m.again() { // what comes again is looked up in any case
		if err := w.lookBack(ctx, s, epoch); err != nil {
			return nil, errors.Join(errUnchecked, err)
		}
		m.check = s.checks.due(pair{w.spec.ID, m.key})
	}
	m.check = m.check || !s.retry && m.sequence() <= w.now.Load().CheckTo
	if !w.inFlight.add(m) {
		return nil, errInFlight
	}
	return m, nil
}

// rest waits until the head of the log, which was too young and went back, is old enough.
func (w *worker) rest(ctx context.Context, s *source) error {
	if s.retry || w.spec.Delay == 0 {
		return nil
	}
	if until := w.young.Swap(nil); until != nil {
		_ = wait.Sleep(ctx, time.Until(*until))
	}
	return nil
}

// probe takes one event and handles it alone. Where there is none it waits a little, so that Turn is
// not asked without end; another link may probe meanwhile.
func (w *worker) probe(ctx, work context.Context, t Turn) error {
	made, err := w.probeOne(ctx, work)
	if t.Done != nil {
		t.Done()
	}
	if err != nil || made {
		return err
	}
	return wait.Sleep(ctx, idleWait)
}

// probeOne takes an event from RETRIES or from EVENTS, in turn where both have one, and reports whether
// there was one. Those of RETRIES that meet what has parked are due again and again: they alone would
// keep the link parked while a fresh event gets through.
func (w *worker) probeOne(ctx, work context.Context) (bool, error) {
	order := []*source{&w.retries, &w.events}
	if w.eventsNext = !w.eventsNext; !w.eventsNext {
		slices.Reverse(order)
	}
	for _, s := range order {
		if !s.retry && w.tooEarly() {
			continue
		}
		made, err := w.probeFrom(ctx, work, s)
		if made || err != nil {
			return made, err
		}
	}
	return false, nil
}

// tooEarly reports whether the head of the log went back as too young and is so still: what stands
// behind it is younger.
func (w *worker) tooEarly() bool {
	until := w.young.Load()
	return until != nil && time.Now().Before(*until)
}

// probeFrom takes one event from a source, if there is one, and handles it.
func (w *worker) probeFrom(ctx, work context.Context, s *source) (made bool, err error) {
	epoch, _ := w.q.jet.Epoch()
	batch, err := s.consumer.FetchNoWait(1)
	if err != nil {
		return false, err
	}
	for msg := range batch.Messages() {
		if err := w.refresh(ctx, s); err != nil {
			_ = msg.NakWithDelay(returnIn)
			return true, err
		}
		m, err := w.admit(ctx, s, msg, epoch)
		if errors.Is(err, errUnchecked) {
			_ = msg.NakWithDelay(returnIn)
			return true, err
		}
		if err != nil {
			continue
		}
		m.probe, m.alone = true, true
		w.handle(work, &begun{m: m})
		w.returnInterrupted(work, m)
		w.inFlight.drop(m)
		return true, nil
	}
	if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
		return false, err
	}
	return false, nil
}
