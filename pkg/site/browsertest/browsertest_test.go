package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

var browser browsertest.Browser

func TestMain(m *testing.M) {
	code := m.Run()
	browser.Close()
	os.Exit(code)
}

// TestErrors shows that the error console is looked at.
func TestErrors(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"thrown", "setTimeout(function () { throw new Error('broken'); }); setTimeout(function () { done = 1; }, 50)", "broken"},
		{"logged", "console.error('broken'); done = 1", "console.error"},
		{"asserted", "console.assert(false); done = 1", "console.assert"},
		{"rejected", "Promise.reject(new Error('broken')); setTimeout(function () { done = 1; }, 50)", "broken"},
		{"not loaded", "var i = new Image(); i.onerror = function () { done = 1 }; i.src = '/missing'", "404"},
		{"against the policy", "var s = document.createElement('script'); s.onerror = function () { done = 1 }; s.src = '/x.js'; document.head.appendChild(s)", "Content Security Policy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tab := browser.Tab(t)
			tab.Open(serve(t, test.script) + "/")
			tab.Wait("window.done")
			if got := strings.Join(tab.TakeErrors(), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("the error console shows %q, want %q", got, test.want)
			}
		})
	}
}

// TestTabs shows that two tabs share neither cookies nor storage.
func TestTabs(t *testing.T) {
	server := serve(t, "")
	one, two := browser.Tab(t), browser.Tab(t)
	one.Open(server + "/")
	one.Run("(document.cookie = 'a=1', localStorage.setItem('a', 1))")
	two.Open(server + "/")
	if got := browsertest.Eval[string](two, "document.cookie + localStorage.length"); got != "0" {
		t.Errorf("the other tab sees %q", got)
	}
}

func serve(t *testing.T, script string) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'unsafe-inline'")
		fmt.Fprintf(w, "<!DOCTYPE html><title>Page</title><script>%s</script>", script)
	})
	mux.HandleFunc("/favicon.ico", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// fatal is a test that ends in a failure without failing this one.
type fatal struct {
	testing.TB
}

func (f *fatal) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (f *fatal) Helper() {}

func TestWithoutBrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Run("skipped loudly", func(t *testing.T) {
		t.Setenv(browsertest.NeedBrowser, "")
		defer func() {
			if !t.Skipped() {
				t.Error("not skipped")
			}
		}()
		new(browsertest.Browser).Tab(t)
	})
	t.Run("fatal where it is needed", func(t *testing.T) {
		t.Setenv(browsertest.NeedBrowser, "1")
		defer func() {
			if text := fmt.Sprint(recover()); !strings.Contains(text, "no chromium") {
				t.Errorf("ended with %s", text)
			}
		}()
		new(browsertest.Browser).Tab(&fatal{TB: t})
	})
}
