// Package sitetest holds simulated page scripts of Calltouch and Mindbox, for a page that shows or
// tests the site script without either of them. They do what is known of the real ones:
//
//   - Calltouch's stub defines ct as a queue that returns undefined; ct_set_attrs does not exist.
//     The real script comes later, drains the queue, answers calltracking_params for its counter
//     with a sessionId, and sets cookies of its own (_ct_ids, _ct_session_id).
//   - ct_set_attrs takes one argument, the JSON text of a flat object. The simulated one replaces
//     what was set before, the worse case; what the real one does is not known.
//   - Mindbox's stub queues helpers.getDeviceUUID; the tracker comes later, keeps its id in the
//     cookies mindboxDeviceUUID and directCrm-session and in localStorage, and answers.
package sitetest

import (
	_ "embed"
	"encoding/json"
	"net/http"
	"sync"
)

//go:embed calltouch.js
var calltouchScript []byte

//go:embed calltouch_stub.js
var calltouchStub []byte

//go:embed mindbox.js
var mindboxScript []byte

//go:embed mindbox_stub.js
var mindboxStub []byte

// maxSessions bounds what a Server remembers; beyond it the oldest session is forgotten.
const maxSessions = 1000

// maxReport bounds one report of attributes, in bytes.
const maxReport = 64 << 10

// Server serves the simulated page scripts and remembers the attributes of each session, as
// Calltouch does:
//
//	/calltouch/stub.js                  the queue, at once
//	/calltouch/init.js?id=COUNTER       the real script, also init-min.js
//	/calltouch/init.js?id=...&report=1  the same, telling the Server which attributes were set
//	/mindbox/stub.js                    the queue, at once
//	/mindbox/tracker.js                 the tracker; ?uuid=ID gives it that id
//
// The zero value is ready.
type Server struct {
	mu    sync.Mutex
	attrs map[string]map[string]string // by session
	order []string                     // sessions, the oldest first
}

// Attrs is what was set for a session of Calltouch, nil when nothing was.
func (s *Server) Attrs(session string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attrs[session]
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/calltouch/stub.js":
		script(w, calltouchStub)
	case "/calltouch/init.js", "/calltouch/init-min.js":
		script(w, calltouchScript)
	case "/mindbox/stub.js":
		script(w, mindboxStub)
	case "/mindbox/tracker.js":
		script(w, mindboxScript)
	case "/calltouch/attributes":
		s.report(w, r)
	default:
		http.NotFound(w, r)
	}
}

func script(w http.ResponseWriter, text []byte) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(text)
}

// report takes what a page set. The attributes replace those of before.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	var set struct {
		Session string            `json:"session"`
		Attrs   map[string]string `json:"attrs"`
	}
	body := http.MaxBytesReader(w, r.Body, maxReport)
	if err := json.NewDecoder(body).Decode(&set); err != nil || r.Method != http.MethodPost || set.Session == "" {
		http.Error(w, "expected a POST of session and attrs", http.StatusBadRequest)
		return
	}
	s.set(set.Session, set.Attrs)
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) set(session string, attrs map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attrs == nil {
		s.attrs = map[string]map[string]string{}
	}
	if _, known := s.attrs[session]; !known {
		s.order = append(s.order, session)
	}
	s.attrs[session] = attrs
	if len(s.order) > maxSessions {
		delete(s.attrs, s.order[0])
		s.order = s.order[1:]
	}
}
