package calltouch_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/event"
)

// span is the first two days of synctest's clock, read back by a command.
func (s *stage) span(t *testing.T) calltouch.Span {
	t.Helper()
	site := polled(time.UTC)
	site.Journal.Grace = 0
	return calltouch.Span{
		Site: site, From: day(t, "2000-01-01"), To: day(t, "2000-01-02"), State: s.shared.as("command"), Ledger: s.log,
		HTTP: &http.Client{Transport: s.ears},
	}
}

func (s *stage) backfill(t *testing.T) calltouch.BackfillConfig {
	return calltouch.BackfillConfig{Span: s.span(t), Store: s.log}
}

// know stores an event as if its hook had come.
func (s *stage) know(kind event.Kind, id string) {
	key, _ := event.NewKey("10001", kind, id)
	_, _ = s.log.Publish(s.ctx, event.Event{Key: key, Origin: event.Webhook})
}

// pastDays fills 1999-12-31 to 2000-01-04 with ten calls and requests a day; it is the evening of
// the 3rd. Every fifth event of the span is known.
func (s *stage) pastDays(t *testing.T) (in, known int) {
	begin := time.Now()
	s.source.Populate(50, begin.Add(-24*time.Hour), begin.Add(4*24*time.Hour))
	first, last := begin, begin.Add(48*time.Hour)
	for _, c := range s.source.Calls() {
		if !c.Start.Before(first) && c.Start.Before(last) {
			if in++; in%5 == 0 {
				known++
				s.know(event.CallEnded, id(c.ID))
			}
		}
	}
	for _, r := range s.source.Requests() {
		if !r.Created.Before(first) && r.Created.Before(last) {
			in++
		}
	}
	if in != 20 || known == 0 {
		t.Fatalf("%d events in two days, %d known", in, known)
	}
	time.Sleep(68 * time.Hour)
	return in, known
}

func TestBackfill(t *testing.T) {
	for _, f := range []calltouchtest.Faults{{}, {ListTomorrow: true}, {Cut: 0.5, TooMany: 0.3, Unstable: true}} {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, calltouchtest.Config{Location: time.UTC, Faults: f})
			defer s.close()
			in, known := s.pastDays(t)
			var last calltouch.Progress
			cfg := s.backfill(t)
			cfg.Progress = func(p calltouch.Progress) { last = p }
			got, err := calltouch.Backfill(t.Context(), cfg)
			want := calltouch.BackfillCounts{New: in - known, Known: known}
			if err != nil || got != want {
				t.Errorf("%+v: got %+v, %v; want %+v", f, got, err, want)
			}
			if s.log.count(event.Backfill) != in-known || len(s.log.events) != in {
				t.Errorf("%d stored by the backfill of %d in all", s.log.count(event.Backfill), len(s.log.events))
			}
			if last.Step != 4 || last.Steps != 4 || last.Records != in {
				t.Errorf("last progress %+v", last)
			}
			if most := s.ears.busiest(); most > 2 {
				t.Errorf("%d requests within a second", most)
			}
			if got, err = calltouch.Backfill(t.Context(), s.backfill(t)); err != nil || got != (calltouch.BackfillCounts{Known: in}) {
				t.Errorf("the second time %+v, %v", got, err)
			}
		})
	}
}

func TestBackfillOfOneKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		s.pastDays(t)
		cfg := s.backfill(t)
		cfg.Kinds = []event.Kind{event.Request}
		if _, err := calltouch.Backfill(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		for key, e := range s.log.events {
			if e.Origin == event.Backfill && key.Kind != event.Request {
				t.Errorf("stored %s", key)
			}
		}
		cfg.Kinds = []event.Kind{event.CallStarted}
		if _, err := calltouch.Backfill(t.Context(), cfg); err == nil {
			t.Error("starts of calls are listed nowhere")
		}
	})
}

func TestDryRunStoresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		in, known := s.pastDays(t)
		cfg := s.backfill(t)
		cfg.Store, cfg.DryRun = nil, true
		var would []event.Event // no lock: one at a time
		cfg.New = func(e event.Event) { would = append(would, e) }
		got, err := calltouch.Backfill(t.Context(), cfg)
		if want := (calltouch.BackfillCounts{New: in - known, Known: known}); err != nil || got != want || len(would) != want.New {
			t.Errorf("got %+v, %v, told of %d; want %+v", got, err, len(would), want)
		}
		if len(s.log.events) != known || len(s.shared.values) != 0 {
			t.Errorf("%d events, %d values of STATE", len(s.log.events), len(s.shared.values))
		}
	})
}

