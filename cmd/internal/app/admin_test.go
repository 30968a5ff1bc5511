package app

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAdmin(t *testing.T) {
	broken := errors.New("the disk is full: free space and restart the server")
	tests := []struct {
		name          string
		admin         Admin
		path, token   string
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
		{"right token", Admin{Addr: ":8082", Token: "right"}, "/metrics", "right", 200, "touchbox_build_info", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.admin.Metrics = NewMetrics()
			r := httptest.NewRequest(http.MethodGet, tt.path, nil)
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
