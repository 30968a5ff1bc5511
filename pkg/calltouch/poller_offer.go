package calltouch

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
)

// offersInHand is how many records of one answer are offered to EVENTS at a time: each waits for
// the disk, and a long day has many.
const offersInHand = 8

// offer hands the records of one answer to EVENTS. Each is offered once per process: the event
// key decides what is new, so forgetting what was offered costs time and nothing else.
type offer struct {
	s      *site
	origin event.Origin
	group  *errgroup.Group
	ctx    context.Context
}

func (s *site) newOffer(ctx context.Context, origin event.Origin) *offer {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(offersInHand)
	return &offer{s: s, origin: origin, group: g, ctx: ctx}
}

// take offers a record unless this process has done so. The error is that of an earlier one.
func (o *offer) take(r Listed) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	h, now := r.hash(), time.Now()
	if !o.s.seen.claim(h, now.Unix()) {
		return nil
	}
	o.group.Go(func() error {
		err := o.s.store(o.ctx, r, o.origin, now)
		if err != nil {
			o.s.seen.drop(h)
		}
		return err
	})
	return nil
}

// finish waits for what is in hand. The answer's own error goes before a store's, unless it is
// the store that ended the reading.
func (o *offer) finish(err error) error {
	stored := o.group.Wait()
	if stored != nil {
		return stored
	}
	return err
}

// store offers one record to EVENTS, or sets it aside. An error means that it is undecided.
func (s *site) store(ctx context.Context, r Listed, origin event.Origin, now time.Time) error {
	e, f, reason := r.event(s.cfg, origin, now)
	if reason != "" {
		return s.setAside(ctx, r.Raw, reason, origin, now)
	}
	receipt, err := s.poller.Store.Publish(ctx, e)
	if err != nil {
		return err
	}
	if receipt == event.ReceiptCollision {
		if err := s.setAside(ctx, r.Raw, AsideCollision, origin, now); err != nil {
			return err
		}
		s.log.Warn().Stringer("event", e.Key).Msg("another call is stored under this id: set aside, see touchbox aside")
	}
	if observe := s.poller.Observe.Offered; observe != nil {
		observe(e.Key, origin, receipt)
	}
	s.checkAttribution(e.Key.Kind, f.text("attribution"), now)
	if origin == event.Journal {
		s.checkShare(r, receipt, now)
	}
	return nil
}

// event is the record as it is stored, or why it is to be set aside.
func (r Listed) event(site Polled, origin event.Origin, now time.Time) (event.Event, Fields, Reason) {
	if r.Site != "" && r.Site != site.ID { // a token may open several sites
		return event.Event{}, nil, AsideOtherSite
	}
	e, f, err := Record(site.ID, r.Kind, origin, r.Raw, site.View)
	e.Received = now.UTC()
	switch {
	case errors.Is(err, ErrUnreadable):
		return e, nil, AsideUnreadable
	case r.ID == "":
		return e, nil, AsideNoID
	case err != nil:
		return e, nil, AsideBadID
	}
	return e, f, ""
}

func (s *site) setAside(ctx context.Context, raw []byte, reason Reason, origin event.Origin, now time.Time) error {
	err := s.poller.Store.PutAside(ctx, Aside{
		Site: s.cfg.ID, Reason: reason, Origin: origin, ContentType: "application/json", Body: raw, Received: now,
	})
	if err == nil && s.poller.Observe.Aside != nil {
		s.poller.Observe.Aside(s.cfg.ID, reason)
	}
	return err
}

// checkAttribution counts events whose own model is not the one of the file, and warns once a
// day: their sources are counted by another rule than the file says.
func (s *site) checkAttribution(kind event.Kind, got string, now time.Time) {
	want := attributionNumber(s.cfg.Attribution)
	if got == "" || got == want {
		return
	}
	if f := s.poller.Observe.Attribution; f != nil {
		f(s.cfg.ID)
	}
	if s.warned.due("attribution", now) {
		s.log.Warn().Str("kind", kind.Dotted()).Str("want", want).Str("got", got).
			Msg("Calltouch attributes by another model than the file says: choose one model in the cabinet and under attribution")
	}
}

// seen remembers what was dealt with, by Listed.hash, and when an answer listed it last: in Unix
// seconds, or in any other count that only grows.
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

// daily lets each warning through once in 24 hours.
type daily struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (d *daily) due(name string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last, ok := d.last[name]; ok && now.Sub(last) < 24*time.Hour {
		return false
	}
	if d.last == nil {
		d.last = map[string]time.Time{}
	}
	d.last[name] = now
	return true
}
