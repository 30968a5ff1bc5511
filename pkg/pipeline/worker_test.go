package pipeline_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func TestWorkerDeliversOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{}).withQueue()
	h.worker(h.file("", calls("CallTouch")))
	key := h.publish("148071")
	h.publish("148071") // a second hook of the same call
	r := h.ends(key, "calls", event.Delivered)
	if r.Attempts != 1 || r.Status != 200 || r.TransactionID == "" || r.Version == "" {
		t.Errorf("record %+v", r)
	}
	if stats := h.far.Stats(); stats.Executed != 1 || stats.Requests != 1 {
		t.Errorf("stats %+v", stats)
	}
	want := map[string]any{"level": "info", "event_id": "10001/call-ended/148071", "link": "calls", "outcome": "delivered", "attempt": 1.0, "reason": "accepted"}
	h.until("logged", func() bool { return h.log.Lines(want) == 1 }) // the line follows the record
	var document map[string]any
	if _, err := h.queue.State().Get(t.Context(), "version."+r.Version, &document); err != nil || document["links"] == nil {
		t.Errorf("the version that the record names: %v, %v", document, err)
	}
}

func TestWorkerRetries(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		switch r.Attempt {
		case 1, 2, 3, 4: // the first attempt asks again at once
			return &mindboxtest.Reply{Status: 500}
		case 5:
			return &mindboxtest.Reply{Execute: true, Reset: true} // executed, the answer lost
		}
		return nil
	}}).withQueue()
	h.worker(h.file("", calls("CallTouch")))
	r := h.ends(h.publish("1"), "calls", event.Delivered)
	if r.Attempts != 3 || r.Reason != "already_processed" {
		t.Errorf("record %+v", r)
	}
	if stats := h.far.Stats(); stats.Executed != 1 {
		t.Errorf("stats %+v", stats)
	}
	h.until("two warnings", func() bool { return h.log.Lines(map[string]any{"level": "warn", "outcome": "waiting"}) == 2 })
}

func TestWorkerBuriesWhatMindboxRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		return &mindboxtest.Reply{Status: 400, Body: `{"status":"ProtocolError","errorMessage":"no such customer: 79001234567"}`}
	}}).withQueue()
	h.worker(h.file("", calls("CallTouch")))
	key := h.publish("1")
	h.ends(key, "calls", event.Dead)
	letter, err := h.queue.DeadLetter(t.Context(), "calls", key)
	if err != nil {
		t.Fatal(err)
	}
	if letter.Reason != "protocol_error" || letter.Status != 400 || letter.Answer != "no such customer: *********67" || letter.Attempts != 1 {
		t.Errorf("letter %+v", letter)
	}
	h.until("one error", func() bool { return h.log.Lines(map[string]any{"level": "error", "outcome": "dead"}) == 1 })
}

// TestWorkerParks refuses one endpoint or one link until a person has mended it, and looks at
// what stood still, what went on, and that nothing was buried or counted.
func TestWorkerParks(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a person mends what is refused, and probes find it")
	tests := []struct {
		name   string
		status int
		hits   func(r mindboxtest.Request) bool
		scope  string
	}{
		{"401 parks every link of the endpoint", 401, func(r mindboxtest.Request) bool { return r.Endpoint == "clinic.Website" }, "endpoint/main"},
		{"404 parks the link alone", 404, func(r mindboxtest.Request) bool { return r.Operation == "One" }, "link/one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mended atomic.Bool
			h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
				if tt.hits(r) && !mended.Load() {
					return &mindboxtest.Reply{Status: tt.status}
				}
				return nil
			}}).withQueue()
			file := h.file("", linkText{"one", "One", "main", ""}, linkText{"two", "Two", "main", ""}, linkText{"three", "Three", "other", ""})
			h.worker(file)
			h.worker(file) // both obey, one probes
			key := h.publish("1")
			h.until("parked", func() bool { return h.isParked(tt.scope) })
			h.ends(key, "three", event.Delivered)
			if tt.status == 404 {
				h.ends(key, "two", event.Delivered)
			}
			var keys []event.Key
			for i := range 30 {
				keys = append(keys, h.publish(fmt.Sprint(i+2)))
			}
			before := h.far.Stats().Statuses[fmt.Sprint(tt.status)]
			time.Sleep(time.Second)
			if n := h.far.Stats().Statuses[fmt.Sprint(tt.status)] - before; n > 4 {
				t.Errorf("%d refused requests in a second over a parked link", n)
			}
			mended.Store(true)
			for _, key := range keys {
				for _, link := range []string{"one", "two", "three"} {
					if r := h.ends(key, link, event.Delivered); r.Attempts != 1 {
						t.Errorf("%s: %d attempts", link, r.Attempts)
					}
				}
			}
			h.until("open again", func() bool { return !h.isParked(tt.scope) })
			if parks, err := h.queue.Parks(t.Context()); err != nil || len(parks) != 0 {
				t.Errorf("parks %+v, %v", parks, err)
			}
		})
	}
}

