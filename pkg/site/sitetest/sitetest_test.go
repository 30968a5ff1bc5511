package sitetest_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/site/sitetest"
)

func ask(s *sitetest.Server, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func TestScripts(t *testing.T) {
	var s sitetest.Server
	for path, want := range map[string]string{
		"/calltouch/stub.js": "ct.callbacks", "/calltouch/init.js?id=abcd1234": "ct_set_attrs", "/calltouch/init-min.js": "ct_set_attrs",
		"/mindbox/stub.js": "mindbox.queue", "/mindbox/tracker.js": "directCrm-session",
	} {
		w := ask(&s, http.MethodGet, path, "")
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if w := ask(&s, http.MethodGet, "/other.js", ""); w.Code != http.StatusNotFound {
		t.Errorf("/other.js: %d", w.Code)
	}
}

func TestAttrs(t *testing.T) {
	var s sitetest.Server
	report := func(body string) int { return ask(&s, http.MethodPost, "/calltouch/attributes", body).Code }
	if got := s.Attrs("1"); got != nil {
		t.Errorf("before all: %v", got)
	}
	if code := report(`{"session":"1","attrs":{"a":"x","b":"y"}}`); code != http.StatusNoContent {
		t.Fatalf("a report: %d", code)
	}
	report(`{"session":"2","attrs":{"a":"z"}}`)
	report(`{"session":"1","attrs":{"a":"new"}}`)
	if diff := cmp.Diff(map[string]string{"a": "new"}, s.Attrs("1")); diff != "" {
		t.Errorf("the attributes do not replace those of before (-want +got):\n%s", diff)
	}
	for _, body := range []string{"", "{", `{"attrs":{}}`, `{"session":"1","attrs":{"a":1}}`, `{"session":"1","attrs":{"a":"` + strings.Repeat("x", 70_000) + `"}}`} {
		if code := report(body); code != http.StatusBadRequest {
			t.Errorf("%.40s: %d, want 400", body, code)
		}
	}
}

// TestForgets holds the bound on what is remembered.
func TestForgets(t *testing.T) {
	var s sitetest.Server
	for i := range 1001 {
		ask(&s, http.MethodPost, "/calltouch/attributes", `{"session":"`+strconv.Itoa(i)+`","attrs":{"a":"x"}}`)
	}
	if s.Attrs("0") != nil || s.Attrs("1") == nil || s.Attrs("1000") == nil {
		t.Error("not the oldest session was forgotten")
	}
}
