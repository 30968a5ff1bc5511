package admin_test

import (
	"fmt"
	"net/url"
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(jobsVariable); dir != "" {
		fmt.Fprintln(os.Stderr, workOffJobs(dir))
		os.Exit(1)
	}
	queuetest.Main(m)
}

// config has two links over the calls of one site.
var config = linktest.File{
	Site: "timezone: Europe/Moscow",
	Links: []linktest.Link{
		{ID: "dynamic", More: "title: Звонки\nwhen: duration > 5"},
		{ID: "other", Event: "[call.ended, request]", Operation: "CallTouchStatic"},
	},
}

// house is a queue with an Admin on it and, where started, links at work.
type house struct {
	admin.Admin
	t      *testing.T
	server *embedded.Server
}

func newHouse(t *testing.T) *house {
	t.Helper()
	server := queuetest.Start(t)
	return &house{t: t, server: server, Admin: admin.Admin{Queue: queuetest.Open(t, server, queue.Options{Fingerprint: fingerprint}), File: config.Parse(t), Fields: readForm}}
}

// readForm reads a hook's body in the few words that the links of these tests use.
func readForm(e event.Event) (map[string]any, error) {
	values, err := url.ParseQuery(string(e.Body))
	fields := map[string]any{}
	for name := range values {
		fields[name] = values.Get(name)
	}
	var seconds int64
	if _, err := fmt.Sscan(values.Get("duration"), &seconds); err == nil {
		fields["duration"] = seconds
	}
	return fields, err
}

// fingerprint tells calls under one id apart by their phone and the moment when they came.
func fingerprint(e event.Event) event.Fingerprint {
	fields, err := readForm(e)
	phone, _ := fields["callerphone"].(string)
	if err != nil {
		return event.Fingerprint{}
	}
	return event.Fingerprint{Phone: phone, Time: e.Received}
}

// call is the key of a call of the test site.
func call(id int) event.Key {
	return event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(id)}
}

// upTo are the calls 1 to n.
func upTo(n int) []int {
	ids := make([]int, n)
	for i := range ids {
		ids[i] = i + 1
	}
	return ids
}

// publish stores an ended call with 30 s of talk.
func (h *house) publish(ids ...int) {
	h.t.Helper()
	var group errgroup.Group
	group.SetLimit(16)
	for _, id := range ids {
		group.Go(func() error {
			return h.put(event.Event{
				Key: call(id), Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
				Body: []byte(fmt.Sprintf("id=%d&callerphone=7916%07d&duration=30&email=a@b.ru", id, id)), Received: time.Now(), Time: time.Now(),
			})
		})
	}
	if err := group.Wait(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) store(e event.Event) {
	h.t.Helper()
	if err := h.put(e); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) put(e event.Event) error {
	e.Fingerprint = fingerprint(e)
	receipt, err := h.Queue.Publish(h.t.Context(), e)
	if err == nil && receipt != event.ReceiptStored {
		err = fmt.Errorf("publish %s: %s", e.Key, receipt)
	}
	return err
}

// register gives both links their start, as ingest does before the first event comes.
func (h *house) register() {
	h.t.Helper()
	for _, l := range h.File.Links {
		if _, err := h.Queue.Register(h.t.Context(), queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: l.Since}); err != nil {
			h.t.Fatal(err)
		}
	}
}

// run works on a link until the returned function is called.
func (h *house) run(id string, handle func(*queue.Delivery) queue.Decision) (stop func()) {
	h.t.Helper()
	l := h.File.Link(id)
	open := queuetest.OpenLink(h.t, h.Queue, queue.LinkSpec{ID: id, Subjects: l.Subjects(), Handlers: 32})
	_, stop = queuetest.Consume(h.t, open, handle)
	return stop
}

// always makes the same decision about everything.
func always(d queue.Decision) func(*queue.Delivery) queue.Decision {
	return func(*queue.Delivery) queue.Decision { return d }
}

var refused = queue.Decision{Outcome: event.Dead, Reason: "refused", Status: 400, Answer: "no such customer", Attempts: 1}

// outcome is what the timeline says of an event for a link.
func (h *house) outcome(key event.Key, id string) event.Outcome {
	h.t.Helper()
	timeline, err := h.Timeline(h.t.Context(), key)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range timeline.Links {
		if l.Link == id {
			return l.Outcome
		}
	}
	return ""
}

// wait waits until events have an outcome for a link.
func (h *house) wait(id string, want event.Outcome, calls ...int) {
	h.t.Helper()
	for _, one := range calls {
		h.until(fmt.Sprintf("call %d of %s is %s", one, id, want), func() bool { return h.outcome(call(one), id) == want })
	}
}

// until waits for a condition.
func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	queuetest.Eventually(h.t, what, ok)
}

// die buries calls of the link "dynamic" and returns when all are dead.
func (h *house) die(calls ...int) {
	h.t.Helper()
	h.register()
	h.publish(calls...)
	stop := h.run("dynamic", always(refused))
	h.until("all are dead", func() bool {
		stats, err := h.Queue.LinkStats(h.t.Context(), "dynamic")
		return err == nil && stats.DeadLetters == uint64(len(calls))
	})
	stop()
}
