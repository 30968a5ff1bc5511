package earlier_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mindbox is a far end that writes down what it is sent.
type mindbox struct {
	answer func(operation, mode string, nth int) (status int, header, body string)

	mu   sync.Mutex
	sent map[string]int // how often each request came, by all that is in it
	nth  map[string]int // by transaction id
}

const success = `{"status":"Success"}`

// kind is a Mindbox to which everything is right.
func kind(string, string, int) (int, string, string) { return http.StatusOK, "", success }

func newMindbox(answer func(operation, mode string, nth int) (int, string, string)) *mindbox {
	return &mindbox{answer: answer, sent: map[string]int{}, nth: map[string]int{}}
}

func (m *mindbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var fields struct {
		CustomerAction struct {
			CustomFields struct{ Mode string } `json:"customFields"`
		} `json:"customerAction"`
	}
	_ = json.Unmarshal(body, &fields)
	id := r.FormValue("transactionId")
	m.mu.Lock()
	m.nth[id]++
	nth := m.nth[id]
	m.sent[fmt.Sprintf("%s %s\n%s", r.URL.Path, r.URL.Query().Encode(), body)]++
	m.mu.Unlock()
	status, retryAfter, text := m.answer(r.FormValue("operation"), fields.CustomerAction.CustomFields.Mode, nth)
	if status == 0 { // no answer
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
		return
	}
	if retryAfter != "" {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// requests are the different requests that came, each with all that is in it.
func (m *mindbox) requests() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []string
	for request := range m.sent {
		list = append(list, request)
	}
	slices.Sort(list)
	return strings.Join(list, "\n\n") + "\n"
}

// calltouch is an API that lists what stands in it, by the day.
type calltouch map[string]*calltouchDay

type calltouchDay struct {
	Requests []json.RawMessage `json:"requests"`
	Calls    []json.RawMessage `json:"calls"`
}

// cabinetDay is the day of a moment in the cabinet's zone.
func cabinetDay(t time.Time) string { return t.UTC().Add(3 * time.Hour).Format(time.DateOnly) }

func (c calltouch) day(t time.Time) *calltouchDay {
	day := cabinetDay(t)
	if c[day] == nil {
		c[day] = &calltouchDay{}
	}
	return c[day]
}

func (c calltouch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	layout, calls := "01/02/2006", strings.Contains(r.URL.Path, "calls-diary")
	if calls {
		layout = "02/01/2006"
	}
	from, err1 := time.Parse(layout, r.FormValue("dateFrom"))
	to, err2 := time.Parse(layout, r.FormValue("dateTo"))
	if err1 != nil || err2 != nil || to.Sub(from) > 400*24*time.Hour {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	records := []json.RawMessage{}
	for ; !from.After(to); from = from.AddDate(0, 0, 1) {
		if d := c[from.Format(time.DateOnly)]; d != nil && calls {
			records = append(records, d.Calls...)
		} else if d != nil {
			records = append(records, d.Requests...)
		}
	}
	var answer any = records
	if r.FormValue("page") != "" {
		answer = map[string]any{"page": 1, "pageTotal": 1, "pageSize": 1000, "recordsTotal": len(records), "records": records}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// serve serves a handler until the test ends and returns its address, with http://.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}