// TestProbesTakeAnotherEventEachTime: one event that meets an answer of its own must not keep the
// link parked.
func TestProbesTakeAnotherEventEachTime(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a row of probes, one after the other")
	var mu sync.Mutex
	var tried []string
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		mu.Lock()
		defer mu.Unlock()
		tried = append(tried, r.CallID)
		return &mindboxtest.Reply{Status: 404}
	}}).withQueue()
	h.probing = often
	h.worker(h.file("", calls("CallTouch")))
	h.publish("first")
	h.until("parked", func() bool { return h.isParked("link/calls") })
	for i := range 3 {
		h.publish(fmt.Sprint(i))
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(tried)
	}
	before := count()
	h.until("probed", func() bool { return count() >= before+4 })
	mu.Lock()
	defer mu.Unlock()
	probes := slices.Clone(tried[before : before+4])
	for i := range probes[1:] {
		if probes[i] == probes[i+1] {
			t.Errorf("probes %v", probes)
		}
	}
	slices.Sort(probes)
	if len(slices.Compact(probes)) < 3 {
		t.Errorf("probes %v", probes)
	}
}

// TestLinksOfAnEndpointProbeInTurn: while one link probes, the others leave their events where they
// are, instead of turning each of them over with a record.
func TestLinksOfAnEndpointProbeInTurn(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a row of probes, one after the other")
	h := newHouse(t, mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply {
		return &mindboxtest.Reply{Status: 401}
	}}).withQueue()
	h.probing = often
	links := []string{"one", "two", "three", "four", "five"}
	var texts []linkText
	for _, id := range links {
		texts = append(texts, linkText{id, "CallTouch", "main", ""})
	}
	h.worker(h.file("", texts...))
	var keys []event.Key
	for i := range 3 {
		keys = append(keys, h.publish(fmt.Sprint(i)))
	}
	h.until("parked", func() bool { return h.isParked("endpoint/main") })
	probes := func() (made, inVain int) {
		for _, key := range keys {
			records, err := h.queue.History(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				switch {
				case r.Probe && r.Reason == "parked":
					inVain++
				case r.Probe:
					made++
				}
			}
		}
		return made, inVain
	}
	h.until("probed", func() bool { made, _ := probes(); return made >= 6 })
	if _, inVain := probes(); inVain > 0 {
		t.Errorf("%d events were fetched for a probe in vain", inVain)
	}
}

func TestWorkerSitsOutAnOutage(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "an outage lasts some seconds")
	h := newHouse(t, mindboxtest.Config{}).withQueue()
	h.far.SetFaults(mindboxtest.Faults{OutageUntil: time.Now().Add(time.Hour), OutageMode: "reset"})
	h.worker(h.file("", calls("CallTouch")))
	var keys []event.Key
	for i := range 60 {
		keys = append(keys, h.publish(fmt.Sprint(i)))
	}
	h.until("parked", func() bool { return h.isParked("endpoint/main") })
	time.Sleep(time.Second) // what was on its way when the breaker opened has ended
	before := h.far.Stats().Requests
	time.Sleep(2 * time.Second)
	if n := h.far.Stats().Requests - before; n > 20 {
		t.Errorf("%d requests in two seconds of an outage", n)
	}
	h.far.SetFaults(mindboxtest.Faults{})
	for _, key := range keys {
		if r := h.ends(key, "calls", event.Delivered); r.Attempts > 3 {
			t.Errorf("%s: %d attempts", key, r.Attempts)
		}
	}
	if stats := h.far.Stats(); stats.Executed != len(keys) {
		t.Errorf("stats %+v", stats)
	}
}

