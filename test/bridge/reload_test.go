package bridge_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// everyLink is one more link for configTemplate.
const everyLink = `  - id: every
    from: clinic
    event: call.ended
    to: clinic
    operation: CallTouchEvery
    body: *call
`

// takenUp is how soon a change of the file has to be in force.
const takenUp = 5 * time.Second

// reload is a running `touchbox up` whose file is changed.
type reload struct {
	*stack
	t   *testing.T
	up  *process
	box *mindbox
}

func newReload(t *testing.T) *reload {
	box := newMindbox(t, mindboxtest.Config{})
	r := &reload{t: t, stack: newStack(t), box: box}
	r.configure(r.file())
	r.up = r.stack.up()
	return r
}

// file is the usual file with some more links, and other text in some places.
func (r *reload) file(change ...string) string {
	text := strings.ReplaceAll(configTemplate, "http://MINDBOX", r.box.url)
	return strings.NewReplacer(change...).Replace(text)
}

// changes runs a change and waits until the log says so often more what is said of it.
func (r *reload) changes(how string, change func(), said string) {
	r.t.Helper()
	before := strings.Count(r.up.out.String(), said)
	change()
	eventually(r.t, takenUp, how+": "+said, func() bool { return strings.Count(r.up.out.String(), said) > before })
}

const (
	inForce = "the changed configuration is in force"
	refused = "the changed configuration is refused"
)

// runs posts a call and waits until these operations, and no others, are executed for it.
func (r *reload) runs(id string, operations ...string) {
	r.t.Helper()
	if code := r.hook(id); code != http.StatusOK {
		r.t.Fatalf("hook %s answered %d", id, code)
	}
	r.executes(id, operations...)
}

func (r *reload) executes(id string, operations ...string) {
	r.t.Helper()
	for _, operation := range operations {
		eventually(r.t, 20*time.Second, operation+" is executed for "+id, func() bool {
			return len(r.box.Executed(mindboxtest.Query{CallID: id, Operation: operation})) == 1
		})
	}
	if n := r.box.times(id); n != len(operations) {
		r.t.Errorf("%d operations executed for %s, want %v", n, id, operations)
	}
}

// state is what `touchbox links` says of a link.
func (r *reload) state(link string) string {
	r.t.Helper()
	stdout, stderr, code := run(r.t, r.env, "", "touchbox", "links", "--fast", "--json")
	if code != 0 {
		r.t.Fatalf("touchbox links: %d %s", code, stderr)
	}
	var view struct{ Links []struct{ ID, State string } }
	if err := json.Unmarshal([]byte(stdout), &view); err != nil {
		r.t.Fatalf("%v: %s", err, stdout)
	}
	for _, l := range view.Links {
		if l.ID == link {
			return l.State
		}
	}
	return "not listed"
}

func TestFileIsTakenUpWhileUpRuns(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the file is looked at every few seconds")
	r := newReload(t)
	r.runs("1", "CallTouch")

	r.changes("written in place", func() { r.configure(r.file() + everyLink) }, inForce)
	r.runs("2", "CallTouch", "CallTouchEvery")
	if n := r.box.times("1"); n != 1 {
		t.Errorf("the new link took a call of before its start: executed %d times", n)
	}

	r.changes("broken", func() {
		r.configure(r.file("operation: CallTouch\n", "operation: Other\n", "endpoint", "endpiont") + everyLink)
	}, refused)
	line := r.up.line(refused)
	if !strings.Contains(line, `"level":"error"`) || !strings.Contains(line, "endpiont") {
		t.Errorf("the broken file is refused by %s", line)
	}
	if broken := metric(r.admin("INGEST"), "touchbox_config_broken"); broken != 1 {
		t.Errorf("touchbox_config_broken %v", broken)
	}
	r.runs("3", "CallTouch", "CallTouchEvery")

	// Replaced by rename, as most editors do; a link is gone.
	r.changes("renamed", func() {
		next := filepath.Join(r.dir, ".touchbox.yaml.next")
		if err := os.WriteFile(next, []byte(r.file("operation: CallTouch\n", "operation: Renamed\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, r.config); err != nil {
			t.Fatal(err)
		}
	}, inForce)
	eventually(t, takenUp, "the link that is gone is paused and named", func() bool {
		return strings.Contains(r.up.line("this link is not in the file any more"), `"link":"every"`)
	})
	if state := r.state("every"); state != "gone" {
		t.Errorf("the link that is gone is %s", state)
	}
	r.runs("4", "Renamed")

	// It is back, and takes what came meanwhile.
	r.changes("back", func() { r.configure(r.file() + everyLink) }, inForce)
	r.executes("4", "Renamed", "CallTouchEvery")
	if broken := metric(r.admin("INGEST"), "touchbox_config_broken"); broken != 0 {
		t.Errorf("touchbox_config_broken %v", broken)
	}
}

// TestKeysAreRotated changes the key of the webhook's address while hooks come without a pause.
func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the file is looked at every few seconds")
	r := newReload(t)
	var key atomic.Value
	key.Store("secret-key-of-the-test")
	keyFile := filepath.Join(r.dir, "key")
	write := func(key string) {
		if err := os.WriteFile(keyFile, []byte(key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hangup := func() {
		if err := r.up.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { sent <- n }()
		for ; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			if code := r.hookWith(key.Load().(string), fmt.Sprint(7000+n)); code != http.StatusOK {
				t.Errorf("hook %d with the key %s answered %d", n, key.Load(), code)
			}
		}
	}()
	write("second-key-of-the-test")
	r.changes("two keys", func() {
		r.configure(r.file("key: secret-key-of-the-test", "key: [secret-key-of-the-test, {file: "+keyFile+"}]"))
	}, inForce)
	key.Store("second-key-of-the-test")
	r.changes("the new key alone", func() { r.configure(r.file("key: secret-key-of-the-test", "key: {file: "+keyFile+"}")) }, inForce)
	if code := r.hookWith("secret-key-of-the-test", "1"); code != http.StatusNotFound {
		t.Errorf("the old key answered %d", code)
	}
	close(stop)
	n := <-sent

	// The file of the key changes, touchbox.yaml does not: SIGHUP reads it again.
	write("third-key-of-the-test")
	r.changes("SIGHUP", hangup, inForce)
	if code := r.hookWith("third-key-of-the-test", "2"); code != http.StatusOK {
		t.Errorf("the key of the changed file answered %d", code)
	}
	if code := r.hookWith("second-key-of-the-test", "3"); code != http.StatusNotFound {
		t.Errorf("the key of the file before answered %d", code)
	}
	if n < 10 {
		t.Errorf("%d hooks: not much of a test", n)
	}
	eventually(t, 60*time.Second, "all hooks are executed", func() bool { return r.box.Stats().Executed >= n+1 })
	if executed := r.box.Stats().Executed; executed != n+1 {
		t.Errorf("%d executed of %d", executed, n+1)
	}
}

// hookWith posts an ended call to the address with this key.
func (r *reload) hookWith(key, id string) int {
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.PostForm("http://"+r.ingest+"/calltouch/10001/"+key, url.Values{
		"callphase": {"calldisconnected"}, "id": {id}, "callerphone": {"79161230000"}, "duration": {"9"},
	})
	if err != nil {
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}

// line is the last line of the output that holds text, "" when none does.
func (p *process) line(text string) string {
	last := ""
	for line := range strings.Lines(p.out.String()) {
		if strings.Contains(line, text) {
			last = line
		}
	}
	return last
}
