package poll_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
)

// hook sets the hook of a request aside that says it was left on a day, counted from now.
func (s *stage) hook(p *poll.Poller, n int64, days int) {
	key, _ := event.NewKey("10001", event.Request, id(n))
	s.log.keep(p, key, time.Now().AddDate(0, 0, days).Format("2006-01-02 15:04:05"))
}

// settled gathers what the poller says of hooks.
type settled struct {
	mu  sync.Mutex
	all map[event.Receipt]int
}

func (s *settled) observer() observed {
	s.all = map[event.Receipt]int{}
	return observed{hook: func(o intake.Observation) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if o.Settled && o.Status == 200 && o.Kind == event.Request && o.Site == "10001" {
			s.all[o.Receipt]++
		}
	}}
}

func (s *settled) count(r event.Receipt) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[r]
}

// A browser on UTC at night, one in Vladivostok, an import: the record stands under the day that
// the hook names.
func TestPollAsksForTheDayOfTheHook(t *testing.T) {
	for _, days := range []int{-1, 1, -11, 0} {
		t.Run(fmt.Sprintf("%+d days", days), func(t *testing.T) {
			onStage(t, calltouchtest.Config{Location: time.UTC}, func(t *testing.T, s *stage) {
				time.Sleep(17 * time.Hour)
				var told settled
				p, _ := s.start(s.shared.as("a"), polled(time.UTC), told.observer())
				time.Sleep(time.Minute)
				if days > 0 { // the API lists it, though its day has not come
					s.source.SetFaults(calltouchtest.Faults{ListTomorrow: true})
				}
				s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now().AddDate(0, 0, days)))
				s.hook(p, 7, days)
				time.Sleep(15 * time.Second)
				e, _, ok := s.log.get("10001", event.Request, "7")
				if !ok || e.Origin != event.Poll {
					t.Fatalf("stored %v by %q", ok, e.Origin)
				}
				if s.log.waits() != 0 || told.count(event.ReceiptRepeated) != 1 || told.count(event.ReceiptStored) != 0 {
					t.Errorf("%d hooks wait, told %v", s.log.waits(), told.all)
				}
			})
		})
	}
}

func TestHookThatNoPollBringsIsStoredAfterTheGrace(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		var told settled
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), told.observer())
		time.Sleep(time.Hour)
		s.hook(p, 7, 0)
		time.Sleep(14 * time.Minute)
		if s.log.count(event.Webhook) != 0 {
			t.Error("stored before its time was up")
		}
		time.Sleep(2 * time.Minute)
		e, at, ok := s.log.get("10001", event.Request, "7")
		if !ok || e.Origin != event.Webhook || at.Sub(e.Received) < 15*time.Minute {
			t.Fatalf("stored %v: %+v", ok, e)
		}
		if s.log.waits() != 0 || told.count(event.ReceiptStored) != 1 {
			t.Errorf("%d hooks wait, told %v", s.log.waits(), told.all)
		}
	})
}

// A hook that came while the clock was eight hours ahead does not wait until the clock is there again.
func TestHookOfAClockThatWasSetBack(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Hour)
		key, _ := event.NewKey("10001", event.Request, "7")
		s.log.keepAt(p, key, time.Now().Format("2006-01-02 15:04:05"), time.Now().Add(8*time.Hour))
		time.Sleep(16 * time.Minute)
		if _, _, ok := s.log.get("10001", event.Request, "7"); !ok || s.log.waits() != 0 {
			t.Errorf("stored %v, %d hooks wait", ok, s.log.waits())
		}
	})
}

func TestHookSurvivesTheDeathOfWhoTookIt(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		first := s.shared.as("a")
		p, stop := s.start(first, polled(time.UTC), observed{})
		time.Sleep(time.Hour)
		s.hook(p, 7, -5)
		first.kill()
		stop()
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now().AddDate(0, 0, -5)))
		s.start(s.shared.as("b"), polled(time.UTC), observed{})
		time.Sleep(2 * time.Minute)
		if e, _, ok := s.log.get("10001", event.Request, "7"); !ok || e.Origin != event.Poll {
			t.Errorf("stored %v by %q", ok, e.Origin)
		}
	})
}

func TestHookOfTheProcessThatDoesNotPoll(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		b, _ := s.start(s.shared.as("b"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 7, time.Now().AddDate(0, 0, -3)))
		s.hook(b, 7, -3)
		time.Sleep(20 * time.Second)
		if e, _, ok := s.log.get("10001", event.Request, "7"); !ok || e.Origin != event.Poll {
			t.Errorf("stored %v by %q", ok, e.Origin)
		}
	})
}

