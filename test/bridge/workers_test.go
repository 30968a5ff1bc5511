package bridge_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// external is an installation of separate processes.
type external struct {
	*stack
	t    *testing.T
	box  *mindbox
	conf string // of nats-server
}

func newExternal(t *testing.T) *external {
	t.Helper()
	x := &external{t: t, stack: newStack(t), box: newMindbox(t, mindboxtest.Config{})}
	nats := ports.Free(t)
	x.conf = filepath.Join(x.dir, "nats.conf")
	text := fmt.Sprintf("listen: %q\njetstream { store_dir: %q, max_file_store: 20GB, sync_interval: always }\n", nats, filepath.Join(x.dir, "jetstream"))
	if err := os.WriteFile(x.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x.env = append(x.env, "NATS_URL=nats://"+nats)
	x.configure(x.file())
	return x
}

// file is the usual file with other text in some places. What a killed worker had in hand goes to
// another one some seconds after timeout.
func (x *external) file(change ...string) string {
	text := strings.ReplaceAll(configTemplate, "http://MINDBOX", x.box.url+"\n    timeout: 1s")
	return strings.NewReplacer(change...).Replace(text)
}

func (x *external) nats() *process { return start(x.t, nil, "nats-server", "-c", x.conf) }

// worker starts a worker with a file of its own and waits until it is ready.
func (x *external) worker(config string) *process {
	x.t.Helper()
	admin := ports.Free(x.t)
	p := start(x.t, append(x.env, "TOUCHBOX_CONFIG="+config, "WORKER_ADMIN_ADDR="+admin), "worker")
	eventually(x.t, 30*time.Second, "worker is ready", answers("http://"+admin+"/readyz"))
	return p
}

// post sends calls with these ids; every second one is of a printed number.
func (x *external) calls(from, to int) {
	x.t.Helper()
	for id := from; id < to; id++ {
		change := []string{}
		if id%2 == 1 {
			change = []string{"attrs", "{}", "sessionId", "null"}
		}
		if code := x.hook(fmt.Sprint(id), change...); code != http.StatusOK {
			x.t.Fatalf("hook %d answered %d", id, code)
		}
	}
}

// executes waits until the calls are executed, each once by each of the operations that are for it.
func (x *external) executes(from, to int, operations ...string) {
	x.t.Helper()
	for id := from; id < to; id++ {
		wanted := append([]string{[]string{"CallTouch", "CallTouchStatic"}[id%2]}, operations...)
		for _, operation := range wanted {
			eventually(x.t, 60*time.Second, fmt.Sprintf("%s is executed for %d", operation, id), func() bool {
				return len(x.box.Executed(mindboxtest.Query{CallID: fmt.Sprint(id), Operation: operation})) > 0
			})
		}
		if n := x.box.times(fmt.Sprint(id)); n != len(wanted) {
			x.t.Errorf("call %d was executed %d times, want %v", id, n, wanted)
		}
	}
}

// TestWorkersWithDifferentFiles runs two workers whose files do not agree, as in the minutes of a
// change: on what a link reads, and on which links there are. What waits is lost for neither.
func TestWorkersWithDifferentFiles(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the file is looked at every few seconds")
	x := newExternal(t)
	x.nats()
	start(t, x.env, "ingest")
	eventually(t, 30*time.Second, "ingest is ready", answers(x.admin("INGEST")+"/readyz"))
	x.calls(1000, 1040) // a backlog before anybody works

	// The other file: the link dynamic reads started calls, too, static is not there, every is new.
	text := x.file("event: call.ended\n    when: filled(deviceUUID)", "event: [call.started, call.ended]\n    when: filled(deviceUUID)")
	other := filepath.Join(x.dir, "other.yaml")
	text = text[:strings.Index(text, "  - id: static")] + everyLink
	write := func() {
		if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write()

	second := x.worker(other)
	eventually(t, 20*time.Second, "the second worker says that the link differs", func() bool { return strings.Contains(second.line("was changed in a way"), `"link":"dynamic"`) })
	first := x.worker(x.config)
	x.executes(1000, 1040)
	x.calls(2000, 2040)
	first.kill()
	x.calls(2040, 2060)
	first = x.worker(x.config)
	x.executes(2000, 2060, "CallTouchEvery")

	// The first one leaves; the second finds static in nobody's file and pauses it.
	if code := first.terminate(t, 25*time.Second); code != 0 {
		t.Errorf("exit code %d", code)
	}
	text += "# looks again\n"
	write()
	eventually(t, 20*time.Second, "the link that nobody has is paused", func() bool {
		return strings.Contains(second.line("this link is not in the file any more"), `"link":"static"`)
	})
	x.calls(3000, 3020)
	x.worker(x.config)
	x.executes(3000, 3020, "CallTouchEvery")
}

// TestFileChangesWhileServerIsAway: what changed meanwhile is taken up when the server is back.
func TestFileChangesWhileServerIsAway(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the server is killed and started again")
	x := newExternal(t)
	server := x.nats()
	ingest := start(t, x.env, "ingest")
	eventually(t, 30*time.Second, "ingest is ready", answers(x.admin("INGEST")+"/readyz"))
	worker := x.worker(x.config)
	x.calls(100, 104)
	x.executes(100, 104)
	server.kill()
	x.configure(x.file() + everyLink)
	eventually(t, 30*time.Second, "ingest cannot take it up", func() bool { return ingest.line("cannot be taken up yet") != "" })
	x.nats()
	for name, p := range map[string]*process{"ingest": ingest, "worker": worker} {
		eventually(t, 30*time.Second, name+" takes it up", func() bool { return p.line(inForce) != "" })
	}
	eventually(t, 30*time.Second, "ingest is ready", answers(x.admin("INGEST")+"/readyz"))
	x.calls(200, 204)
	x.executes(200, 204, "CallTouchEvery")
}
