// Package cluster_test drives ingest and worker against three NATS servers in processes of their own,
// with TOUCHBOX_REPLICAS=3, while those die, stand still, are cut off and are restarted.
package cluster_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// binaries is the folder of the built programs.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "touchbox-cluster")
	if err != nil {
		panic(err)
	}
	binaries = dir
	build := exec.Command("go", "build", "-o", dir, "../../cmd/ingest", "../../cmd/worker", "github.com/nats-io/nats-server/v2")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const config = `calltouch:
  - site: 10001
    name: clinic
    key: a-key-of-more-than-sixteen-characters
mindbox:
  - {name: clinic, url: %q, endpoint: clinic.Website, secret: mindbox-secret, timeout: 2s}
keep: {disk: 1GB}
links:
  - id: calls
    from: clinic
    event: call.ended
    to: clinic
    operation: CallTouch
    body: {customer.mobilePhone: "${phone(callerphone)}", customerAction.customFields.callId: "${id}"}
`

// world is an installation on a cluster.
type world struct {
	*cluster
	ingest string
	far    *mindboxtest.Server

	mu       sync.Mutex
	ids      map[string]map[string]bool // transaction ids that came, by call
	arrivals []time.Time                // of each call, the first time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{cluster: newCluster(t), ids: map[string]map[string]bool{}}
	w.far = mindboxtest.New(mindboxtest.Config{Script: w.note})
	server := httptest.NewServer(w.far)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "touchbox.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, server.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	ingestAdmin, workerAdmin := ports.Free(t), ports.Free(t)
	w.ingest = ports.Free(t)
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TOUCHBOX_CONFIG=" + file, "NATS_URL=" + w.url(),
		"TOUCHBOX_REPLICAS=3", "INGEST_ADDR=" + w.ingest, "INGEST_ADMIN_ADDR=" + ingestAdmin, "WORKER_ADMIN_ADDR=" + workerAdmin,
	}
	waittest.Eventually(t, "three servers are a cluster", func() bool { return w.whole() && w.met() })
	run(t, env, "ingest")
	run(t, env, "worker")
	for _, admin := range []string{ingestAdmin, workerAdmin} {
		waittest.Eventually(t, admin+" is ready", func() bool { code, _ := get("http://" + admin + "/readyz"); return code == http.StatusOK })
	}
	waittest.Eventually(t, "the cluster is whole", w.whole)
	return w
}

// run starts a program; it ends with the test.
func run(t *testing.T, env []string, name string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(filepath.Join(binaries, name))
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			text := out.String()
			t.Logf("output of %s:\n%s", name, text[max(0, len(text)-4000):])
		}
	})
}

// note remembers what reaches Mindbox.
func (w *world) note(r mindboxtest.Request) *mindboxtest.Reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ids[r.CallID] == nil {
		w.ids[r.CallID] = map[string]bool{}
		w.arrivals = append(w.arrivals, time.Now())
	}
	w.ids[r.CallID][r.TransactionID] = true
	return nil
}

// load is a stream of hooks, one every 50 ms, and what became of them.
type load struct {
	w    *world
	wait sync.WaitGroup

	mu       sync.Mutex
	accepted map[string]bool
	refused  int
	slowest  time.Duration
}