// TestWorkerSitsOutStrangers puts what is not Mindbox in front of it until a person has mended that:
// nothing dies, and the park holds as long as the answers last.
func TestWorkerSitsOutStrangers(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "each stranger lasts some seconds")
	const page = "<html><head><title>Checking your browser</title></head></html>"
	tests := []struct {
		name    string
		replies []mindboxtest.Reply // by turns
	}{
		{"a page with 200", []mindboxtest.Reply{{Status: 200, Body: page}}},
		{"a redirect", []mindboxtest.Reply{{Status: 302, Header: map[string]string{"Location": "https://login.example/"}}}},
		{"pages of many kinds", []mindboxtest.Reply{
			{Status: 200, Body: page}, {Status: 403, Body: page}, {Status: 202}, {Status: 400, Body: page}, {Status: 407, Body: page},
			{Status: 200, Body: `{"status":"Succ`}, {Status: 404, Body: page}, {Status: 200, Body: `{"status":"ok"}`},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var mended atomic.Bool
			var n atomic.Int32
			h := newHouse(t, mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply {
				if mended.Load() {
					return nil
				}
				return &tt.replies[int(n.Add(1))%len(tt.replies)]
			}}).withQueue()
			h.probing = often
			h.worker(h.file("", calls("CallTouch")))
			var keys []event.Key
			for i := range 25 {
				keys = append(keys, h.publish(fmt.Sprint(i)))
			}
			h.until("parked", func() bool { return h.isParked("endpoint/main") })
			met := n.Load()
			h.until("probed", func() bool { return n.Load() >= met+10 })
			if !h.isParked("endpoint/main") {
				t.Error("the park opened on a probe that met the same")
			}
			mended.Store(true)
			for _, key := range keys {
				h.ends(key, "calls", event.Delivered)
			}
			if n := h.log.Lines(map[string]any{"outcome": "dead"}); n != 0 {
				t.Errorf("%d events died", n)
			}
		})
	}
}

func TestWorkerObeysRetryAfter(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	times := map[string][]time.Time{}
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		mu.Lock()
		defer mu.Unlock()
		times[r.CallID] = append(times[r.CallID], time.Now())
		if r.Attempt == 1 {
			return &mindboxtest.Reply{Status: 429, Header: map[string]string{"Retry-After": "2"}}
		}
		return nil
	}}).withQueue()
	h.worker(h.file("", calls("CallTouch")))
	var keys []event.Key
	for i := range 5 {
		keys = append(keys, h.publish(fmt.Sprint(i)))
	}
	for _, key := range keys {
		h.ends(key, "calls", event.Delivered)
	}
	mu.Lock()
	defer mu.Unlock()
	for id, at := range times {
		if len(at) != 2 || at[1].Sub(at[0]) < 2*time.Second {
			t.Errorf("call %s was tried at %v", id, at)
		}
	}
}

// TestWorkerAsksNobodyWhoRefusesEverything: a far end that says 429 to all for a while, and when it will take something again.
func TestWorkerAsksNobodyWhoRefusesEverything(t *testing.T) {
	t.Parallel()
	const events, told = 400, 5 * time.Second
	var mu sync.Mutex
	var first time.Time
	early, times := 0, map[string]int{}
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		mu.Lock()
		defer mu.Unlock()
		if times[r.CallID]++; first.IsZero() {
			first = time.Now()
		}
		if left := told - time.Since(first); left > 0 {
			early++
			return &mindboxtest.Reply{Status: 429, Header: map[string]string{"Retry-After": fmt.Sprint(int(math.Ceil(left.Seconds())))}}
		}
		return nil
	}}).withQueue()
	var keys []event.Key
	for i := range events {
		keys = append(keys, h.publish(fmt.Sprint(i)))
	}
	h.worker(h.file("", calls("CallTouch")))
	for _, key := range keys {
		h.ends(key, "calls", event.Delivered)
	}
	mu.Lock()
	defer mu.Unlock()
	if early > 300 {
		t.Errorf("%d requests were refused, of which 256 may have been under way", early)
	}
	for id, n := range times {
		if n > 2 {
			t.Errorf("call %s was asked %d times", id, n)
		}
	}
	if n := h.log.Lines(map[string]any{"level": "warn", "scope": "endpoint/main"}); n != 1 || h.pauses.Load() < 1 {
		t.Errorf("%d lines of the log, %d pauses counted", n, h.pauses.Load())
	}
}

// TestVersionsAreThoseOfAllWorkers: two workers with different files keep each other's.
func TestVersionsAreThoseOfAllWorkers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{}).withQueue()
	one, other := h.file("", calls("CallTouch")), h.file("", calls("Other"))
	w, _ := h.worker(one)
	h.worker(other)
	h.until("present", func() bool { return h.workers() == 2 })
	got, err := w.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []*link.File{one, other} {
		if want := file.Link("calls").Version; !slices.Contains(got, want) {
			t.Errorf("%s is missing among %v", want, got)
		}
	}
}

