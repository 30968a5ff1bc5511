package poll_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestEachRecordIsOfferedOnce(t *testing.T) {
	onStage(t, calltouchtest.Config{Faults: calltouchtest.Faults{Unstable: true, ControlChars: true, Cut: 0.2}}, func(t *testing.T, s *stage) {
		s.source.Populate(50, time.Now().Add(-20*time.Hour), time.Now().Add(-time.Hour))
		receipts := map[event.Receipt]int{}
		s.start(s.shared.as("a"), polled(time.UTC), observed{offered: func(_ event.Key, _ event.Origin, r event.Receipt) {
			s.log.mu.Lock()
			defer s.log.mu.Unlock()
			receipts[r]++
		}})
		time.Sleep(30 * time.Hour)
		if s.log.offered != 50 || receipts[event.ReceiptStored] != 50 || len(receipts) != 1 {
			t.Errorf("offered %d times, told %v", s.log.offered, receipts)
		}
	})
}

func TestCallInProgressIsLeft(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		call := s.source.NewCall(calltouchtest.Long, 7, time.Now())
		call.Duration = 3600
		s.source.Add(call)
		time.Sleep(time.Until(call.End().Add(14 * time.Minute)))
		if s.log.count(event.Journal) != 0 {
			t.Error("stored before its end and the grace were over")
		}
		time.Sleep(17 * time.Minute)
		e, _, ok := s.log.get("10001", event.CallEnded, "7")
		if !ok || e.Origin != event.Journal || !e.Time.Equal(call.Start) {
			t.Errorf("stored %v: %+v", ok, e)
		}
	})
}

func TestAnotherCallUnderAKnownID(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		var aside atomic.Int32
		s.start(s.shared.as("a"), polled(time.UTC), observed{aside: func(site string, r calltouch.Reason) {
			if site == "10001" && r == calltouch.AsideCollision {
				aside.Add(1)
			}
		}})
		first := s.source.NewCall(calltouchtest.Dynamic, 7, time.Now().Add(-2*time.Hour))
		second := s.source.NewCall(calltouchtest.Dynamic, 8, time.Now().Add(-time.Hour))
		second.ID = 7
		s.source.Add(first)
		time.Sleep(20 * time.Minute)
		s.source.Add(second)
		time.Sleep(3 * time.Hour)
		e, _, _ := s.log.get("10001", event.CallEnded, "7")
		if !e.Time.Equal(first.Start) {
			t.Error("the first is gone")
		}
		if aside.Load() != 1 || len(s.log.asides) != 1 || s.log.asides[0].Origin != event.Journal {
			t.Errorf("%d set aside, told of %d", len(s.log.asides), aside.Load())
		}
	})
}

func TestRecordThatChangesIsNoSecondEvent(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		r := s.source.NewRequest(calltouchtest.Form, 7, time.Now())
		r.Changed = time.Now().Add(time.Hour)
		s.source.AddRequest(r)
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(2 * time.Hour)
		if s.log.offered != 1 {
			t.Errorf("offered %d times", s.log.offered)
		}
	})
}

func TestAnswerListsTomorrow(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC, Faults: calltouchtest.Faults{ListTomorrow: true}}, func(t *testing.T, s *stage) {
		call := s.source.NewCall(calltouchtest.Dynamic, 7, time.Now().Add(20*time.Hour))
		s.source.Add(call)
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(10 * time.Hour)
		if s.log.count(event.Journal) != 0 {
			t.Error("a call was stored before it began")
		}
		time.Sleep(11 * time.Hour)
		if s.log.count(event.Journal) != 1 {
			t.Error("not stored when it was over")
		}
	})
}

