package bridge_test

import (
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// floodFiles is how many files the flooded process may have open, and floodConnections by how many
// connections it is flooded at once, over the webhooks' address and over the socket.
const (
	floodFiles       = "300"
	floodConnections = 400
)

// A process that is out of file descriptors for a while takes connections again afterwards, those of the
// other commands too.
func TestConnectionFlood(t *testing.T) {
	waittest.Slow(t, "strangers come for a while")
	s := newStack(t)
	s.startMindbox()
	up := startAt(t, s.env, "/bin/sh", "-c", "ulimit -n "+floodFiles+" && exec "+filepath.Join(binaries, "touchbox")+" up")
	eventually(t, 20*time.Second, "ingest is ready", answers(s.admin("INGEST")+"/readyz"))
	var held []net.Conn
	for _, at := range [][2]string{{"tcp", s.ingest}, {"unix", filepath.Join(s.dir, "data", "nats.sock")}} {
		for range floodConnections {
			c, err := net.DialTimeout(at[0], at[1], time.Second)
			if err != nil {
				break // the backlog of the listener is full, too
			}
			held = append(held, c)
		}
	}
	if len(held) < floodConnections {
		t.Fatalf("only %d connections were made", len(held))
	}
	eventually(t, 20*time.Second, "the socket has met the limit", func() bool { return strings.Contains(up.out.String(), "too many open files") })
	for _, c := range held {
		_ = c.Close()
	}
	eventually(t, 30*time.Second, "hooks are taken again", func() bool { return s.hook("1") == http.StatusOK })
	if out, errs, code := run(t, s.env, "", "touchbox", "links"); code != 0 || !strings.Contains(out, "dynamic") {
		t.Errorf("touchbox links ends with %d behind the flood\n%s%s", code, out, errs)
	}
	if code := up.terminate(t, 30*time.Second); code != 0 {
		t.Errorf("up ended with %d", code)
	}
}

// keep.disk from 10 GB to 1 GB, in small: the bridge starts, and what it kept is there.
func TestKeepDiskIsLowered(t *testing.T) {
	waittest.Slow(t, "a store fills")
	s := newStack(t)
	s.startMindbox()
	text := strings.ReplaceAll(configTemplate, "MINDBOX", s.mindbox)
	s.configure(text + "keep: {disk: 10GB}\n")
	up := s.up()
	if code := s.hook("1"); code != http.StatusOK {
		t.Fatalf("hook: %d", code)
	}
	if code := up.terminate(t, 30*time.Second); code != 0 {
		t.Errorf("up ended with %d", code)
	}
	s.configure(text + "keep: {disk: 1GB}\n")
	up = s.up()
	if code := s.hook("1"); code != http.StatusOK {
		t.Errorf("hook: %d", code)
	}
	eventually(t, 20*time.Second, "the log is bounded to 1 GB", func() bool {
		return metric(s.admin("WORKER"), `touchbox_stream_limit_bytes{stream="events"}`) == 1e9
	})
	if got := metric(s.admin("INGEST"), `touchbox_received_total{kind="call-ended",receipt="repeated",site="10001"}`); got != 1 {
		t.Errorf("the call is not known any more: repeated %v", got)
	}
	if code := up.terminate(t, 30*time.Second); code != 0 {
		t.Errorf("up ended with %d", code)
	}
}
