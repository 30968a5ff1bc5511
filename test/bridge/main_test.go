// Package bridge_test drives the built binaries as their users do: processes, signals, HTTP.
package bridge_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// binaries is the folder of the built programs.
var binaries string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "touchbox-bridge")
	if err != nil {
		panic(err)
	}
	binaries = dir
	build := exec.Command("go", "build", "-o", dir, "../../cmd/...")
	if flag.Parse(); !testing.Short() { // those that are not slow need no other server
		build.Args = append(build.Args, "github.com/nats-io/nats-server/v2")
	}
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	waittest.Overlap()
	code := m.Run()
	browser.Close()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// process is one running program of the project.
type process struct {
	name string
	cmd  *exec.Cmd
	out  *waittest.Buffer
	done chan struct{}
}

// start runs a program; it is killed when the test ends, and its output shown if that failed.
func start(t testing.TB, env []string, name string, args ...string) *process {
	t.Helper()
	return startAt(t, env, filepath.Join(binaries, name), args...)
}

// startAt is start for a program anywhere.
func startAt(t testing.TB, env []string, path string, args ...string) *process {
	t.Helper()
	name := filepath.Base(path)
	p := &process{name: name, cmd: exec.Command(path, args...), out: &waittest.Buffer{}, done: make(chan struct{})}
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

// busy is how many times longer everything may take on a machine with other work than on an idle one.
const busy = 3

// eventually waits until ok, and fails the test when it never is.
func eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	waittest.Within(t, within*busy, what, ok)
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
    key: secret-key-of-the-test
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
	s := &stack{t: t, dir: t.TempDir(), ingest: ports.Free(t), mindbox: ports.Free(t)}
	s.config = filepath.Join(s.dir, "touchbox.yaml")
	s.configure(strings.ReplaceAll(configTemplate, "MINDBOX", s.mindbox))
	s.env = []string{
		"TOUCHBOX_CONFIG=" + s.config, "TOUCHBOX_DATA=" + filepath.Join(s.dir, "data"), "INGEST_ADDR=" + s.ingest,
		"INGEST_ADMIN_ADDR=" + ports.Free(t), "WORKER_ADMIN_ADDR=" + ports.Free(t), "CONSOLE_ADDR=off",
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
	client := http.Client{Timeout: 30 * time.Second}
	answer, err := client.PostForm("http://"+s.ingest+"/calltouch/10001/secret-key-of-the-test", form)
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
