package queuetest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// dirVariable tells a copy of the test's binary to be a server.
const dirVariable = "TOUCHBOX_QUEUETEST_DIR"

// Main runs a package's tests, or is the server of one of them. A package that uses Spawn calls it
// from its TestMain, and so does one whose tests wait for the server most of their time. What is to be done after the tests
// comes last.
func Main(m *testing.M, after ...func()) {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		waittest.Overlap()
		code := m.Run()
		for _, f := range after {
			f()
		}
		os.Exit(code)
	}
	s, err := embedded.Start(embedded.Config{Dir: dir, MaxStore: 2 * disk, Socket: true, Log: zerolog.New(os.Stderr).Level(zerolog.WarnLevel)})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
	s.Stop()
	os.Exit(0)
}

// Process is a server in a process of its own.
type Process struct {
	Dir string // of its store

	t   testing.TB
	cmd *exec.Cmd
	in  io.Closer
}

// Spawn starts a server with a fresh store in a process of its own; it ends with the test.
func Spawn(t testing.TB) *Process {
	t.Helper()
	dir, err := os.MkdirTemp("", "tbq") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{Dir: dir, t: t}
	t.Cleanup(func() {
		p.Kill()
		_ = os.RemoveAll(dir)
	})
	p.Start()
	return p
}

// Start starts it again after Kill, and returns when it is ready.
func (p *Process) Start() {
	p.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd = exec.Command(exe)
	p.cmd.Env = append(os.Environ(), dirVariable+"="+p.Dir)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ready := make(chan error, 1)
	go func() {
		var word string
		_, err := fmt.Fscan(out, &word)
		ready <- err
	}()
	select {
	case err := <-ready:
		if err != nil {
			p.t.Fatalf("the server's process: %v", err)
		}
	case <-time.After(openTimeout):
		p.t.Fatal("the server's process is not ready in time")
	}
}

// Freeze lets it stand still until the returned function is called: it answers nobody, and no connection ends.
func (p *Process) Freeze() (thaw func()) {
	p.t.Helper()
	send := func(s os.Signal) {
		if err := p.cmd.Process.Signal(s); err != nil {
			p.t.Error(err)
		}
	}
	send(syscall.SIGSTOP)
	return func() { send(syscall.SIGCONT) }
}

// Kill ends it with SIGKILL, as it is.
func (p *Process) Kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = p.in.Close()
	p.cmd = nil
}

// CPU is what the running process has used so far, of user and system, to a hundredth of a second; 0 where /proc does
// not say it.
func (p *Process) CPU() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	var ticks time.Duration
	for _, field := range strings.Fields(rest)[11:13] { // utime and stime, fields 14 and 15 of proc(5)
		n, _ := strconv.Atoi(field)
		ticks += time.Duration(n)
	}
	return ticks * 10 * time.Millisecond
}

// Open opens and provisions a queue on it; it is closed with the test.
func (p *Process) Open(o queue.Options) *queue.Queue {
	p.t.Helper()
	o.Socket, o.SyncKnown = embedded.Socket(p.Dir), true
	return open(p.t, o)
}
