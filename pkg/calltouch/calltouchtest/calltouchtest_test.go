package calltouchtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
)

var noon = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) // 12:00 in the cabinet

func cabinet(f calltouchtest.Faults) *calltouchtest.Calltouch {
	return calltouchtest.New(calltouchtest.Config{Seed: 7, Now: func() time.Time { return noon }, Faults: f, Token: "token-1"})
}

// get asks the API and returns the status and the body as far as it came.
func get(t *testing.T, c http.Handler, path string) (int, []byte, error) {
	t.Helper()
	resp, err := (&http.Client{Transport: calltouchtest.Memory{Handler: c}}).Get("http://calltouch.example" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

const (
	requestsToday = "/calls-service/RestAPI/requests?clientApiId=token-1&siteId=10001&dateFrom=11/02/2026&dateTo=11/02/2026&withAttrs=true"
	journalToday  = "/calls-service/RestAPI/10001/calls-diary/calls?clientApiId=token-1&dateFrom=02/11/2026&dateTo=02/11/2026"
)

func TestSameSeedSamePeople(t *testing.T) {
	a, b := cabinet(calltouchtest.Faults{}), cabinet(calltouchtest.Faults{})
	a.Populate(300, noon.Add(-time.Hour), noon)
	b.Populate(300, noon.Add(-time.Hour), noon)
	if diff := cmp.Diff(a.Calls(), b.Calls()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(a.Requests(), b.Requests()); diff != "" {
		t.Error(diff)
	}
	if len(a.Calls())+len(a.Requests()) != 300 {
		t.Errorf("%d calls and %d requests, want 300 together", len(a.Calls()), len(a.Requests()))
	}
}

func TestAPIListsTheDay(t *testing.T) {
	c := cabinet(calltouchtest.Faults{})
	c.Populate(200, noon.Add(-36*time.Hour), noon) // yesterday, too
	for _, tt := range []struct {
		name, path string
		want       int
	}{
		{"requests", requestsToday, countRequests(c)},
		{"journal", journalToday, countCalls(c)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body, err := get(t, c, tt.path)
			var records []map[string]json.RawMessage
			if err != nil || status != http.StatusOK || json.Unmarshal(body, &records) != nil {
				t.Fatalf("status %d, %v", status, err)
			}
			if len(records) != tt.want || tt.want == 0 {
				t.Errorf("%d records, want %d", len(records), tt.want)
			}
		})
	}
}

func today(at time.Time) bool { return !at.Before(noon.Add(-12 * time.Hour)) }

func countCalls(c *calltouchtest.Calltouch) (n int) {
	for _, call := range c.Calls() {
		if today(call.Start) {
			n++
		}
	}
	return n
}

func countRequests(c *calltouchtest.Calltouch) (n int) {
	for _, r := range c.Requests() {
		if today(r.Created) {
			n++
		}
	}
	return n
}

func TestJournalPages(t *testing.T) {
	c := cabinet(calltouchtest.Faults{})
	for i := range 25 {
		c.Add(c.NewCall(calltouchtest.Dynamic, int64(i+1), noon.Add(-time.Hour)))
	}
	var answer struct {
		PageTotal    int
		RecordsTotal int
		Records      []struct{ CallID int64 }
	}
	_, body, err := get(t, c, journalToday+"&page=3&limit=10")
	if err != nil || json.Unmarshal(body, &answer) != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if answer.PageTotal != 3 || answer.RecordsTotal != 25 || len(answer.Records) != 5 || answer.Records[0].CallID != 21 {
		t.Errorf("got %+v", answer)
	}
}

func TestAPIRefuses(t *testing.T) {
	tests := []struct {
		name   string
		faults calltouchtest.Faults
		path   string
		want   int
	}{
		{"no token", calltouchtest.Faults{}, strings.Replace(requestsToday, "token-1", "", 1), 401},
		{"another token", calltouchtest.Faults{}, strings.Replace(journalToday, "token-1", "x", 1), 401},
		{"another site", calltouchtest.Faults{}, strings.Replace(requestsToday, "10001", "10002", 1), 403},
		{"the other method's dates", calltouchtest.Faults{}, strings.ReplaceAll(requestsToday, "11/02", "30/11"), 400},
		{"two days without pages", calltouchtest.Faults{}, strings.Replace(journalToday, "02/11", "01/11", 1), 400},
		{"outage", calltouchtest.Faults{APIOutage: true}, requestsToday, 500},
		{"refused token", calltouchtest.Faults{RefuseToken: true}, requestsToday, 401},
		{"too many", calltouchtest.Faults{TooMany: 1}, requestsToday, 429},
		{"limit", calltouchtest.Faults{LimitText: 1}, journalToday, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, body, _ := get(t, cabinet(tt.faults), tt.path); status != tt.want {
				t.Errorf("status %d, want %d: %s", status, tt.want, body)
			}
		})
	}
}

func TestAnswersBreakOff(t *testing.T) {
	c := cabinet(calltouchtest.Faults{Cut: 1})
	c.Populate(100, noon.Add(-time.Hour), noon)
	_, body, err := get(t, c, journalToday)
	if err == nil || json.Valid(body) || len(body) == 0 {
		t.Errorf("a whole answer of %d bytes, error %v", len(body), err)
	}
	if s := c.Stats().API; s.Cut != 1 || s.Answered != 0 {
		t.Errorf("counted %+v", s)
	}
}

func TestLateAndChangedRecords(t *testing.T) {
	now := noon
	c := calltouchtest.New(calltouchtest.Config{Now: func() time.Time { return now }})
	call := c.NewCall(calltouchtest.Dynamic, 1, noon.Add(-time.Hour))
	call.Listed, call.Changed, call.Target = noon.Add(time.Hour), noon.Add(2*time.Hour), false
	c.Add(call)
	for _, want := range []string{`[]`, `"targetCall":false`, `"targetCall":true`} {
		if _, body, _ := get(t, c, journalToday); !strings.Contains(string(body), want) {
			t.Errorf("at %s: no %s in %s", now, want, body)
		}
		now = now.Add(time.Hour)
	}
}

func TestCallInProgress(t *testing.T) {
	c := cabinet(calltouchtest.Faults{})
	call := c.NewCall(calltouchtest.Long, 1, noon.Add(-time.Second))
	if got := string(c.Record(call, noon, calltouchtest.AllParts)); !strings.Contains(got, `"callconnected"`) {
		t.Errorf("got %s", got)
	}
}

func TestSend(t *testing.T) {
	c := calltouchtest.New(calltouchtest.Config{Seed: 3, Faults: calltouchtest.Faults{DropHooks: 0.2, RepeatHooks: 0.2}})
	var mu sync.Mutex
	got := map[string]int{} // hooks of ended calls, by id
	hooks := 0
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		hooks++
		if r.FormValue("callphase") == "calldisconnected" {
			got[r.FormValue("id")]++
		}
	}))
	defer receiver.Close()
	c.Send(t.Context(), calltouchtest.Sending{URL: receiver.URL, Count: 500, Long: time.Millisecond})
	s := c.Stats()
	if s.Hooks.Sent != hooks || s.Hooks.Accepted != hooks || s.Hooks.Failed != 0 {
		t.Errorf("%d hooks came, counted %+v", hooks, s.Hooks)
	}
	if s.Hooks.Dropped < hooks/10 || s.Hooks.Repeated < hooks/10 {
		t.Errorf("a fifth should be dropped and a fifth repeated: %+v", s.Hooks)
	}
	if len(got) >= s.Calls || len(got) < s.Calls/2 {
		t.Errorf("%d of %d calls came", len(got), s.Calls)
	}
}

