// Package earlier_test runs the present version on a store that an earlier version has written: nothing is lost, and the commands say
// the same of it. testdata holds that store and what the earlier version's own binaries said of it; README.md says how the next one is
// made when a stored format changes.
package earlier_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// earlier is set to make the store anew, instead of testing with it.
var earlier = flag.String("make", "", "make testdata anew with the binaries in this `folder`, those of the earlier version")

// present is the touchbox of the present version.
var present string

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() || *earlier != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "touchbox-earlier")
	if err != nil {
		panic(err)
	}
	present = filepath.Join(dir, "touchbox")
	if out, err := exec.Command("go", "build", "-o", present, "../../cmd/touchbox").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// installation is a folder with touchbox.yaml and the store, and the binary that works on it. All paths that the binary is given are
// relative: they stand in its output.
type installation struct {
	t      *testing.T
	dir    string
	binary string
	env    []string // besides environment
}

// environment is the whole of what each process is given: the same everywhere, so that the output is.
var environment = []string{
	"PATH=" + os.Getenv("PATH"), "HOME=/", "TMPDIR=" + os.TempDir(), "LANG=C.UTF-8", "TZ=UTC", "TOUCHBOX_CONFIG=touchbox.yaml", "TOUCHBOX_DATA=data",
}

func (i *installation) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, i.binary, args...)
	cmd.Dir, cmd.Env = i.dir, append(append([]string{}, environment...), i.env...)
	return cmd
}

// said is what a command said.
type said struct {
	out, errs string
	code      int
}

// run runs a command to its end.
func (i *installation) run(args ...string) said {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := i.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			i.t.Fatalf("touchbox %v: %v\n%s", args, err, errs.String())
		}
	}
	return said{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

// must runs a command that has to end well.
func (i *installation) must(args ...string) said {
	i.t.Helper()
	s := i.run(args...)
	if s.code != 0 {
		i.t.Fatalf("touchbox %v ended with %d:\n%s%s", args, s.code, s.out, s.errs)
	}
	return s
}

// bridge is a running `touchbox up`.
type bridge struct {
	cmd  *exec.Cmd
	log  *logs
	done chan struct{}
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// up starts the bridge and waits until commands reach it.
func (i *installation) up() *bridge {
	i.t.Helper()
	b := &bridge{log: &logs{}, done: make(chan struct{})}
	b.cmd = i.command(context.WithoutCancel(i.t.Context()), "up")
	b.cmd.Stdout, b.cmd.Stderr = b.log, b.log
	if err := b.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	go func() { _ = b.cmd.Wait(); close(b.done) }()
	i.t.Cleanup(func() {
		b.kill()
		if i.t.Failed() {
			i.t.Logf("the log of the bridge:\n%s", b.log)
		}
	})
	eventually(i.t, "the bridge is up", func() bool { return i.run("links", "--fast").code == 0 })
	return b
}

func (b *bridge) kill() {
	_ = b.cmd.Process.Kill()
	<-b.done
}

// stop ends the bridge as a person would.
func (b *bridge) stop(t *testing.T) {
	t.Helper()
	_ = b.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-b.done:
	case <-time.After(time.Minute):
		t.Fatal("the bridge does not stop")
	}
	if code := b.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("the bridge ended with %d", code)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
