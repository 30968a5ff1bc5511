package poll_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/event"
)

// illDay answers 500 for one day, and hands all else on.
type illDay struct {
	http.RoundTripper
	mu    sync.Mutex
	day   string // as the requests API writes days
	times int
}

func (i *illDay) set(day time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.day = ""
	if !day.IsZero() {
		i.day = day.Format("01/02/2006")
	}
}

func (i *illDay) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.times
}

func (i *illDay) RoundTrip(r *http.Request) (*http.Response, error) {
	asked := r.URL.Query().Get("dateFrom")
	if strings.Contains(r.URL.Path, "calls-diary") { // day first
		asked = asked[3:5] + "/" + asked[:2] + asked[5:]
	}
	i.mu.Lock()
	ill := asked == i.day
	if ill {
		i.times++
	}
	i.mu.Unlock()
	if ill {
		return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"message":"no"}`)), Request: r}, nil
	}
	return i.RoundTripper.RoundTrip(r)
}

// withIllDay puts an ill day between the poller and Calltouch.
func (s *stage) withIllDay() *illDay {
	i := &illDay{RoundTripper: s.ears.RoundTripper}
	s.ears.RoundTripper = i
	return i
}

func TestIllDayDoesNotHoldUpTheSweep(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		ill := s.withIllDay()
		time.Sleep(12 * time.Hour)
		day := func(n int) time.Time { return time.Now().AddDate(0, 0, n) }
		ill.set(day(-5))
		for n := 2; n < 9; n++ {
			s.source.Add(s.source.NewCall(calltouchtest.Dynamic, int64(n), day(-n)))
			s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, int64(n), day(-n)))
		}
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		if c, r := s.log.count(event.Journal), s.log.count(event.Poll); c != 6 || r != 6 {
			t.Errorf("%d calls and %d requests of 6 beside the ill day", c, r)
		}
		time.Sleep(30 * time.Hour) // another sweep has begun in spite of it
		late := s.source.NewCall(calltouchtest.Dynamic, 77, day(-3))
		s.source.Add(late)
		time.Sleep(24 * time.Hour)
		if _, _, ok := s.log.get("10001", event.CallEnded, "77"); !ok {
			t.Error("no later sweep looks at the other days")
		}
		ill.set(time.Time{})
		time.Sleep(5 * time.Minute)
		if c, r := s.log.count(event.Journal), s.log.count(event.Poll); c != 8 || r != 7 {
			t.Errorf("%d calls and %d requests when the day is well", c, r)
		}
	})
}

// The day before midnight is ill: what happens today is read all the same, at once and later.
func TestIllYesterdayDoesNotHoldUpToday(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		ill := s.withIllDay()
		time.Sleep(20 * time.Hour)
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Hour)
		ill.set(time.Now())
		time.Sleep(6 * time.Hour) // it is three o'clock
		s.source.Add(s.source.NewCall(calltouchtest.Short, 7, time.Now().Add(-20*time.Minute)))
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now()))
		time.Sleep(16 * time.Minute)
		if c, r := s.log.count(event.Journal), s.log.count(event.Poll); c != 1 || r != 1 {
			t.Errorf("%d calls and %d requests", c, r)
		}
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 8, time.Now().Add(-10*time.Hour)))
		before := ill.count()
		time.Sleep(10 * time.Minute)
		if n := ill.count() - before; n < 5 || n > 60 {
			t.Errorf("the ill day was asked %d times in ten minutes", n)
		}
		ill.set(time.Time{})
		time.Sleep(2 * time.Minute)
		if n := s.log.count(event.Poll); n != 2 {
			t.Error("the day is well, and not read")
		}
	})
}

func TestLastingFailureIsToldOf(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		ill := s.withIllDay()
		time.Sleep(12 * time.Hour)
		var mu sync.Mutex
		var told []int
		s.start(s.shared.as("a"), polled(time.UTC), observed{unread: func(_ string, days int) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, days)
		}})
		ill.set(time.Now().AddDate(0, 0, -3))
		time.Sleep(50 * time.Minute)
		mu.Lock()
		if fmt.Sprint(told) != "[0]" {
			t.Errorf("told %v within the hour", told)
		}
		mu.Unlock()
		time.Sleep(15 * time.Minute)
		ill.set(time.Time{})
		time.Sleep(5 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if n := len(told); slices.Max(told) != 2 || told[n-1] != 0 || n > 5 { // of either method
			t.Errorf("told %v", told)
		}
	})
}

// restarts runs a process anew for each of the times, and returns how many questions each asked in
// its first ten minutes.
func (s *stage) restarts(times int, between time.Duration) (asked []int) {
	for i := range times {
		_, stop := s.start(s.shared.as(fmt.Sprint(i)), polled(time.UTC), observed{})
		s.ears.forget()
		time.Sleep(10 * time.Minute)
		asked = append(asked, len(s.ears.days()))
		stop()
		time.Sleep(between)
	}
	return asked
}

func TestRestartsDoNotSweepAgain(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		asked := s.restarts(4, time.Minute)
		for i, n := range asked {
			if swept := n >= 22; swept != (i == 0) {
				t.Errorf("questions after each start: %v", asked)
			}
		}
		time.Sleep(7 * time.Hour)
		if asked = s.restarts(1, 0); asked[0] < 22 {
			t.Errorf("%d questions after hours away", asked[0])
		}
	})
}

func TestSweepGoesOnWhereItWasBrokenOff(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		ill := s.withIllDay()
		time.Sleep(12 * time.Hour)
		ill.set(time.Now().AddDate(0, 0, -4))
		s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 7, time.Now().AddDate(0, 0, -4)))
		s.restarts(1, time.Minute)
		ill.set(time.Time{})
		s.ears.forget()
		s.start(s.shared.as("b"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		if s.log.count(event.Journal) != 1 {
			t.Error("the day that was left is not read")
		}
		if n := len(s.ears.days()); n > 10 {
			t.Errorf("%d questions: all of it is read again", n)
		}
	})
}

// A new file with the same site is no reason to ask for anything again.
func TestReloadGoesOn(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(12 * time.Hour)
		s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 7, time.Now().AddDate(0, 0, -4)))
		before, stop := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(8*time.Hour + 5*time.Minute)
		for range 3 {
			stop()
			time.Sleep(time.Second)
			s.ears.forget()
			before, stop = s.startAfter(before, polled(time.UTC))
			time.Sleep(30 * time.Second)
			if n := len(s.ears.days()); n > 1 {
				t.Errorf("%d questions after a reload", n)
			}
		}
		stop()
		time.Sleep(time.Second)
		s.ears.forget()
		site := polled(time.UTC)
		site.Journal.Sweep = 20 * 24 * time.Hour
		_, _ = s.startAfter(before, site)
		time.Sleep(30 * time.Second)
		if n := len(s.ears.days()); n < 20 {
			t.Errorf("%d questions after the sweep was made longer", n)
		}
		if s.log.offered != 2 {
			t.Errorf("offered %d times", s.log.offered)
		}
	})
}
