package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func start(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	if c.MaxStore == 0 {
		c.MaxStore = 100_000_000
	}
	c.Log = zerolog.Nop()
	s, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func open(t *testing.T, o queue.Options) *queue.Queue {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if o.Limits.Disk == 0 {
		o.Limits.Disk = 10_000_000
	}
	q, err := queue.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if err := q.Provision(ctx); err != nil {
		t.Fatal(err)
	}
	return q
}

func call(id int, body []byte) event.Event {
	key, err := event.NewKey("10001", event.CallEnded, fmt.Sprint(id))
	if err != nil {
		panic(err)
	}
	return event.Event{Key: key, Origin: event.Webhook, Body: body, Received: time.Now()}
}

func TestStoreIsLocked(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	if _, err := embedded.Start(embedded.Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process uses it") {
		t.Errorf("a second server on one store: %v", err)
	}
	if err := s.Health(); err != nil {
		t.Errorf("health: %v", err)
	}
	s.Stop()
	if s.Health() == nil {
		t.Error("stopped and well")
	}
	start(t, embedded.Config{Dir: dir}) // the lock is free again
}

func TestSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "tbe")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := embedded.Socket(dir)
	if err := os.WriteFile(path, nil, 0o600); err != nil { // left over from a killed process
		t.Fatal(err)
	}
	s := start(t, embedded.Config{Dir: dir, Socket: true})
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Mode().Type() != os.ModeSocket {
		t.Fatalf("socket: %v, %v", info, err)
	}
	q := open(t, queue.Options{Connection: queue.Connection{Socket: path}})
	if _, err := q.Publish(t.Context(), call(1, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "the client is back", func() bool { return q.Ready(t.Context()) == nil })
	if _, err := q.GetEvent(t.Context(), call(1, nil).Key); err != nil {
		t.Errorf("lost: %v", err)
	}
	s.Stop()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket stays: %v", err)
	}
}

func TestSocketPathThatIsTooLong(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	_, err := embedded.Start(embedded.Config{Dir: dir, Socket: true, MaxStore: 100_000_000})
	if err == nil || !strings.Contains(err.Error(), "shorter path") {
		t.Fatalf("got %v", err)
	}
	t.Chdir(dir) // from inside the path is short
	start(t, embedded.Config{Dir: dir, Socket: true})
}

func TestDiskThatIsSmallerThanTheStore(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		max  int64
		want bool
	}{{"larger than any disk", 1 << 60, true}, {"a small one", 100_000_000, false}} {
		t.Run(tt.name, func(t *testing.T) {
			log.Reset()
			s, err := embedded.Start(embedded.Config{Dir: dir, MaxStore: tt.max, Log: zerolog.New(zerolog.SyncWriter(&log))})
			if err != nil {
				t.Fatal(err)
			}
			s.Stop()
			for _, figure := range []string{`"free_bytes":`, `"used_bytes":`, fmt.Sprintf(`"max_bytes":%d`, tt.max)} {
				if got := strings.Contains(log.String(), figure); got != tt.want {
					t.Errorf("the log says %s: %v\n%s", figure, got, log.String())
				}
			}
		})
	}
}

func TestStartOnAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Start(embedded.Config{Dir: path}); err == nil {
		t.Error("started on a file")
	}
}

