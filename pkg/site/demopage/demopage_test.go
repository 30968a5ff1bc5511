package demopage_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/site/demopage"
)

var update = flag.Bool("update", false, "take the pictures of the documentation again")

var browser browsertest.Browser

func TestMain(m *testing.M) {
	code := m.Run()
	browser.Close()
	os.Exit(code)
}

// way stands for all that lies between a click and Mindbox: a call arrives when its status is
// asked for the second time, as a dynamic one where it has the attribute.
type way struct {
	mu    sync.Mutex
	calls []map[string]string // attributes of each call; the id is its place
	asked int
	err   error
}

func (w *way) call(_ context.Context, session string, attrs map[string]string) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !strings.HasPrefix(session, "4794") {
		return "", errors.New("no session of Calltouch: " + session)
	}
	w.calls = append(w.calls, attrs)
	return "148071", w.err
}

func (w *way) status(_ context.Context, id string) (demopage.Status, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if id != "148071" {
		return demopage.Status{}, errors.New("no such call: " + id)
	}
	if w.asked++; w.asked%2 == 1 {
		return demopage.Status{}, nil
	}
	device := w.calls[len(w.calls)-1][site.DefaultDevice]
	operation := "CallTouchStatic"
	if device != "" {
		operation = "CallTouch"
	}
	return demopage.Status{Arrived: true, Operation: operation, DeviceUUID: device}, nil
}

// visit opens a page of the demonstration, /demo/ and what follows.
func visit(t *testing.T, w *way) (*browsertest.Tab, string) {
	t.Helper()
	t.Parallel()
	h := demopage.Handler(demopage.Config{Call: w.call, Status: w.status})
	mux := http.NewServeMux()
	mux.Handle("/demo/", http.StripPrefix("/demo", h))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return browser.Tab(t), server.URL + "/demo/"
}

const cookie = "(/mindboxDeviceUUID=([^;]*)/.exec(document.cookie) || [])[1]"

// TestWholeWay does what a person does: look, click, look.
func TestWholeWay(t *testing.T) {
	w := &way{}
	tab, address := visit(t, w)
	tab.Open(address + "?lang=en")
	tab.Wait("document.querySelector('#script.done')")
	tab.Click("#call")
	tab.Wait("document.querySelector('#arrived.done')")
	id := browsertest.Eval[string](tab, cookie)
	if got, want := tab.Text("#arrived code"), "CallTouch deviceUUID="+id; got != want {
		t.Errorf("arrived as %q, want %q", got, want)
	}
	if got := tab.Text("#dynamic"); got != "dynamic: Mindbox knows who called" {
		t.Errorf("the page says %q", got)
	}
	if got := browsertest.Eval[bool](tab, "document.querySelector('#static').hidden && document.querySelector('#failed').hidden"); !got {
		t.Error("the page says more than that")
	}
	if got := w.calls[0][site.DefaultDevice]; got != id {
		t.Errorf("the call carries %q, want %q", got, id)
	}
}

// TestVariants leaves out the script or the tracker.
func TestVariants(t *testing.T) {
	w := &way{}
	tab, address := visit(t, w)
	ring := func(query, kind string) {
		t.Helper()
		tab.Open(address + query)
		tab.Wait("!document.querySelector('#call').disabled")
		if !strings.Contains(query, "script=off") && kind != "static" {
			tab.Wait("document.querySelector('#script.done')")
		}
		tab.Click("#call")
		tab.Wait("!document.querySelector('#" + kind + "').hidden")
	}
	ring("?tracker=off", "static")
	ring("?script=off", "static")
	ring("?tracker=off", "dynamic") // the cookie of the visit before
	tab.Run("(before = 1)")
	tab.Click("#forget")
	tab.Wait("!window.before && document.readyState == 'complete'")
	ring("?tracker=off", "static")
}

func TestCallFails(t *testing.T) {
	w := &way{err: errors.New("the queue is full")}
	tab, address := visit(t, w)
	tab.Open(address)
	tab.Wait("!document.querySelector('#call').disabled")
	tab.Click("#call")
	tab.Wait("!document.querySelector('#failed').hidden")
	if got := tab.Text("#failed"); !strings.Contains(got, "the queue is full") {
		t.Errorf("the page says %q", got)
	}
	tab.TakeErrors() // the browser's own, of the 502
}

func TestLanguage(t *testing.T) {
	w := &way{}
	h := demopage.Handler(demopage.Config{Call: w.call, Status: w.status})
	for _, test := range []struct{ path, accept, want string }{
		{"/", "", "en"}, {"/", "ru", "ru"}, {"/", "ru-RU,ru;q=0.9,en;q=0.8", "ru"}, {"/", "de, RU;q=0.5", "ru"}, {"/", "en-US,ru;q=0.5", "en"},
		{"/", "de", "en"}, {"/?lang=ru", "en", "ru"}, {"/?lang=en", "ru", "en"}, {"/?lang=de", "ru", "ru"}, {"/", "rup", "en"},
	} {
		r := httptest.NewRequest(http.MethodGet, test.path, nil)
		r.Header.Set("Accept-Language", test.accept)
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if !strings.Contains(rec.Body.String(), `<html lang="`+test.want+`">`) {
			t.Errorf("%s with %q: not in %s", test.path, test.accept, test.want)
		}
	}
}

func TestBadCalls(t *testing.T) {
	w := &way{}
	h := demopage.Handler(demopage.Config{Call: w.call, Status: w.status})
	for body, want := range map[string]int{
		"": 400, "{": 400, "{}": 400, `{"session":1}`: 400, `{"session":"` + strings.Repeat("1", 5000) + `"}`: 400, `{"session":"1"}`: 502,
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/call", strings.NewReader(body)))
		if rec.Code != want {
			t.Errorf("%.40s: %d, want %d", body, rec.Code, want)
		}
	}
	if len(w.calls) > 0 {
		t.Error("a bad call went out")
	}
}

// maxPicture bounds a picture of the documentation, in bytes.
const maxPicture = 100_000

// TestPictures takes the pictures of the documentation with -update, and otherwise looks that they
// are there and small.
func TestPictures(t *testing.T) {
	for _, lang := range []string{"en", "ru"} {
		t.Run(lang, func(t *testing.T) {
			file := filepath.Join("..", "..", "..", "docs", "img", "site-script."+lang+".png")
			if *update {
				tab, address := visit(t, &way{})
				tab.Open(address + "?lang=" + lang)
				tab.Wait("document.querySelector('#script.done')")
				tab.Click("#call")
				tab.Wait("document.querySelector('#arrived.done')")
				tab.Run("document.activeElement.blur()")
				write(t, file, tab.Picture("main"))
			}
			check(t, file)
		})
	}
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) >= maxPicture {
		t.Errorf("%s: %d bytes, want less than %d", file, len(data), maxPicture)
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}
