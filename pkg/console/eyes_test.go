package console_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// kinds are one address of each page of a walk: the shortest that shows something.
func (w *walk) kinds(t *testing.T) []string {
	find, best := routing(t), map[string]string{}
	for path, got := range w.pages {
		if !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") || got.location != "" || path == "/nothing" {
			continue
		}
		pattern := find("GET", path)
		if was, ok := best[pattern]; !ok || len(got.body) > len(w.pages[was].body) {
			best[pattern] = path
		}
	}
	return slices.Sorted(maps.Values(best))
}

// TestNobodyIsKeptOut has axe-core look at every page, light, dark and on a phone, with all that unfolds unfolded; on a phone nothing
// is wider than the screen, and at 1200 pixels the header is one line.
func TestNobodyIsKeptOut(t *testing.T) {
	waittest.Slow(t, "axe-core on every page, three times")
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.fillMore()
	pages := walkAll(h.signedIn(adminKey), "ru").kinds(t)
	h.enter(tab, "admin")
	for _, path := range pages {
		tab.Open(h.server.URL + path)
		tab.Run("document.querySelectorAll('main details').forEach((d) => { d.open = true; })")
		for _, look := range []struct {
			width int
			dark  bool
		}{{1200, false}, {1200, true}, {390, false}} {
			t.Run(fmt.Sprintf("%s %+v", path, look), func(t *testing.T) {
				tab.Look(look.width, 900, look.dark)
				for _, v := range tab.Violations() {
					t.Error(v)
				}
				if wide := browsertest.Eval[float64](tab, "document.documentElement.scrollWidth"); wide > float64(look.width) {
					t.Errorf("it is %.0f pixels wide", wide)
				}
				if high := browsertest.Eval[float64](tab, "document.querySelector('header').offsetHeight"); look.width == 1200 && high > 50 {
					t.Errorf("the header is %.0f pixels high", high)
				}
			})
		}
	}
}

// TestNoRequestLeavesThisHost looks at what the browser itself has asked for.
func TestNoRequestLeavesThisHost(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.fillMore()
	pages := walkAll(h.signedIn(adminKey), "en").kinds(t)
	h.enter(tab, "admin")
	host, err := url.Parse(h.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pages {
		tab.Open(h.server.URL + path)
		for _, asked := range browsertest.Eval[[]string](tab, "performance.getEntries().filter((e) => /^(navigation|resource)$/.test(e.entryType)).map((e) => e.name)") {
			if u, err := url.Parse(asked); err != nil || u.Host != host.Host {
				t.Errorf("%s asks for %s", path, asked)
			}
		}
	}
}
