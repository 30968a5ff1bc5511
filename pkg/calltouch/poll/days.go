package poll

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
)

// fastLoop asks for a few days again and again. A day that fails is asked again beside the others,
// and holds none of them up.
type fastLoop struct {
	s      *site
	method string
	read   func(context.Context, calltouch.Day) error
	failed map[calltouch.Day]*failure
}

// failure is a day that could not be read the last time.
type failure struct {
	waits *backoff.ExponentialBackOff
	next  time.Time // when it is asked again
}

func (s *site) newLoop(method string, read func(context.Context, calltouch.Day) error) *fastLoop {
	return &fastLoop{s: s, method: method, read: read, failed: map[calltouch.Day]*failure{}}
}

// owe has days read that an earlier run could not read.
func (l *fastLoop) owe(days []calltouch.Day, now time.Time) {
	for _, d := range days {
		l.failed[d] = &failure{waits: newWaits(), next: now}
	}
}

// owed are the days that could not be read, in order.
func (l *fastLoop) owed() []calltouch.Day {
	var days []calltouch.Day
	for d := range l.failed {
		days = append(days, d)
	}
	slices.SortFunc(days, calltouch.Day.Compare)
	return days
}

// round asks once for each of the wanted days and of those that failed before, unless it is not
// yet time to ask again. What failed, is wanted no more and lies before oldest is left to nobody:
// no sweep looks so far back. It reports which days were read.
func (l *fastLoop) round(ctx context.Context, wanted []calltouch.Day, oldest calltouch.Day) map[calltouch.Day]bool {
	now, read := time.Now(), map[calltouch.Day]bool{}
	for d := range l.failed {
		if d.Before(oldest) && !slices.Contains(wanted, d) {
			delete(l.failed, d)
		}
	}
	for _, d := range append(wanted, l.owed()...) {
		if f := l.failed[d]; read[d] || f != nil && now.Before(f.next) {
			continue
		}
		err := l.s.ask(ctx, l.method, d, l.read)
		switch {
		case ctx.Err() != nil:
			return read
		case err != nil:
			l.fail(d, err)
		default:
			delete(l.failed, d)
			read[d] = true
		}
	}
	return read
}

func (l *fastLoop) fail(d calltouch.Day, err error) {
	f := l.failed[d]
	if f == nil {
		f = &failure{waits: newWaits()}
		l.failed[d] = f
	}
	f.next = time.Now().Add(askedAgain(f.waits, err))
}

// next is when the first of the failed days is to be asked again, at the latest the given moment.
func (l *fastLoop) next(at time.Time) time.Time {
	for _, f := range l.failed {
		if f.next.Before(at) {
			at = f.next
		}
	}
	return at
}

// ask reads one day once, and tells how it went.
func (s *site) ask(ctx context.Context, method string, d calltouch.Day, read func(context.Context, calltouch.Day) error) error {
	err := rescued(s.log, func() error { return read(ctx, d) })
	if ctx.Err() != nil {
		return err
	}
	s.observe.Asked(s.cfg.ID, method, err)
	lasting, changed := s.memory.unread.note(unreadDay{method, d}, err, time.Now())
	if changed {
		s.observe.Unread(s.cfg.ID, lasting)
	}
	if err != nil {
		s.logFailure(method, d, err)
	}
	return err
}

// logFailure says why a day could not be read, the first time and then every tenth, some ten
// minutes apart. A refused token is a person's affair, the rest passes.
func (s *site) logFailure(method string, d calltouch.Day, err error) {
	if times := s.memory.unread.times(unreadDay{method, d}); times%10 != 1 {
		return
	}
	line, text := s.log.Warn(), "what Calltouch lists cannot be stored; it will be asked again"
	if answer, ok := errors.AsType[*api.Error](err); ok {
		text = "Calltouch was not read; it will be asked again"
		if answer.Refused() {
			line, text = s.log.Error(), "Calltouch refuses to be read: check the API token and the site id"
		}
	}
	line.Err(err).Str("method", method).Stringer("day", d).Msg(text)
}

// unread are the days of a site that were asked for and could not be read, by whichever loop.
type unread struct {
	mu   sync.Mutex
	days map[unreadDay]*unreadSince
	told int
}

type unreadDay struct {
	method string
	day    calltouch.Day
}

type unreadSince struct {
	first, last time.Time
	times       int
}

// A day that fails for as long as lastingFailure is told of. One that nobody has asked for within
// askedNoMore is nobody's any more.
const (
	lastingFailure = time.Hour
	askedNoMore    = 3 * time.Hour
)

// note takes down how the asking for a day went. It returns how many days have failed for long,
// and whether that is news.
func (u *unread) note(d unreadDay, err error, now time.Time) (lasting int, changed bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.days == nil {
		u.days, u.told = map[unreadDay]*unreadSince{}, -1 // that all is well is news, too: an earlier run may have told otherwise
	}
	if err == nil {
		delete(u.days, d)
	} else {
		if u.days[d] == nil {
			u.days[d] = &unreadSince{first: now}
		}
		u.days[d].last = now
		u.days[d].times++
	}
	for one, since := range u.days {
		switch {
		case now.Sub(since.last) > askedNoMore:
			delete(u.days, one)
		case now.Sub(since.first) >= lastingFailure:
			lasting++
		}
	}
	changed = lasting != u.told
	u.told = lasting
	return lasting, changed
}

func (u *unread) times(d unreadDay) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.days[d] == nil {
		return 0
	}
	return u.days[d].times
}

// newWaits are the waits between tries: the second try comes within 3 s, then they grow to about a
// minute.
func newWaits() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(2*time.Second), backoff.WithMultiplier(2),
		backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0),
	)
}

// askedAgain is the wait after an error: the next of the waits, and none shorter than Calltouch asks for.
func askedAgain(waits *backoff.ExponentialBackOff, err error) time.Duration {
	pause := waits.NextBackOff()
	if answer, ok := errors.AsType[*api.Error](err); ok {
		pause = max(pause, answer.RetryAfter)
	}
	return pause
}