func TestAttribution(t *testing.T) {
	for model, want := range map[string]int{calltouch.LastNonDirect: 0, calltouch.Last: 2} {
		t.Run(model, func(t *testing.T) {
			onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
				for i := range int64(2) {
					s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, i+1, time.Now())) // all samples carry 1
				}
				s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 1, time.Now().Add(-time.Hour))) // the journal obeys
				site := polled(time.UTC)
				site.Attribution = model
				var differ atomic.Int32
				s.start(s.shared.as("a"), site, observed{attribution: func(string) { differ.Add(1) }})
				time.Sleep(time.Hour)
				if int(differ.Load()) != want || s.log.offered != 3 {
					t.Errorf("%d differ, want %d; offered %d", differ.Load(), want, s.log.offered)
				}
			})
		})
	}
}

func TestCallsThatNoHookBrought(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		before := s.source.NewCall(calltouchtest.Dynamic, 1, time.Now())
		s.source.Add(before)
		time.Sleep(time.Hour)
		var found, brought atomic.Int32
		s.start(s.shared.as("a"), polled(time.UTC), observed{checked: func(_ string, f bool) {
			if f {
				found.Add(1)
			} else {
				brought.Add(1)
			}
		}})
		time.Sleep(time.Minute)
		for i := range int64(10) {
			call := s.source.NewCall(calltouchtest.Dynamic, 10+i, time.Now())
			s.source.Add(call)
			if i < 7 {
				key, _ := event.NewKey("10001", event.CallEnded, id(call.ID))
				_, _ = s.log.Publish(t.Context(), event.Event{Key: key, Origin: event.Webhook})
			}
		}
		time.Sleep(time.Hour)
		if s.log.count(event.Journal) != 4 || found.Load() != 3 || brought.Load() != 7 {
			t.Errorf("the journal found %d; counted %d found and %d brought", s.log.count(event.Journal), found.Load(), brought.Load())
		}
	})
}

// answers is a Calltouch that lists these texts under today, whatever is asked for.
func (s *stage) answers(requests, calls string) {
	today := time.Now().Format("01/02/2006")
	s.ears.RoundTripper = transport(func(r *http.Request) (*http.Response, error) {
		text := "[]"
		switch day := r.URL.Query().Get("dateFrom"); {
		case strings.HasSuffix(r.URL.Path, "/requests") && day == today:
			text = requests
		case strings.Contains(r.URL.Path, "calls-diary") && day == today[3:5]+"/"+today[:2]+today[5:]:
			text = calls
		}
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	})
}

// reasons counts what was set aside.
func (l *log) reasons() map[calltouch.Reason]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[calltouch.Reason]int{}
	for _, a := range l.asides {
		all[calltouch.Reason(a.Reason)]++
	}
	return all
}

func TestRecordsThatCannotBeTaken(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		s.log.limit = 100 << 10 // a NATS that takes little
		s.answers(`[{"requestId":1},{"requestId":2,"comments":"O\'Hara"},{"requestId":3,"mapVisits":"`+strings.Repeat("v", 4<<20)+
			`"},{"requestId":4,"mapVisits":"`+strings.Repeat("v", 200<<10)+`"},{"requestId":5}]`, `[]`)
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(3 * time.Minute)
		if n := s.log.count(event.Poll); n != 2 {
			t.Errorf("%d of the two others are stored", n)
		}
		want := map[calltouch.Reason]int{calltouch.AsideUnreadable: 1, calltouch.AsideTooLarge: 2}
		if diff := cmp.Diff(want, s.log.reasons()); diff != "" {
			t.Errorf("set aside (-want +got):\n%s", diff)
		}
		for _, a := range s.log.asides {
			if len(a.Body) > 64<<10 || a.Key == "" || calltouch.Reason(a.Reason) == calltouch.AsideTooLarge && a.Size < 200<<10 {
				t.Errorf("%s: %s, %d bytes of %d", a.Reason, a.Key, len(a.Body), a.Size)
			}
		}
	})
}