// What waits when a site is polled no more has nothing to wait for.
func TestHookOfASiteThatIsPolledNoMore(t *testing.T) {
	for _, what := range []string{"from hook", "no token"} {
		t.Run(what, func(t *testing.T) {
			onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
				p, stop := s.start(s.shared.as("a"), polled(time.UTC), observed{})
				time.Sleep(time.Minute)
				s.hook(p, 7, 0)
				stop()
				site := polled(time.UTC)
				switch what {
				case "from hook":
					site.Requests.From = calltouch.RequestsFromHook
				case "no token":
					site.APIToken = nil
				}
				s.start(s.shared.as("b"), site, observed{})
				time.Sleep(time.Minute)
				if s.log.count(event.Webhook) != 1 || s.log.waits() != 0 {
					t.Errorf("%d stored, %d wait", s.log.count(event.Webhook), s.log.waits())
				}
			})
		})
	}
}

func TestHookThatIsPressedWaitsNoLonger(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		s.hook(p, 7, 0)
		s.log.press()
		time.Sleep(10 * time.Second)
		if s.log.count(event.Webhook) != 1 {
			t.Error("it will be pushed out of its place")
		}
	})
}

// Two thousand wait: the next is stored as it is.
func TestHooksThatWaitAreBounded(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		site := polled(time.UTC)
		site.Requests.Grace = 3 * time.Minute
		p, _ := s.start(s.shared.as("a"), site, observed{})
		time.Sleep(time.Minute)
		n := 0
		for ; n < 3000 && p.Waits("10001"); n++ {
			s.hook(p, int64(n+1), -n) // each names a day of its own
		}
		if n != 2000 {
			t.Errorf("%d wait", n)
		}
		s.ears.forget()
		time.Sleep(2 * time.Minute)
		if asked := len(s.ears.days()); asked > 2*(4+2)+4*(4+2) { // some of them woken
			t.Errorf("%d questions in two minutes", asked)
		}
		time.Sleep(2 * time.Minute)
		if s.log.count(event.Webhook) != n || !p.Waits("10001") {
			t.Errorf("%d of %d stored", s.log.count(event.Webhook), n)
		}
	})
}

// One hook that the store refuses does not hold up the others, and is not lost.
func TestHooksWaitForTheStore(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		time.Sleep(time.Minute)
		s.hook(p, 7, 0)
		s.log.setDown(true)
		time.Sleep(time.Hour)
		s.log.setDown(false)
		time.Sleep(time.Minute)
		if s.log.count(event.Webhook) != 1 || s.log.waits() != 0 {
			t.Errorf("%d stored, %d wait", s.log.count(event.Webhook), s.log.waits())
		}
	})
}

// While a copy of the store is made a hook becomes an event as ever, once, and stays where it waited.
func TestHookStaysWhereItWaitedWhileTheStoreIsCopied(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		var told settled
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), told.observer())
		s.log.copying(true)
		s.hook(p, 7, 0)
		time.Sleep(20 * time.Minute)
		if s.log.count(event.Webhook) != 1 || s.log.waits() != 1 {
			t.Fatalf("%d events, %d hooks wait", s.log.count(event.Webhook), s.log.waits())
		}
		s.log.copying(false)
		time.Sleep(time.Minute)
		if s.log.waits() != 0 || told.count(event.ReceiptStored) != 1 || told.count(event.ReceiptRepeated) != 0 {
			t.Errorf("%d hooks wait, told %v", s.log.waits(), told.all)
		}
	})
}

// Hooks that the store takes no more, because it takes less than when they came, hold up no other.
func TestHooksThatAreTooLargeHoldUpNoOther(t *testing.T) {
	onStage(t, calltouchtest.Config{}, func(t *testing.T, s *stage) {
		p, _ := s.start(s.shared.as("a"), polled(time.UTC), observed{})
		for n := range int64(5) {
			s.hook(p, 1_000_000_000+n, 0)
		}
		s.hook(p, 7, 0)
		s.log.mu.Lock()
		s.log.limit = len(s.log.waiting[0].Body) - 1
		s.log.mu.Unlock()
		time.Sleep(20 * time.Minute)
		if _, _, ok := s.log.get("10001", event.Request, "7"); !ok {
			t.Error("the hook behind them is no event")
		}
	})
}
