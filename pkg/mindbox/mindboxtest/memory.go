package mindboxtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Execution is one operation that was executed.
type Execution struct {
	Time          time.Time       `json:"time"`
	Endpoint      string          `json:"endpointId"`
	Operation     string          `json:"operation"`
	DeviceUUID    string          `json:"deviceUUID,omitempty"`
	TransactionID string          `json:"transactionId,omitempty"`
	CallID        string          `json:"callId,omitempty"`
	Attempts      int             `json:"attempts"` // how often its transactionId came until now
	Body          json.RawMessage `json:"body"`
}

// Stats counts what arrived. Every request is counted once in Statuses or in Broken.
type Stats struct {
	Requests   int            `json:"requests"`
	Executed   int            `json:"executed"`
	Repeated   int            `json:"repeated"` // would have been executed, but its transactionId was known
	Broken     int            `json:"broken"`   // connections broken instead of an answer
	Statuses   map[string]int `json:"statuses"` // HTTP status
	Operations map[string]int `json:"operations"`
}

// Query selects executions; an empty part selects all.
type Query struct {
	CallID, TransactionID, Operation string
	Limit                            int // the newest so many; 0 is all that are remembered
}

// memory is what the server knows; the server's lock guards it.
type memory struct {
	keep       int
	attempts   map[string]int  // by transactionId
	known      map[string]bool // transactionIds that were executed
	executions []Execution     // in order; at most twice keep
	stats      Stats
}

func (m *memory) clear(keep int) {
	*m = memory{keep: keep, attempts: map[string]int{}, known: map[string]bool{},
		stats: Stats{Statuses: map[string]int{}, Operations: map[string]int{}}}
}

func (m *memory) count(transactionID string) int {
	if transactionID == "" {
		return 1
	}
	m.attempts[transactionID]++
	return m.attempts[transactionID]
}

func (m *memory) answered(reply Reply) {
	m.stats.Requests++
	if reply.Reset {
		m.stats.Broken++
		return
	}
	m.stats.Statuses[strconv.Itoa(reply.Status)]++
}

// execute reports whether the operation was new. Without a transactionId every call is.
func (s *Server) execute(r Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := &s.memory
	if r.TransactionID != "" && m.known[r.TransactionID] {
		m.stats.Repeated++
		return false
	}
	m.known[r.TransactionID] = true
	m.stats.Executed++
	m.stats.Operations[r.Operation]++
	if len(m.executions) >= 2*m.keep {
		m.executions = slices.Clone(m.executions[m.keep:])
	}
	m.executions = append(m.executions, Execution{
		Time: time.Now().UTC(), Endpoint: r.Endpoint, Operation: r.Operation, DeviceUUID: r.DeviceUUID,
		TransactionID: r.TransactionID, CallID: r.CallID, Body: r.Body,
	})
	return true
}

// Executed returns what was executed, oldest first.
func (s *Server) Executed(q Query) []Execution {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Execution{}
	for _, e := range slices.Backward(s.memory.executions) {
		if !q.matches(e) {
			continue
		}
		e.Attempts = max(1, s.memory.attempts[e.TransactionID])
		found = append(found, e)
		if q.Limit > 0 && len(found) == q.Limit {
			break
		}
	}
	slices.Reverse(found)
	return found
}

func (q Query) matches(e Execution) bool {
	return (q.CallID == "" || q.CallID == e.CallID) &&
		(q.TransactionID == "" || strings.EqualFold(q.TransactionID, e.TransactionID)) &&
		(q.Operation == "" || q.Operation == e.Operation)
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.memory.stats
	stats.Statuses = cloneCounts(stats.Statuses)
	stats.Operations = cloneCounts(stats.Operations)
	return stats
}

func cloneCounts(m map[string]int) map[string]int {
	c := make(map[string]int, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// defaultLimit bounds what a person gets to see without asking for more.
const defaultLimit = 100

func (s *Server) executed(w http.ResponseWriter, r *http.Request) {
	query, err := readQuery(r.URL.Query())
	if err != nil {
		http.Error(w, "limit is a number", http.StatusBadRequest)
		return
	}
	writeJSON(w, s.Executed(query))
}

func readQuery(v url.Values) (Query, error) {
	query := Query{CallID: v.Get("callId"), TransactionID: v.Get("transactionId"), Operation: v.Get("operation"), Limit: defaultLimit}
	if limit := v.Get("limit"); limit != "" {
		n, err := strconv.Atoi(limit)
		if err != nil {
			return query, err
		}
		query.Limit = n
	}
	return query, nil
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Stats()) }

func (s *Server) reset(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	s.memory.clear(s.config.Keep)
	s.mu.Unlock()
	writeJSON(w, s.Stats())
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v)
}

// findCallID looks for a field callId, in customerAction.customFields first, as a string or a number.
func findCallID(object map[string]any) string {
	action, _ := object["customerAction"].(map[string]any)
	fields, _ := action["customFields"].(map[string]any)
	if id := scalar(fields["callId"]); id != "" {
		return id
	}
	if id := scalar(object["callId"]); id != "" {
		return id
	}
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if inner, ok := object[name].(map[string]any); ok {
			if id := findCallID(inner); id != "" {
				return id
			}
		}
	}
	return ""
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}
