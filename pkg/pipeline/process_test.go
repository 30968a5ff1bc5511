package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker/breakertest"
	"github.com/touchbox/touchbox/pkg/queue"
)

// What the tests of this package have in common, also those outside of it: the device of each Hook, and
// the destinations' secret.
const (
	device = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	Secret = "s3cr3t-Key-0123456789"
)

// testFile is a file with one link; options are more lines of it.
func testFile(t *testing.T, address, operation string, options ...string) *link.File {
	t.Helper()
	text := fmt.Sprintf(`
calltouch:
  - {site: 10001, name: clinic, attrs: [mindboxDeviceUUID], device: mindboxDeviceUUID}
mindbox:
  - {name: main, url: %q, endpoint: clinic.Website, secret: {env: SECRET}, timeout: 1s, retry: {for: 1h, upTo: 15m}}
links:
  - id: calls
    from: clinic
    event: call.ended
    to: main
    operation: %s
    deviceUUID: ${deviceUUID}
    %s
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id}
      customerAction.customFields.utmTerm: ${utm_term}
      executionDateTimeUtc: ${utc(time)}
`, address, operation, strings.Join(options, "\n    "))
	file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: func(string) string { return Secret }})
	if err != nil {
		t.Fatal(err, problems)
	}
	return file
}

// Hook is a finished call as a hook brings it; fields are more of it, or others.
func Hook(t *testing.T, id string, fields ...string) event.Event {
	t.Helper()
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
		t.Fatal(err)
	}
	return event.Event{Key: key, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte(form.Encode()), Received: time.Now(), Time: time.Now()}
}

// bench is one link before a simulated Mindbox, without a queue.
type bench struct {
	setup    *setup
	breakers breaker.Pair
	far      *mindboxtest.Server
}

func newBench(t *testing.T, config mindboxtest.Config, operation string, options ...string) *bench {
	t.Helper()
	far := mindboxtest.New(config)
	server := httptest.NewServer(far)
	t.Cleanup(server.Close)
	b := &bench{far: far, breakers: newBreakers(&breakertest.Store{}, breaker.Probing{})}
	b.use(t, testFile(t, server.URL, operation, options...))
	return b
}

// newBreakers are those of the bench's link and endpoint.
func newBreakers(store *breakertest.Store, probing breaker.Probing) breaker.Pair {
	set := breaker.NewSet(breaker.Config{Store: store, Probing: probing, Log: zerolog.Nop()})
	return breaker.Pair{Endpoint: set.Of("endpoint/main"), Link: set.Of("link/calls")}
}

func (b *bench) use(t *testing.T, file *link.File) {
	t.Helper()
	client, err := Client(file.Destinations[0], "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	b.setup = &setup{
		link: file.Links[0], views: views(file, file.Links[0]), reads: newReadings(file), retry: Backoff, warnings: &warnings{},
		to: &destination{file: file.Destinations[0], client: client, pace: newPace(), breaker: b.breakers.Endpoint, paused: func(time.Time) {}},
	}
}

func (b *bench) process(t *testing.T, d queue.Delivery) queue.Decision {
	t.Helper()
	d.Link = b.setup.link.ID
	return process(t.Context(), b.setup, b.breakers, &d)
}

// again is the delivery that follows from a decision to wait.
func again(d queue.Delivery, x queue.Decision) queue.Delivery {
	d.Attempts, d.First, d.Pin, d.Answer, d.Retry = x.Attempts, x.First, x.Pin, x.Answer, true
	return d
}

func answerWith(replies ...mindboxtest.Reply) mindboxtest.Config {
	var n atomic.Int32
	return mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply {
		if i := int(n.Add(1)) - 1; i < len(replies) {
			return &replies[i]
		}
		return nil
	}}
}