// A full disk stops JetStream for good: no publish is answered, also when there is space again.
// Health and Ready tell, and a restart in place heals it, with everything that was acknowledged.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	s := start(t, embedded.Config{Dir: dir})
	q := open(t, queue.Options{Connection: queue.Connection{InProcess: s.Conn}, Limits: queue.Limits{Disk: 50_000_000}})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 12_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	body, stored := make([]byte, 200_000), 0
	for ; ; stored++ {
		if stored > 200 {
			t.Fatal("the disk does not fill up")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		_, err := q.Publish(ctx, call(stored, body))
		cancel()
		if err != nil {
			break
		}
	}
	if err := s.Health(); err == nil {
		t.Error("health says nothing of the full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := q.Publish(ctx, call(stored, body)); err == nil {
		t.Fatal("it healed by itself: then a restart is not needed")
	}
	if err := q.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("ready: %v", err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	waittest.Eventually(t, "ready", func() bool { return q.Ready(t.Context()) == nil })
	if err := s.Health(); err != nil {
		t.Errorf("health after the restart: %v", err)
	}
	if _, err := q.Publish(t.Context(), call(stored, body)); err != nil {
		t.Errorf("publish after the restart: %v", err)
	}
	for i := range stored {
		if _, err := q.GetEvent(t.Context(), call(i, nil).Key); err != nil {
			t.Errorf("event %d of %d was acknowledged and is lost: %v", i, stored, err)
		}
	}
}

// A store that a kill left behind, as a copy of its files while the server runs: what the server finds stale of it is
// one sentence, however many streams there are.
func TestAStoreThatWasKilledIsToldOfOnce(t *testing.T) {
	dir, killed := t.TempDir(), t.TempDir()
	session := func(first int) *embedded.Server {
		s := start(t, embedded.Config{Dir: dir})
		q := open(t, queue.Options{Connection: queue.Connection{InProcess: s.Conn}})
		for id := range 5 {
			if _, err := q.Publish(t.Context(), call(first+id, []byte("x"))); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := q.State().Put(t.Context(), "mark.test", first); err != nil {
			t.Fatal(err)
		}
		return s
	}
	session(1).Stop() // in order: it writes the indexes that the kill leaves behind
	session(100)
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s, err := embedded.Start(embedded.Config{Dir: killed, MaxStore: 100_000_000, Log: zerolog.New(zerolog.SyncWriter(&log)).Level(zerolog.InfoLevel)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	if n := strings.Count(log.String(), "was not closed in order"); n != 1 || strings.Contains(log.String(), "outdated") {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
	stored := open(t, queue.Options{Connection: queue.Connection{InProcess: s.Conn}})
	if _, err := stored.GetEvent(t.Context(), call(104, nil).Key); err != nil {
		t.Errorf("the last event: %v", err)
	}
}

// A store that is taken away is noticed, whole or in part, and one that comes back is well again. What the server itself
// makes and removes is no such thing.
func TestHealthFindsAStoreThatWasTakenAway(t *testing.T) {
	dir := t.TempDir()
	s := start(t, embedded.Config{Dir: dir})
	q := open(t, queue.Options{Connection: queue.Connection{InProcess: s.Conn}})
	well := func(when string) {
		t.Helper()
		for range 3 {
			if err := s.Health(); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
	}
	well("at first")
	if _, err := q.Publish(t.Context(), call(1, []byte("x"))); err != nil {
		t.Fatal(err)
	}
	well("in use")

	streams := filepath.Join(dir, "jetstream", "$G", "streams")
	for _, path := range []string{dir, streams, filepath.Join(streams, event.EventsStream)} {
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		if err := s.Health(); !errors.Is(err, embedded.ErrAstray) || errors.Is(err, embedded.ErrStalled) {
			t.Errorf("without %s: %v", path, err)
		}
		if err := os.MkdirAll(path, 0o700); err != nil { // as by a volume that is mounted over it
			t.Fatal(err)
		}
		if err := s.Health(); !errors.Is(err, embedded.ErrAstray) {
			t.Errorf("with another folder as %s: %v", path, err)
		}
		if err := errors.Join(os.RemoveAll(path), os.Rename(path+".away", path)); err != nil {
			t.Fatal(err)
		}
		well("with " + path + " again")
	}

	// The same folder under another number, as some file systems give one.
	events := filepath.Join(streams, event.EventsStream)
	if err := errors.Join(os.Rename(events, events+".away"), os.CopyFS(events, os.DirFS(events+".away"))); err != nil {
		t.Fatal(err)
	}
	well("with a folder that has another number")
	if err := errors.Join(os.RemoveAll(events), os.Rename(events+".away", events)); err != nil {
		t.Fatal(err)
	}

	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	well("after a restart")
	queuetest.Delete(t, s, event.EventsStream)
	well("without a stream that was deleted by its server")
	waittest.Eventually(t, "the stream is there anew", func() bool { return q.Provision(t.Context()) == nil })
	well("with a stream that was made anew")
}
