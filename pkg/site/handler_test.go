package site_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/touchbox/touchbox/pkg/site"
)

func handler() http.Handler {
	return site.NewHandler(func(id string) (site.Config, bool) { return clinic, id == "10001" })
}

// ask sends a request with headers in pairs of name and value.
func ask(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func wantHeaders(t *testing.T, w *httptest.ResponseRecorder, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

func TestServe(t *testing.T) {
	h, script := handler(), site.Script(clinic)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		w := ask(h, method, "/site/10001.js")
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d", method, w.Code)
		}
		wantHeaders(t, w, map[string]string{
			"Content-Type": "text/javascript; charset=utf-8", "Content-Length": strconv.Itoa(len(script)), "Content-Encoding": "",
			"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff",
			"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin",
		})
		if want := map[string][]byte{http.MethodGet: script, http.MethodHead: nil}[method]; !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("%s: the body is another", method)
		}
	}
}

func TestServeGzip(t *testing.T) {
	h, script := handler(), site.Script(clinic)
	tests := []struct {
		accept string
		packed bool
	}{
		{"gzip", true}, {"GZIP", true}, {"x-gzip", true}, {"br, gzip;q=0.5", true}, {"*", true}, {"br;q=1.0, *;q=0.1", true},
		{"", false}, {"br", false}, {"gzip;q=0", false}, {"gzip; q=0.000", false}, {"*, gzip;q=0", false}, {"gzip;q=x", false},
		{"identity, *;q=0", false}, {"gzipped", false},
	}
	for _, test := range tests {
		w := ask(h, http.MethodGet, "/site/10001.js", "Accept-Encoding", test.accept)
		body, packed := w.Body.Bytes(), w.Header().Get("Content-Encoding") == "gzip"
		if packed != test.packed {
			t.Errorf("Accept-Encoding %q: gzip is %v", test.accept, packed)
		}
		if w.Header().Get("Content-Length") != strconv.Itoa(len(body)) {
			t.Errorf("Accept-Encoding %q: Content-Length %s for %d bytes", test.accept, w.Header().Get("Content-Length"), len(body))
		}
		if packed {
			body = gunzip(t, body)
		}
		if !bytes.Equal(body, script) {
			t.Errorf("Accept-Encoding %q: the body is another", test.accept)
		}
	}
}

func TestServeNotModified(t *testing.T) {
	h := handler()
	etag := ask(h, http.MethodGet, "/site/10001.js").Header().Get("ETag")
	strong := etag[len("W/"):]
	for _, tag := range []string{etag, strong, "*", `"other", ` + etag, `"other",` + strong} {
		w := ask(h, http.MethodGet, "/site/10001.js", "If-None-Match", tag, "Accept-Encoding", "gzip")
		if w.Code != http.StatusNotModified || w.Body.Len() > 0 {
			t.Errorf("If-None-Match %s: %d with %d bytes", tag, w.Code, w.Body.Len())
		}
		wantHeaders(t, w, map[string]string{"ETag": etag, "Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"})
	}
	for _, tag := range []string{"", `"other"`, `W/"other"`, strong[1:]} {
		if w := ask(h, http.MethodGet, "/site/10001.js", "If-None-Match", tag); w.Code != http.StatusOK {
			t.Errorf("If-None-Match %s: %d", tag, w.Code)
		}
	}
}

func TestServeRefuses(t *testing.T) {
	h := handler()
	for _, path := range []string{"/site/10002.js", "/site/10001", "/site/.js", "/site/", "/10001.js", "/site/10001.js/", "/site/10001.js.js", "/site/x/10001.js"} {
		if w := ask(h, http.MethodGet, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch} {
		w := ask(h, method, "/site/10001.js")
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
}

// TestServeChange changes the configuration under a running handler.
func TestServeChange(t *testing.T) {
	config := clinic
	h := site.NewHandler(func(string) (site.Config, bool) { return config, true })
	old := ask(h, http.MethodGet, site.Path("10001")).Header().Get("ETag")
	config.Counter = "other123"
	w := ask(h, http.MethodGet, site.Path("10001"), "If-None-Match", old)
	if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), site.Script(config)) {
		t.Errorf("after the change: %d, the old script", w.Code)
	}
}
