package site_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/site/sitetest"
)

// Ids that the pages know, each from another source.
const (
	idTracker = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	idCookie  = "aaaaaaaa-7b0e-4c1d-9a55-0d2f6b8e4c22"
	idSession = "bbbbbbbb-7b0e-4c1d-9a55-0d2f6b8e4c33"
	idStorage = "cccccccc-7b0e-4c1d-9a55-0d2f6b8e4c44"
	idZero    = "00000000-0000-0000-0000-000000000000"
)

// Scripts of a page, to be loaded by its HTML or by visit.load.
const (
	ours          = "/site/10001.js"
	calltouch     = "/sim/calltouch/init.js?id=abcd1234"
	calltouchStub = "/sim/calltouch/stub.js"
	mindbox       = "/sim/mindbox/tracker.js?uuid=" + idTracker
	mindboxStub   = "/sim/mindbox/stub.js"
)

//go:embed testdata/harness.js
var harness string

var browser browsertest.Browser

func TestMain(m *testing.M) {
	code := m.Run()
	browser.Close()
	os.Exit(code)
}

// page is the page of a site, as a test wants it.
type page struct {
	config site.Config
	header map[string]string // of the answer
	head   []string          // after the harness, in order: the path of a script or HTML
}

// visit is a browser tab that looks at a page.
type visit struct {
	*browsertest.Tab
	t testing.TB
}

// open serves a page, with all scripts it may want, and goes there in a new tab.
func open(t *testing.T, p page) visit {
	t.Helper()
	t.Parallel()
	server := httptest.NewServer(p.handler())
	t.Cleanup(server.Close) // after the tab, whose open connections it would wait for
	tab := browser.Tab(t)
	tab.Open(server.URL + "/page")
	return visit{tab, t}
}

func (p page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/site/", site.NewHandler(func(id string) (site.Config, bool) { return p.config, id == "10001" }))
	mux.Handle("/sim/", http.StripPrefix("/sim", new(sitetest.Server)))
	mux.HandleFunc("/harness.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, harness)
	})
	// A script that never comes: the connection stays open as long as the page is looked at.
	mux.HandleFunc("/never.js", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/empty/", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Type", "text/javascript") })
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/", p.serve) // every path: a single-page site
	return mux
}

func (p page) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	for name, value := range p.header {
		w.Header().Set(name, value)
	}
	fmt.Fprint(w, `<!DOCTYPE html><meta charset="utf-8"><title>Clinic</title>`)
	for _, part := range append([]string{"/harness.js"}, p.head...) {
		if strings.HasPrefix(part, "/") {
			part = `<script src="` + part + `"></script>`
		}
		fmt.Fprintln(w, part)
	}
	fmt.Fprint(w, `<p>+7 812 000-00-05</p>`)
}

// inline is a script in the page itself.
func inline(script string) string { return "<script>" + script + "</script>" }

// load loads a script into the page.
func (v visit) load(scripts ...string) {
	v.t.Helper()
	for _, src := range scripts {
		v.Run(fmt.Sprintf("load(%q)", src))
	}
}

// pass lets that much of the page's time pass.
func (v visit) pass(d time.Duration) {
	v.t.Helper()
	v.Run(fmt.Sprintf("clock.pass(%d)", d.Milliseconds()))
}

// until lets the page's time pass until a condition holds, and is how long that took. It fails
// when the page waits for nothing more and it does not hold.
func (v visit) until(condition string) time.Duration {
	v.t.Helper()
	took := browsertest.Eval[float64](v.Tab, "clock.until(function () { return "+condition+" })")
	if !browsertest.Eval[bool](v.Tab, "!!("+condition+")") {
		v.t.Fatalf("it never comes to hold: %s", condition)
	}
	return time.Duration(took) * time.Millisecond
}

// told is until for the number of times that Calltouch was told.
func (v visit) told(times int) time.Duration {
	v.t.Helper()
	return v.until(fmt.Sprintf("sets().length >= %d", times))
}

// giveUp lets time pass until the script waits for nothing more, and is how long that took.
func (v visit) giveUp() time.Duration {
	v.t.Helper()
	return time.Duration(browsertest.Eval[float64](v.Tab, "clock.until(function () {})")) * time.Millisecond
}

// wantSets compares what Calltouch was told, from the first call to the last.
func (v visit) wantSets(want ...string) {
	v.t.Helper()
	if want == nil {
		want = []string{}
	}
	if diff := cmp.Diff(want, browsertest.Eval[[]string](v.Tab, "sets()")); diff != "" {
		v.t.Errorf("calls of ct_set_attrs (-want +got):\n%s", diff)
	}
}

// wantWaits compares what the script waits for.
func (v visit) wantWaits(want string) {
	v.t.Helper()
	if got := browsertest.Eval[string](v.Tab, "touchboxState.waits"); got != want {
		v.t.Errorf("waits for %q, want %q", got, want)
	}
}

// attr is the text with which the id alone is handed over.
func attr(id string) string { return `{"mindboxDeviceUUID":"` + id + `"}` }