// TestBackfillGoesOn breaks a backfill off within a day, and counts exactly all the same.
func TestBackfillGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		in, known := s.pastDays(t)
		want := calltouch.BackfillCounts{New: in - known, Known: known}
		runs := 0
		for stop := 1; ; stop += 3 { // after so many new events
			ctx, cancel := context.WithCancel(t.Context())
			cfg := s.backfill(t)
			fresh := 0
			cfg.New = func(event.Event) {
				if fresh++; fresh == stop {
					cancel()
				}
			}
			got, err := calltouch.Backfill(ctx, cfg)
			cancel()
			runs++
			if err == nil {
				if got != want {
					t.Errorf("after %d runs %+v, want %+v", runs, got, want)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if runs < 3 || len(s.log.events) != in {
			t.Errorf("%d runs, %d stored", runs, len(s.log.events))
		}
		if len(s.shared.values) != 0 {
			t.Error("a finished backfill leaves its mark")
		}
	})
}

func TestBackfillLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		midnight := time.Now()
		time.Sleep(12 * time.Hour)
		s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 1, midnight.Add(time.Hour))) // before the horizon
		s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 2, midnight.Add(6*time.Hour)))
		s.source.Add(s.source.NewCall(calltouchtest.Long, 3, time.Now()))
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 4, time.Now().Add(-time.Second))) // the next poll's
		known := s.source.NewCall(calltouchtest.Dynamic, 5, midnight.Add(7*time.Hour))
		other := s.source.NewCall(calltouchtest.Dynamic, 6, midnight.Add(8*time.Hour))
		other.ID = 5
		key, _ := event.NewKey("10001", event.CallEnded, "5")
		_, _ = s.log.Publish(t.Context(), event.Event{Key: key, Fingerprint: event.Fingerprint{Phone: known.Caller, Time: known.Start}})
		s.source.Add(other)
		s.log.horizon = midnight.Add(3 * time.Hour)
		cfg := s.backfill(t)
		got, err := calltouch.Backfill(t.Context(), cfg)
		want := calltouch.BackfillCounts{New: 1, InProgress: 2, TooOld: 1, Aside: 1}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestOneCommandAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		other := s.shared.as("other")
		_, _ = other.Lease(t.Context(), "calltouch.command", time.Minute)
		if _, err := calltouch.Backfill(t.Context(), s.backfill(t)); !errors.Is(err, calltouch.ErrCommandRuns) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := calltouch.Backfill(t.Context(), s.backfill(t)); err != nil {
			t.Errorf("the other has been dead for a while: %v", err)
		}
		if held, _ := other.Lease(t.Context(), "calltouch.command", time.Minute); !held {
			t.Error("the announcement outlives the command")
		}
	})
}

func TestRefusalEndsACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC, Faults: calltouchtest.Faults{RefuseToken: true}})
		defer s.close()
		var refused *calltouch.APIError
		if _, err := calltouch.Backfill(t.Context(), s.backfill(t)); !errors.As(err, &refused) || !refused.Refused() {
			t.Errorf("got %v", err)
		}
	})
}

func TestBadSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{})
		defer s.close()
		backwards := s.backfill(t)
		backwards.From, backwards.To = backwards.To.Next(), backwards.From
		silent := s.backfill(t)
		silent.Site.Token = nil
		for name, cfg := range map[string]calltouch.BackfillConfig{"backwards": backwards, "no token": silent} {
			if _, err := calltouch.Backfill(t.Context(), cfg); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if len(s.ears.days()) != 0 {
			t.Error("Calltouch was asked")
		}
	})
}

func TestPollerYieldsToACommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC})
		defer s.close()
		site := polled(time.UTC)
		site.Requests.Every, site.Journal.Every = time.Second, time.Second // as much as the limiter lets through
		site.Requests.Sweep, site.Journal.Sweep = 100*24*time.Hour, 100*24*time.Hour
		s.start(s.shared.as("a"), site, calltouch.Observer{})
		time.Sleep(10 * time.Second)
		cfg := s.backfill(t)
		cfg.From = day(t, "1999-12-01")
		if _, err := calltouch.Backfill(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if most := s.ears.busiest(); most > calltouch.PerSecond {
			t.Errorf("%d requests within a second", most)
		}
	})
}
