package bridge_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// diskSize is of the disk that is filled. JetStream's own files for six streams take some MB.
const diskSize = "48m"

// smallDisk mounts a small disk for a test. Only root may, where the system lets it.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+diskSize); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: the tests of a full disk need root and the right to mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill fills a disk but for a few calls, and returns what empties it again.
func fill(t *testing.T, dir string) (empty func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	size := int64(0)
	for block := make([]byte, 1<<20); len(block) > 0; {
		n, err := f.Write(block)
		size += int64(n)
		if err != nil {
			block = block[:len(block)/2]
		}
	}
	if err := f.Truncate(size - 200<<10); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// disk is a bridge whose disk fills, and the calls that it has acknowledged.
type disk struct {
	*stack
	t        *testing.T
	dir      string
	box      *mindbox
	next     int
	received []string
}

// call posts one more call, of a few kilobytes, and remembers it when it was acknowledged.
func (d *disk) call() int {
	d.t.Helper()
	d.next++
	id := fmt.Sprint(5000 + d.next)
	code := d.post("", "", url.Values{
		"callphase": {"calldisconnected"}, "id": {id}, "callerphone": {"79161230000"}, "url": {"https://clinic.example/" + strings.Repeat("x", 4000)},
	}.Encode())
	if code == http.StatusOK {
		d.received = append(d.received, id)
	}
	return code
}

// fillUp has calls come while the disk fills, until they are refused.
func (d *disk) fillUp() (empty func()) {
	d.t.Helper()
	for range 5 {
		if code := d.call(); code != http.StatusOK {
			d.t.Fatalf("a call before the disk is full answered %d", code)
		}
	}
	empty = fill(d.t, d.dir)
	eventually(d.t, 60*time.Second, "calls are refused", func() bool {
		code := d.call()
		if code != http.StatusOK && code != http.StatusServiceUnavailable {
			d.t.Fatalf("a call over a full disk answered %d", code)
		}
		return code == http.StatusServiceUnavailable
	})
	return empty
}

// goesOn waits until calls are taken again, and until all that were acknowledged are executed.
func (d *disk) goesOn() {
	d.t.Helper()
	before := len(d.received)
	eventually(d.t, 90*time.Second, "calls are taken again", func() bool { return d.call() == http.StatusOK })
	eventually(d.t, 30*time.Second, "ingest is ready", answers(d.admin("INGEST")+"/readyz"))
	eventually(d.t, 60*time.Second, "all that was acknowledged is executed", func() bool {
		for _, id := range d.received {
			if d.box.times(id) == 0 {
				return false
			}
		}
		return true
	})
	for id, times := range d.box.executions() {
		if times != 1 {
			d.t.Errorf("call %s was executed %d times", id, times)
		}
	}
	d.t.Logf("%d calls before, %d after", before, len(d.received)-before)
}

// readyz waits until the address says that it is not ready, in all of these words.
func (d *disk) readyz(words ...string) {
	d.t.Helper()
	var text string
	eventually(d.t, 30*time.Second, "/readyz says what to do", func() bool {
		var code int
		code, text = get(d.admin("INGEST") + "/readyz")
		if code != http.StatusServiceUnavailable {
			return false
		}
		for _, word := range words {
			if !strings.Contains(text, word) {
				return false
			}
		}
		return true
	})
	d.t.Log(strings.TrimSpace(text))
}

// refusesAtOnce waits until hooks are refused without a long wait, and `links` says why.
func (d *disk) refusesAtOnce() {
	d.t.Helper()
	eventually(d.t, 20*time.Second, "a hook is refused within two seconds, five times", func() bool {
		for range 5 {
			began := time.Now()
			if code := d.call(); code != http.StatusServiceUnavailable {
				d.t.Fatalf("a call over a full disk answered %d", code)
			}
			if time.Since(began) > 2*time.Second {
				return false
			}
		}
		return true
	})
	stdout, stderr, _ := run(d.t, d.env, "", "touchbox", "links", "--fast")
	if strings.Contains(stdout, "running") || !strings.Contains(stdout, "unwell") || !strings.Contains(stdout, "disk") {
		d.t.Errorf("links says\n%s%s", stdout, stderr)
	}
}

func newDisk(t *testing.T) *disk {
	// Each call fails once, so that its retry has to be stored, too.
	box := newMindbox(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		if r.Attempt > 1 {
			return nil
		}
		return &mindboxtest.Reply{Status: http.StatusInternalServerError}
	}})
	d := &disk{t: t, dir: smallDisk(t), box: box, stack: newStack(t)}
	d.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", d.box.url))
	return d
}