// A record that the store does not take, whatever the reason, does not hold up the others.
func TestStoreErrorOfOneRecord(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		var records []string
		for n := range 400 {
			records = append(records, fmt.Sprintf(`{"requestId":%d}`, n+1))
		}
		s.answers("["+strings.Join(records, ",")+"]", "[]")
		s.log.poison = func(e event.Event) bool { return e.Key.ID >= "5" } // most of them
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Second)
		sound := slices.DeleteFunc(records, func(r string) bool { return r >= `{"requestId":5` })
		if n := s.log.count(event.Poll); n != len(sound) {
			t.Errorf("%d of %d are stored at the first try", n, len(sound))
		}
		s.log.mu.Lock()
		s.log.poison = nil
		s.log.mu.Unlock()
		time.Sleep(2 * time.Minute)
		if n := s.log.count(event.Poll); n != 400 {
			t.Errorf("%d stored in the end", n)
		}
	})
}

// A record that finds a mistake of ours is set aside; it ends neither the process nor the reading.
func TestRecordThatPanics(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		s.answers(`[{"requestId":1},{"requestId":2},{"requestId":3}]`, "[]")
		s.log.poison = func(e event.Event) bool {
			if e.Key.ID == "2" {
				panic("a mistake")
			}
			return false
		}
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Second)
		if n, reasons := s.log.count(event.Poll), s.log.reasons(); n != 2 || len(reasons) != 1 || reasons[calltouch.AsideUnreadable] != 1 {
			t.Errorf("%d stored, set aside %v", n, reasons)
		}
		s.hook(p, 2, 0)
		s.hook(p, 4, 0)
		time.Sleep(20 * time.Minute)
		if _, _, ok := s.log.get("10001", event.Request, "4"); !ok {
			t.Error("the hook behind one that panics is no event")
		}
		if n := s.log.reasons()[calltouch.AsideUnreadable]; n != 2 || s.log.waits() != 0 {
			t.Errorf("%d set aside as unreadable, %d hooks wait", n, s.log.waits())
		}
	})
}

// Two cabinets under one token, and an API that knows no siteId: each site takes its own.
func TestRecordOfAnotherConfiguredSite(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		s.answers(`[{"requestId":1,"siteId":10001},{"requestId":2,"siteId":10002},{"requestId":3,"siteId":10003}]`, `[]`)
		p := poll.New(poll.Config{
			Sites: []calltouch.Site{polled(time.UTC), {ID: "10002"}},
			Store: s.log, State: s.shared.as("a"), HTTP: &http.Client{Transport: s.ears},
		})
		s.all.Go(func() { _ = p.Run(s.ctx) })
		time.Sleep(10 * time.Minute)
		if n := s.log.count(event.Poll); n != 1 {
			t.Errorf("%d stored", n)
		}
		if diff := cmp.Diff(map[calltouch.Reason]int{calltouch.AsideOtherSite: 1}, s.log.reasons()); diff != "" {
			t.Errorf("set aside (-want +got):\n%s", diff)
		}
	})
}

// A call whose phase says nothing is over an hour after its end.
func TestCallWithoutAKnownPhase(t *testing.T) {
	for phase, want := range map[string]int{
		`null`: 1, `"callcompleted"`: 1, `"calllost"`: 1, `"CALLDISCONNECTED"`: 1, `""`: 1, `"calldisconnected"`: 1, `"callconnected"`: 0,
	} {
		t.Run(phase, func(t *testing.T) {
			onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
				time.Sleep(12 * time.Hour)
				record := fmt.Sprintf(`{"callId":7,"callphase":%s,"timestamp":%d,"duration":60}`, phase, time.Now().Unix())
				s.answers("[]", "["+record+"]")
				s.start(s.shared.as("a"), polled(time.UTC), observed{})
				time.Sleep(58 * time.Minute)
				if ended := strings.EqualFold(phase, `"calldisconnected"`); s.log.count(event.Journal) == 1 != ended {
					t.Error("stored within the hour, or not")
				}
				time.Sleep(20 * time.Minute)
				if n := s.log.count(event.Journal); n != want {
					t.Errorf("%d stored, want %d", n, want)
				}
			})
		})
	}
}
