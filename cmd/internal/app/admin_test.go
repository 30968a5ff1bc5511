package app

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestAdmin(t *testing.T) {
	broken := errors.New("the disk is full: free space and restart the server")
	tests := []struct {
		name          string
		admin         Admin
		path, token   string // path may begin with a host
		status        int
		body, without string
	}{
		{"alive", Admin{Addr: "127.0.0.1:1"}, "/healthz", "", 200, "ok", ""},
		{"alive although not ready", Admin{Addr: "127.0.0.1:1", Ready: unready(broken)}, "/healthz", "", 200, "ok", ""},
		{"ready", Admin{Addr: "127.0.0.1:1", Ready: unready(nil)}, "/readyz", "", 200, "ready", ""},
		{"not ready says what to do", Admin{Addr: "127.0.0.1:1", Ready: unready(broken)}, "/readyz", "", 503, "free space", ""},
		{"metrics on loopback", Admin{Addr: "127.0.0.1:1"}, "/metrics", "", 200, "touchbox_build_info", ""},
		{"metrics elsewhere need a token", Admin{Addr: ":8082"}, "/metrics", "", 403, "ADMIN_TOKEN", "touchbox_"},
		{"no token", Admin{Addr: ":8082", Token: "right"}, "/metrics", "", 401, "Bearer", "touchbox_"},
		{"wrong token", Admin{Addr: ":8082", Token: "right"}, "/metrics", "wrong", 401, "Bearer", "touchbox_"},
		{"not ready tells no stranger why", Admin{Addr: ":8082", Ready: unready(broken)}, "/readyz", "", 503, "not ready", "disk"},
		{"nor who has a wrong token", Admin{Addr: ":8082", Token: "right", Ready: unready(broken)}, "/readyz", "wrong", 503, "not ready", "disk"},
		{"but who has the right one", Admin{Addr: ":8082", Token: "right", Ready: unready(broken)}, "/readyz", "right", 503, "free space", ""},
		{"another's name", Admin{Addr: "127.0.0.1:1"}, "evil.example:8081/metrics", "", 421, "ADMIN_HOSTS", "touchbox_"},
		{"another's name for readyz", Admin{Addr: "127.0.0.1:1", Ready: unready(nil)}, "evil.example/readyz", "", 421, "ADMIN_HOSTS", "ready\n"},
		{"another's name that looks near", Admin{Addr: "127.0.0.1:1"}, "localhost.evil.example/metrics", "", 421, "", "touchbox_"},
		{"health checks by any name", Admin{Addr: ":8082"}, "evil.example/healthz", "", 200, "ok", ""},
		{"localhost", Admin{Addr: "127.0.0.1:1"}, "LocalHost:8081/metrics", "", 200, "touchbox_build_info", ""},
		{"IPv6", Admin{Addr: "[::1]:1"}, "[::1]:8081/metrics", "", 200, "touchbox_build_info", ""},
		{"its own name", Admin{Addr: "touchbox.lan:1", Token: "right"}, "touchbox.lan:1/metrics", "right", 200, "touchbox_build_info", ""},
		{"a container's name", Admin{Addr: ":1", Token: "right"}, "ingest:8081/metrics", "right", 200, "touchbox_build_info", ""},
		{"a name that was listed", Admin{Addr: ":1", Token: "right", Hosts: []string{"Ops.example"}}, "ops.example/metrics", "right", 200, "touchbox_build_info", ""},
		{"right token", Admin{Addr: ":8082", Token: "right"}, "/metrics", "right", 200, "touchbox_build_info", ""},
		{"profiles on loopback", Admin{Addr: "127.0.0.1:1"}, "/debug/pprof/", "", 200, "goroutine", ""},
		{"a profile on loopback", Admin{Addr: "127.0.0.1:1"}, "/debug/pprof/goroutine?debug=1", "", 200, "goroutine profile", ""},
		{"profiles elsewhere need a token", Admin{Addr: ":8082"}, "/debug/pprof/heap", "", 403, "ADMIN_TOKEN", "heap profile"},
		{"a profile without the token", Admin{Addr: ":8082", Token: "right"}, "/debug/pprof/heap?debug=1", "", 401, "Bearer", "heap profile"},
		{"a profile with the token", Admin{Addr: ":8082", Token: "right"}, "/debug/pprof/heap?debug=1", "right", 200, "heap profile", ""},
		{"profiles by another's name", Admin{Addr: "127.0.0.1:1"}, "evil.example/debug/pprof/heap?debug=1", "", 421, "ADMIN_HOSTS", "heap profile"},
		{"no command line", Admin{Addr: "127.0.0.1:1"}, "/debug/pprof/cmdline", "", 404, "", "test"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.admin.Metrics = NewMetrics()
			host, path, _ := strings.Cut(tt.path, "/")
			r := httptest.NewRequest(http.MethodGet, "/"+path, nil)
			if r.Host = host; host == "" {
				r.Host = "127.0.0.1:8081"
			}
			if tt.token != "" {
				r.Header.Set("Authorization", "Bearer "+tt.token)
			}
			w := httptest.NewRecorder()
			tt.admin.Handler().ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("answered %d %.200s", w.Code, w.Body)
			}
			if tt.without != "" && strings.Contains(w.Body.String(), tt.without) {
				t.Errorf("the answer holds %q", tt.without)
			}
		})
	}
}

func unready(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

// Who sends slowly is hung up on, and what net/http has to say goes into the log.
func TestAdminHangsUpOnSlowSenders(t *testing.T) {
	a := Admin{Addr: "127.0.0.1:0", Metrics: NewMetrics()}
	server := a.server()
	if server.ReadTimeout == 0 || server.ReadTimeout > 10*time.Second || server.WriteTimeout == 0 || server.WriteTimeout > time.Minute || server.MaxHeaderBytes > 64<<10 {
		t.Errorf("limits %v, %v, %d", server.ReadTimeout, server.WriteTimeout, server.MaxHeaderBytes)
	}
	var log bytes.Buffer
	a.Log = zerolog.New(&log)
	a.server().ErrorLog.Print("http: Accept error: too many open files")
	if got := log.String(); !strings.Contains(got, `"level":"warn"`) || !strings.Contains(got, "Accept error") || strings.Count(got, "\n") != 1 {
		t.Errorf("the log has %q", got)
	}
}

// Whoever watches the webhook's address from outside keeps what this says in a log.
func TestCheckHealthKeepsTheAddressToItself(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, address := range []string{closed.URL + "/calltouch/10001/k3y-of-the-webhook", "http://u:k3y-of-the-webhook@[::1", "http://127.0.0.1:1/\x7f/k3y-of-the-webhook"} {
		err := CheckHealth(t.Context(), address)
		if err == nil || strings.Contains(err.Error(), "k3y") {
			t.Errorf("%v", err)
		}
	}
}

func TestAConsoleIsAskedForItsHealthByTheWayItSpeaks(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	for name, tt := range map[string]struct {
		of    *httptest.Server
		cert  string
		wrong bool
	}{
		"plain": {plain, "", false}, "TLS": {secure, "cert.pem", false}, "TLS, asked in the clear": {secure, "", true}, "plain, asked by TLS": {plain, "cert.pem", true},
	} {
		err := CheckConsole(t.Context(), Settings{ConsoleAddr: tt.of.Listener.Addr().String(), ConsoleTLSCert: tt.cert})
		if (err != nil) != tt.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}
