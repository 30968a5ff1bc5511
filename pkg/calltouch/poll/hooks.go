package poll

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// WaitingHooks are the hooks of form requests that were set aside as AsideUnpolled: answered 200,
// on disk, and no events until their record was polled or their time is up.
type WaitingHooks interface {
	// Waiting lists them, oldest first.
	Waiting(ctx context.Context) ([]WaitingHook, error)
	// Known reports whether the log holds the key: the event, or what is left of an erased one.
	Known(ctx context.Context, key event.Key) (bool, error)
	// Forget removes one and its bytes; a missing one is no error. ErrNotNow: a copy of the store is being
	// made that would miss it, so it stays for now.
	Forget(ctx context.Context, h WaitingHook) error
}

// ErrNotNow reports that something must stay where it is for now.
var ErrNotNow = errors.New("it must stay where it is for now")

// WaitingHook is a hook that waits.
type WaitingHook struct {
	event.Aside
	Pressed bool // it may soon be pushed out of its place, and must wait no longer
}

const (
	// mostWaiting bounds the hooks that wait at a time: what comes beyond is stored as it is.
	mostWaiting = 2000
	// hooksEvery is how often the waiting hooks are looked at; a good poll has it done at once.
	hooksEvery = 5 * time.Second
	// mostHookDays bounds the days of waiting hooks that one poll asks for.
	mostHookDays = 4
	// mostRefusals in a row end a look: the store does not answer.
	mostRefusals = 3
)

// hookState is what a Poller knows of the hooks that wait.
type hookState struct {
	soon chan struct{}                 // full when they are to be settled now
	done map[uint64]intake.Observation // by place: what became of those that are still to be forgotten; of settleHooks alone

	mu    sync.Mutex
	count int // at the last look, and since
}

// Waits reports whether the hook of a form request may wait for its record, which brings the
// e-mail and the comment. It may not where requests come from hooks, where nothing is polled,
// while the last good poll is older than the grace, and when too many wait: then it is to be
// stored as it is.
func (p *Poller) Waits(site string) bool {
	s := p.polled[site]
	if s == nil || s.fromHooks() || p.cfg.Hooks == nil || !s.fresh(time.Now()) {
		return false
	}
	p.hooks.mu.Lock()
	defer p.hooks.mu.Unlock()
	return p.hooks.count < mostWaiting
}

// Wake tells the poller that the hook of a form request was set aside to wait: it polls soon, the
// day of the request, too. Where another process polls, that one finds the hook.
func (p *Poller) Wake(e event.Event) {
	p.hooks.mu.Lock()
	p.hooks.count++
	p.hooks.mu.Unlock()
	if s := p.polled[e.Key.Site]; s != nil {
		s.expect(e)
	}
}

// expect has the day of a waiting hook polled.
func (s *site) expect(e event.Event) {
	if !e.Time.IsZero() {
		s.days.expect(s.day(e.Time))
	}
	select {
	case s.woken <- struct{}{}:
	default: // it is being woken already
	}
}

// settleSoon has the waiting hooks settled without waiting for the next time: the records of some may have come.
func (s *site) settleSoon() {
	select {
	case s.settle <- struct{}{}:
	default:
	}
}

// countHooks notes how many hooks wait, for Waits. An unreadable store has none to tell of.
func (p *Poller) countHooks(ctx context.Context) int {
	if p.cfg.Hooks == nil {
		return 0
	}
	hooks, err := p.cfg.Hooks.Waiting(ctx)
	if err != nil {
		return 0
	}
	p.counted(len(hooks))
	return len(hooks)
}

func (p *Poller) counted(n int) {
	p.hooks.mu.Lock()
	p.hooks.count = n
	p.hooks.mu.Unlock()
	p.cfg.Observe.Waiting(n)
}

// settleHooks settles the waiting hooks until ctx ends.
func (p *Poller) settleHooks(ctx context.Context) {
	if p.cfg.Hooks == nil {
		return
	}
	var warned wait.Throttle
	for ctx.Err() == nil {
		if err := p.settleOnce(ctx); err != nil && ctx.Err() == nil && warned.Due("look", time.Minute) {
			p.cfg.Log.Warn().Err(err).Msg("hooks of form requests that wait for their records cannot be settled; they are kept")
		}
		select {
		case <-ctx.Done():
		case <-p.hooks.soon:
		case <-time.After(hooksEvery):
		}
	}
}

// settleOnce settles what can be settled, and has the days of the others polled. The error is the
// last one of the store's: one hook that cannot be settled does not hold up the others.
func (p *Poller) settleOnce(ctx context.Context) (failed error) {
	hooks, err := p.cfg.Hooks.Waiting(ctx)
	if err != nil {
		return err
	}
	left, refusals := map[string][]event.Event{}, 0
	count := len(hooks)
	for _, h := range hooks {
		e, settled, err := p.settleGuarded(ctx, h)
		switch {
		case settled:
			count--
			refusals = 0
		case err == nil:
			left[h.Site] = append(left[h.Site], e)
			refusals = 0
		case errors.Is(err, event.ErrTooLarge): // says nothing of the others
			failed = err
		default:
			failed = err
			refusals++
		}
		if refusals == mostRefusals || ctx.Err() != nil {
			return failed
		}
	}
	p.counted(count)
	p.expectOnly(left)
	return failed
}

