package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// roles is a NATS server with the shipped file, and a stack whose processes come to it as their own users.
type roles struct {
	*stack
	url string
	box *mindbox
}

// password is a role's, as make-secrets would write it.
func password(role string) string { return "p-of-" + role }

func newRoles(t *testing.T) *roles {
	t.Helper()
	r := &roles{stack: newStack(t)}
	r.box = newMindbox(t, mindboxtest.Config{Script: func(q mindboxtest.Request) *mindboxtest.Reply {
		switch {
		case q.CallID == "2" && q.Attempt == 1:
			return &mindboxtest.Reply{Status: http.StatusServiceUnavailable, Body: `{"status":"InternalServerError"}`}
		case q.CallID == "3" && len(r.box.transactions("4")) == 0:
			return &mindboxtest.Reply{Status: http.StatusBadRequest, Body: `{"status":"ProtocolError","errorMessage":"no","httpStatusCode":400}`}
		}
		return nil
	}})
	text := strings.NewReplacer("http://MINDBOX", r.box.url, "key: secret-key-of-the-test", "key: {env: CALLTOUCH_KEY}",
		"secret: mindbox-secret", "secret: {env: MINDBOX_SECRET}").Replace(configTemplate)
	r.configure(text + "keep: {disk: 500MB}\n")
	port := ports.Free(t)[len("127.0.0.1:"):]
	monitor := ports.Free(t)[len("127.0.0.1:"):]
	var env []string
	for _, role := range []string{"ingest", "worker", "operator", "console"} {
		env = append(env, "NATS_"+strings.ToUpper(role)+"_PASSWORD="+password(role))
	}
	start(t, env, "nats-server", "-c", shippedNATS(t), "-a", "127.0.0.1", "-p", port, "-m", monitor)
	eventually(t, 20*time.Second, "the server answers", answers("http://127.0.0.1:"+monitor+"/healthz"))
	// Without this NATS acknowledges before it syncs, and a power cut takes what was acknowledged.
	if _, jsz := get("http://127.0.0.1:" + monitor + "/jsz"); !strings.Contains(jsz, `"sync_always": true`) {
		t.Errorf("JetStream runs without sync_interval: always: %s", jsz)
	}
	r.url = "nats://127.0.0.1:" + port
	return r
}

// shippedNATS is deploy/nats.conf as it is, but for the folder of its store.
func shippedNATS(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"nats.conf", "nats-users.conf"} {
		text, err := os.ReadFile(filepath.Join("../../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), "store_dir: /var/lib/nats", "store_dir: "+filepath.Join(dir, "store"), 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "nats.conf")
}

// as is the environment of a role: its own user, and its own secrets.
func (r *roles) as(role string, secrets ...string) []string {
	env := append([]string{"NATS_URL=" + r.url, "NATS_USER=" + role, "NATS_PASSWORD=" + password(role)}, r.env...)
	return append(env, secrets...)
}

// Each role does its whole work as its own user, with its own secrets: delivery, retry, dead letter,
// replay, erasing, retention.
func TestRolesOfTheShippedNATS(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "four processes")
	r := newRoles(t)
	// ingest may create no stream: it waits for the worker, which may.
	ingest := start(t, r.as("ingest", "CALLTOUCH_KEY=secret-key-of-the-test"), "ingest")
	eventually(t, 20*time.Second, "ingest says what it waits for", func() bool { return strings.Contains(ingest.out.String(), "start a worker") })
	worker := start(t, r.as("worker", "MINDBOX_SECRET=mindbox-secret"), "worker")
	eventually(t, 30*time.Second, "ingest is ready", answers(r.admin("INGEST")+"/readyz"))
	eventually(t, 30*time.Second, "worker is ready", answers(r.admin("WORKER")+"/readyz"))

	for _, id := range []string{"1", "2", "3", "1"} {
		if code := r.hook(id); code != http.StatusOK {
			t.Fatalf("hook %s answered %d", id, code)
		}
	}
	eventually(t, 30*time.Second, "1 is delivered, and 2 at its retry", func() bool { return r.box.times("1") == 1 && r.box.times("2") == 1 })
	operator := r.as("operator")
	eventually(t, 30*time.Second, "3 is a dead letter", func() bool { return strings.Contains(r.command(t, operator, "deadletters"), "call-ended/3") })
	eventually(t, 30*time.Second, "the repeat is noted", func() bool { return strings.Contains(r.command(t, operator, "event", "1", "--json"), `"repeated"`) })
	r.hook("4")
	eventually(t, 30*time.Second, "4 is delivered", func() bool { return r.box.times("4") == 1 })
	r.command(t, operator, "replay", "--link", "dynamic", "--yes")
	eventually(t, 30*time.Second, "3 is replayed", func() bool { return r.box.times("3") == 1 })
	for _, list := range [][]string{{"links"}, {"events"}, {"retries"}, {"aside"}, {"fields", "--site", "10001"}, {"links", "stop", "static"}, {"links", "start", "static"}} {
		r.command(t, operator, list...)
	}
	r.hook("5", "callerphone", "79160000055")
	eventually(t, 30*time.Second, "5 is delivered", func() bool { return r.box.times("5") == 1 })
	r.command(t, operator, "erase", "--phone", "79160000055", "--yes")
	send(t, http.MethodPost, "http://"+r.ingest+"/calltouch/10001/another-key", strings.NewReader("id=6"))
	eventually(t, 30*time.Second, "ingest tells of a wrong key", func() bool { return strings.Contains(r.command(t, operator, "links"), "wrong key") })
	r.healthy(t)
	r.retain(t)
	r.strangers(t)
	// A second ingest finds its streams: it asks for nothing that it may not do.
	second := start(t, append(r.as("ingest", "CALLTOUCH_KEY=secret-key-of-the-test"), "INGEST_ADDR="+ports.Free(t), "INGEST_ADMIN_ADDR="+ports.Free(t)), "ingest")
	eventually(t, 30*time.Second, "a second ingest is open", func() bool { return strings.Contains(second.out.String(), "webhook address open") })
	for name, log := range map[string]string{"ingest": ingest.out.String(), "worker": worker.out.String(), "second ingest": second.out.String()} {
		for line := range strings.Lines(log) {
			if strings.Contains(line, "ermissions") && !strings.Contains(line, "STREAM.CREATE") {
				t.Errorf("%s misses a permission: %s", name, line)
			}
			if strings.Contains(line, "p-of-") {
				t.Errorf("%s logs a password: %s", name, line)
			}
		}
	}
}

// command runs a command of the tool that must succeed.
func (r *roles) command(t *testing.T, env []string, args ...string) string {
	t.Helper()
	stdout, stderr, code := run(t, env, "", "touchbox", args...)
	if code != 0 {
		t.Fatalf("touchbox %v: exit code %d\n%s%s", args, code, stdout, stderr)
	}
	return stdout
}

// healthy is what the processes tell the operator, who asks them.
func (r *roles) healthy(t *testing.T) {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Options{Connection: queue.Connection{Servers: r.url, User: "operator", Password: password("operator"), Inbox: "_INBOX.touchbox", Log: zerolog.Nop()}})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	eventually(t, 20*time.Second, "both processes tell how they are", func() bool {
		all, err := q.Client().AskHealth(t.Context(), event.HealthSubject)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range all {
			if h.Problem != "" {
				t.Errorf("%s: %s", h.Process, h.Problem)
			}
		}
		return len(all) == 2
	})
}