// What was begun is gone on with, but not by a file that has changed meanwhile.
func TestWhatWasBegunIsOfTheSameFile(t *testing.T) {
	b := newBench(t, mindboxtest.Config{}, "First")
	r := &runner{breaker: b.breakers.Link}
	for _, operation := range []string{"First", "Second"} {
		r.setup.Store(b.setup)
		d := &queue.Delivery{Event: Hook(t, operation), Link: "calls"}
		if x, decided := r.begin(t.Context(), d); decided || d.Begun == nil {
			t.Fatalf("decided %v: %+v, begun %v", decided, x, d.Begun)
		}
		b.use(t, testFile(t, b.setup.to.file.URL, operation))
		if operation == "Second" {
			r.setup.Store(b.setup)
		}
		x := r.handle(t.Context(), d)
		if x.Outcome != event.Delivered || x.Version != r.setup.Load().link.Version {
			t.Errorf("%s: %+v", operation, x)
		}
	}
	b.use(t, testFile(t, b.setup.to.file.URL, "Second", `when: 'id == "none"'`))
	r.setup.Store(b.setup)
	d := &queue.Delivery{Event: Hook(t, "1"), Link: "calls"}
	if x, decided := r.begin(t.Context(), d); !decided || x.Outcome != event.Filtered || x.Detail == nil {
		t.Errorf("decided %v: %+v", decided, x)
	}
}

func TestProcessDelivers(t *testing.T) {
	b := newBench(t, mindboxtest.Config{}, "CallTouch")
	x := b.process(t, queue.Delivery{Event: Hook(t, "148071")})
	key, _ := event.NewKey("10001", event.CallEnded, "148071")
	want := queue.Decision{
		Outcome: event.Delivered, Attempts: 1, Reason: "accepted", Status: 200, Version: b.setup.link.Version,
		TransactionID: TransactionID("clinic.Website", "CallTouch", "calls", key, "").String(),
	}
	if diff := cmp.Diff(want, x, cmpopts.IgnoreFields(queue.Decision{}, "First", "Duration")); diff != "" {
		t.Error(diff)
	}
	executed := b.far.Executed(mindboxtest.Query{CallID: "148071"})
	if len(executed) != 1 || executed[0].DeviceUUID != device || executed[0].TransactionID != want.TransactionID ||
		!strings.Contains(string(executed[0].Body), `"mobilePhone":"79001234567"`) {
		t.Errorf("executed %+v", executed)
	}
}