// TestWorkersKeepTheRateTogether runs two workers under one configured rate.
func TestWorkersKeepTheRateTogether(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{}).withQueue()
	for i := range 60 {
		h.publish(fmt.Sprint(i))
	}
	// Three workers, of which one has no use for its share. The second knows of two until it looks
	// again, ten seconds later: 20/2 and 20/3 a second.
	h.worker(h.file(", rate: 20/s", linkText{"idle", "Idle", "main", "when: duration > 1000"}))
	h.until("present", func() bool { return h.workers() == 1 })
	file := h.file(", rate: 20/s", calls("CallTouch"))
	h.worker(file)
	h.until("present", func() bool { return h.workers() == 2 })
	h.worker(file)
	h.until("all executed", func() bool { return h.far.Stats().Executed == 60 })
	var at []time.Time
	for _, e := range h.far.Executed(mindboxtest.Query{}) {
		at = append(at, e.Time)
	}
	slices.SortFunc(at, time.Time.Compare)
	if took := at[59].Sub(at[0]); took < 2900*time.Millisecond {
		t.Errorf("60 calls in %v at 20/s", took)
	}
}

func (h *house) workers() int {
	entries, err := h.queue.State().List(h.t.Context(), "worker.")
	if err != nil {
		h.t.Fatal(err)
	}
	return len(entries)
}

// TestKillsRepeatNothing kills the server and stops workers in the middle of the work.
func TestKillsRepeatNothing(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes are killed and started again")
	server := queuetest.Spawn(t)
	h := newHouse(t, mindboxtest.Config{Faults: mindboxtest.Faults{Latency: 10 * time.Millisecond, PLost: 10, P500: 10}})
	h.queue = server.Open(queue.Options{})
	h.finish = 10 * time.Millisecond // as good as a kill: what is in hand is left
	const n = 200
	file := h.file("", calls("CallTouch"))
	var keys []event.Key
	for i := range n {
		keys = append(keys, h.publish(fmt.Sprint(i)))
	}
	_, stop := h.worker(file)
	h.until("under way", func() bool { return h.far.Stats().Executed > n/5 })
	stop()
	_, stop = h.worker(file)
	h.until("half way", func() bool { return h.far.Stats().Executed > n/2 })
	server.Kill()
	server.Start()
	h.until("all executed", func() bool { return h.far.Stats().Executed == n })
	for _, key := range keys {
		h.ends(key, "calls", event.Delivered)
	}
	stop()
	executed := h.far.Executed(mindboxtest.Query{})
	ids := map[string]bool{}
	for _, e := range executed {
		ids[e.CallID] = true
	}
	if len(ids) != n || len(executed) != n {
		t.Errorf("%d executions of %d calls, want %d", len(executed), len(ids), n)
	}
}

func TestUseTakesUpAFile(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		if r.Operation == "Old" && lost.CompareAndSwap(false, true) {
			return &mindboxtest.Reply{Status: 500, Header: map[string]string{"Retry-After": "2"}}
		}
		return nil
	}}).withQueue()
	w, _ := h.worker(h.file("", calls("Old"), linkText{"gone", "Gone", "main", ""}))
	pinned := h.publish("pinned")
	h.ends(pinned, "calls", event.Waiting)
	h.ends(pinned, "gone", event.Delivered)
	if err := w.Use(h.file("", calls("New"), linkText{"fresh", "Fresh", "main", ""})); err != nil {
		t.Fatal(err)
	}
	key := h.publish("2")
	h.ends(key, "calls", event.Delivered)
	h.ends(key, "fresh", event.Delivered)
	h.ends(pinned, "calls", event.Delivered)
	operations := map[string]string{}
	for _, e := range h.far.Executed(mindboxtest.Query{}) {
		operations[e.CallID] += e.Operation + " "
	}
	for id, want := range map[string][]string{"pinned": {"Old", "Gone", "Fresh"}, "2": {"New", "Fresh"}} {
		got := strings.Fields(operations[id])
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s was executed as %v, want %v", id, got, want)
		}
	}
}

