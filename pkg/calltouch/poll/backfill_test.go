package poll_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
)

// span is the first two days of synctest's clock, read back by a command.
func (s *stage) span(t *testing.T) poll.Span {
	t.Helper()
	site := polled(time.UTC)
	site.Journal.Grace = 0
	return poll.Span{
		Site: site, From: day(t, "2000-01-01"), To: day(t, "2000-01-02"), State: s.shared.as("command"), Ledger: s.log,
		HTTP: &http.Client{Transport: s.ears},
	}
}

func (s *stage) backfill(t *testing.T) poll.BackfillConfig {
	return poll.BackfillConfig{Span: s.span(t), Store: s.log}
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
	for _, f := range []calltouchtest.Faults{{}, {ListTomorrow: true}, {Cut: 0.25, TooMany: 0.15, Unstable: true}} {
		onStage(t, calltouchtest.Config{Location: time.UTC, Faults: f}, func(t *testing.T, s *stage) {
			in, known := s.pastDays(t)
			var last poll.Progress
			cfg := s.backfill(t)
			cfg.Progress = func(p poll.Progress) { last = p }
			got, err := poll.Backfill(t.Context(), cfg)
			want := poll.BackfillCounts{New: in - known, Known: known}
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
			if got, err = poll.Backfill(t.Context(), s.backfill(t)); err != nil || got != (poll.BackfillCounts{Known: in}) {
				t.Errorf("the second time %+v, %v", got, err)
			}
		})
	}
}

func TestBackfillOfOneKind(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		s.pastDays(t)
		cfg := s.backfill(t)
		cfg.Kinds = []event.Kind{event.Request}
		if _, err := poll.Backfill(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		for key, e := range s.log.events {
			if e.Origin == event.Backfill && key.Kind != event.Request {
				t.Errorf("stored %s", key)
			}
		}
		cfg.Kinds = []event.Kind{event.CallStarted}
		if _, err := poll.Backfill(t.Context(), cfg); err == nil {
			t.Error("starts of calls are listed nowhere")
		}
	})
}

func TestDryRunStoresNothing(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		in, known := s.pastDays(t)
		cfg := s.backfill(t)
		cfg.Store, cfg.DryRun = nil, true
		var would []event.Event // no lock: one at a time
		cfg.New = func(e event.Event) { would = append(would, e) }
		got, err := poll.Backfill(t.Context(), cfg)
		if want := (poll.BackfillCounts{New: in - known, Known: known}); err != nil || got != want || len(would) != want.New {
			t.Errorf("got %+v, %v, told of %d; want %+v", got, err, len(would), want)
		}
		if len(s.log.events) != known || len(s.shared.values) != 0 {
			t.Errorf("%d events, %d values of STATE", len(s.log.events), len(s.shared.values))
		}
	})
}

// TestBackfillGoesOn breaks a backfill off within a day, and counts exactly all the same.
func TestBackfillGoesOn(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		in, known := s.pastDays(t)
		want := poll.BackfillCounts{New: in - known, Known: known}
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
			got, err := poll.Backfill(ctx, cfg)
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
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
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
		got, err := poll.Backfill(t.Context(), cfg)
		want := poll.BackfillCounts{New: 1, InProgress: 2, TooOld: 1, Aside: 1}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func TestOneCommandAtATime(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		other := s.shared.as("other")
		_, _ = other.Lease(t.Context(), "calltouch.command", time.Minute)
		if _, err := poll.Backfill(t.Context(), s.backfill(t)); !errors.Is(err, poll.ErrCommandRuns) {
			t.Errorf("got %v", err)
		}
		other.kill()
		time.Sleep(time.Minute)
		if _, err := poll.Backfill(t.Context(), s.backfill(t)); err != nil {
			t.Errorf("the other has been dead for a while: %v", err)
		}
		if held, _ := s.shared.as("third").Leased(t.Context(), "calltouch.command"); held {
			t.Error("the announcement outlives the command")
		}
	})
}

func TestRefusalEndsACommand(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC, Faults: calltouchtest.Faults{RefuseToken: true}}, func(t *testing.T, s *stage) {
		var refused *api.Error
		if _, err := poll.Backfill(t.Context(), s.backfill(t)); !errors.As(err, &refused) || !refused.Refused() {
			t.Errorf("got %v", err)
		}
	})
}