// TestProcessDecides has one row for each way to an outcome.
func TestProcessDecides(t *testing.T) {
	old := fmt.Sprint(time.Now().Add(-2 * time.Hour).Unix())
	reply := func(status int, body string) mindboxtest.Config {
		return answerWith(mindboxtest.Reply{Status: status, Body: body})
	}
	tests := []struct {
		name     string
		config   mindboxtest.Config
		options  []string
		fields   []string
		delivery queue.Delivery
		want     event.Outcome
		reason   string
		detail   string // part of it
	}{
		{name: "repeat that Mindbox knows", config: reply(200, `{"status":"TransactionAlreadyProcessed"}`), want: event.Delivered, reason: "already_processed"},
		{name: "filtered", options: []string{"when: [duration > 50, callerphone != nil]"}, want: event.Filtered, reason: "condition",
			detail: `{"source":"duration \u003e 50","value":false,"saw":{"duration":42},"pass":false},{"source":"callerphone != nil","value":true,"saw":{"callerphone":"*********67"},"pass":true}`},
		{name: "undeliverable", fields: []string{"callerphone", "anonymous"}, want: event.Undeliverable, reason: "missing", detail: `"missing":["customer.mobilePhone"]`},
		{name: "an expression fails", options: []string{"when: int(utm_term) > 1"}, fields: []string{"utm_term", "Ivanov"}, want: event.Dead, reason: "expression", detail: `"error":"the expression`},
		{name: "expired", options: []string{"expire: 1h"}, fields: []string{"timestamp", old}, want: event.Dead, reason: "expired"},
		{name: "not expired yet", options: []string{"expire: 3h"}, fields: []string{"timestamp", old}, want: event.Delivered, reason: "accepted"},
		{name: "a replay knows no age", options: []string{"expire: 1h"}, fields: []string{"timestamp", old}, delivery: queue.Delivery{Trail: event.Trail{Replayed: true}}, want: event.Delivered, reason: "accepted"},
		{name: "shadow", options: []string{"mode: shadow"}, want: event.Shadow},
		{name: "refused", config: reply(400, `{"status":"ProtocolError","errorMessage":"no","errorId":"`+device+`"}`), want: event.Dead, reason: "protocol_error", detail: `"error_id":"` + device + `"`},
		{name: "refused inside a 200", config: reply(200, `{"status":"ValidationError"}`), want: event.Dead, reason: "validation_error"},
		{name: "temporary", config: reply(503, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 1}}, want: event.Waiting, reason: "server_error"},
		{name: "too many", config: reply(429, ""), want: event.Waiting, reason: "too_many_requests"},
		{name: "no key", config: reply(401, ""), want: event.Waiting, reason: "credentials_missing"},
		{name: "says nothing", config: reply(200, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40}}, want: event.Waiting, reason: "unclear_answer"},
		{name: "a page", config: reply(200, "<html>Checking your browser</html>"), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40}}, want: event.Waiting, reason: "unclear_answer"},
		{name: "a challenge", config: reply(202, "<html>Checking your browser</html>"), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40}}, want: event.Waiting, reason: "unclear_answer"},
		{name: "a login", config: reply(302, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40}}, want: event.Waiting, reason: "redirect"},
		{name: "a page that refuses", config: reply(400, "<html>Bad Request</html>"), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40}}, want: event.Waiting, reason: "not_mindbox"},
		{name: "a proxy that wants a password", config: reply(407, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40}}, want: event.Waiting, reason: "not_mindbox"},
		{name: "a page for longer than retry.for", config: reply(200, "<html>"), delivery: queue.Delivery{Trail: event.Trail{Attempts: 40, First: time.Now().Add(-2 * time.Hour)}}, want: event.Dead, reason: "too_old"},
		{name: "old but tried seldom", config: reply(500, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 8, First: time.Now().Add(-2 * time.Hour)}}, want: event.Waiting, reason: "server_error"},
		{name: "old and tried often", config: reply(500, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 9, First: time.Now().Add(-2 * time.Hour)}}, want: event.Dead, reason: "too_old"},
		{name: "tried often but not old", config: reply(500, ""), delivery: queue.Delivery{Trail: event.Trail{Attempts: 50, First: time.Now()}}, want: event.Waiting, reason: "server_error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.config, "CallTouch", tt.options...)
			tt.delivery.Event = Hook(t, "1", tt.fields...)
			x := b.process(t, tt.delivery)
			detail, _ := json.Marshal(x.Detail)
			if x.Outcome != tt.want || x.Reason != tt.reason || !strings.Contains(string(detail), tt.detail) {
				t.Errorf("got %s, reason %q, detail %s", x.Outcome, x.Reason, detail)
			}
			if sent := b.far.Stats().Requests > 0; sent != (x.Attempts > tt.delivery.Attempts || x.Parked) {
				t.Errorf("sent %v, attempts %d of %d, parked %v", sent, x.Attempts, tt.delivery.Attempts, x.Parked)
			}
		})
	}
}

func TestProcessBuriesWhatItCannotRead(t *testing.T) {
	b := newBench(t, mindboxtest.Config{}, "CallTouch")
	e := Hook(t, "1")
	e.ContentType, e.Body = "application/json", []byte("{")
	if x := b.process(t, queue.Delivery{Event: e}); x.Outcome != event.Dead || x.Reason != ReasonUnreadable {
		t.Errorf("got %+v", x)
	}
	e = Hook(t, "1")
	e.Key.Site = "999"
	if x := b.process(t, queue.Delivery{Event: e}); x.Outcome != event.Dead || x.Reason != ReasonUnknown {
		t.Errorf("got %+v", x)
	}
}

