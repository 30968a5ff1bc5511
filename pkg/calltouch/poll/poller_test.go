package poll_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
)

// stage is a simulated Calltouch with pollers, under synctest's clock.
type stage struct {
	source *calltouchtest.Calltouch
	ears   *listener
	log    *log
	shared *shared
	ctx    context.Context
	end    context.CancelFunc
	all    sync.WaitGroup
}

// onStage runs a test in simulated time, on a stage of its own.
func onStage(t *testing.T, cfg calltouchtest.Config, test func(*testing.T, *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Token = token()
		s := &stage{source: calltouchtest.New(cfg), log: newLog(), shared: newShared()}
		s.ears = &listener{RoundTripper: calltouchtest.Memory{Handler: s.source}}
		s.ctx, s.end = context.WithCancel(t.Context())
		defer s.close()
		test(t, s)
	})
}

// site is the usual site, read in the zone l; change it before start.
func polled(l *time.Location) calltouch.Site {
	return calltouch.Site{
		ID: "10001", APIToken: token, API: "http://calltouch.example", HookKeys: func() []string { return []string{"secret-key"} }, Location: l,
		Requests: calltouch.Requests{Grace: 15 * time.Minute},
		Journal:  calltouch.Journal{Grace: 15 * time.Minute},
	}
}

// start runs a poller of one process until stop is called.
func (s *stage) start(process *state, site calltouch.Site, o observed) (p *poll.Poller, stop func()) {
	p = poll.New(poll.Config{
		Sites: []calltouch.Site{site}, Store: s.log, Hooks: s.log, State: process, HTTP: &http.Client{Transport: s.ears}, Observe: o,
	})
	ctx, stop := context.WithCancel(s.ctx)
	s.all.Go(func() { _ = p.Run(ctx) })
	return p, stop
}

// startAfter runs the poller of the same process under a new file.
func (s *stage) startAfter(before *poll.Poller, site calltouch.Site) (p *poll.Poller, stop func()) {
	p = poll.New(poll.Config{
		Sites: []calltouch.Site{site}, Store: s.log, Hooks: s.log, State: s.shared.as("a"), HTTP: &http.Client{Transport: s.ears}, Before: before,
	})
	ctx, stop := context.WithCancel(s.ctx)
	s.all.Go(func() { _ = p.Run(ctx) })
	return p, stop
}

// close ends everything, so that the bubble may end.
func (s *stage) close() {
	s.end()
	s.all.Wait()
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func TestRequestIsPolledWithinAMinute(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Hour)
		r := s.source.NewRequest(calltouchtest.Form, 7, time.Now())
		s.source.AddRequest(r)
		time.Sleep(61 * time.Second)
		e, _, ok := s.log.get("10001", event.Request, "7")
		if !ok || e.Origin != event.Poll || e.ContentType != "application/json" || !e.Time.Equal(r.Created) {
			t.Errorf("stored %v: %+v", ok, e)
		}
	})
}

func TestHookWakesThePoller(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		site := polled(time.UTC)
		site.Requests.Every = time.Hour
		site.Requests.Grace = 2 * time.Hour
		time.Sleep(12 * time.Hour)
		p, _ := s.start(s.shared.as("a"), site, observed{})
		if !p.Waits("10001") {
			t.Error("nothing was polled yet, and the first poll may bring the record")
		}
		time.Sleep(10 * time.Minute)
		for i := range int64(20) { // twenty hooks, one or two polls
			s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, i+1, time.Now()))
			if !p.Waits("10001") {
				t.Error("the hook is to be left to the poll")
			}
			p.Wake(event.Event{Key: event.Key{Site: "10001"}})
		}
		s.ears.forget()
		time.Sleep(5 * time.Second)
		if n := s.log.count(event.Poll); n != 20 {
			t.Errorf("%d of 20 requests", n)
		}
		if n := len(s.ears.days()); n > 2 {
			t.Errorf("%d polls for twenty hooks at once", n)
		}
		if p.Waits("10002") {
			t.Error("a site that nobody polls")
		}
	})
}

func TestHooksAreStoredWhilePollsFail(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		s.source.SetFaults(calltouchtest.Faults{APIOutage: true})
		time.Sleep(14 * time.Minute)
		if !p.Waits("10001") {
			t.Error("the last good poll is younger than the grace")
		}
		time.Sleep(3 * time.Minute)
		if p.Waits("10001") {
			t.Error("the last good poll is older than the grace")
		}
		s.source.SetFaults(calltouchtest.Faults{})
		time.Sleep(2 * time.Minute)
		if !p.Waits("10001") {
			t.Error("polls are good again")
		}
	})
}

func TestWakeOfTheProcessThatDoesNotPoll(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		b, _ := s.start(s.shared.as("b"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		if !b.Waits("10001") {
			t.Error("the other process polls well")
		}
		s.source.SetFaults(calltouchtest.Faults{APIOutage: true})
		time.Sleep(20 * time.Minute)
		if b.Waits("10001") {
			t.Error("the other process does not poll well")
		}
	})
}

func TestRequestsFromHooksWaitForThem(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		site := polled(time.UTC)
		site.Requests.From = calltouch.RequestsFromHook
		p, _ := s.start(s.shared.as("a"), site, observed{})
		time.Sleep(time.Hour)
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now()))
		if p.Waits("10001") {
			t.Error("hooks are stored here")
		}
		time.Sleep(14 * time.Minute)
		if n := s.log.count(event.Poll); n != 0 {
			t.Error("stored before its hook was late")
		}
		time.Sleep(3 * time.Minute)
		if n := s.log.count(event.Poll); n != 1 {
			t.Error("its hook was late, and it is not stored")
		}
	})
}

