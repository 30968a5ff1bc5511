package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

const operatorConfig = `
calltouch:
  - site: 10001
    name: clinic
mindbox:
  - name: clinic
    url: %s
    endpoint: clinic.Website
    secret: not-for-anybodys-eyes
links:
  - id: calls
    title: Звонки
    from: clinic
    event: call.ended
    when: duration > 5
    to: clinic
    operation: CallTouch
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id}
      customerAction.customFields.note: ${comment}
`

// operator is a person at a terminal of a machine where Touchbox runs.
type operator struct {
	t       *testing.T
	queue   *queue.Queue
	file    *link.File
	mindbox *mindboxtest.Server
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	data, err := os.MkdirTemp("", "tb") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(data) })
	server, err := embedded.Start(embedded.Config{Dir: data, MaxStore: 400_000_000, Socket: true, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	q, err := queue.Open(t.Context(), queue.Options{InProcess: server.Conn, SyncKnown: true, Limits: queue.Limits{Disk: 200_000_000}, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if err := q.Provision(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := &operator{t: t, queue: q, mindbox: mindboxtest.New(mindboxtest.Config{})}
	web := httptest.NewServer(o.mindbox)
	t.Cleanup(web.Close)
	config := filepath.Join(data, "touchbox.yaml")
	if err := os.WriteFile(config, []byte(fmt.Sprintf(operatorConfig, web.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"TOUCHBOX_DATA": data, "TOUCHBOX_CONFIG": config, "NATS_URL": "", "LANG": "C", "LC_ALL": "C"} {
		t.Setenv(name, value)
	}
	o.file, _, err = link.Load(config, link.Options{Getenv: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	l := o.file.Link("calls")
	if _, err := q.Register(t.Context(), queue.LinkSpec{ID: l.ID, Subjects: l.Subjects()}); err != nil {
		t.Fatal(err)
	}
	return o
}

// screen is what a command prints on; its log may print on after its end.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// runs runs a command and returns what it printed; it must end with the code.
func (o *operator) runs(code int, args ...string) (out, errs string) {
	o.t.Helper()
	var stdout, stderr screen
	if got := run(o.t.Context(), args, strings.NewReader(""), &stdout, &stderr); got != code {
		o.t.Fatalf("touchbox %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, &stdout, &stderr)
	}
	if strings.Contains(stdout.String()+stderr.String(), "not-for-anybodys-eyes") {
		o.t.Errorf("touchbox %s shows the secret", strings.Join(args, " "))
	}
	return stdout.String(), stderr.String()
}

// reads is runs for a command with --json.
func (o *operator) reads(v any, args ...string) {
	o.t.Helper()
	out, _ := o.runs(0, append(args, "--json")...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		o.t.Fatalf("touchbox %s: %v in\n%s", strings.Join(args, " "), err, out)
	}
}

// hook stores a call whose comment tries to drive the terminal.
func (o *operator) hook(ids ...int) {
	o.t.Helper()
	for _, id := range ids {
		body := fmt.Sprintf("id=%d&callerphone=%%2B7+916+%07d&duration=30&callphase=calldisconnected&comment=%%1b]0;owned%%07", id, id)
		receipt, err := o.queue.Publish(o.t.Context(), event.Event{
			Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(id)}, Origin: event.Webhook,
			ContentType: "application/x-www-form-urlencoded", Body: []byte(body), Received: time.Now(), Time: time.Now(),
		})
		if err != nil || receipt != event.ReceiptStored {
			o.t.Fatal(receipt, err)
		}
	}
}

// work runs the link with one decision about everything until the returned function is called.
func (o *operator) work(x queue.Decision) (stop func()) {
	o.t.Helper()
	return o.workBy(func(*queue.Delivery) queue.Decision { return x })
}

// workBy is work with a decision about each.
func (o *operator) workBy(decide func(*queue.Delivery) queue.Decision) (stop func()) {
	o.t.Helper()
	open, err := o.queue.OpenLink(o.t.Context(), queue.LinkSpec{ID: "calls", Subjects: o.file.Link("calls").Subjects(), Workers: 8})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		_ = open.Consume(ctx, queue.Consumption{Handle: func(_ context.Context, d *queue.Delivery) queue.Decision { return decide(d) }})
	})
	stop = sync.OnceFunc(func() {
		cancel()
		working.Wait()
	})
	o.t.Cleanup(stop)
	return stop
}

var died = queue.Decision{Outcome: event.Dead, Reason: "protocol_error", Status: 400, Answer: "no such operation", Attempts: 1}

// die makes dead letters of calls.
func (o *operator) die(ids ...int) {
	o.t.Helper()
	o.hook(ids...)
	stop := o.work(died)
	o.until("all are dead", func() bool { return o.dead() == len(ids) })
	stop()
}

func (o *operator) dead() int {
	var counts []struct{ Count int }
	o.reads(&counts, "deadletters", "count")
	sum := 0
	for _, one := range counts {
		sum += one.Count
	}
	return sum
}

func (o *operator) until(what string, ok func() bool) {
	o.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			o.t.Fatalf("never came true: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func through(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i + 1
	}
	return ids
}