func TestUpHealsAfterFullDisk(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a disk fills")
	d := newDisk(t)
	d.env = append(d.env, "TOUCHBOX_DATA="+filepath.Join(d.dir, "data"))
	up := d.up()
	empty := d.fillUp()
	d.readyz("disk", "by itself")
	d.refusesAtOnce()
	if strings.Contains(up.out.String(), "was restarted in place") {
		t.Error("it was restarted while the disk was full")
	}
	empty()
	d.goesOn()
	if !strings.Contains(up.out.String(), "was restarted in place") {
		t.Error("not restarted in place")
	}
}

func TestExternalServerAfterFullDisk(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a disk fills")
	d := newDisk(t)
	address, conf := ports.Free(t), filepath.Join(d.stack.dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, max_file_store: 20GB, sync_interval: always }\n", address, d.dir)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.env = append(d.env, "NATS_URL=nats://"+address)
	server := start(t, nil, "nats-server", "-c", conf)
	start(t, d.env, "ingest")
	start(t, d.env, "worker")
	eventually(t, 30*time.Second, "ingest is ready", answers(d.admin("INGEST")+"/readyz"))
	eventually(t, 30*time.Second, "worker is ready", answers(d.admin("WORKER")+"/readyz"))
	empty := d.fillUp()
	d.readyz("disk", "restart nats-server")
	d.refusesAtOnce()
	empty()
	if code := d.call(); code != http.StatusServiceUnavailable {
		t.Errorf("with space again, before the restart: %d; if NATS recovers by itself now, /readyz is wrong", code)
	}
	server.terminate(t, 30*time.Second)
	start(t, nil, "nats-server", "-c", conf)
	d.goesOn()
}

// What comes while somebody has taken the store away is not answered as if it were kept: the server itself writes on into
// files that nobody finds again. With the folder in its place all goes on.
func TestNoHookIsTakenWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes, and looks at the server's health")
	box := newMindbox(t, mindboxtest.Config{})
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", box.url))
	up := s.up()
	if code := s.hook("1"); code != http.StatusOK {
		t.Fatalf("the first call: %d", code)
	}
	store := filepath.Join(s.dir, "data", "jetstream")
	if err := os.Rename(store, store+".away"); err != nil {
		t.Fatal(err)
	}
	taken := []string{"1"}
	post := func() int {
		id := fmt.Sprint(1 + len(taken))
		code := s.hook(id)
		if code == http.StatusOK {
			taken = append(taken, id)
		}
		return code
	}
	eventually(t, 20*time.Second, "hooks are refused", func() bool { return post() == http.StatusServiceUnavailable })
	if code, text := get(s.admin("INGEST") + "/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(text, "bring the folder back") {
		t.Errorf("/readyz: %d %s", code, text)
	}
	eventually(t, 20*time.Second, "the log says so", func() bool { return strings.Contains(up.out.String(), "is not where it was") })
	if strings.Contains(up.out.String(), "was restarted in place") {
		t.Error("it was restarted over nothing, which throws away what its open files hold")
	}
	if code := up.terminate(t, 25*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if err := errors.Join(os.RemoveAll(store), os.Rename(store+".away", store)); err != nil {
		t.Fatal(err)
	}
	s.up()
	post()
	eventually(t, 30*time.Second, "all that was acknowledged is executed", func() bool {
		for _, id := range taken {
			if box.times(id) != 1 {
				return false
			}
		}
		return true
	})
}