// retain is the nightly pass, by the worker's user: all that is done is purged.
func (r *roles) retain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q, err := queue.Open(ctx, queue.Options{Connection: queue.Connection{Servers: r.url, User: "worker", Password: password("worker"), Inbox: "_INBOX.touchbox-worker", Log: zerolog.Nop()}})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := keep.Once(ctx, q, keep.Config{Events: time.Nanosecond, History: time.Nanosecond}); err != nil {
		t.Fatalf("retention: %v", err)
	}
	if n := r.messages(t, "TOUCHBOX_EVENTS"); n > 1 {
		t.Errorf("%d events are left after retention", n)
	}
}

// messages counts what a stream holds, as the operator sees it.
func (r *roles) messages(t *testing.T, stream string) uint64 {
	t.Helper()
	nc := r.connect(t, "operator", "_INBOX.touchbox")
	js, err := jetstream.New(nc.Conn)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// guest is a bare connection, and what the server has refused it.
type guest struct {
	*nats.Conn
	mu      sync.Mutex
	refused []string
}

func (r *roles) connect(t *testing.T, user, inbox string) *guest {
	t.Helper()
	g := &guest{}
	nc, err := nats.Connect(r.url, nats.UserInfo(user, password(user)), nats.CustomInboxPrefix(inbox),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.refused = append(g.refused, err.Error())
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	g.Conn = nc
	return g
}

// mayNot asks for something and expects the server's refusal.
func (g *guest) mayNot(t *testing.T, what, subject, body string) {
	t.Helper()
	refused := func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, text := range g.refused {
			if strings.Contains(text, `"`+subject+`"`) {
				return true
			}
		}
		return false
	}
	answer := make(chan *nats.Msg, 1)
	inbox := g.NewInbox()
	sub, err := g.ChanSubscribe(inbox, answer)
	if err == nil {
		defer func() { _ = sub.Unsubscribe() }()
		err = g.PublishRequest(subject, inbox, []byte(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, what+" is refused", func() bool {
		select {
		case m := <-answer:
			t.Fatalf("%s was answered: %s %v", what, m.Data, m.Header)
		default:
		}
		return refused()
	})
}

// mayNotHear subscribes and expects the server's refusal.
func (g *guest) mayNotHear(t *testing.T, subject string) {
	t.Helper()
	if _, err := g.SubscribeSync(subject); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, "listening to "+subject+" is refused", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return strings.Contains(strings.Join(g.refused, "\n"), `Subscription to "`+subject+`"`)
	})
}

// strangers tries what no role may do.
func (r *roles) strangers(t *testing.T) {
	t.Helper()
	if nc, err := nats.Connect(r.url); err == nil {
		nc.Close()
		t.Error("a client without a name was let in")
	} else if !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("a client without a name: %v", err)
	}
	r.hook("6")
	r.hook("7", "callerphone", "79160000077")
	events := r.messages(t, "TOUCHBOX_EVENTS")

	ingest := r.connect(t, "ingest", "_INBOX.touchbox-ingest")
	worker := r.connect(t, "worker", "_INBOX.touchbox-worker")
	console := r.connect(t, "console", "_INBOX.touchbox-console")
	const api = "$JS.API."
	for _, g := range []*guest{ingest, worker, console} {
		for _, stream := range []string{"TOUCHBOX_EVENTS", "TOUCHBOX_DEADLETTERS", "TOUCHBOX_ASIDE", "KV_touchbox-state"} {
			g.mayNot(t, "deleting "+stream, api+"STREAM.DELETE."+stream, "")
		}
		g.mayNot(t, "deleting an event", api+"STREAM.MSG.DELETE.TOUCHBOX_EVENTS", `{"seq":1}`)
		g.mayNot(t, "purging what was set aside", api+"STREAM.PURGE.TOUCHBOX_ASIDE", "")
		g.mayNot(t, "a copy of the log", api+"STREAM.SNAPSHOT.TOUCHBOX_EVENTS", `{"deliver_subject":"x"}`)
		g.mayNotHear(t, "touchbox.event.>")
		g.mayNotHear(t, "_INBOX.>")
		g.mayNotHear(t, ">")
	}
	for _, g := range []*guest{ingest, console} {
		for _, stream := range []string{"TOUCHBOX_EVENTS", "TOUCHBOX_RETRIES", "TOUCHBOX_HISTORY", "KV_touchbox-state"} {
			g.mayNot(t, "purging "+stream, api+"STREAM.PURGE."+stream, "")
			g.mayNot(t, "changing "+stream, api+"STREAM.UPDATE."+stream, `{"name":"`+stream+`","max_msgs":1}`)
		}
		g.mayNot(t, "a dead letter", "touchbox.dead.dynamic.10001.call-ended.6", "x")
		g.mayNot(t, "a retry", "touchbox.retry.due.dynamic.10001.call-ended.6", "x")
		g.mayNot(t, "reading a message by its number", api+"STREAM.MSG.GET.TOUCHBOX_EVENTS", `{"seq":1}`)
		g.mayNot(t, "purging the audit", api+"STREAM.PURGE.TOUCHBOX_AUDIT", "")
		g.mayNot(t, "unparking a link", "$KV.touchbox-state.park.link.dynamic", "{}")
	}
	ingest.mayNot(t, "pausing a link", api+"CONSUMER.PAUSE.TOUCHBOX_EVENTS.touchbox-dynamic", `{}`)
	// Of the log ingest may ask for an event whose key it knows, and for nothing else.
	ingest.mayNot(t, "reading the log", api+"DIRECT.GET.TOUCHBOX_EVENTS", `{"seq":1,"next_by_subj":"touchbox.event.>","batch":9}`)
	ingest.mayNot(t, "following the log", api+"CONSUMER.CREATE.TOUCHBOX_EVENTS.spy", `{"stream_name":"TOUCHBOX_EVENTS","config":{"name":"spy","deliver_subject":"_INBOX.touchbox-ingest.spy","ack_policy":"none"}}`)
	ingest.mayNot(t, "a durable reader", api+"CONSUMER.DURABLE.CREATE.TOUCHBOX_EVENTS.spy", `{"stream_name":"TOUCHBOX_EVENTS","config":{"durable_name":"spy","ack_policy":"none"}}`)
	ingest.mayNot(t, "reading dead letters", api+"DIRECT.GET.TOUCHBOX_DEADLETTERS", `{"seq":1}`)
	worker.mayNot(t, "inventing an event", "touchbox.event.10001.call-ended.999", "id=999")
	console.mayNot(t, "inventing an event", "touchbox.event.10001.call-ended.999", "id=999")
	console.mayNot(t, "moving the horizon", "$KV.touchbox-state.horizon", "{}")
	r.rollup(t, ingest)
	if n := r.messages(t, "TOUCHBOX_EVENTS"); n != events {
		t.Errorf("EVENTS has %d messages after all of it, before %d", n, events)
	}
}

// rollup: a header of a publish can purge a whole stream, where the stream lets it.
func (r *roles) rollup(t *testing.T, g *guest) {
	t.Helper()
	for _, how := range []string{"all", "sub"} {
		m := nats.NewMsg("touchbox.event.10001.call-ended.6")
		m.Header.Set("Nats-Rollup", how)
		answer, err := g.RequestMsg(m, 10*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var ack struct {
			Error json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(answer.Data, &ack); err != nil || len(ack.Error) == 0 {
			t.Errorf("a roll-up of %s was stored: %s", how, answer.Data)
		}
	}
}