func TestWorkerPausesWhatLeftTheFile(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{}).withQueue()
	both := h.file("", calls("CallTouch"), linkText{"gone", "Gone", "main", ""})
	one := h.file("", calls("CallTouch"))
	_, stop := h.worker(both)
	h.ends(h.publish("1"), "gone", event.Delivered)

	// A worker with another file runs beside it: what somebody runs is not paused.
	_, stopOther := h.worker(one)
	h.until("present", func() bool { return h.workers() == 2 })
	h.ends(h.publish("2"), "gone", event.Delivered)
	stopOther()
	stop()

	_, stop = h.worker(one)
	h.until("paused", func() bool { return h.paused("gone") == queue.Gone })
	h.until("warned", func() bool { return h.log.Lines(map[string]any{"level": "warn", "link": "gone"}) == 1 })
	key := h.publish("3")
	h.ends(key, "calls", event.Delivered)
	stop()

	h.worker(both) // it is back, and had kept its place
	h.ends(key, "gone", event.Delivered)
	if h.paused("gone") != queue.Running {
		t.Error("still paused")
	}
}

// A link whose record is not in order keeps no other that left the file from being paused.
func TestWorkerPausesBehindALinkThatCannotBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t, mindboxtest.Config{}).withQueue()
	_, stop := h.worker(h.file("", calls("CallTouch"), linkText{"gone", "Gone", "main", ""}))
	h.ends(h.publish("1"), "gone", event.Delivered)
	stop()
	// The record of another id: what is paused by it is not there.
	if _, err := h.queue.State().Put(t.Context(), "link.a-first", queue.LinkState{ID: "nobody", Subjects: []string{"touchbox.event.1.request.*"}}); err != nil {
		t.Fatal(err)
	}
	h.worker(h.file("", calls("CallTouch")))
	h.until("paused", func() bool { return h.paused("gone") == queue.Gone })
}

func (h *house) paused(id string) queue.Pause {
	states, err := h.queue.Links(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, s := range states {
		if s.ID == id {
			return s.Paused
		}
	}
	return "unknown"
}

// TestNothingPersonalLeaksOut drives marked values through every outcome and looks for them in
// the log and in what is kept beside the event itself.
func TestNothingPersonalLeaksOut(t *testing.T) {
	t.Parallel()
	const phone, name, email, token = "79995554433", "Marker-Surname", "marker@example.org", "token-marker-77"
	h := newHouse(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		switch r.CallID {
		case "refused": // Mindbox quotes all that it got
			body, _ := json.Marshal(map[string]string{"status": "ProtocolError",
				"errorMessage": phone + " " + email + " " + r.Header.Get("Authorization")})
			return &mindboxtest.Reply{Status: 400, Body: string(body)}
		case "lost":
			if r.Attempt == 1 {
				return &mindboxtest.Reply{Reset: true}
			}
		case "page":
			if r.Attempt == 1 {
				return &mindboxtest.Reply{Status: 502, Body: "<html>" + phone + " " + pipeline.Secret + "</html>"}
			}
		}
		return nil
	}}).withQueue()
	h.worker(h.file("", linkText{"calls", "CallTouch", "main", "when: [duration > 5, callerphone != nil and manager != nil, utm_term == nil or int(utm_term) > 0]"}))
	fields := []string{"callerphone", phone, "manager", name, "comment", email, "url", "https://clinic.example/?t=" + token, "reclink", "https://rec/" + token}
	ends := map[string]event.Outcome{"delivered": event.Delivered, "refused": event.Dead, "lost": event.Delivered, "page": event.Delivered,
		"filtered": event.Filtered, "undeliverable": event.Undeliverable, "failed": event.Dead}
	more := map[string][]string{"filtered": {"duration", "1"}, "undeliverable": {"callerphone", "x" + name}, "failed": {"utm_term", name}}
	var kept strings.Builder
	for id, outcome := range ends {
		key := h.publish(id, append(slices.Clone(fields), more[id]...)...)
		h.ends(key, "calls", outcome)
		records, err := h.queue.History(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		_ = json.NewEncoder(&kept).Encode(records)
		letter, err := h.queue.DeadLetter(t.Context(), "calls", key)
		if err == nil {
			fmt.Fprintln(&kept, letter.Reason, letter.Answer)
		}
	}
	for _, where := range []struct{ name, text string }{{"the log", h.log.String()}, {"the history", kept.String()}} {
		for _, marked := range []string{phone, name, email, token, pipeline.Secret, "clinic.example", "/v3/operations"} {
			if strings.Contains(where.text, marked) {
				t.Errorf("%s holds %q:\n%s", where.name, marked, where.text)
			}
		}
	}
	if !strings.Contains(kept.String(), "33") { // the last two digits stay
		t.Error("nothing is left of the phone")
	}
}
