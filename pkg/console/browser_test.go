package console_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

var chromium browsertest.Browser

func TestMain(m *testing.M) {
	queuetest.Main(m, chromium.Close)
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
	h.t.Cleanup(func() { tab.Open("about:blank") }) // before its server is gone: a page that renews itself would complain
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
