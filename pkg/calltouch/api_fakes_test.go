package calltouch_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // zones with summer time, wherever the tests run

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// log is a calltouch.Store and a calltouch.Ledger in memory, by the rule of EVENTS: one event per
// key, for good.
type log struct {
	mu      sync.Mutex
	down    bool
	events  map[event.Key]event.Event
	when    map[event.Key]time.Time // stored
	asides  []calltouch.Aside
	offered int
	horizon time.Time
	fates   map[event.Key]map[string]event.Outcome
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

func (l *log) PutAside(_ context.Context, a calltouch.Aside) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return errDown
	}
	l.asides = append(l.asides, a)
	return nil
}

func (l *log) Lookup(_ context.Context, key event.Key) (calltouch.Fate, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.events[key]
	return calltouch.Fate{Stored: ok, Outcomes: l.fates[key]}, nil
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

// state is a calltouch.State as one process sees it. One that is dead does nothing more, as after
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

func (s *state) Lease(_ context.Context, name string, ttl time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return false, errDown
	}
	l, ok := s.leases[name]
	if ok && l.holder != s.process && time.Now().Before(l.until) {
		return false, nil
	}
	s.leases[name] = lease{s.process, time.Now().Add(ttl)}
	return true, nil
}

func (s *state) Release(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.leases[name]; l.holder == s.process && !s.dead {
		delete(s.leases, name)
	}
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
