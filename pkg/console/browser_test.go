package console_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
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

// TestTheLiveTailGoesOnAfterAnInterruption cuts the queue off: the stream ends, and is refused for a while. What comes afterwards is shown.
func TestTheLiveTailGoesOnAfterAnInterruption(t *testing.T) {
	waittest.Slow(t, "the script asks again after some seconds")
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.enter(tab, "see")
	tab.Open(h.server.URL + "/live")
	tab.Wait("document.querySelector('[data-state]').textContent.includes('идёт')")
	h.publish(1, 30)
	tab.Wait("document.getElementById('e-10001/call-ended/1')")
	h.away()
	tab.Wait("document.querySelector('[data-state]').textContent.includes('прервалась')")
	h.back()
	queuetest.Eventually(t, "the queue is there again", h.admin.Reachable)
	h.publish(2, 30)
	tab.Wait("document.getElementById('e-10001/call-ended/2')")
	h.publish(3, 30)
	tab.Wait("document.getElementById('e-10001/call-ended/3') && document.querySelector('[data-state]').textContent.includes('идёт')")
	tab.TakeErrors() // of the streams that were refused
}

// TestOnAPhoneEachCellHasTheNameOfItsColumn holds that a table needs no scrolling to be understood.
func TestOnAPhoneEachCellHasTheNameOfItsColumn(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.fill()
	h.enter(tab, "see")
	tab.Look(390, 800, false)
	for _, path := range []string{"/", "/links", "/events", "/causes", "/deadletters", "/retries", "/aside"} {
		tab.Open(h.server.URL + path)
		tab.Wait("document.querySelector('main table.named')")
		nameless := `[...document.querySelectorAll("main tbody td")].filter((td) => td.colSpan === 1 && td.checkVisibility() && getComputedStyle(td, "::before").content.length < 4).length`
		if n := browsertest.Eval[float64](tab, nameless); n > 0 {
			t.Errorf("%s: %.0f cells have no name before them", path, n)
		}
	}
}