func TestProcessNeverTriesBeforeTheTimeAskedFor(t *testing.T) {
	for _, status := range []int{429, 503, 404} { // 404 parks: that is no attempt, and no sooner either
		b := newBench(t, answerWith(mindboxtest.Reply{Status: status, Header: map[string]string{"Retry-After": "600"}}), "CallTouch")
		x := b.process(t, queue.Delivery{Event: Hook(t, "1")})
		if wait := time.Until(x.Until); x.Outcome != event.Waiting || wait < 595*time.Second {
			t.Errorf("%d: %s for %v", status, x.Outcome, wait)
		}
	}
}

func TestProcessTakesAWordOnWhenToComeAgain(t *testing.T) {
	tests := []struct {
		after       string
		least, most time.Duration
	}{
		{"", 0, 5 * time.Second},
		{"0", 0, 5 * time.Second},
		{"-5", 0, 5 * time.Second},
		{"soon", 0, 5 * time.Second},
		{"NaN", 0, 5 * time.Second},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0, 5 * time.Second},
		{"1", time.Second, 1250 * time.Millisecond},
		{"0.3", time.Second, 1250 * time.Millisecond},
		{"60", time.Minute, 75 * time.Second},
		{"1e300", 24 * time.Hour, 24*time.Hour + 15*time.Minute},
		{"99999999999999999999", 24 * time.Hour, 24*time.Hour + 15*time.Minute},
	}
	for _, tt := range tests {
		reply := mindboxtest.Reply{Status: 429, Body: `{"status":"ProtocolError"}`}
		if tt.after != "" {
			reply.Header = map[string]string{"Retry-After": tt.after}
		}
		b := newBench(t, answerWith(reply), "CallTouch")
		began := time.Now()
		x := b.process(t, queue.Delivery{Event: Hook(t, "1")})
		if least, most := x.Until.Sub(began), time.Until(x.Until); x.Outcome != event.Waiting || x.Attempts != 1 || least < tt.least || most > tt.most {
			t.Errorf("Retry-After %q: %s for %v, want %v to %v", tt.after, x.Outcome, least, tt.least, tt.most)
		}
	}
}

// TestProcessAsksNobodyWhoRefusesEverything: what is in hand waits for the end of a pause, and has not been tried.
func TestProcessAsksNobodyWhoRefusesEverything(t *testing.T) {
	refusal := mindboxtest.Reply{Status: 429, Header: map[string]string{"Retry-After": "30"}}
	b := newBench(t, mindboxtest.Config{Script: func(mindboxtest.Request) *mindboxtest.Reply { return &refusal }}, "CallTouch")
	began := time.Now()
	for i := range pauseAfter {
		if x := b.process(t, queue.Delivery{Event: Hook(t, fmt.Sprint(i))}); x.Parked || x.Attempts != 1 {
			t.Fatalf("event %d: %+v", i, x)
		}
	}
	x := b.process(t, queue.Delivery{Event: Hook(t, "late"), Trail: event.Trail{Attempts: 3}})
	if pause := x.Until.Sub(began); x.Outcome != event.Waiting || !x.Parked || x.Attempts != 3 || x.Reason != string(mindbox.ReasonTooMany) || pause < 30*time.Second {
		t.Errorf("after %v: %+v", pause, x)
	}
	if n := b.far.Stats().Requests; n != pauseAfter {
		t.Errorf("%d requests", n)
	}
}

