// Package bridge_test drives the built binaries as their users do: processes, signals, HTTP.
package bridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// binaries is the folder of the built programs.
var binaries string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "touchbox-bridge")
	if err != nil {
		panic(err)
	}
	binaries = dir
	build := exec.Command("go", "build", "-o", dir, "../../cmd/...", "github.com/nats-io/nats-server/v2")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	browser.Close()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// process is one running program of the project.
type process struct {
	name string
	cmd  *exec.Cmd
	out  *lockedBuffer
	done chan struct{}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a program; it is killed when the test ends, and its output shown if that failed.
func start(t testing.TB, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{name: name, cmd: exec.Command(filepath.Join(binaries, name), args...), out: &lockedBuffer{}, done: make(chan struct{})}
	p.cmd.Env = append(cleanEnvironment(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("output of %s %s:\n%s", name, strings.Join(args, " "), tail(p.out.String()))
		}
	})
	return p
}

func tail(s string) string {
	if len(s) > 6000 {
		return "..." + s[len(s)-6000:]
	}
	return s
}

// kill is kill -9: the program gets no chance to finish anything.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// terminate sends SIGTERM and returns the exit code.
func (p *process) terminate(t testing.TB, within time.Duration) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(within):
		t.Fatalf("%s did not stop within %s of SIGTERM", p.name, within)
	}
	return p.cmd.ProcessState.ExitCode()
}

// run runs a command to its end.
func run(t testing.TB, env []string, stdin string, name string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, name), args...)
	cmd.Env = append(cleanEnvironment(), env...)
	cmd.Stdin = strings.NewReader(stdin)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			t.Fatalf("%s %v: %v\n%s", name, args, err, e.String())
		}
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// cleanEnvironment is the caller's without what would configure Touchbox.
func cleanEnvironment() []string {
	keep := []string{"LANG=C.UTF-8"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
		keep = append(keep, name+"="+os.Getenv(name))
	}
	return keep
}

// ports begins at another place in each run of the tests, below the ports that the system gives to
// outgoing connections: one of those could take a port between its choice and its use.
var ports = func() *atomic.Int64 {
	var next atomic.Int64
	next.Store(rand.Int64N(portCount))
	return &next
}()

const (
	firstPort = 15_000
	portCount = 15_000
)

// address is one on which nobody listens, and which no other test is given.
func address(t testing.TB) string {
	t.Helper()
	for range portCount {
		a := fmt.Sprintf("127.0.0.1:%d", firstPort+ports.Add(1)%portCount)
		if l, err := net.Listen("tcp", a); err == nil {
			_ = l.Close()
			return a
		}
	}
	t.Fatal("no port is free")
	return ""
}

// busy is how many times longer everything may take on a machine with other work than on an idle one.
const busy = 3

// eventually waits until ok, and fails the test when it never is.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	within *= busy
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never came true within %s: %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// get returns the status and the body, status 0 when nobody answers.
func get(url string) (int, string) {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	body, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, string(body)
}

func answers(url string) func() bool {
	return func() bool { code, _ := get(url); return code == http.StatusOK }
}

// stack is one installation: `touchbox up` with a simulated Mindbox beside it.
type stack struct {
	t               testing.TB
	dir             string
	config          string // path of touchbox.yaml
	ingest, mindbox string // addresses
	env             []string
}

const configTemplate = `calltouch:
  - site: 10001
    name: clinic
    key: secret-key
    attrs: [mindboxDeviceUUID]
    device: mindboxDeviceUUID
mindbox:
  - name: clinic
    url: http://MINDBOX
    endpoint: clinic.Website
    secret: mindbox-secret
links:
  - id: dynamic
    from: clinic
    event: call.ended
    when: filled(deviceUUID)
    to: clinic
    operation: CallTouch
    deviceUUID: ${deviceUUID}
    body: &call
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id}
      executionDateTimeUtc: ${utc(time)}
  - id: static
    from: clinic
    event: call.ended
    when: not filled(deviceUUID)
    to: clinic
    operation: CallTouchStatic
    body: *call
`

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{t: t, dir: t.TempDir(), ingest: address(t), mindbox: address(t)}
	s.config = filepath.Join(s.dir, "touchbox.yaml")
	s.configure(strings.ReplaceAll(configTemplate, "MINDBOX", s.mindbox))
	s.env = []string{
		"TOUCHBOX_CONFIG=" + s.config, "TOUCHBOX_DATA=" + filepath.Join(s.dir, "data"), "INGEST_ADDR=" + s.ingest,
		"INGEST_ADMIN_ADDR=" + address(t), "WORKER_ADMIN_ADDR=" + address(t),
	}
	return s
}

// configure writes touchbox.yaml, in place.
func (s *stack) configure(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) admin(name string) string {
	for _, v := range s.env {
		if rest, ok := strings.CutPrefix(v, name+"_ADMIN_ADDR="); ok {
			return "http://" + rest
		}
	}
	s.t.Fatalf("no admin address of %s", name)
	return ""
}

func (s *stack) startMindbox(args ...string) *process {
	p := start(s.t, nil, "touchbox", append([]string{"simulate", "mindbox", "--addr", s.mindbox}, args...)...)
	eventually(s.t, 10*time.Second, "the simulated Mindbox answers", answers("http://"+s.mindbox+"/stats"))
	return p
}

func (s *stack) up() *process {
	p := start(s.t, s.env, "touchbox", "up")
	eventually(s.t, 20*time.Second, "ingest is ready", answers(s.admin("INGEST")+"/readyz"))
	eventually(s.t, 20*time.Second, "worker is ready", answers(s.admin("WORKER")+"/readyz"))
	return p
}

// hook posts an ended call and returns the answer's status, 0 when nobody answers.
func (s *stack) hook(id string, change ...string) int {
	form := url.Values{
		"leadtype": {"call"}, "callphase": {"calldisconnected"}, "id": {id}, "callerphone": {"79991112233"},
		"phonenumber": {"78121112233"}, "timestamp": {fmt.Sprint(time.Now().Unix())}, "duration": {"40"}, "waiting_time": {"2"},
		"status": {"successful"}, "siteId": {"10001"}, "sessionId": {"555001"}, "attrs": {`{"mindboxDeviceUUID":"0f8fad5b-d9cb-469f-a165-70867728950e"}`},
	}
	for i := 0; i+1 < len(change); i += 2 {
		form.Set(change[i], change[i+1])
	}
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.PostForm("http://"+s.ingest+"/calltouch/10001/secret-key", form)
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

// executed is what the simulated Mindbox says of one call.
func (s *stack) executed(id string) []map[string]any {
	code, body := get("http://" + s.mindbox + "/executed?callId=" + id)
	if code != http.StatusOK {
		return nil
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		s.t.Fatalf("/executed answered %s", body)
	}
	return list
}
