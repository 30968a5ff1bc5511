package bridge_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/queue"
)

// requestsLink is one more link for configTemplate.
const requestsLink = `  - id: requests
    from: clinic
    event: request
    to: clinic
    operation: CallTouchRequest
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customer.fullName: ${fio}
      customerAction.customFields.callId: ${requestId}
`

const (
	form     = "application/x-www-form-urlencoded"
	jsonBody = "application/json"
)

// A visit of the site, and a number that no visit belongs to, as hooks spell them.
const (
	visit   = "&sessionId=9040711&source=yandex&medium=cpc&utm_source=yandex&utm_medium=%3C%D0%BD%D0%B5+%D1%83%D0%BA%D0%B0%D0%B7%D0%B0%D0%BD%D0%BE%3E&attrs=%7B%22mindboxDeviceUUID%22%3A%220f8fad5b-d9cb-469f-a165-70867728950e%22%7D"
	noVisit = "&sessionId=null&source=78129990001&medium=offline&utm_source=78129990001&utm_medium=%3C%D0%BD%D0%B5+%D0%B7%D0%B0%D0%BF%D0%BE%D0%BB%D0%BD%D0%B5%D0%BD%D0%BE%3E&attrs=%7B%7D"
)

// samples are hooks of all sorts and where each is to end.
var samples = []struct {
	name, method, contentType, body string

	key       string // under which it is stored; "" = not at all
	operation string // that is executed for it; "" = none
	aside     string // reason; "" = not set aside
}{
	{name: "ended, of a visitor", body: "leadtype=call&callphase=calldisconnected&id=501&callerphone=79161230501&phonenumber=78120000009&timestamp=1790000501&duration=31&waiting_time=4&siteId=10001&siteName=clinic.example" + visit,
		key: "10001/call-ended/501", operation: "CallTouch"},
	{name: "ended, of a printed number", body: "leadtype=call&callphase=calldisconnected&id=502&callerphone=79161230502&timestamp=1790000502&duration=7&siteId=10001" + noVisit,
		key: "10001/call-ended/502", operation: "CallTouchStatic"},
	{name: "ended, by GET", method: http.MethodGet, body: "callphase=calldisconnected&id=503&callerphone=79161230503&duration=31" + visit,
		key: "10001/call-ended/503", operation: "CallTouch"},
	{name: "ended, as JSON", contentType: jsonBody, body: `{"callphase": "calldisconnected", "id": 504, "callerphone": "79161230504", "duration": 31, "attrs": {"mindboxDeviceUUID": "0f8fad5b-d9cb-469f-a165-70867728950e"}}`,
		key: "10001/call-ended/504", operation: "CallTouch"},
	{name: "ended, its phase not ticked", body: "id=505&callerphone=79161230505&duration=31" + noVisit,
		key: "10001/call-ended/505", operation: "CallTouchStatic"},
	{name: "ended, caller hidden", body: "callphase=calldisconnected&id=506&callerphone=anonymous&duration=31" + noVisit,
		key: "10001/call-ended/506"}, // undeliverable: nothing says whose call it was
	{name: "started", body: "leadtype=call&callphase=callconnected&id=501&callerphone=79161230501&redirectNumber=undefined&siteId=10001" + visit,
		key: "10001/call-started/501"},
	{name: "request", body: "leadtype=request&requestId=601&subject=%D0%97%D0%B0%D0%BF%D0%B8%D1%81%D1%8C&fio=%D0%98%D0%B2%D0%B0%D0%BD+%D0%9F%D1%80%D0%BE%D0%B1%D0%BD%D1%8B%D0%B9&callerphone=8+%28916%29+123-06-01&requestDate=2026-09-22+10%3A11%3A12&siteId=10001" + visit,
		key: "10001/request/601", operation: "CallTouchRequest"},
	{name: "test ping", body: "callphase=%7Bcallphase%7D&id=%7Bid%7D&callerphone=%7Bcallerphone%7D&timestamp=%7Btimestamp%7D", aside: "ping"},
	{name: "empty", body: "", aside: "empty"},
	{name: "deal", body: "leadtype=deal&dealId=77&dealName=Implant&callerphone=79161230777", aside: "other_lead"},
	{name: "no id", body: "callphase=calldisconnected&callerphone=79161230508&duration=31", aside: "no_id"},
	{name: "other site", body: "callphase=calldisconnected&id=509&callerphone=79161230509&duration=31&siteId=10777", aside: "other_site"},
	{name: "impossible id", body: "callphase=calldisconnected&id=" + strings.Repeat("9", 200) + "&callerphone=79161230510&duration=31", aside: "bad_id"},
	{name: "broken JSON", contentType: jsonBody, body: `{"callphase": "calldisconnected", "id": 511, "caller`, aside: "unreadable"},
	{name: "another call under a known id", body: "callphase=calldisconnected&id=501&callerphone=79169990501&timestamp=1790900000&duration=31" + visit, aside: "collision"},
}

