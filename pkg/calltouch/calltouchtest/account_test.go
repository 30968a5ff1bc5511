package calltouchtest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
)

// The cabinets of an account answer for their own site, at one address.
func TestAccountAnswersForEachSite(t *testing.T) {
	now := time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)
	cabinet := func(site string, first int64) *calltouchtest.Calltouch {
		c := calltouchtest.New(calltouchtest.Config{Site: site, FirstID: first, Now: func() time.Time { return now }})
		c.Populate(90, now.Add(-2*time.Hour), now.Add(-time.Hour))
		return c
	}
	one, two := cabinet("10001", 100), cabinet("10002", 200)
	api := httptest.NewServer(calltouchtest.Account{one, two})
	defer api.Close()
	get := func(path string) string {
		t.Helper()
		answer, err := http.Get(api.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	const days = "clientApiId=x&dateFrom=02/11/2026&dateTo=02/11/2026"
	for site, id := range map[string]string{"10001": "1", "10002": "2"} {
		var calls []struct {
			CallID json.Number `json:"callId"`
		}
		body := get("/calls-service/RestAPI/" + site + "/calls-diary/calls?" + days)
		if err := json.Unmarshal([]byte(body), &calls); err != nil || len(calls) == 0 || !strings.HasPrefix(string(calls[0].CallID), id) {
			t.Errorf("the journal of %s: %v, %.200s", site, err, body)
		}
		if body := get("/calls-service/RestAPI/requests?siteId=" + site + "&clientApiId=x&dateFrom=11/02/2026&dateTo=11/02/2026"); !strings.Contains(body, `"requestId"`) {
			t.Errorf("the form requests of %s: %.200s", site, body)
		}
	}
	if body := get("/calls-service/RestAPI/10003/calls-diary/calls?" + days); !strings.Contains(body, "denied") {
		t.Errorf("another site: %s", body)
	}
	if body := get("/stats"); !strings.Contains(body, `"10001"`) || !strings.Contains(body, `"10002"`) {
		t.Errorf("stats: %s", body)
	}
	post := func(path, body string) int {
		t.Helper()
		answer, err := http.Post(api.URL+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	if post("/control?site=10002", `{"api_outage":true}`) != http.StatusOK || one.Faults().APIOutage || !two.Faults().APIOutage {
		t.Error("one site's faults")
	}
	if post("/control", `{"drop_hooks":0.5}`) != http.StatusOK || one.Faults().DropHooks != 0.5 || two.Faults().DropHooks != 0.5 {
		t.Error("the faults of all")
	}
	if post("/control", `{"drop_hooks":7}`) != http.StatusBadRequest || one.Faults().DropHooks != 0.5 {
		t.Error("a share of 7")
	}
}