// TestProcessPins changes the operation in the file between two attempts.
func TestProcessPins(t *testing.T) {
	tests := []struct {
		name   string
		first  mindboxtest.Reply
		pinned bool
	}{
		{"executed, the answer lost", mindboxtest.Reply{Execute: true, Reset: true}, true},
		{"5xx", mindboxtest.Reply{Status: 500}, true},
		{"a 2xx that says nothing", mindboxtest.Reply{Status: 200}, true},
		{"429 burns no id", mindboxtest.Reply{Status: 429}, false},
		{"401 burns no id", mindboxtest.Reply{Status: 401}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, answerWith(tt.first), "CallTouch")
			d := queue.Delivery{Event: Hook(t, "1"), Trail: event.Trail{Attempts: 1}}
			d = again(d, b.process(t, d))
			if (d.Pin != nil) != tt.pinned {
				t.Fatalf("pin %+v", d.Pin)
			}
			b.breakers.Endpoint.Unpark(t.Context())
			b.use(t, testFile(t, b.setup.to.file.URL, "Other"))
			x := b.process(t, d)
			want := "Other"
			if tt.pinned {
				want = "CallTouch"
			}
			if x.TransactionID != TransactionID("clinic.Website", want, "calls", d.Event.Key, "").String() {
				t.Errorf("another transaction id")
			}
			executed := b.far.Executed(mindboxtest.Query{})
			if x.Outcome != event.Delivered || len(executed) != 1 || executed[0].Operation != want {
				t.Errorf("%s, executed %+v", x.Outcome, executed)
			}
			if detail, _ := json.Marshal(x.Detail); strings.Contains(string(detail), "pinned") != tt.pinned {
				t.Errorf("detail %s", detail)
			}
		})
	}
}

func TestProcessPinsAlsoWhenTheAnswerParks(t *testing.T) {
	b := newBench(t, mindboxtest.Config{Faults: mindboxtest.Faults{P500: 100}}, "CallTouch")
	var x queue.Decision
	for i := range 20 {
		x = b.process(t, queue.Delivery{Event: Hook(t, fmt.Sprint(i)), Trail: event.Trail{Attempts: 1}})
	}
	if !x.Parked || x.Attempts != 1 || x.Pin == nil {
		t.Errorf("got %+v", x)
	}
}

// TestProcessAsksAgainAtOnce holds what a failure that is over at once costs: less than a second, no retry and no attempt.
func TestProcessAsksAgainAtOnce(t *testing.T) {
	bad, reset, slow := mindboxtest.Reply{Status: 500}, mindboxtest.Reply{Execute: true, Reset: true}, mindboxtest.Reply{Status: 500, Delay: fleetingTime}
	busy := mindboxtest.Reply{Status: 503, Header: map[string]string{"Retry-After": "1"}}
	tests := []struct {
		name     string
		replies  []mindboxtest.Reply
		before   queue.Delivery
		outcome  event.Outcome
		requests int
		detail   string
	}{
		{name: "one bad server of many", replies: []mindboxtest.Reply{bad}, outcome: event.Delivered, requests: 2, detail: `"again":["server_error"]`},
		{name: "executed, the answer lost", replies: []mindboxtest.Reply{reset}, outcome: event.Delivered, requests: 2, detail: `"again":["connection"]`},
		{name: "three in a row", replies: []mindboxtest.Reply{bad, bad, bad}, outcome: event.Delivered, requests: 4, detail: `"again":["server_error","server_error","server_error"]`},
		{name: "four are no chance", replies: []mindboxtest.Reply{bad, bad, bad, bad}, outcome: event.Waiting, requests: 4},
		{name: "refused at the second request", replies: []mindboxtest.Reply{bad, {Status: 400, Body: `{"status":"ProtocolError"}`}}, outcome: event.Dead, requests: 2},
		{name: "a slow one is not asked again", replies: []mindboxtest.Reply{slow}, outcome: event.Waiting, requests: 1},
		{name: "nor one that asks for a pause", replies: []mindboxtest.Reply{busy}, outcome: event.Waiting, requests: 1},
		{name: "nor one that has too many requests", replies: []mindboxtest.Reply{{Status: 429}}, outcome: event.Waiting, requests: 1},
		{name: "nor on an event's later ways", replies: []mindboxtest.Reply{bad}, before: queue.Delivery{Trail: event.Trail{Attempts: 1}}, outcome: event.Waiting, requests: 1},
		{name: "nor for a probe", replies: []mindboxtest.Reply{bad}, before: queue.Delivery{Probe: true}, outcome: event.Waiting, requests: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, answerWith(tt.replies...), "CallTouch")
			tt.before.Event = Hook(t, "1")
			x := b.process(t, tt.before)
			detail, _ := json.Marshal(x.Detail)
			if x.Outcome != tt.outcome || x.Attempts != tt.before.Attempts+1 || !strings.Contains(string(detail), tt.detail) {
				t.Errorf("%s after %d attempts, detail %s", x.Outcome, x.Attempts, detail)
			}
			if stats := b.far.Stats(); stats.Requests != tt.requests || stats.Executed > 1 {
				t.Errorf("stats %+v", stats)
			}
			if (x.Outcome == event.Waiting) == x.Until.IsZero() {
				t.Errorf("%s until %v", x.Outcome, x.Until)
			}
		})
	}
}

