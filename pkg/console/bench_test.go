package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// BenchmarkIngestBesideTheConsole measures how long a webhook takes, in turns: with nobody at the console, and with eight tabs open (four
// live tails, four overviews) while a replay runs. The ratio of the two p99 is what counts; each turn is ten seconds at 30 hooks a second, so
// that it takes some turns (-benchtime 5x) until one slow moment of the machine decides nothing.
func BenchmarkIngestBesideTheConsole(b *testing.B) {
	h := newHouse(b, nil)
	const dead = 1000 // enough for five turns
	for id := range dead {
		h.publish(1_000_000+id, 30)
	}
	h.work("dynamic", queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Attempts: 1, Version: h.admin.File.Link("dynamic").Version}, dead)
	open := queuetest.OpenLink(b, h.admin.Queue, queue.LinkSpec{ID: "dynamic", Subjects: h.admin.File.Link("dynamic").Subjects()})
	_, rest := queuetest.Consume(b, open, func(d *queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Delivered, Status: 200, Attempts: d.Attempts + 1}
	})
	defer rest()
	ingest := httptest.NewServer(hook.NewHandler(hook.Config{Sites: []calltouch.Site{{ID: "10001", HookKeys: func() []string { return []string{secrets.hook} }}}, Store: h.admin.Queue}))
	defer ingest.Close()
	id := 0
	turn := func() (took []time.Duration) {
		ticker := time.NewTicker(time.Second / 30)
		defer ticker.Stop()
		for range 300 {
			<-ticker.C
			id++
			began := time.Now()
			answer, err := http.Post(ingest.URL+"/calltouch/10001/"+secrets.hook, "application/x-www-form-urlencoded", bytes.NewReader(hookBody(id, 30)))
			if err != nil || answer.StatusCode != http.StatusOK {
				b.Fatal(answer, err)
			}
			_ = answer.Body.Close()
			took = append(took, time.Since(began))
		}
		return took
	}
	person := h.signedIn(actKey)
	if got := person.post("/jobs", url.Values{"link": {"dynamic"}, "shown": {strconv.Itoa(dead)}, "rate": {"20"}}); got.status != http.StatusSeeOther {
		b.Fatalf("replay: %d %s", got.status, got.body)
	}
	turn() // warms up
	var alone, beside []time.Duration
	for b.Loop() {
		alone = append(alone, turn()...)
		stop := person.atWork()
		beside = append(beside, turn()...)
		stop()
	}
	p99 := func(list []time.Duration) time.Duration {
		slices.Sort(list)
		return list[len(list)*99/100]
	}
	b.ReportMetric(float64(p99(alone).Microseconds())/1000, "ms-alone")
	b.ReportMetric(float64(p99(beside).Microseconds())/1000, "ms-beside")
	b.ReportMetric(float64(p99(beside))/float64(p99(alone)), "ratio")
}

// atWork opens eight tabs and has the jobs worked at.
func (person *browser) atWork() (stop func()) {
	rest := person.worker()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for tab := range 8 {
		wg.Go(func() {
			if tab%2 == 0 {
				response, err := person.client.Do(person.request("GET", "/live/stream", nil))
				if err == nil {
					go func() { <-done; _ = response.Body.Close() }()
					buffer := make([]byte, 1<<16)
					for err == nil {
						_, err = response.Body.Read(buffer)
					}
				}
				return
			}
			for {
				r := person.request("GET", "/", nil)
				r.Header.Set("X-Part", "part-overview")
				if response, err := person.client.Do(r); err == nil {
					_ = response.Body.Close()
				}
				select {
				case <-done:
					return
				case <-time.After(5 * time.Second): // as the script does
				}
			}
		})
	}
	return func() { close(done); wg.Wait(); rest() }
}

// BenchmarkIdleConsole measures what a console takes of memory that has shown its pages and is left alone.
func BenchmarkIdleConsole(b *testing.B) {
	h := newHouse(b, nil)
	h.fill()
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	token, err := h.admin.Open(b.Context(), admin.Session{Name: "x", Role: "admin"}, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	var all []*console.Console
	before := heap()
	for b.Loop() {
		c := console.New(console.Options{Admin: func() admin.Admin { return h.admin }, Addr: "127.0.0.1:8083", Log: zerolog.Nop()})
		all = append(all, c)
		for _, path := range []string{"/", "/events", "/causes", "/links", "/sites", "/live"} {
			for _, language := range []string{"en", "ru"} {
				r := httptest.NewRequest("GET", fmt.Sprintf("%s?lang=%s", path, language), nil)
				r.Host, r.RemoteAddr = "127.0.0.1:8083", "127.0.0.1:1"
				r.AddCookie(&http.Cookie{Name: "touchbox", Value: token})
				w := httptest.NewRecorder()
				if c.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(path, w.Code)
				}
			}
		}
	}
	b.ReportMetric(float64(heap()-before)/float64(len(all))/1e6, "MB/console")
	runtime.KeepAlive(all)
}
