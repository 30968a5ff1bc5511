// Package mindboxtest is a simulated Mindbox: an http.Handler that remembers what it executed
// and misbehaves on demand. Tests, `touchbox demo` and `touchbox simulate mindbox` use it, and
// people try their links on it.
//
//	POST /v3/operations/async   as Mindbox API v3: validates, executes each transactionId once
//	GET  /executed?callId=...   what was executed; also transactionId, operation, limit
//	GET  /stats                 counts of what arrived and how it was answered
//	GET  /admin, POST /admin    shows the faults; sets them: /admin?p500=10&latency=20ms
//	POST /reset                 forgets everything but the faults
//
// It decides with its seed, a request's transactionId and how often that came: the same events
// meet the same faults in every run, in whatever order they arrive. Config.Script answers
// single requests in any way a test needs.
package mindboxtest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// maxBody is the largest body taken. Mindbox publishes no limit; a call's body has under 2 KiB.
const maxBody = 1 << 20

// Config describes the project that the server plays. The zero value takes any endpoint,
// operation and key, and has no faults.
type Config struct {
	Endpoints  []string // endpointIds that exist; nil: any
	Operations []string // operations that exist; nil: any
	Secret     string   // the key that is right; "": any, but there must be one
	Seed       uint64   // of the faults
	Faults     Faults
	Keep       int // executions remembered in full; 0 is 100,000. Transaction ids are never forgotten

	// Script answers a valid request instead of the server; nil, or a nil Reply, leaves it to
	// the server. It is called concurrently.
	Script func(Request) *Reply
}

// Request is one call of an operation, as it arrived.
type Request struct {
	Endpoint, Operation, DeviceUUID, TransactionID string
	CallID                                         string // customFields.callId of the body, wherever it stands
	Attempt                                        int    // how often this transactionId has come, this time included
	Header                                         http.Header
	Query                                          map[string][]string
	Body                                           []byte
}

// Reply is a scripted answer. The zero value executes nothing and answers 200 with no body.
type Reply struct {
	Status  int // 0 is 200
	Header  map[string]string
	Body    string
	Execute bool          // executes the operation, where its transactionId is new
	Delay   time.Duration // before the answer
	Reset   bool          // breaks the connection instead of answering
}

// Server is the simulated Mindbox. It is safe for concurrent use.
type Server struct {
	config Config
	mux    *http.ServeMux

	mu     sync.Mutex
	faults Faults
	memory memory
}

// New makes a server with nothing executed.
func New(config Config) *Server {
	if config.Keep <= 0 {
		config.Keep = 100_000
	}
	s := &Server{config: config, faults: config.Faults, mux: http.NewServeMux()}
	s.memory.clear(config.Keep)
	s.mux.HandleFunc("POST /v3/operations/async", s.operation)
	s.mux.HandleFunc("GET /executed", s.executed)
	s.mux.HandleFunc("GET /stats", s.stats)
	s.mux.HandleFunc("/admin", s.admin)
	s.mux.HandleFunc("POST /reset", s.reset)
	return s
}

// ServeHTTP answers as described at the package. A path that does not exist is 404 without a
// status, as with Mindbox.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// operation is the call itself: weather first, then what is wrong with the request, then faults.
func (s *Server) operation(w http.ResponseWriter, r *http.Request) {
	faults := s.Faults()
	// The whole body first: only then does net/http notice that a client has gone.
	body, tooLarge := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	pause(r, faults.Latency)
	if reply := faults.outage(time.Now()); reply != nil {
		s.answer(w, r, nil, *reply)
		return
	}
	request, refusal := s.read(r)
	if refusal == nil && tooLarge != nil {
		refusal = protocolError(http.StatusRequestEntityTooLarge, "the body is too large")
	}
	if refusal == nil {
		refusal = request.setBody(body)
	}
	if refusal == nil {
		request.Attempt = s.count(request.TransactionID)
		refusal = s.decide(faults, request)
	}
	if refusal == nil {
		refusal = &Reply{Execute: true, Body: `{"status":"Success"}`}
	}
	s.answer(w, r, &request, *refusal)
}

// decide returns what the script or the faults answer, or nil for the usual.
func (s *Server) decide(faults Faults, request Request) *Reply {
	if s.config.Script != nil {
		if reply := s.config.Script(request); reply != nil {
			return reply
		}
	}
	return faults.roll(s.config.Seed, request)
}

func (s *Server) count(transactionID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memory.count(transactionID)
}

// read validates in the order of Mindbox: who asks, what for, with what.
func (s *Server) read(r *http.Request) (Request, *Reply) {
	query := r.URL.Query()
	request := Request{
		Endpoint: query.Get("endpointId"), Operation: query.Get("operation"),
		DeviceUUID: query.Get("deviceUUID"), TransactionID: strings.ToLower(query.Get("transactionId")),
		Header: r.Header, Query: query,
	}
	if reply := s.authorize(r.Header.Get("Authorization")); reply != nil {
		return request, reply
	}
	if reply := s.checkQuery(request, query.Has("deviceUUID"), query.Has("transactionId")); reply != nil {
		return request, reply
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return request, protocolError(http.StatusUnsupportedMediaType, "Content-Type must be application/json")
	}
	return request, nil
}

func (r *Request) setBody(body []byte) *Reply {
	var object map[string]any
	if json.Unmarshal(body, &object) != nil || object == nil {
		return protocolError(http.StatusBadRequest, "the body is no JSON object")
	}
	r.Body, r.CallID = body, findCallID(object)
	return nil
}

// authorize takes both spellings of the header.
func (s *Server) authorize(header string) *Reply {
	key, ok := strings.CutPrefix(header, `Mindbox secretKey="`)
	if ok {
		key, ok = strings.CutSuffix(key, `"`)
	} else {
		key, ok = strings.CutPrefix(header, "SecretKey ")
	}
	switch {
	case header == "" || !ok || key == "":
		return protocolError(http.StatusUnauthorized, "no credentials")
	case s.config.Secret != "" && key != s.config.Secret:
		return protocolError(http.StatusForbidden, "wrong credentials")
	}
	return nil
}

func (s *Server) checkQuery(r Request, hasDevice, hasTransaction bool) *Reply {
	bad := func(text string) *Reply { return protocolError(http.StatusBadRequest, text) }
	switch {
	case r.Endpoint == "":
		return bad("endpointId is missing")
	case s.config.Endpoints != nil && !slices.Contains(s.config.Endpoints, r.Endpoint):
		return bad("no such endpoint")
	case r.Operation == "":
		return bad("operation is missing")
	case s.config.Operations != nil && !slices.Contains(s.config.Operations, r.Operation):
		return bad("no such operation")
	case hasTransaction && uuid.Validate(r.TransactionID) != nil:
		return bad("transactionId is no GUID")
	case hasDevice && uuid.Validate(r.DeviceUUID) != nil:
		return bad("deviceUUID is no GUID")
	}
	return nil
}

// answer executes where the reply says so, then sends it, late, or never.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, request *Request, reply Reply) {
	if reply.Execute && !s.execute(*request) && reply.Status == 0 {
		reply.Body = `{"status":"TransactionAlreadyProcessed"}`
	}
	if reply.Status == 0 {
		reply.Status = http.StatusOK
	}
	s.mu.Lock()
	s.memory.answered(reply)
	s.mu.Unlock()
	pause(r, reply.Delay)
	if reply.Reset {
		breakConnection(w)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range reply.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(reply.Status)
	_, _ = io.WriteString(w, reply.Body)
}

// pause waits for d, or until the client has gone.
func pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}