func TestBadSpans(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		backwards := s.backfill(t)
		backwards.From, backwards.To = backwards.To.Next(), backwards.From
		silent := s.backfill(t)
		silent.Site.APIToken = nil
		for name, cfg := range map[string]poll.BackfillConfig{"backwards": backwards, "no token": silent} {
			if _, err := poll.Backfill(t.Context(), cfg); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if len(s.ears.days()) != 0 {
			t.Error("Calltouch was asked")
		}
	})
}

func TestPollerYieldsToACommand(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		site := polled(time.UTC)
		site.Requests.Every, site.Journal.Every = time.Second, time.Second // as much as the limiter lets through
		site.Requests.Sweep, site.Journal.Sweep = 100*24*time.Hour, 100*24*time.Hour
		s.start(s.shared.as("a"), site, observed{})
		time.Sleep(10 * time.Second)
		cfg := s.backfill(t)
		cfg.From = day(t, "1999-12-01")
		if _, err := poll.Backfill(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		if most := s.ears.busiest(); most > api.PerSecond {
			t.Errorf("%d requests within a second", most)
		}
	})
}

// One day that Calltouch never lists does not keep the others from being read, and is named.
func TestPastWithAnIllDay(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		ill := s.withIllDay()
		time.Sleep(12*time.Hour + 10*24*time.Hour)
		day := func(n int) time.Time { return time.Now().AddDate(0, 0, -n) }
		for n := 1; n <= 5; n++ {
			s.source.Add(s.source.NewCall(calltouchtest.Dynamic, int64(n), day(n)))
		}
		ill.set(day(3))
		span := poll.Span{
			Site: polled(time.UTC), From: calltouch.DayOf(day(5), time.UTC), To: calltouch.DayOf(day(1), time.UTC),
			State: s.shared.as("a"), Ledger: s.log, HTTP: &http.Client{Transport: s.ears},
		}
		rows, err := poll.Gaps(s.ctx, span)
		unread := (*poll.UnreadError)(nil)
		if !errors.As(err, &unread) || len(unread.Days) != 1 || unread.Days[0] != calltouch.DayOf(day(3), time.UTC) {
			t.Errorf("gaps: %v", err)
		}
		missing := 0
		for _, r := range rows {
			missing += r.Missing
			if r.Unread != (r.Day == calltouch.DayOf(day(3), time.UTC)) {
				t.Errorf("%s %s: unread %v", r.Day, r.Kind, r.Unread)
			}
		}
		if missing != 4 {
			t.Errorf("%d missing", missing)
		}
		counts, err := poll.Backfill(s.ctx, poll.BackfillConfig{Span: span, Store: s.log})
		if !errors.As(err, &unread) || counts.New != 4 || s.log.count(event.Backfill) != 4 {
			t.Errorf("backfill: %v, %+v", err, counts)
		}
		ill.set(time.Time{})
		s.ears.forget()
		counts, err = poll.Backfill(s.ctx, poll.BackfillConfig{Span: span, Store: s.log})
		if err != nil || counts.New != 5 || counts.Known != 0 {
			t.Errorf("the same again: %v, %+v", err, counts)
		}
		if n := len(s.ears.days()); n != 2 {
			t.Errorf("%d questions: the other days were done", n)
		}
	})
}

// Records that cannot be taken are named by gaps as missing, unless their hook has come.
func TestPastWithRecordsThatCannotBeTaken(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		s.answers(`[{"requestId":1,"siteId":10001},{"requestId":2,"comments":"O\'Hara"},{"requestId":3,"c":"O\'Hara"},{"requestId":4,"siteId":10002}]`, `[]`)
		key, _ := event.NewKey("10001", event.Request, "3")
		_, _ = s.log.Publish(s.ctx, event.Event{Key: key})
		today := calltouch.DayOf(time.Now(), time.UTC)
		span := poll.Span{
			Site: polled(time.UTC), From: today, To: today, Kinds: []event.Kind{event.Request}, Sites: []calltouch.Site{{ID: "10002"}},
			State: s.shared.as("a"), Ledger: s.log, HTTP: &http.Client{Transport: s.ears},
		}
		rows, err := poll.Gaps(s.ctx, span)
		if err != nil || rows[0].Missing != 2 || rows[0].Stored != 1 || rows[0].Listed != 3 {
			t.Errorf("gaps: %v, %+v", err, rows)
		}
		counts, err := poll.Backfill(s.ctx, poll.BackfillConfig{Span: span, Store: s.log})
		if err != nil || counts.New != 1 || counts.Aside != 2 {
			t.Errorf("backfill: %v, %+v", err, counts)
		}
	})
}
