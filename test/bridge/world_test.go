package bridge_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
)

// here serves a handler from the test process and returns its address, with http://.
func here(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// mindbox is a simulated Mindbox in the test process that remembers which transaction ids came for
// each call, executed or not.
type mindbox struct {
	*mindboxtest.Server
	url string

	mu  sync.Mutex
	ids map[string]map[string]bool // by callId
}

func newMindbox(t testing.TB, config mindboxtest.Config) *mindbox {
	t.Helper()
	m := &mindbox{ids: map[string]map[string]bool{}}
	script := config.Script
	config.Script = func(r mindboxtest.Request) *mindboxtest.Reply {
		m.note(r)
		if script == nil {
			return nil
		}
		return script(r)
	}
	m.Server = mindboxtest.New(config)
	m.url = here(t, m.Server)
	return m
}

func (m *mindbox) note(r mindboxtest.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids[r.CallID] == nil {
		m.ids[r.CallID] = map[string]bool{}
	}
	m.ids[r.CallID][r.TransactionID] = true
}

// transactions are the transaction ids that came for a call.
func (m *mindbox) transactions(callID string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.ids[callID]))
}

// executions are how often each call was executed, under whatever transaction id.
func (m *mindbox) executions() map[string]int {
	times := map[string]int{}
	for _, e := range m.Executed(mindboxtest.Query{}) {
		times[e.CallID]++
	}
	return times
}

// times is how often one call was executed.
func (m *mindbox) times(callID string) int {
	return len(m.Executed(mindboxtest.Query{CallID: callID}))
}

// metric is one sample of the metrics at an admin address, 0 when it is not there.
func metric(admin, sample string) float64 {
	_, text := get(admin + "/metrics")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, sample+" "); ok {
			value, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return value
		}
	}
	return 0
}

// idle reports whether the links have read everything and nothing of theirs waits.
func (s *stack) idle(links ...string) bool {
	for _, id := range links {
		label := `{link="` + id + `"}`
		if metric(s.admin("WORKER"), "touchbox_unread"+label)+metric(s.admin("WORKER"), "touchbox_retries_waiting"+label) > 0 {
			return false
		}
	}
	return true
}
