package bridge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

func TestCallArrivesOnceThroughKills(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes are killed and started again")
	s := newStack(t)
	box := s.startMindbox()
	up := s.up()
	if code := s.hook("148071"); code != http.StatusOK {
		t.Fatalf("hook answered %d", code)
	}
	up.kill()
	up = s.up()
	for range 2 {
		if code := s.hook("148071"); code != http.StatusOK {
			t.Fatalf("repeated hook answered %d", code)
		}
	}
	eventually(t, 20*time.Second, "call executed", func() bool { return len(s.executed("148071")) == 1 })

	// With Mindbox gone the call waits, through another kill, and arrives when Mindbox is back.
	box.kill()
	if code := s.hook("148072"); code != http.StatusOK {
		t.Fatalf("hook answered %d", code)
	}
	eventually(t, 20*time.Second, "first attempt failed", func() bool { return strings.Contains(up.out.String(), "148072") })
	up.kill()
	s.startMindbox()
	s.up()
	eventually(t, 40*time.Second, "waiting call executed", func() bool { return len(s.executed("148072")) == 1 })
	if got := s.executed("148071"); len(got) != 0 {
		t.Errorf("a fresh Mindbox was sent a call that had been delivered: %v", got)
	}
	operation := s.executed("148072")[0]
	if operation["operation"] != "CallTouch" {
		t.Errorf("operation = %v, want CallTouch", operation["operation"])
	}
}

func TestStaticCallHasNoDevice(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.startMindbox()
	s.up()
	s.hook("7", "attrs", "{}", "sessionId", "null")
	eventually(t, 20*time.Second, "call executed", func() bool { return len(s.executed("7")) == 1 })
	operation, _ := json.Marshal(s.executed("7")[0])
	if !strings.Contains(string(operation), "CallTouchStatic") || strings.Contains(string(operation), "0f8fad5b") {
		t.Errorf("static call was executed as %s", operation)
	}
}

func TestSIGTERMFinishesWhatIsInHand(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 10)
	box := newMindbox(t, mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply {
		arrived <- struct{}{}
		return &mindboxtest.Reply{Execute: true, Body: `{"status":"Success"}`, Delay: 2 * time.Second}
	}})
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", box.url))
	up := s.up()
	s.hook("11")
	select {
	case <-arrived: // and answered after 2 s
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was sent")
	}
	time.AfterFunc(500*time.Millisecond, func() { _ = up.cmd.Process.Signal(syscall.SIGHUP) }) // a terminal that is closed behind Ctrl-C
	if code := up.terminate(t, 25*time.Second); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	s.up()
	s.hook("12")
	eventually(t, 20*time.Second, "next call executed", func() bool { return box.times("12") == 1 })
	eventually(t, 20*time.Second, "the links are idle", func() bool { return s.idle("dynamic", "static") })
	if n := len(box.transactions("11")); n != 1 || box.times("11") != 1 {
		t.Errorf("the call in hand was executed %d times", box.times("11"))
	}
	if n := box.Stats().Requests; n != 2 {
		t.Errorf("Mindbox got %d requests, want 2: the finished one was not acknowledged", n)
	}
}

// arrivals counts every request to the simulated Mindbox.
func arrivals(t *testing.T, s *stack) int {
	t.Helper()
	_, body := get("http://" + s.mindbox + "/stats")
	var stats struct {
		Requests int `json:"requests"`
	}
	if err := json.Unmarshal([]byte(body), &stats); err != nil {
		t.Fatal(err)
	}
	return stats.Requests
}

func TestSecondUpIsRefused(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.up()
	env := append([]string{}, s.env...)
	for i := range env {
		if strings.Contains(env[i], "_ADDR=") {
			env[i] = env[i][:strings.Index(env[i], "=")+1] + ports.Free(t)
		}
	}
	_, stderr, code := run(t, env, "", "touchbox", "up")
	if code != 1 || !strings.Contains(stderr, "data") {
		t.Errorf("exit code %d, %q; want 1 and the store named", code, stderr)
	}
}