func TestDaysThatAreAskedFor(t *testing.T) {
	berlin := location(t, "Europe/Berlin")
	onStage(t, calltouchtest.Config{Location: berlin}, func(t *testing.T, s *stage) {
		site := polled(berlin)
		site.Requests.Sweep, site.Journal.Sweep = 3*24*time.Hour, time.Hour
		site.Journal.Every = 100 * time.Hour // out of the way
		until := func(day, hour, minute int) {
			time.Sleep(time.Until(time.Date(2000, 3, day, hour, minute, 0, 0, berlin)))
		}
		until(26, 12, 0) // the day on which the clocks of Berlin go forward
		s.start(s.shared.as("a"), site, observed{})
		time.Sleep(30 * time.Second)
		if days := s.ears.days(); !contains(days, "03/23/2000", "03/24/2000", "03/25/2000", "03/26/2000") || contains(days, "03/22/2000") {
			t.Errorf("the sweep at start asked for %v", days)
		}
		ask := func(day, hour, minute int) []string {
			until(day, hour, minute)
			s.ears.forget()
			time.Sleep(90 * time.Second)
			return s.ears.days()
		}
		if days := ask(26, 23, 50); !contains(days, "03/26/2000") || contains(days, "03/27/2000") || contains(days, "03/25/2000") {
			t.Errorf("before midnight: %v", days)
		}
		if days := ask(27, 0, 1); !contains(days, "03/26/2000", "03/27/2000") {
			t.Errorf("after midnight: %v", days)
		}
		if days := ask(27, 1, 5); !contains(days, "03/27/2000") || contains(days, "03/26/2000") {
			t.Errorf("after the first hour: %v", days)
		}
		s.source.SetFaults(calltouchtest.Faults{APIOutage: true})
		until(27, 11, 0)
		s.source.SetFaults(calltouchtest.Faults{})
		if days := ask(27, 11, 59); !contains(days, "03/24/2000", "03/25/2000", "03/26/2000", "03/27/2000") {
			t.Errorf("the sweep of the next day: %v", days)
		}
	})
}

func TestOutageOverMidnight(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
		time.Sleep(10 * time.Hour)
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(12 * time.Hour)
		s.source.SetFaults(calltouchtest.Faults{APIOutage: true})
		time.Sleep(time.Hour)
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now()))
		s.source.Add(s.source.NewCall(calltouchtest.Dynamic, 7, time.Now()))
		time.Sleep(10 * time.Hour) // it is nine o'clock of the next day
		s.source.SetFaults(calltouchtest.Faults{})
		time.Sleep(2 * time.Minute)
		if s.log.count(event.Poll) != 1 || s.log.count(event.Journal) != 1 {
			t.Error("yesterday's request and call are not there before the next sweep")
		}
	})
}

func TestNextTryComesWithinFiveSeconds(t *testing.T) {
	faults := map[string]calltouchtest.Faults{
		"429": {TooMany: 1}, "403 of a limit": {LimitText: 1}, "outage": {APIOutage: true}, "cut answers": {Cut: 1}, "refused token": {RefuseToken: true},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
				s.start(s.shared.as("a"), polled(time.UTC), observed{})
				time.Sleep(time.Minute + 30*time.Second)
				s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now()))
				s.source.SetFaults(f)
				time.Sleep(31 * time.Second) // the poll at two minutes has failed
				s.source.SetFaults(calltouchtest.Faults{})
				time.Sleep(5 * time.Second)
				if n := s.log.count(event.Poll); n != 1 {
					t.Error("no second try within five seconds")
				}
			})
		})
	}
}

func TestWaitsGrow(t *testing.T) {
	onStage(t, calltouchtest.Config{Faults: calltouchtest.Faults{APIOutage: true}}, func(t *testing.T, s *stage) {
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(10 * time.Minute)
		s.ears.forget()
		time.Sleep(time.Hour)
		if n := len(s.ears.days()); n > 4*125 || n < 4*40 { // two loops and two sweeps, each about once a minute
			t.Errorf("%d requests an hour while Calltouch is down", n)
		}
	})
}

func TestAnotherProcessTakesOver(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		first := s.shared.as("a")
		_, stop := s.start(first, polled(time.UTC), observed{})
		time.Sleep(time.Second)
		s.start(s.shared.as("b"), polled(time.UTC), observed{})
		time.Sleep(time.Hour)
		s.ears.forget()
		time.Sleep(10 * time.Minute)
		if n := len(s.ears.days()); n > 13 {
			t.Errorf("%d requests in ten minutes: both processes poll", n)
		}
		first.kill()
		stop()
		s.ears.forget()
		time.Sleep(time.Minute)
		if len(s.ears.days()) == 0 {
			t.Error("nobody polls a minute after the death of who did")
		}
	})
}

func TestStoppedProcessHandsOver(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		_, stop := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Second)
		s.start(s.shared.as("b"), polled(time.UTC), observed{})
		time.Sleep(time.Hour)
		stop()
		s.ears.forget()
		time.Sleep(11 * time.Second)
		if len(s.ears.days()) == 0 {
			t.Error("the lease was not released")
		}
	})
}

func TestQueueIsDown(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		s.log.setDown(true)
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now()))
		time.Sleep(20 * time.Minute)
		if p.Waits("10001") {
			t.Error("what is polled cannot be stored: no hook may be left to it")
		}
		s.log.setDown(false)
		time.Sleep(2 * time.Minute)
		if n := s.log.count(event.Poll); n != 1 {
			t.Error("not stored when the queue was back")
		}
	})
}