func (w *world) load(ctx context.Context) *load {
	l := &load{w: w, accepted: map[string]bool{}}
	l.wait.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for id := 1000; ctx.Err() == nil; id++ {
			l.wait.Go(func() { l.hook(fmt.Sprint(id)) })
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return l
}

func (l *load) hook(id string) {
	form := url.Values{
		"leadtype": {"call"}, "callphase": {"calldisconnected"}, "id": {id}, "callerphone": {"7999" + id + "233"},
		"timestamp": {fmt.Sprint(time.Now().Unix())}, "duration": {"40"}, "siteId": {"10001"},
	}
	client := http.Client{Timeout: 20 * time.Second}
	began := time.Now()
	answer, err := client.PostForm("http://"+l.w.ingest+"/calltouch/10001/a-key-of-more-than-sixteen-characters", form)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slowest = max(l.slowest, time.Since(began))
	if err == nil && answer.StatusCode == http.StatusOK {
		l.accepted[id] = true
	} else {
		l.refused++
	}
	if err == nil {
		_ = answer.Body.Close()
	}
}

// missing are accepted calls that have not reached Mindbox.
func (l *load) missing() (missing []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	for id := range l.accepted {
		if len(l.w.ids[id]) == 0 {
			missing = append(missing, id)
		}
	}
	return missing
}

// TestClusterLosesNothing: a leader is killed, one stands still, one is cut off from the others, all
// are restarted one by one; hooks come all the time. What was answered 200 takes effect once.
func TestClusterLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute, three servers and two processes")
	}
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := w.load(ctx)
	const events = "TOUCHBOX_EVENTS"
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.state())
		}
	})
	disturb := func(what string, do func()) {
		before := time.Now()
		do()
		waittest.Eventually(t, "the cluster is whole after: "+what, w.whole)
		waittest.Eventually(t, "hooks are delivered after: "+what, func() bool { return w.arrivedAfter(time.Now().Add(-time.Second)) })
		t.Logf("%s: whole after %.1fs, longest silence %.1fs", what, time.Since(before).Seconds(), w.silence(before).Seconds())
	}
	disturb("leader killed", func() {
		n := w.leader(events)
		n.stop(syscall.SIGKILL)
		waittest.Eventually(t, "another one leads", func() bool { return w.leader(events) != n })
		w.start(n)
	})
	disturb("leader paused", func() {
		n := w.leader(events)
		n.signal(syscall.SIGSTOP)
		defer n.signal(syscall.SIGCONT)
		waittest.Eventually(t, "another one leads", func() bool { return w.leader(events) != n })
		time.Sleep(2 * time.Second)
	})
	disturb("leader cut off", func() {
		n := w.leader(events)
		w.cut(n, true)
		defer w.cut(n, false)
		waittest.Eventually(t, "another one leads", func() bool { return w.leaderBy(events, func(by *node) bool { return by != n }) != n })
		time.Sleep(6 * time.Second)
	})
	disturb("rolling restart", func() {
		for _, n := range w.nodes {
			n.stop(syscall.SIGTERM)
			w.start(n)
			waittest.Eventually(t, n.name+" is back", n.healthy)
		}
	})
	cancel()
	l.wait.Wait()
	waittest.Eventually(t, "all that was accepted is delivered", func() bool { return len(l.missing()) == 0 })
	l.report(t)
}

func (w *world) arrivedAfter(at time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.arrivals) > 0 && w.arrivals[len(w.arrivals)-1].After(at)
}

// silence is the longest time without a delivery since then.
func (w *world) silence(since time.Time) (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := since
	for _, at := range w.arrivals {
		if at.After(since) {
			longest, last = max(longest, at.Sub(last)), at
		}
	}
	return max(longest, time.Since(last))
}

// report says how it went, and fails where something was lost, took effect twice, or most hooks were
// refused. How many are depends on how soon a busy machine elects: Calltouch brings them again.
func (l *load) report(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	twice := 0
	l.w.mu.Lock()
	for _, ids := range l.w.ids {
		if len(ids) > 1 {
			twice++
		}
	}
	l.w.mu.Unlock()
	for id, n := range l.executions() {
		if n > 1 {
			t.Errorf("call %s took effect %d times", id, n)
		}
	}
	t.Logf("%d hooks accepted, %d refused, slowest answer %.1fs, 0 lost, %d under two ids", len(l.accepted), l.refused, l.slowest.Seconds(), twice)
	if twice > 0 || l.refused > len(l.accepted)/2 {
		t.Errorf("%d under two ids, %d refused of %d", twice, l.refused, len(l.accepted)+l.refused)
	}
}

func (l *load) executions() map[string]int {
	times := map[string]int{}
	for _, e := range l.w.far.Executed(mindboxtest.Query{}) {
		times[e.CallID]++
	}
	return times
}
