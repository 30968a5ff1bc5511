package bridge_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestTheDemoShowsADeadCauseAndItsReplay is what somebody sees who tries Touchbox out: calls arrive on the page as they happen, Mindbox
// refuses some for good, and sent again from the page of their cause they are all delivered. No page is an error meanwhile: the browser's
// own console would show it.
func TestTheDemoShowsADeadCauseAndItsReplay(t *testing.T) {
	waittest.Slow(t, "a browser, and as many calls as it takes until one is refused")
	tab := browser.Tab(t)
	demo := start(t, []string{"TMPDIR=" + t.TempDir(), "LANG=en"}, "touchbox", "demo")
	var address string
	eventually(t, 60*time.Second, "demo prints a link that signs in", func() bool {
		address = regexp.MustCompile(`http://\S+/sign-in#\S+`).FindString(demo.out.String())
		return address != ""
	})
	began := time.Now()
	root := address[:strings.Index(address, "/sign-in#")]
	tab.Open(strings.Replace(address, "#", "?lang=en#", 1))
	tab.Wait("location.pathname === '/'")

	tab.Open(root + "/live")
	newest := browsertest.Eval[string](tab, "(document.querySelector('tbody tr') || {id: ''}).id")
	eventually(t, 60*time.Second, "calls arrive by themselves", func() bool {
		return browsertest.Eval[string](tab, "(document.querySelector('tbody tr') || {id: ''}).id") != newest
	})
	t.Logf("calls arrive after %s", time.Since(began).Round(time.Second))

	var cause string
	eventually(t, 120*time.Second, "Mindbox refuses a call", func() bool {
		tab.Open(root + "/causes")
		cause = browsertest.Eval[string](tab, `(document.querySelector("main tbody a[href*='/causes/']") || {href: ''}).href`)
		return cause != ""
	})
	t.Logf("one is refused after %s", time.Since(began).Round(time.Second))

	tab.Open(cause)
	refused := browsertest.Eval[[]string](tab, `[...document.querySelectorAll("main tbody th a[href*='/events/']")].map((a) => a.href)`)
	delivered := map[string]bool{}
	eventually(t, 180*time.Second, "sent again, all of them are delivered", func() bool {
		tab.Open(cause)
		if browsertest.Eval[bool](tab, `!!document.querySelector("main a.button.main")`) { // Mindbox may refuse one again
			tab.Click("main a.button.main")
			tab.Wait("location.pathname === '/replays/new' && document.querySelector('main form[method=post] button.main')")
			tab.Click("main form[method=post] button.main")
			tab.Wait("location.pathname.startsWith('/jobs/') && document.querySelector('main') && document.querySelector('main').innerText.includes('✓')")
		}
		for _, event := range refused {
			tab.Open(event)
			delivered[event] = browsertest.Eval[bool](tab, `!!document.querySelector("main summary .good") && !document.querySelector("main summary .bad")`)
		}
		for _, is := range delivered {
			if !is {
				return false
			}
		}
		return len(delivered) > 0
	})
	t.Logf("all %d are delivered after %s", len(refused), time.Since(began).Round(time.Second))
	tab.Open("about:blank") // before its server is gone: a page that renews itself would complain
}
