package bridge_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// Ids of calls: the live ones lie beyond those that are refused at first.
const firstLive = 500_000

// refuser is a Mindbox that refuses the calls below firstLive until it is mended, each with words
// of its own: equal ones would park the link.
type refuser struct {
	*mindbox
	mended atomic.Bool
}

func newRefuser(t testing.TB) *refuser {
	r := &refuser{}
	r.mindbox = newMindbox(t, mindboxtest.Config{Script: func(q mindboxtest.Request) *mindboxtest.Reply {
		id, _ := strconv.Atoi(q.CallID)
		if r.mended.Load() || id >= firstLive {
			return nil
		}
		text := fmt.Sprintf(`{"status":"ProtocolError","errorMessage":"field %s is unknown","httpStatusCode":400}`, letters(id))
		return &mindboxtest.Reply{Status: http.StatusBadRequest, Body: text}
	}})
	return r
}

// letters spells a number without digits: the worker takes digits out when it compares refusals.
func letters(n int) string {
	return strings.Map(func(r rune) rune { return 'a' + r - '0' }, strconv.Itoa(n))
}

// refused posts n calls from an id on and waits until each is a dead letter.
func (s *stack) refused(from, n int) {
	s.t.Helper()
	before := metric(s.admin("WORKER"), `touchbox_outcomes_total{link="dynamic",outcome="dead"}`)
	var posts sync.WaitGroup
	for part := range 8 {
		posts.Go(func() {
			for id := from + part; id < from+n; id += 8 {
				if code := s.hook(strconv.Itoa(id)); code != http.StatusOK {
					s.t.Errorf("hook %d answered %d", id, code)
				}
			}
		})
	}
	posts.Wait()
	eventually(s.t, 90*time.Second, "every call is buried", func() bool {
		return metric(s.admin("WORKER"), `touchbox_outcomes_total{link="dynamic",outcome="dead"}`) >= before+float64(n)
	})
}

// live posts calls at a rate until stop is closed and returns their ids; one that was not answered
// with 200 is posted again, as a poll or the journal would bring it.
func (s *stack) live(from int, every time.Duration, stop <-chan struct{}) []string {
	var ids []string
	for id := from; ; id++ {
		select {
		case <-stop:
			return ids
		case <-time.After(every):
		}
		for s.hook(strconv.Itoa(id)) != http.StatusOK {
			time.Sleep(50 * time.Millisecond)
		}
		ids = append(ids, strconv.Itoa(id))
	}
}

func TestReplaySurvivesKillsBesideLiveTraffic(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes are killed and started again")
	const dead = 1000
	m := newRefuser(t)
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", m.url))
	up := s.up()
	s.refused(1, dead)
	m.mended.Store(true)

	stop := make(chan struct{})
	ids := make(chan []string, 1)
	go func() { ids <- s.live(firstLive, 20*time.Millisecond, stop) }()

	// The command dies in the middle, then the bridge does, then the same command goes on.
	replay := start(t, s.env, "touchbox", "replay", "--link", "dynamic", "--yes")
	eventually(t, 60*time.Second, "a part is replayed", func() bool { return len(m.Executed(mindboxtest.Query{})) > dead/5 })
	replay.kill()
	up.kill()
	s.up()
	eventually(t, 60*time.Second, "the same command ends the work", func() bool {
		_, stderr, code := run(t, s.env, "", "touchbox", "replay", "--link", "dynamic", "--yes")
		if code != 0 {
			t.Logf("replay: exit code %d: %s", code, stderr)
		}
		return code == 0
	})
	close(stop)
	wanted := <-ids
	for id := 1; id <= dead; id++ {
		wanted = append(wanted, strconv.Itoa(id))
	}
	eventually(t, 90*time.Second, "every call is executed", func() bool { return len(m.executions()) == len(wanted) })
	for id, n := range m.executions() {
		if n != 1 {
			t.Errorf("call %s was executed %d times", id, n)
		}
	}
	for _, id := range wanted {
		if got := m.transactions(id); len(got) != 1 {
			t.Errorf("call %s came under %d transaction ids", id, len(got))
		}
	}
	stdout, stderr, code := run(t, s.env, "", "touchbox", "deadletters", "--json")
	if code != 0 || strings.TrimSpace(stdout) != "[]" {
		t.Errorf("dead letters are left: %s%s", stdout, stderr)
	}
}

// BenchmarkLiveTrafficBesideReplay measures live calls, from the hook's sending to Mindbox's
// acceptance, in alternating rounds without and with a replay of 1,000 dead letters beside them.
// Run it with -benchtime 4x.
func BenchmarkLiveTrafficBesideReplay(b *testing.B) {
	const calls, dead, every = 500, 1000, 10 * time.Millisecond
	m := newRefuser(b)
	s := newStack(b)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", m.url))
	s.up()
	var alone, beside []time.Duration
	next := 1
	for round := range b.N {
		alone = append(alone, s.round(m, firstLive+2*round*calls, calls, every)...)
		m.mended.Store(false)
		s.refused(next, dead)
		next += dead
		m.mended.Store(true)
		replay := start(b, s.env, "touchbox", "replay", "--link", "dynamic", "--yes")
		beside = append(beside, s.round(m, firstLive+(2*round+1)*calls, calls, every)...)
		<-replay.done
	}
	b.ReportMetric(float64(percentile(alone, 50).Microseconds())/1000, "alone-p50-ms")
	b.ReportMetric(float64(percentile(alone, 99).Microseconds())/1000, "alone-p99-ms")
	b.ReportMetric(float64(percentile(beside, 50).Microseconds())/1000, "beside-p50-ms")
	b.ReportMetric(float64(percentile(beside, 99).Microseconds())/1000, "beside-p99-ms")
}

// round posts calls at a steady pace and returns how long each took to be executed.
func (s *stack) round(m *refuser, from, n int, every time.Duration) []time.Duration {
	sent := make([]time.Time, n)
	var posts sync.WaitGroup
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		sent[i] = time.Now()
		posts.Go(func() { s.hook(strconv.Itoa(from + i)) })
	}
	posts.Wait()
	took := make([]time.Duration, 0, n)
	eventually(s.t, 60*time.Second, "the live calls are executed", func() bool {
		return len(m.Executed(mindboxtest.Query{CallID: strconv.Itoa(from + n - 1)})) == 1
	})
	for i := range n {
		for _, e := range m.Executed(mindboxtest.Query{CallID: strconv.Itoa(from + i)}) {
			took = append(took, e.Time.Sub(sent[i]))
		}
	}
	return took
}

func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}
