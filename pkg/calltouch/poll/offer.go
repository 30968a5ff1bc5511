package poll

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/show"
)

// maxInFlight is how many records of one answer are offered to EVENTS at a time: each waits for
// the disk, and a long day has many.
const maxInFlight = 8

// offer brings the records of one answer to EVENTS. Each is offered once per process: the event key
// decides what is new, so forgetting what was offered costs time and nothing else.
type offer struct {
	s       *site
	origin  event.Origin
	records *inFlight
}

func (s *site) newOffer(ctx context.Context, origin event.Origin) *offer {
	return &offer{s: s, origin: origin, records: newInFlight(ctx)}
}

// once offers a record unless this process has done so. An error ends the reading: that of ctx, or
// the store's when nothing can be stored any more.
func (o *offer) once(r calltouch.Listed) error {
	h, now := r.Hash(), time.Now()
	if !o.s.memory.seen.claim(h, now.Unix()) {
		return o.records.over()
	}
	return o.records.begin(func(ctx context.Context) error {
		err := rescued(o.s.log, func() error { return o.s.store(ctx, r, o.origin, now) })
		if errors.Is(err, errPanicked) {
			r.Unreadable = true
			err = o.s.store(ctx, r, o.origin, now)
		}
		if err != nil {
			o.s.memory.seen.drop(h)
		}
		return err
	})
}

// finish ends the answer, of which err says how it was read: see inFlight.finish.
func (o *offer) finish(err error) error { return o.records.finish(err) }

// store offers one record to EVENTS. An error means that it is undecided.
func (s *site) store(ctx context.Context, r calltouch.Listed, origin event.Origin, now time.Time) error {
	a := intake.Record(&s.cfg, r, origin, now)
	if a.Note.Aside == calltouch.AsideOtherSite && s.inFile[r.Site] {
		return nil // it has its own poll, or its own hooks
	}
	result, err := s.intake.Offer(ctx, &a)
	if err != nil {
		return err
	}
	if result.Aside != "" {
		s.tellOfAside(&a, result.Aside, r.Size)
	}
	if result.Receipt == "" {
		return nil
	}
	s.observe.Offered(a.Event.Key, origin, result.Receipt)
	s.checkAttribution(a.Event.Key.Kind, a.Note.Attribution, now)
	if origin == event.Journal {
		s.checkShare(r, result.Receipt, now)
		s.checkPhase(r, now)
	}
	return nil
}

// tellOfAside counts a record that was set aside, and says so where a person should look at it.
func (s *site) tellOfAside(a *intake.Arrival, reason calltouch.Reason, size int) {
	s.observe.Aside(s.cfg.ID, reason)
	key := ""
	if k, ok := a.Key(); ok {
		key = k.String()
	}
	switch reason {
	case calltouch.AsideTooLarge, calltouch.AsideUnreadable:
		s.log.Warn().Str("event_id", key).Str("reason", string(reason)).Int("bytes", size).Str("by", string(a.Event.Origin)).
			Msg("a record of Calltouch's cannot be taken and was set aside, see touchbox aside; the others are taken")
	case calltouch.AsideCollision:
		s.log.Warn().Str("event", key).Msg("another call is stored under this id: set aside, see touchbox aside")
	}
}

// checkPhase warns once a day of calls that count as over because they are old, not because
// Calltouch says so.
func (s *site) checkPhase(r calltouch.Listed, now time.Time) {
	if !r.Over() && s.memory.warned.DueAt("phase", now, daily) {
		s.log.Warn().Str("id", r.ID).Msg("the journal lists a call that is long over without the callphase calldisconnected: such calls are taken for ended ones")
	}
}

// checkAttribution counts events whose own model is not the one of the file, and warns once a
// day: their sources are counted by another rule than the file says.
func (s *site) checkAttribution(kind event.Kind, got string, now time.Time) {
	if !s.cfg.OtherModel(got) {
		return
	}
	want := calltouch.AttributionNumber(s.cfg.Attribution)
	s.observe.Attribution(s.cfg.ID)
	if s.memory.warned.DueAt("attribution", now, daily) {
		s.log.Warn().Str("kind", kind.Dotted()).Str("want", want).Str("got", show.Line(got, 32)).
			Msg("Calltouch attributes by another model than the file says: choose one model in the cabinet and under attribution")
	}
}

// daily is how long the same warning about a site is not said again.
const daily = 24 * time.Hour

// seen is the dedupe cache of a site: it remembers what was dealt with, by Listed.Hash, and when an
// answer listed it last: in Unix seconds, or in any other count that only grows.
type seen struct {
	mu     sync.Mutex
	listed map[uint64]int64
}

// claim reports whether h is new, and remembers it. Who cannot finish what it claimed drops it.
func (s *seen) claim(h uint64, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listed == nil {
		s.listed = map[uint64]int64{}
	}
	_, known := s.listed[h]
	s.listed[h] = now
	return !known
}

func (s *seen) drop(h uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listed, h)
}

// forget drops what no answer has listed since then.
func (s *seen) forget(since int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, at := range s.listed {
		if at < since {
			delete(s.listed, h)
		}
	}
}

// storePatience is for how long the records of one answer may fail, none of them stored, before
// the reading ends: the store is away, and each record would wait for it.
const storePatience = 30 * time.Second

// inFlight is the records of one answer that are in flight, several at a time. One that fails does not stop the
// others; the first error is told at the end, so that the answer is asked for again.
type inFlight struct {
	ctx   context.Context
	turns chan struct{}
	all   sync.WaitGroup

	mu     sync.Mutex
	first  error
	failed int       // since the last success
	since  time.Time // of these failures
	ended  bool      // the store is away
}

func newInFlight(ctx context.Context) *inFlight {
	return &inFlight{ctx: ctx, turns: make(chan struct{}, maxInFlight)}
}

// begin deals with one record as soon as fewer than maxInFlight are in flight. The error is that of over.
func (in *inFlight) begin(f func(context.Context) error) error {
	select {
	case in.turns <- struct{}{}:
	case <-in.ctx.Done():
		return in.ctx.Err()
	}
	in.all.Go(func() {
		defer func() { <-in.turns }()
		in.note(f(in.ctx))
	})
	return in.over()
}

func (in *inFlight) note(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case err == nil:
		in.failed = 0
		return
	case in.first == nil:
		in.first = err
	}
	if in.failed++; in.failed == 1 {
		in.since = time.Now()
	}
	in.ended = in.ended || in.failed > maxInFlight && time.Since(in.since) > storePatience
}

// over is why no further record is to be dealt with; nil as long as there is no reason.
func (in *inFlight) over() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ended {
		return in.first
	}
	return in.ctx.Err()
}

// finish waits for the records in flight. The answer's own error goes before a record's, unless it
// is the store that ended the reading.
func (in *inFlight) finish(err error) error {
	in.all.Wait()
	in.mu.Lock()
	defer in.mu.Unlock()
	if err != nil && !in.ended {
		return err
	}
	return in.first
}

// errPanicked reports that something strange in a record has found a mistake of ours.
var errPanicked = errors.New("a mistake in Touchbox: see the log")

// rescued runs f and makes an error of its panic. What Calltouch lists is listed again after a restart:
// a process that one record ends would end at each start, and take the hooks and the worker with it.
func rescued(log zerolog.Logger, f func() error) (err error) {
	defer func() {
		if recover() != nil { // the reason may quote the record, the stack does not
			log.Error().Str("stack", string(debug.Stack())).Msg("something of Calltouch's could not be handled; the rest goes on")
			err = errPanicked
		}
	}()
	return f()
}
