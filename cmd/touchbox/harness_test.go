package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// operatorFile is the operator's file, with a secret that no command may show.
func operatorFile(mindbox string) linktest.File {
	return linktest.File{
		URL: mindbox, To: "secret: not-for-anybodys-eyes",
		Links: []linktest.Link{{More: "title: Звонки\nwhen: duration > 5", Body: "customerAction.customFields.note: ${comment}"}},
	}
}

// operator is a person at a terminal of a machine where Touchbox runs.
type operator struct {
	t       *testing.T
	server  *embedded.Server
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
	q := queuetest.Open(t, server, queue.Options{})
	o := &operator{t: t, server: server, queue: q, mindbox: mindboxtest.New(mindboxtest.Config{})}
	web := httptest.NewServer(o.mindbox)
	t.Cleanup(web.Close)
	config := operatorFile(web.URL).Write(t, data)
	for name, value := range map[string]string{"TOUCHBOX_DATA": data, "TOUCHBOX_CONFIG": config, "NATS_URL": "", "LANG": "C", "LC_ALL": "C", "SUDO_USER": "oleg"} {
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

// runs runs a command and returns what it printed; it must end with the code.
func (o *operator) runs(code int, args ...string) (out, errs string) {
	o.t.Helper()
	var stdout, stderr waittest.Buffer // a command's log may print on after its end
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
		e := queuetest.Call(id)
		e.Body = []byte(body)
		queuetest.Publish(o.t, o.queue, e)
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
	open := queuetest.OpenLink(o.t, o.queue, queue.LinkSpec{ID: "calls", Subjects: o.file.Link("calls").Subjects(), Handlers: 8})
	_, stop = queuetest.Consume(o.t, open, decide)
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
	queuetest.Eventually(o.t, what, ok)
}

func through(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i + 1
	}
	return ids
}
