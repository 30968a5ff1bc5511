package console_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// reachable counts what of a page can be worked with, as a person sees it.
const reachable = `[...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')]
	.filter((e) => e.type !== 'hidden' && !e.disabled && e.checkVisibility() && !(e.closest('details:not([open])') && e.tagName !== 'SUMMARY')).length`

// TestEverythingIsReachedByTheKeyboard goes through every page by Tab alone: it comes to whatever can be worked with, and sees where it is.
func TestEverythingIsReachedByTheKeyboard(t *testing.T) {
	waittest.Slow(t, "every page, key by key")
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.fillMore()
	pages := walkAll(h.signedIn(adminKey), "en").kinds(t)
	h.enter(tab, "admin")
	for _, path := range pages {
		tab.Open(h.server.URL + path)
		tab.Run("(document.querySelectorAll('details').forEach((d) => { d.open = true; }), window.been = new Set(), window.blind = [], window.before = null, document.activeElement.blur(), 1)")
		want := browsertest.Eval[float64](tab, reachable)
		for range 2*int(want) + 3 { // a date has parts, through which Tab goes
			tab.Press("\t")
			if browsertest.Eval[bool](tab, `(() => {
				const e = document.activeElement;
				if (e === document.body) { return false; }
				const again = been.has(e) && e !== window.before, style = getComputedStyle(e);
				been.add(e);
				window.before = e;
				if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) { blind.push(e.outerHTML.slice(0, 80)); }
				return again;
			})()`) {
				break
			}
		}
		if got := browsertest.Eval[float64](tab, "been.size"); got < want {
			t.Errorf("%s: Tab comes to %.0f of %.0f", path, got, want)
		}
		if blind := browsertest.Eval[[]string](tab, "blind"); len(blind) > 0 {
			t.Errorf("%s: one does not see that one is at %q", path, blind)
		}
	}
}

// TestTheFocusStaysWhenTheOverviewRenewsItself holds that nothing moves under the hand, and goes on once it is away.
func TestTheFocusStaysWhenTheOverviewRenewsItself(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.enter(tab, "see")
	tab.Run("(document.querySelectorAll('[data-refresh]').forEach((e) => { e.dataset.refresh = 0.2; }), window.link = document.querySelector('main tbody a'), link.focus(), 1)")
	h.fill()
	tab.Wait("performance.getEntriesByType('resource').length >= 0 && document.activeElement === link")
	took := browsertest.Eval[float64](tab, "new Promise((done) => setTimeout(() => done(document.activeElement === link ? 1 : 0), 7000))")
	if took != 1 {
		t.Error("the focus is gone")
	}
	tab.Run("(document.activeElement.blur(), 1)")
	tab.Wait("document.querySelector('main .lead').textContent.includes('взяли событий: 6')")
}

// TestWithoutScriptsEverythingIsDone stops and starts a link, sends again and signs out in a browser that runs no script.
func TestWithoutScriptsEverythingIsDone(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	dead, _ := h.fill()
	h.worker()
	tab.WithoutScripts()
	tab.Open(h.server.URL + "/sign-in?lang=en")
	tab.Type("#key", actKey)
	tab.Click("form[data-signin] button")
	tab.Wait("location.pathname === '/'")

	tab.Open(h.server.URL + "/links/other")
	tab.Click("main details summary")
	tab.Type("input[name=why]", "waiting for a template")
	tab.Click("form[action$='/stop'] button")
	tab.Wait("location.search.includes('done=link-stopped')")
	if text := tab.Text("main"); !strings.Contains(text, "stopped") || !strings.Contains(text, "waiting for a template") {
		t.Errorf("it says %q", text)
	}
	tab.Click("form[action$='/start'] button")
	tab.Wait("location.search.includes('done=link-started')")

	tab.Open(h.server.URL + "/events/" + dead.String())
	tab.Click("main a.button.main")
	tab.Wait("location.pathname === '/replays/new'")
	tab.Type("main form[method=post] input[name=why]", "mended")
	tab.Click("main form[method=post] button.main")
	tab.Wait("location.pathname.startsWith('/jobs/') && document.querySelector('main')")
	run := browsertest.Eval[string](tab, "location.href")
	waittest.Eventually(t, "the replay ends", func() bool {
		tab.Open(run)
		return strings.Contains(tab.Text("main"), "✓") && strings.Contains(tab.Text("main"), "done")
	})

	tab.Click(".who details summary")
	tab.Click("form[action$='/sign-out'] button")
	tab.Wait("location.pathname === '/sign-in'")
	tab.Open(h.server.URL + "/")
	tab.Wait("location.pathname === '/sign-in'")
}
