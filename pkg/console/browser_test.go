package console_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

var chromium browsertest.Browser

func TestMain(m *testing.M) {
	waittest.Overlap()
	code := m.Run()
	chromium.Close()
	os.Exit(code)
}

// enter opens the console in a tab by a sign-in link.
func (h *house) enter(tab *browsertest.Tab, role string) {
	h.t.Helper()
	token, err := h.admin.Invite(h.t.Context(), admin.Session{Name: "Анна", Role: role, Reveal: role == "admin"})
	if err != nil {
		h.t.Fatal(err)
	}
	tab.Open(h.server.URL + "/sign-in?lang=ru#" + token)
	tab.Wait("location.pathname === '/'")
}

// TestEveryPageInABrowser looks at every page: the tab fails the test where its error console is not empty.
func TestEveryPageInABrowser(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	h.enter(tab, "admin")
	for _, path := range lookable(dead, waiting) {
		if path == "/nothing" {
			continue // its 404 stands in the error console, as it should
		}
		tab.Look(390, 800, true)
		tab.Open(h.server.URL + path)
		if wide := browsertest.Eval[float64](tab, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %.0f pixels wide on a phone", path, wide)
		}
	}
}

func TestTheOverviewRenewsItselfAndLeavesWhoReadsAlone(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.enter(tab, "see")
	tab.Wait("document.querySelector('.lead').textContent.includes('взяли событий: 0')")
	h.fill()
	tab.Wait("document.querySelector('.lead').textContent.includes('взяли событий: 6')")
}

func TestWithoutScriptsOneSignsInFindsAndReads(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	dead, _ := h.fill()
	tab.WithoutScripts()
	tab.Open(h.server.URL + "/sign-in?lang=en")
	tab.Type("#key", seeKey)
	tab.Click("form[data-signin] button")
	tab.Wait("location.pathname === '/'")
	tab.Type("#find", dead.ID)
	tab.Click(".find button")
	tab.Wait("location.pathname === '/events/" + dead.String() + "'")
	if text := tab.Text("main"); !strings.Contains(text, "not delivered") {
		t.Errorf("the page says %q", text)
	}
}

// TestPictures takes a picture of every page into the folder that PICTURES names, for a person to look at.
func TestPictures(t *testing.T) {
	folder := os.Getenv("PICTURES")
	if folder == "" {
		t.Skip("SKIPPED: PICTURES names no folder for the pictures; make pictures does")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	h.enter(tab, "admin")
	for _, path := range lookable(dead, waiting) {
		for _, language := range []string{"ru", "en"} {
			join := "?"
			if strings.Contains(path, "?") {
				join = "&"
			}
			tab.Open(h.server.URL + path + join + "lang=" + language)
			tab.TakeErrors()
			for look, dark := range map[string]bool{"1200": false, "1200-dark": true, "390": false, "390-dark": true} {
				width := 1200
				if strings.HasPrefix(look, "390") {
					width = 390
				}
				name := strings.Trim(strings.NewReplacer("/", "-", "?", "-", "&", "-", "=", "-").Replace(path), "-")
				if name == "" {
					name = "overview"
				}
				file := filepath.Join(folder, fmt.Sprintf("%s.%s.%s.png", name, language, look))
				if err := os.WriteFile(file, tab.Page(width, dark), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
