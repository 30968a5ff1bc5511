package containers_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	tc "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

// What `touchbox up` has stored moves into the containers of NATS, ingest and worker, and from there into another `touchbox up`:
// a call that was delivered before each move is known after it, and Mindbox executes it once.
func TestStoreMovesIntoContainersAndBack(t *testing.T) {
	needImages(t, "nats", "ingest", "worker", "touchbox")
	net, err := network.New(t.Context(), network.WithLabels(labels()))
	tc.CleanupNetwork(t, net)
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("../../deploy/demo")
	if err != nil {
		t.Fatal(err)
	}
	folder := func() string {
		dir := t.TempDir()
		for _, d := range []string{filepath.Dir(dir), dir} {
			if err := os.Chmod(d, 0o777); err != nil { // for the containers' user
				t.Fatal(err)
			}
		}
		return dir
	}
	copies := folder()
	binds := []string{config + ":/etc/touchbox:ro", copies + ":/copies"}
	alias := func(name string) tc.CustomizeRequestOption { return network.WithNetwork([]string{name}, net) }

	mindbox := start(t, "touchbox", alias("mindbox"), hardened(), healthy("9090/tcp", "/stats"), tc.WithCmd("simulate", "mindbox", "--addr", ":9090"))
	b := bridge{mindbox: base(t, mindbox, "9090/tcp")}
	// What containers write into folders of the test goes with it: root removes anybody's files, others their own.
	owner := tc.WithConfigModifier(func(c *container.Config) {
		if uid := os.Getuid(); uid != 0 {
			c.User = fmt.Sprintf("%d:%d", uid, os.Getgid())
		}
	})
	up := func(data string) *tc.DockerContainer {
		c := start(t, "touchbox", alias("up"), owner, hardened(append(binds, data+":/data")...), tc.WithExposedPorts("8080/tcp"), tc.WithCmd("up"),
			tc.WithWaitStrategy(wait.ForHTTP("/").WithPort("8080/tcp").WithStatusCodeMatcher(func(int) bool { return true }).WithStartupTimeout(patience)))
		b.ingest = base(t, c, "8080/tcp")
		return c
	}
	// tool runs a command of the operator's until its end.
	tool := func(more []string, options []tc.ContainerCustomizer, args ...string) string {
		t.Helper()
		c := start(t, "touchbox", append(options, owner, hardened(append(binds, more...)...), tc.WithCmd(args...),
			tc.WithWaitStrategy(wait.ForExit().WithExitTimeout(patience)))...)
		out := logOf(t, c)
		if state, err := c.State(t.Context()); err != nil || state.ExitCode != 0 {
			t.Fatalf("touchbox %s: %v, exit code %d\n%s", strings.Join(args, " "), err, state.ExitCode, out)
		}
		return out
	}
	taken := func(id string) {
		t.Helper()
		if status, _ := b.hook(t, id); status != http.StatusOK {
			t.Fatalf("the hook of call %s is answered %d", id, status)
		}
		b.awaitExecuted(t, id)
	}
	stopped := func(c *tc.DockerContainer) {
		t.Helper()
		if err := c.Stop(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}

	first := folder()
	one := up(first)
	taken("1")
	stopped(one)
	tool([]string{first + ":/data"}, nil, "backup", "/copies/move")

	nats := start(t, "nats", alias("nats"), hardened(), withVolume("/data"), passwords(), tc.WithWaitStrategy(wait.ForHealthCheck().WithStartupTimeout(patience)))
	inside := []tc.ContainerCustomizer{alias("tool"), user("operator")}
	tool(nil, inside, "restore", "/copies/move")
	conf := hardened(binds...)
	worker := start(t, "worker", alias("worker"), conf, user("worker"), healthy("8082/tcp", "/readyz"))
	ingest := start(t, "ingest", alias("ingest"), conf, user("ingest"), healthy("8081/tcp", "/readyz"), tc.WithExposedPorts("8080/tcp"))
	b.ingest = base(t, ingest, "8080/tcp")
	if out := tool(nil, inside, "event", "1"); !strings.Contains(out, "delivered") {
		t.Errorf("after the move into containers nobody knows of call 1:\n%s", out)
	}
	taken("1") // a repeat
	taken("2")
	stopped(ingest)
	stopped(worker)
	tool(nil, inside, "backup", "/copies/back")
	stopped(nats)

	second := folder()
	tool([]string{second + ":/data"}, nil, "restore", "/copies/back")
	up(second)
	taken("1")
	taken("2")
	taken("3")
	for _, id := range []string{"1", "2", "3"} {
		if n := len(b.executed(t, id)); n != 1 {
			t.Errorf("call %s was executed %d times, want once", id, n)
		}
	}
}

// logOf is what a container has printed.
func logOf(t *testing.T, c *tc.DockerContainer) string {
	t.Helper()
	logs, err := c.Logs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = logs.Close() }()
	text, err := io.ReadAll(logs)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
