package bridge_test

import (
	"net"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// occupied is an address on which somebody listens.
func occupied(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// A process of which one part cannot start ends, with the error and its exit code: one that hangs is
// restarted by nobody.
func TestAPartThatCannotStartEndsTheProcess(t *testing.T) {
	waittest.Slow(t, "a second server")
	x := newExternal(t)
	x.nats()
	missing := filepath.Join(t.TempDir(), "missing.pem")
	tests := []struct {
		name    string
		command []string
		env     []string
		code    int
		says    string
	}{
		{"up, webhook address in use", []string{"touchbox", "up"}, []string{"INGEST_ADDR=" + occupied(t)}, 1, "address already in use"},
		{"up, ingest's admin address in use", []string{"touchbox", "up"}, []string{"INGEST_ADMIN_ADDR=" + occupied(t)}, 1, "address already in use"},
		{"up, worker's admin address in use", []string{"touchbox", "up"}, []string{"WORKER_ADMIN_ADDR=" + occupied(t)}, 1, "address already in use"},
		{"up, no certificate", []string{"touchbox", "up"}, []string{"INGEST_TLS_CERT=" + missing, "INGEST_TLS_KEY=" + missing}, 2, "missing.pem"},
		{"up, no address to call", []string{"touchbox", "up"}, []string{"ALERT_URL=hooks.example.com/SECRET"}, 2, "ALERT_URL"},
		{"ingest, webhook address in use", []string{"ingest"}, []string{"INGEST_ADDR=" + occupied(t)}, 1, "address already in use"},
		{"ingest, admin address in use", []string{"ingest"}, []string{"INGEST_ADMIN_ADDR=" + occupied(t)}, 1, "address already in use"},
		{"worker, admin address in use", []string{"worker"}, []string{"WORKER_ADMIN_ADDR=" + occupied(t)}, 1, "address already in use"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := x.env
			if tt.command[0] == "touchbox" {
				env = append(newStack(t).env, "TOUCHBOX_CONFIG="+x.config)
			}
			p := start(t, slices.Concat(env, tt.env), tt.command[0], tt.command[1:]...)
			select {
			case <-p.done:
			case <-time.After(busy * 30 * time.Second):
				t.Fatal("it hangs")
			}
			if code := p.cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(p.out.String(), tt.says) || strings.Contains(p.out.String(), "SECRET") {
				t.Errorf("exit code %d, want %d and %q", code, tt.code, tt.says)
			}
		})
	}
}

// A reload that the service manager asks for while the process still begins, here because its server is away, is no end of it.
func TestReloadDuringTheStart(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for _, name := range []string{"ingest", "worker"} {
		p := start(t, append(s.env, "NATS_URL=nats://"+ports.Free(t)), name)
		eventually(t, 20*time.Second, "it waits for its server", func() bool { return strings.Contains(p.out.String(), "NATS is not there yet") })
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.done:
			t.Errorf("%s has ended", name)
		case <-time.After(time.Second):
			if code := p.terminate(t, 25*time.Second); code != 0 {
				t.Errorf("%s was stopped, and exits with %d", name, code)
			}
		}
	}
}