// expectOnly has the days of these waiting hooks polled, by site, and no others.
func (p *Poller) expectOnly(left map[string][]event.Event) {
	for id, s := range p.polled {
		var days []calltouch.Day
		for _, e := range left[id] {
			if !e.Time.IsZero() {
				days = append(days, s.day(e.Time))
			}
		}
		if s.days.keep(days) {
			s.expect(event.Event{})
		}
	}
}

// settleGuarded is settle, and sets aside for good the hook in which that finds a mistake of ours.
func (p *Poller) settleGuarded(ctx context.Context, h WaitingHook) (e event.Event, settled bool, err error) {
	err = rescued(p.cfg.Log, func() (err error) {
		e, settled, err = p.settle(ctx, h)
		return err
	})
	if !errors.Is(err, errPanicked) {
		return e, settled, err
	}
	broken := intake.Unreadable(h.Aside)
	result, err := p.intake.Offer(ctx, &broken)
	if err != nil {
		return e, false, err
	}
	settled, err = p.forget(ctx, h, intake.Observation{Site: h.Site, Kind: event.Request, Status: 200, Settled: true, Aside: result.Aside})
	return e, settled, err
}

// settle deals with one waiting hook. It is removed when the log has answered, and counted when it is
// removed, so that a death in between repeats and loses nothing. One that may not be removed now is
// not brought to the log a second time.
func (p *Poller) settle(ctx context.Context, h WaitingHook) (e event.Event, settled bool, err error) {
	o, done := p.hooks.done[h.Sequence]
	if !done {
		a := intake.Again(h.Aside, p.views[h.Site])
		e = a.Event
		o = intake.Observation{Site: h.Site, Kind: e.Key.Kind, Status: 200, Settled: true}
		if done, err = p.bring(ctx, h, &a, &o); err != nil || !done {
			return e, false, err
		}
	}
	settled, err = p.forget(ctx, h, o)
	return e, settled, err
}

// forget removes a hook of which the observation says what became, unless it must stay for now.
func (p *Poller) forget(ctx context.Context, h WaitingHook, o intake.Observation) (settled bool, err error) {
	err = p.cfg.Hooks.Forget(ctx, h)
	if errors.Is(err, ErrNotNow) {
		p.hooks.done[h.Sequence] = o
		return false, nil
	}
	if err != nil {
		return false, err
	}
	delete(p.hooks.done, h.Sequence)
	p.cfg.Observe.Hook(o)
	return true, nil
}

// bring brings a waiting hook to the log, or to where it is set aside for good, unless it is to wait
// on. One whose key the log holds is published all the same: the log says then what it is beside what
// is there.
func (p *Poller) bring(ctx context.Context, h WaitingHook, a *intake.Arrival, o *intake.Observation) (done bool, err error) {
	if a.Note.Aside == "" {
		known, err := p.cfg.Hooks.Known(ctx, a.Event.Key)
		if err != nil || !known && p.mayWait(h, time.Now()) {
			return false, err
		}
	}
	result, err := p.intake.Offer(ctx, a)
	if err != nil {
		return false, err
	}
	o.Became(result)
	return true, nil
}

// mayWait reports whether a hook's time is not up yet. Where its site is polled no more it is, and where the hook came in
// the future: the clock was set back since.
func (p *Poller) mayWait(h WaitingHook, now time.Time) bool {
	s := p.polled[h.Site]
	return s != nil && !s.fromHooks() && !h.Pressed && now.Sub(h.Received).Abs() < s.grace()
}

// hookDays are the days of a site's waiting hooks, and when each was last polled.
type hookDays struct {
	mu   sync.Mutex
	days map[calltouch.Day]time.Time
}

// expect adds a day.
func (h *hookDays) expect(d calltouch.Day) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.days == nil {
		h.days = map[calltouch.Day]time.Time{}
	}
	if _, ok := h.days[d]; !ok {
		h.days[d] = time.Time{}
	}
}

// keep drops all days but these, and reports whether one of them is new.
func (h *hookDays) keep(days []calltouch.Day) (fresh bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := map[calltouch.Day]time.Time{}
	for _, d := range days {
		at, ok := h.days[d]
		kept[d] = at
		fresh = fresh || !ok
	}
	h.days = kept
	return fresh
}

// add adds to the days of a poll some that it has not, those that were polled least lately.
func (h *hookDays) add(days []calltouch.Day, now time.Time) []calltouch.Day {
	h.mu.Lock()
	defer h.mu.Unlock()
	var more []calltouch.Day
	for d := range h.days {
		if !slices.Contains(days, d) {
			more = append(more, d)
		}
	}
	slices.SortFunc(more, func(a, b calltouch.Day) int {
		if n := h.days[a].Compare(h.days[b]); n != 0 {
			return n
		}
		return a.Compare(b)
	})
	more = more[:min(len(more), mostHookDays)]
	for _, d := range more {
		h.days[d] = now
	}
	return append(days, more...)
}