func TestSendByGet(t *testing.T) {
	c := cabinet(calltouchtest.Faults{})
	var query url.Values
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { query = r.URL.Query() }))
	defer receiver.Close()
	h := c.EndHook(c.NewCall(calltouchtest.Static, 1, noon))
	s := calltouchtest.Sending{URL: receiver.URL + "?secret=1", Method: http.MethodGet}
	if status := c.SendHook(context.Background(), s, h); status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	if query.Get("secret") != "1" || query.Get("id") != "1" || query.Get("utm_term") != "<не заполнено>" {
		t.Errorf("got %v", query)
	}
}

func TestControl(t *testing.T) {
	c := cabinet(calltouchtest.Faults{DropHooks: 0.5})
	post := func(body string) int {
		resp, err := (&http.Client{Transport: calltouchtest.Memory{Handler: c}}).Post("http://calltouch.example/control", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	if status := post(`{"api_outage":true}`); status != http.StatusOK || !c.Faults().APIOutage || c.Faults().DropHooks != 0.5 {
		t.Errorf("status %d, faults %+v", status, c.Faults())
	}
	for _, bad := range []string{`{"cut":2}`, `{"drop":0.1}`, `[]`} {
		if status := post(bad); status != http.StatusBadRequest {
			t.Errorf("%s: status %d", bad, status)
		}
	}
	if _, body, _ := get(t, c, "/stats"); !strings.Contains(string(body), `"busiest"`) {
		t.Errorf("stats %s", body)
	}
}

func TestOddTypesStayReadable(t *testing.T) {
	c := cabinet(calltouchtest.Faults{Unstable: true})
	c.Populate(200, noon.Add(-time.Hour), noon)
	_, body, err := get(t, c, journalToday+"&withAttrs=true&withCallTags=1")
	if err != nil || !json.Valid(body) {
		t.Fatalf("%v, valid %v", err, json.Valid(body))
	}
	for _, want := range []string{`"successful":"True"`, `"successful":1`, `"successful":true`, `"attrs":[`, `"attrs":"{`, `"callId":"`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in 200 records", want)
		}
	}
}