func TestProcessReplays(t *testing.T) {
	b := newBench(t, mindboxtest.Config{}, "CallTouch")
	e := Hook(t, "1")
	id := func(link, revision string) string {
		return TransactionID("clinic.Website", "CallTouch", link, e.Key, revision).String()
	}
	pin := &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch", Revision: "old"}
	tests := []struct {
		name string
		d    queue.Delivery
		want string
	}{
		{"as it was", queue.Delivery{Trail: event.Trail{Replayed: true}}, id("calls", "")},
		{"a correction", queue.Delivery{Trail: event.Trail{Replayed: true, Revision: "fix"}}, id("calls", "fix")},
		{"a renamed link keeps the id", queue.Delivery{Trail: event.Trail{Replayed: true, As: "old-name"}}, id("old-name", "")},
		{"pinned under a revision", queue.Delivery{Trail: event.Trail{Pin: pin}}, id("calls", "old")},
		{"a new correction of what is pinned", queue.Delivery{Trail: event.Trail{Pin: pin, Revision: "new"}}, id("calls", "new")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Event = e
			if x := b.process(t, tt.d); x.TransactionID != tt.want {
				t.Errorf("got %s, want %s", x.TransactionID, tt.want)
			}
		})
	}
}

func TestProcessSendsNothingOverAParkedLink(t *testing.T) {
	b := newBench(t, answerWith(mindboxtest.Reply{Status: 404}), "CallTouch")
	b.process(t, queue.Delivery{Event: Hook(t, "1")})
	first := time.Now().Add(-time.Minute)
	x := b.process(t, queue.Delivery{Event: Hook(t, "2"), Trail: event.Trail{Attempts: 3, First: first, Answer: "no answer in time"}})
	want := queue.Decision{Outcome: event.Waiting, Parked: true, Reason: "parked", Attempts: 3, First: first,
		Answer: "no answer in time", Version: b.setup.link.Version}
	if diff := cmp.Diff(want, x); diff != "" {
		t.Error(diff)
	}
	if n := b.far.Stats().Requests; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestProcessInterruptedIsNoAttempt(t *testing.T) {
	b := newBench(t, mindboxtest.Config{Faults: mindboxtest.Faults{Latency: time.Minute}}, "CallTouch")
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	d := queue.Delivery{Event: Hook(t, "1"), Link: "calls"}
	x := process(ctx, b.setup, b.breakers, &d)
	if x.Outcome != event.Waiting || x.Attempts != 0 || x.Reason != string(mindbox.FailureInterrupted) || x.Pin == nil {
		t.Errorf("got %+v", x)
	}
}

func TestReasonsAreWords(t *testing.T) {
	seen := map[string]bool{}
	reasons := []string{
		ReasonUnreadable, ReasonExpression, ReasonCondition, ReasonMissing, ReasonExpired, ReasonTooOld,
		ReasonParked, ReasonCrashed, ReasonUnknown,
	}
	for _, r := range mindbox.Reasons {
		reasons = append(reasons, string(r))
	}
	for _, r := range reasons {
		if strings.Trim(r, "abcdefghijklmnopqrstuvwxyz_0123456789") != "" || seen[r] {
			t.Errorf("%q is no reason, or is there twice", r)
		}
		seen[r] = true
	}
}
