package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/pkg/watch"
)

func TestAlertsTestSaysWhatCameBack(t *testing.T) {
	tests := []struct {
		name    string
		answer  http.HandlerFunc
		lang    string
		code    int
		says    string
		isError bool
	}{
		{"taken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "en", 0, "sent, answered 204", false},
		{"refused", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "en", 1, "answered 403", true},
		{"moved", http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP, "en", 1, "has moved", true},
		{"moved, in Russian", http.RedirectHandler("/elsewhere", http.StatusMovedPermanently).ServeHTTP, "ru", 1, "переехал", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			t.Setenv("ALERT_URL", server.URL+"/bot1:SECRET")
			var out, errs waittest.Buffer
			if code := run(t.Context(), []string{"alerts", "test", "--lang", tt.lang}, nil, &out, &errs); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if text := out.String() + errs.String(); !strings.Contains(text, tt.says) || strings.Contains(text, "SECRET") {
				t.Errorf("it says %q", text)
			}
		})
	}
}

func TestAlertsTestSendsAnAlert(t *testing.T) {
	var got watch.Notice
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	t.Setenv("ALERT_URL", server.URL)
	t.Setenv("CONSOLE_URL", "https://touchbox.example.com/")
	var out, errs waittest.Buffer
	if code := run(t.Context(), []string{"alerts", "test", "--json", "--lang", "ru"}, nil, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var result alertTest
	if err := json.Unmarshal([]byte(out.String()), &result); err != nil || !result.Sent || result.Status != 200 {
		t.Errorf("%s: %v", &out, err)
	}
	if got.Cause != watch.CauseTest || got.Over || !strings.Contains(got.Text, "проверка") || !strings.HasSuffix(got.Text, "\nhttps://touchbox.example.com/") {
		t.Errorf("sent %+v", got)
	}
}

func TestAlertsTestWithoutAddress(t *testing.T) {
	t.Setenv("ALERT_URL", "")
	var out, errs waittest.Buffer
	if code := run(t.Context(), []string{"alerts", "test"}, nil, &out, &errs); code != 2 || !strings.Contains(errs.String(), "ALERT_URL") {
		t.Errorf("exit code %d: %s", code, &errs)
	}
}
