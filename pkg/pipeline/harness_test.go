package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestMain(m *testing.M) { queuetest.Main(m) }

const device = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"

// patience bounds every wait of these tests.
const patience = 90 * time.Second

// house is a queue, a simulated Mindbox, and workers between them.
type house struct {
	t       *testing.T
	queue   *queue.Queue
	far     *mindboxtest.Server
	address string
	log     *logBook
	probing pipeline.Probing
	finish  time.Duration

	mu     sync.Mutex
	parked map[string]bool
}

func newHouse(t *testing.T, config mindboxtest.Config) *house {
	t.Helper()
	h := &house{t: t, far: mindboxtest.New(config), log: &logBook{}, parked: map[string]bool{},
		probing: pipeline.Probing{First: 200 * time.Millisecond, Max: time.Second}}
	server := httptest.NewServer(h.far)
	t.Cleanup(server.Close)
	h.address = server.URL
	return h
}

// withQueue gives the house a queue on a server inside this process.
func (h *house) withQueue() *house {
	h.t.Helper()
	h.queue = queuetest.New(h.t)
	return h
}

// linkText is one link of the file.
type linkText struct{ id, operation, to, more string }

// file is a file with two destinations at the same far end, main and other.
func (h *house) file(destination string, links ...linkText) *link.File {
	h.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `
calltouch:
  - {site: 10001, name: clinic, attrs: [mindboxDeviceUUID], device: mindboxDeviceUUID}
mindbox:
  - {name: main, url: %[1]q, endpoint: clinic.Website, secret: {env: SECRET}, timeout: 2s, retry: {for: 1h, upTo: 1s}%[2]s}
  - {name: other, url: %[1]q, endpoint: other.Website, secret: {env: SECRET}, timeout: 2s, retry: {for: 1h, upTo: 1s}%[2]s}
links:
`, h.address, destination)
	for _, l := range links {
		fmt.Fprintf(&b, `
  - id: %s
    from: clinic
    event: call.ended
    since: "2020-01-01"
    to: %s
    operation: %s
    deviceUUID: ${deviceUUID}
    %s
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customer.email: ${email}
      customer.lastName: ${manager}
      customerAction.customFields.callId: ${id}
`, l.id, l.to, l.operation, l.more)
	}
	file, problems, err := link.Parse("touchbox.yaml", []byte(b.String()), link.Options{Getenv: func(string) string { return secret }})
	if err != nil {
		h.t.Fatal(err, problems)
	}
	return file
}

func calls(operation string) linkText { return linkText{id: "calls", operation: operation, to: "main"} }

const secret = "s3cr3t-Key-0123456789"

// worker starts a worker and returns it with the function that stops it.
func (h *house) worker(file *link.File) (*pipeline.Worker, func()) {
	h.t.Helper()
	w, err := pipeline.New(pipeline.Config{
		Queue: h.queue, File: file, Log: zerolog.New(h.log), Probing: h.probing, Finish: h.finish,
		Parked: func(scope string, parked bool) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.parked[scope] = parked
		},
		Backoff: func(int, time.Duration) time.Duration { return 0 },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					h.t.Error(err)
				}
			case <-time.After(patience):
				h.t.Error("the worker does not stop")
			}
		})
	}
	h.t.Cleanup(stop)
	return w, stop
}

func (h *house) isParked(scope string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parked[scope]
}

// publish stores a finished call; fields are more of it, or others.
func (h *house) publish(id string, fields ...string) event.Key {
	h.t.Helper()
	form := url.Values{
		"id": {id}, "siteId": {"10001"}, "leadtype": {"call"}, "callphase": {"calldisconnected"}, "callerphone": {"79001234567"},
		"timestamp": {fmt.Sprint(time.Now().Unix())}, "duration": {"42"}, "waiting_time": {"3"},
		"attrs": {`{"mindboxDeviceUUID":"` + device + `"}`},
	}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	key, err := event.NewKey("10001", event.CallEnded, id)
	if err != nil {
		h.t.Fatal(err)
	}
	e := event.Event{Key: key, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte(form.Encode()), Received: time.Now(), Time: time.Now()}
	h.until("published", func() bool {
		ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
		defer cancel()
		_, err := h.queue.Publish(ctx, e)
		return err == nil
	})
	return key
}

// until waits for a condition.
func (h *house) until(what string, condition func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("not %s in %v; stats %+v; log:\n%s", what, patience, h.far.Stats(), h.log)
		}
	}
}

// last returns the newest record of an event for a link; the zero one when there is none.
func (h *house) last(key event.Key, link string) queue.Record {
	h.t.Helper()
	records, err := h.queue.History(h.t.Context(), key)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := len(records) - 1; i >= 0; i-- {
		if records[i].Link == link {
			return records[i]
		}
	}
	return queue.Record{}
}

// ends waits until an event has an outcome for a link, and returns the record.
func (h *house) ends(key event.Key, link string, want event.Outcome) queue.Record {
	h.t.Helper()
	var r queue.Record
	h.until(fmt.Sprintf("%s for %s of %s", want, link, key), func() bool {
		r = h.last(key, link)
		return r.Outcome == want
	})
	return r
}

// logBook keeps what was logged.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lines are the logged lines for which every name has its value.
func (l *logBook) lines(want map[string]any) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		var got map[string]any
		if json.Unmarshal([]byte(line), &got) != nil {
			continue
		}
		all := true
		for name, value := range want {
			all = all && got[name] == value
		}
		if all {
			n++
		}
	}
	return n
}