func TestUpWithExternalServerIsAMistake(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	_, stderr, code := run(t, append(s.env, "NATS_URL=nats://127.0.0.1:1"), "", "touchbox", "up")
	if code != 2 || !strings.Contains(stderr, "NATS_URL") {
		t.Errorf("exit code %d, %q; want 2 and NATS_URL named", code, stderr)
	}
}

func TestBrokenConfigReportsEveryPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "touchbox.yaml")
	broken := strings.NewReplacer(
		"site: 10001", "site: 010001", // leading zero
		"event: call.ended\n    when: filled", "event: call.endet\n    when: filled", // unknown kind
		"filled(deviceUUID)\n    to: clinic\n    operation: CallTouch\n", "filled(deviceUID)\n    to: clinic\n    operation: CallTouch\n", // unknown name
		"endpoint: clinic.Website", "endpiont: clinic.Website", // misspelt key
		"to: clinic\n    operation: CallTouchStatic", "to: klinik\n    operation: CallTouchStatic", // unknown destination
	).Replace(configTemplate)
	if err := os.WriteFile(config, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"check", "up"} {
		_, stderr, code := run(t, []string{"TOUCHBOX_CONFIG=" + config, "TOUCHBOX_DATA=" + dir}, "", "touchbox", command)
		if code != 2 {
			t.Errorf("touchbox %s: exit code %d, want 2", command, code)
		}
		places := map[string]bool{}
		for _, line := range strings.Split(stderr, "\n") {
			if place := regexp.MustCompile(`touchbox\.yaml:\d+:\d+:`).FindString(line); place != "" {
				places[place] = true
			}
		}
		if len(places) < 5 {
			t.Errorf("touchbox %s: %d places, want at least 5:\n%s", command, len(places), stderr)
		}
	}
}

func TestDemoSumsAgree(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the demonstration runs for a while")
	stdout, stderr, code := run(t, []string{"TMPDIR=" + t.TempDir()}, "", "touchbox", "demo", "--for", "8s", "--json")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	var sums struct {
		Received, Stored, Repeated, Aside int
		Links                             map[string]struct{ Taken, Delivered, Filtered, Undeliverable, Waiting, Dead int }
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sums); err != nil {
		t.Fatalf("%v: %s", err, lines[len(lines)-1])
	}
	if sums.Received == 0 || sums.Received != sums.Stored+sums.Repeated+sums.Aside {
		t.Errorf("received %d, stored %d + repeated %d + aside %d", sums.Received, sums.Stored, sums.Repeated, sums.Aside)
	}
	if len(sums.Links) == 0 {
		t.Error("no links in the table")
	}
	for id, l := range sums.Links {
		if l.Taken != l.Delivered+l.Filtered+l.Undeliverable+l.Waiting+l.Dead {
			t.Errorf("link %s: %+v do not add up", id, l)
		}
	}
}

func TestSeparateProcessesRecoverFromKills(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes are killed and started again")
	s := newStack(t)
	s.startMindbox()
	natsAddr, store := ports.Free(t), filepath.Join(s.dir, "jetstream")
	conf := filepath.Join(s.dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, sync_interval: always }\n", natsAddr, store)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append([]string{"NATS_URL=nats://" + natsAddr}, s.env...)
	server := start(t, nil, "nats-server", "-c", conf)
	ingest := start(t, env, "ingest")
	worker := start(t, env, "worker")
	ready := func() {
		eventually(t, 30*time.Second, "ingest is ready", answers(s.admin("INGEST")+"/readyz"))
		eventually(t, 30*time.Second, "worker is ready", answers(s.admin("WORKER")+"/readyz"))
	}
	ready()
	if code := s.hook("148071"); code != http.StatusOK {
		t.Fatalf("hook answered %d", code)
	}
	server.kill()
	if code := s.hook("148072"); code != http.StatusServiceUnavailable {
		t.Errorf("hook without a server answered %d, want 503", code)
	}
	if code, text := get(s.admin("INGEST") + "/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("/readyz without a server: %d %s", code, text)
	}
	worker.kill()
	start(t, nil, "nats-server", "-c", conf)
	eventually(t, 30*time.Second, "ingest takes hooks again", func() bool { return s.hook("148072") == http.StatusOK })
	ingest.kill()
	start(t, env, "ingest")
	start(t, env, "worker")
	ready()
	s.hook("148071")
	for _, id := range []string{"148071", "148072"} {
		eventually(t, 40*time.Second, "call "+id+" executed", func() bool { return len(s.executed(id)) == 1 })
	}
}

