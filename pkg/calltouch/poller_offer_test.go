package calltouch_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestEachRecordIsOfferedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Faults: calltouchtest.Faults{Unstable: true, ControlChars: true, Cut: 0.2}})
		defer s.close()
		s.source.Populate(50, time.Now().Add(-20*time.Hour), time.Now().Add(-time.Hour))
		receipts := map[event.Receipt]int{}
		s.start(s.shared.as("a"), polled(time.UTC), calltouch.Observer{Offered: func(_ event.Key, _ event.Origin, r event.Receipt) {
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
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{})
		defer s.close()
		time.Sleep(12 * time.Hour)
		s.start(s.shared.as("a"), polled(time.UTC), calltouch.Observer{})
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
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{})
		defer s.close()
		time.Sleep(12 * time.Hour)
		var aside atomic.Int32
		s.start(s.shared.as("a"), polled(time.UTC), calltouch.Observer{Aside: func(site string, r calltouch.Reason) {
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
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{})
		defer s.close()
		r := s.source.NewRequest(calltouchtest.Form, 7, time.Now())
		r.Changed = time.Now().Add(time.Hour)
		s.source.AddRequest(r)
		s.start(s.shared.as("a"), polled(time.UTC), calltouch.Observer{})
		time.Sleep(2 * time.Hour)
		if s.log.offered != 1 {
			t.Errorf("offered %d times", s.log.offered)
		}
	})
}

func TestAnswerListsTomorrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{Location: time.UTC, Faults: calltouchtest.Faults{ListTomorrow: true}})
		defer s.close()
		call := s.source.NewCall(calltouchtest.Dynamic, 7, time.Now().Add(20*time.Hour))
		s.source.Add(call)
		s.start(s.shared.as("a"), polled(time.UTC), calltouch.Observer{})
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
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, calltouchtest.Config{})
				defer s.close()
				for i := range int64(2) {
					s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, i+1, time.Now())) // all samples carry 1
				}
				s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 1, time.Now().Add(-time.Hour))) // the journal obeys
				site := polled(time.UTC)
				site.Attribution = model
				var differ atomic.Int32
				s.start(s.shared.as("a"), site, calltouch.Observer{Attribution: func(string) { differ.Add(1) }})
				time.Sleep(time.Hour)
				if int(differ.Load()) != want || s.log.offered != 3 {
					t.Errorf("%d differ, want %d; offered %d", differ.Load(), want, s.log.offered)
				}
			})
		})
	}
}

func TestCallsThatNoHookBrought(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, calltouchtest.Config{})
		defer s.close()
		before := s.source.NewCall(calltouchtest.Dynamic, 1, time.Now())
		s.source.Add(before)
		time.Sleep(time.Hour)
		var found, brought atomic.Int32
		s.start(s.shared.as("a"), polled(time.UTC), calltouch.Observer{Checked: func(_ string, f bool) {
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