// TestSamples posts hooks of all sorts, each three times with a kill in between, and looks where
// they end: in the store byte for byte, at Mindbox once, or aside by their reason.
func TestSamples(t *testing.T) {
	t.Parallel()
	box := newMindbox(t, mindboxtest.Config{})
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", box.url) + requestsLink)
	up := s.up()
	for _, sample := range samples {
		if code := s.post(sample.method, sample.contentType, sample.body); code != http.StatusOK {
			t.Errorf("%s: answered %d", sample.name, code)
		}
	}
	asides := map[string]float64{}
	for _, sample := range samples {
		if sample.aside != "" {
			asides[sample.aside]++
		}
	}
	for reason, want := range asides {
		if got := metric(s.admin("INGEST"), fmt.Sprintf(`touchbox_aside_total{reason=%q,site="10001"}`, reason)); got != want {
			t.Errorf("%v set aside as %s, want %v", got, reason, want)
		}
	}
	up.kill()
	s.up()
	stored := 0
	for _, sample := range samples {
		if sample.aside != "" {
			continue
		}
		stored++
		for range 2 {
			if code := s.post(sample.method, sample.contentType, sample.body); code != http.StatusOK {
				t.Errorf("%s, again: answered %d", sample.name, code)
			}
		}
	}
	repeated := 0.0
	for _, kind := range event.Kinds {
		repeated += metric(s.admin("INGEST"), fmt.Sprintf(`touchbox_received_total{kind=%q,receipt="repeated",site="10001"}`, kind))
	}
	if repeated != float64(2*stored) {
		t.Errorf("%v repeats counted, want %d", repeated, 2*stored)
	}

	operations := 0
	for _, sample := range samples {
		if sample.operation != "" {
			operations++
		}
	}
	eventually(t, 20*time.Second, "all operations are executed", func() bool { return box.Stats().Executed >= operations })
	eventually(t, 20*time.Second, "the links are idle", func() bool { return s.idle("dynamic", "static", "requests") })
	if n := box.Stats().Executed; n != operations {
		t.Errorf("%d operations executed, want %d", n, operations)
	}
	q := s.queue()
	for _, sample := range samples {
		if sample.key == "" {
			continue
		}
		key, err := event.ParseKey(sample.key)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := q.GetEvent(t.Context(), key); err != nil || string(e.Body) != sample.body {
			t.Errorf("%s: %v, stored as %s", sample.name, err, e.Body)
		}
		if sample.operation == "" {
			continue
		}
		done := box.Executed(mindboxtest.Query{CallID: key.ID, Operation: sample.operation})
		if len(done) != 1 || box.times(key.ID) != 1 {
			t.Errorf("%s: executed %d times as %s, %d times in all", sample.name, len(done), sample.operation, box.times(key.ID))
		}
	}
}

// post sends a hook; GET puts the body into the query.
func (s *stack) post(method, contentType, body string) int {
	s.t.Helper()
	address := "http://" + s.ingest + "/calltouch/10001/secret-key-of-the-test"
	if method == http.MethodGet {
		code, _ := get(address + "?" + body)
		return code
	}
	if contentType == "" {
		contentType = form
	}
	client := http.Client{Timeout: 15 * time.Second}
	answer, err := client.Post(address, contentType, strings.NewReader(body))
	if err != nil {
		s.t.Log(err)
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// queue connects to the running `touchbox up`, as a command does.
func (s *stack) queue() *queue.Queue {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	q, err := queue.Open(ctx, queue.Options{Connection: queue.Connection{Socket: filepath.Join(s.dir, "data", "nats.sock")}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(q.Close)
	return q
}