// What Calltouch was told is stored, is, also when ingest and the server are killed while they store many hooks
// at once: each hook is sent again until that is said, and each call takes effect once.
func TestKillsWhileManyHooksCome(t *testing.T) {
	waittest.Slow(t, "processes are killed and started again")
	t.Parallel()
	const hooks, senders = 3000, 64
	x := newExternal(t)
	server, ingest := x.nats(), start(t, x.env, "ingest")
	eventually(t, 30*time.Second, "ingest is ready", answers(x.admin("INGEST")+"/readyz"))
	var next, stored atomic.Int64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for id := next.Add(1); id <= hooks; id = next.Add(1) {
				for x.hook(fmt.Sprint(2*id)) != http.StatusOK {
					time.Sleep(20 * time.Millisecond)
				}
				stored.Add(1)
			}
		})
	}
	for i := range 4 {
		eventually(t, 60*time.Second, "some more are stored", func() bool { return stored.Load() > int64(i+1)*hooks/5 })
		if i%2 == 0 {
			server.kill()
			server = x.nats()
		} else {
			ingest.kill()
			ingest = start(t, x.env, "ingest")
		}
	}
	all.Wait()
	x.worker(x.config)
	for id := 2; id <= 2*hooks; id += 2 {
		x.executes(id, id+1)
	}
}

func TestReplayBesideRunningUp(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes and commands beside each other")
	s := newStack(t)
	box := s.startMindbox("--p400", "100")
	s.up()
	s.hook("21")
	eventually(t, 20*time.Second, "call buried", func() bool {
		_, metrics := get(s.admin("WORKER") + "/metrics")
		return strings.Contains(metrics, `touchbox_outcomes_total{link="dynamic",outcome="dead"} 1`)
	})
	box.kill()
	s.startMindbox()
	stdout, stderr, code := run(t, s.env, "", "touchbox", "replay", "--link", "dynamic", "--yes")
	if code != 0 {
		t.Fatalf("replay: exit code %d: %s%s", code, stdout, stderr)
	}
	eventually(t, 20*time.Second, "replayed call executed", func() bool { return len(s.executed("21")) == 1 })
	stdout, stderr, code = run(t, s.env, "", "touchbox", "replay", "--link", "dynamic", "--yes")
	if code != 0 {
		t.Errorf("nothing left to replay: exit code %d: %s%s", code, stdout, stderr)
	}
}

func TestNoPersonalDataLeaks(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.startMindbox("--p400", "30", "--p500", "30")
	s.env = append(s.env, "LOG_LEVEL=debug")
	up := s.up()
	const phone, name, token = "79035557788", "Маркова-Секретная", "tokenmarker123"
	for i := range 12 {
		s.hook(fmt.Sprint(100+i), "callerphone", phone, "fio", name, "reclink", "https://x.example/?jwtkey="+token, "url", "https://clinic.example/?secret="+token)
	}
	get("http://" + s.ingest + "/calltouch/10001/wrong" + token)
	eventually(t, 20*time.Second, "all calls tried", func() bool { return arrivals(t, s) >= 12 })
	_, ingestMetrics := get(s.admin("INGEST") + "/metrics")
	_, workerMetrics := get(s.admin("WORKER") + "/metrics")
	for where, text := range map[string]string{"log": up.out.String(), "ingest metrics": ingestMetrics, "worker metrics": workerMetrics} {
		for _, marker := range []string{phone, phone[1:], name, token, "secret-key-of-the-test", "mindbox-secret"} {
			if strings.Contains(text, marker) {
				t.Errorf("%s holds %q", where, marker)
			}
		}
	}
}
