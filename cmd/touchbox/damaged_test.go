package main

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// inProcess connects to the server of a test.
type inProcess func() (net.Conn, error)

func (f inProcess) InProcessConn() (net.Conn, error) { return f() }

// damage stores a call whose times cannot be read.
func (o *operator) damage(id string) event.Key {
	o.t.Helper()
	e := event.Event{
		Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: id}, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte("id=" + id + "&callerphone=79161234567&duration=30&utm_source=yandex"), Received: time.Now(), Time: time.Now(),
	}
	conn, err := nats.Connect("", nats.InProcessServer(inProcess(o.server.Conn)))
	if err != nil {
		o.t.Fatal(err)
	}
	defer conn.Close()
	m := nats.NewMsg("touchbox.event." + e.Key.Subject())
	m.Header, m.Data = e.Header(), e.Body
	for name, values := range m.Header {
		if _, err := time.Parse(time.RFC3339Nano, values[0]); err == nil {
			m.Header.Set(name, "yesterday")
		}
	}
	answer, err := conn.RequestMsg(m, 5*time.Second)
	if err != nil || strings.Contains(string(answer.Data), "error") {
		o.t.Fatal(err, answer)
	}
	return e.Key
}

func TestOneDamagedEventHidesNoOther(t *testing.T) {
	o := newOperator(t)
	o.hook(1)
	key := o.damage("8")
	o.hook(2)
	for _, command := range []string{"events", "fields", "event 8", "explain --link calls 8", "events --phone 79161234567"} {
		out, errs := o.runs(0, strings.Fields(command)...)
		if !strings.Contains(errs, key.String()) || out == "" {
			t.Errorf("touchbox %s does not tell of it: %s%s", command, out, errs)
		}
	}
	if out, _ := o.runs(0, "fields"); !strings.Contains(out, "100%") {
		t.Errorf("no shares: %s", out)
	}
	var view admin.EventView
	if o.reads(&view, "event", "8"); !view.Damaged || view.Fields["utm_source"] != "yandex" || view.Received == nil {
		t.Errorf("event: %+v", view)
	}
	var rows []admin.RowView
	if o.reads(&rows, "events"); len(rows) != 3 {
		t.Errorf("%d of 3 events", len(rows))
	}
	fate, err := app.NewLedger(o.queue, o.file).Lookup(t.Context(), key)
	if err != nil || !fate.Stored {
		t.Errorf("the ledger of gaps: %+v, %v", fate, err)
	}
}

// A worker buries it; what can be read of it is replayed.
func TestDamagedEventCanBeReplayedAndDropped(t *testing.T) {
	o := newOperator(t)
	o.damage("8")
	o.damage("9")
	stop := o.work(queue.Decision{Outcome: event.Delivered})
	o.until("both are dead", func() bool { return o.dead() == 2 })
	stop()
	if out, _ := o.runs(0, "deadletters", "show", "8"); !strings.Contains(out, "only a part of it can be read") || !regexp.MustCompile(`duration +Duration, seconds +30`).MatchString(out) {
		t.Errorf("shown: %s", out)
	}
	o.runs(0, "replay", "--dry-run", "--event", "8")
	o.runs(0, "replay", "--event", "8")
	stop = o.work(queue.Decision{Outcome: event.Delivered})
	o.until("it is delivered", func() bool {
		var view admin.EventView
		o.reads(&view, "event", "8")
		return len(view.Links) == 1 && view.Links[0].Outcome == event.Delivered
	})
	stop()
	o.runs(0, "deadletters", "drop", "--event", "9", "--why", "a test", "--yes")
	if n := o.dead(); n != 0 {
		t.Errorf("%d dead letters left", n)
	}
}
