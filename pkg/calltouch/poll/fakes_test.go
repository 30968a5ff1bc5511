package poll_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // zones with summer time, wherever the tests run

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// log is an intake.Store and a poll.Ledger in memory, by the rule of EVENTS: one event per
// key, for good.
type log struct {
	mu       sync.Mutex
	down     bool
	events   map[event.Key]event.Event
	when     map[event.Key]time.Time // stored
	asides   []event.Aside
	waiting  []poll.WaitingHook
	sequence uint64
	limit    int                    // of a body; 0 = none
	poison   func(event.Event) bool // refused for a reason that is not known
	copied   bool                   // what waits must stay for now
	offered  int
	horizon  time.Time
	fates    map[event.Key]map[string]event.Outcome
}

func newLog() *log {
	return &log{events: map[event.Key]event.Event{}, when: map[event.Key]time.Time{}, fates: map[event.Key]map[string]event.Outcome{}}
}

var errDown = errors.New("no queue")

func (l *log) Publish(_ context.Context, e event.Event) (event.Receipt, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return "", errDown
	}
	if l.limit > 0 && len(e.Body) > l.limit {
		return "", event.ErrTooLarge
	}
	if l.poison != nil && l.poison(e) {
		return "", errDown
	}
	l.offered++
	if known, ok := l.events[e.Key]; ok {
		if known.Fingerprint.Other(e.Fingerprint) {
			return event.ReceiptCollision, nil
		}
		return event.ReceiptRepeated, nil
	}
	l.events[e.Key], l.when[e.Key] = e, time.Now()
	return event.ReceiptStored, nil
}

func (l *log) PutAside(_ context.Context, a event.Aside) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return errDown
	}
	if l.limit > 0 && len(a.Body) > l.limit {
		return event.ErrTooLarge
	}
	if calltouch.Reason(a.Reason) == calltouch.AsideUnpolled {
		l.sequence++
		a.Sequence = l.sequence
		l.waiting = append(l.waiting, poll.WaitingHook{Aside: a})
		return nil
	}
	l.asides = append(l.asides, a)
	return nil
}

func (l *log) Waiting(context.Context) ([]poll.WaitingHook, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, errDown
	}
	return slices.Clone(l.waiting), nil
}

func (l *log) Known(_ context.Context, key event.Key) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.events[key]
	return ok, nil
}

func (l *log) Forget(_ context.Context, h poll.WaitingHook) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.copied {
		return poll.ErrNotNow
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(one poll.WaitingHook) bool { return one.Sequence == h.Sequence })
	return nil
}

// copying says whether a copy is being made.
func (l *log) copying(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.copied = yes
}

// waits is how many hooks wait.
func (l *log) waits() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// press makes every hook that waits one that may be pushed out.
func (l *log) press() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.waiting {
		l.waiting[i].Pressed = true
	}
}

// keep sets the hook of a request aside, as ingest does, and wakes the poller.
func (l *log) keep(p *poll.Poller, key event.Key, date string) { l.keepAt(p, key, date, time.Now()) }

// keepAt is keep of a hook that came at that moment, by the clock of ingest.
func (l *log) keepAt(p *poll.Poller, key event.Key, date string, received time.Time) {
	body := "requestId=" + key.ID + "&requestDate=" + url.QueryEscape(date)
	raw := event.Event{Key: event.Key{Site: key.Site}, Origin: event.Webhook, Body: []byte(body), Received: received}
	e, _ := calltouch.Identify(raw, calltouch.View{})
	_ = l.PutAside(context.Background(), event.Aside{
		Site: key.Site, Reason: string(calltouch.AsideUnpolled), Key: key.String(), Origin: event.Webhook, Body: raw.Body, Received: raw.Received,
	})
	p.Wake(e)
}

func (l *log) Lookup(_ context.Context, key event.Key) (poll.Fate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.events[key]
	return poll.Fate{Stored: ok, Outcomes: l.fates[key]}, nil
}

func (l *log) Horizon(context.Context) (time.Time, error) { return l.horizon, nil }

func (l *log) setDown(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *log) count(origin event.Origin) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.Origin == origin {
			n++
		}
	}
	return n
}

func (l *log) get(site string, kind event.Kind, id string) (event.Event, time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, _ := event.NewKey(site, kind, id)
	e, ok := l.events[key]
	return e, l.when[key], ok
}

// shared is the STATE of all processes; each process has a state of it.
type shared struct {
	mu     sync.Mutex
	values map[string][]byte
	leases map[string]lease
}

type lease struct {
	holder string
	until  time.Time
}

func newShared() *shared { return &shared{values: map[string][]byte{}, leases: map[string]lease{}} }

// state is a poll.State as one process sees it. One that is dead does nothing more, as after
// kill -9.
type state struct {
	*shared
	process string
	dead    bool
}

