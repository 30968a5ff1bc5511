package pipeline_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// patience bounds the stopping of a worker.
const patience = 90 * time.Second

// house is a queue, a simulated Mindbox, and workers between them.
type house struct {
	t       *testing.T
	queue   *queue.Queue
	far     *mindboxtest.Server
	address string
	log     *waittest.Buffer
	probing breaker.Probing
	finish  time.Duration

	pauses atomic.Int64 // of endpoint/main

	mu     sync.Mutex
	parked map[string]bool
}

// often is how tests probe that look at many probes.
var often = breaker.Probing{First: 20 * time.Millisecond, Max: 100 * time.Millisecond}

func newHouse(t *testing.T, config mindboxtest.Config) *house {
	t.Helper()
	h := &house{t: t, far: mindboxtest.New(config), log: &waittest.Buffer{}, parked: map[string]bool{},
		probing: breaker.Probing{First: 200 * time.Millisecond, Max: time.Second}}
	server := httptest.NewServer(h.far)
	t.Cleanup(server.Close)
	h.address = server.URL
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("stats %+v; log:\n%s", h.far.Stats(), h.log)
		}
	})
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
      customer.email: ${email(email)}
      customer.lastName: ${manager}
      customerAction.customFields.callId: ${id}
`, l.id, l.to, l.operation, l.more)
	}
	file, problems, err := link.Parse("touchbox.yaml", []byte(b.String()), link.Options{Getenv: func(string) string { return pipeline.Secret }})
	if err != nil {
		h.t.Fatal(err, problems)
	}
	return file
}

func calls(operation string) linkText { return linkText{id: "calls", operation: operation, to: "main"} }

// worker starts a worker and returns it with the function that stops it.
func (h *house) worker(file *link.File) (*pipeline.Worker, func()) {
	h.t.Helper()
	w, err := pipeline.New(pipeline.Config{
		Queue: h.queue, File: file, Log: zerolog.New(h.log), Probing: h.probing, Finish: h.finish,
		Parked:   func(scope string) { h.noteParked(scope, true) },
		Unparked: func(scope string) { h.noteParked(scope, false) },
		Paused: func(scope string) {
			if scope == "endpoint/main" {
				h.pauses.Add(1)
			}
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

func (h *house) noteParked(scope string, parked bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.parked[scope] = parked
}

func (h *house) isParked(scope string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parked[scope]
}

// publish stores a finished call; fields are more of it, or others.
func (h *house) publish(id string, fields ...string) event.Key {
	h.t.Helper()
	e := pipeline.Hook(h.t, id, fields...)
	h.until("published", func() bool {
		ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
		defer cancel()
		_, err := h.queue.Publish(ctx, e)
		return err == nil
	})
	return e.Key
}

// until waits for a condition.
func (h *house) until(what string, condition func() bool) {
	h.t.Helper()
	waittest.Eventually(h.t, what, condition)
}

// last returns the newest record of an event for a link; the zero one when there is none, or when nobody answers: the server may have
// been killed.
func (h *house) last(key event.Key, link string) queue.Record {
	h.t.Helper()
	records, err := h.queue.History(h.t.Context(), key)
	if err != nil && !queue.Unanswered(err) {
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