func (s *shared) as(name string) *state { return &state{shared: s, process: name} }

func (s *state) Get(_ context.Context, name string, v any) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.values[name]
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal(b, v)
}

func (s *state) Put(_ context.Context, name string, v any) error {
	b, err := json.Marshal(v)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[name] = b
	return err
}

func (s *state) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.values, name)
	return nil
}

func (s *state) Lease(ctx context.Context, name string, ttl time.Duration) (poll.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return nil, errDown
	}
	l, ok := s.leases[name]
	if ok && l.holder != s.process && time.Now().Before(l.until) {
		return nil, poll.ErrHeld
	}
	s.leases[name] = lease{s.process, time.Now().Add(ttl)}
	h := &held{s: s, name: name, ended: make(chan struct{})}
	h.ctx, h.cancel = context.WithCancel(ctx)
	go h.keep(ttl)
	return h, nil
}

// held is a lease of a process.
type held struct {
	s      *state
	name   string
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
}

func (h *held) Context() context.Context { return h.ctx }

func (h *held) Release() {
	h.cancel()
	<-h.ended
}

// keep renews the lease until it is released or lost.
func (h *held) keep(ttl time.Duration) {
	defer close(h.ended)
	defer h.cancel()
	for renewed := time.Now(); wait.Sleep(h.ctx, ttl/3) == nil; {
		switch h.renew(ttl) {
		case nil:
			renewed = time.Now()
		case poll.ErrHeld:
			return
		default:
			if time.Since(renewed) >= ttl {
				return
			}
		}
	}
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if l := h.s.leases[h.name]; l.holder == h.s.process && !h.s.dead {
		delete(h.s.leases, h.name)
	}
}

func (h *held) renew(ttl time.Duration) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	switch {
	case h.s.dead:
		return errDown
	case h.s.leases[h.name].holder != h.s.process:
		return poll.ErrHeld
	}
	h.s.leases[h.name] = lease{h.s.process, time.Now().Add(ttl)}
	return nil
}

func (s *state) Leased(_ context.Context, name string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.leases[name]
	return ok && time.Now().Before(l.until), nil
}

func (s *state) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

// listener notes what is asked of a Calltouch, and when.
type listener struct {
	http.RoundTripper
	mu   sync.Mutex
	asks []ask
}

type ask struct {
	at    time.Time
	path  string
	query map[string][]string
}

func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	l.mu.Lock()
	l.asks = append(l.asks, ask{time.Now(), r.URL.Path, r.URL.Query()})
	l.mu.Unlock()
	return l.RoundTripper.RoundTrip(r)
}

// busiest is the most requests within any one second.
func (l *listener) busiest() (most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := 0
	for i, a := range l.asks {
		for a.at.Sub(l.asks[first].at) > time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}

// days are the values of dateFrom, in the order in which they were asked for.
func (l *listener) days() (days []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.asks {
		days = append(days, a.query["dateFrom"][0])
	}
	return days
}

func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks = nil
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func token() string { return "secret-token-1" }

func contains(list []string, want ...string) bool {
	return !slices.ContainsFunc(want, func(w string) bool { return !slices.Contains(list, w) })
}

// synced lets several goroutines write.
type synced struct {
	mu sync.Mutex
	w  interface{ Write([]byte) (int, error) }
}

func (s *synced) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}

func day(t testing.TB, s string) calltouch.Day {
	t.Helper()
	d, err := calltouch.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// observed is a poll.Observer of functions; a nil one is not called.
type observed struct {
	offered     func(key event.Key, origin event.Origin, receipt event.Receipt)
	aside       func(site string, reason calltouch.Reason)
	hook        func(intake.Observation)
	waiting     func(hooks int)
	unread      func(site string, days int)
	checked     func(site string, found bool)
	attribution func(site string)
}

func (o observed) Offered(key event.Key, origin event.Origin, receipt event.Receipt) {
	if o.offered != nil {
		o.offered(key, origin, receipt)
	}
}

func (o observed) Aside(site string, reason calltouch.Reason) {
	if o.aside != nil {
		o.aside(site, reason)
	}
}

func (o observed) Hook(one intake.Observation) {
	if o.hook != nil {
		o.hook(one)
	}
}

func (o observed) Waiting(hooks int) {
	if o.waiting != nil {
		o.waiting(hooks)
	}
}

func (o observed) Unread(site string, days int) {
	if o.unread != nil {
		o.unread(site, days)
	}
}

func (o observed) Checked(site string, found bool) {
	if o.checked != nil {
		o.checked(site, found)
	}
}

func (o observed) Attribution(site string) {
	if o.attribution != nil {
		o.attribution(site)
	}
}

func (observed) Asked(string, string, error) {}
