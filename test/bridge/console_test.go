package bridge_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestTheDemoShowsADeadLetterAndItsReplay is what somebody sees who tries Touchbox out: calls arrive as they happen, Mindbox refuses one for
// good, and sent again from the console it is delivered.
func TestTheDemoShowsADeadLetterAndItsReplay(t *testing.T) {
	waittest.Slow(t, "a browser, and as many calls as it takes until one is refused")
	tab := browser.Tab(t)
	demo := start(t, []string{"TMPDIR=" + t.TempDir(), "LANG=en"}, "touchbox", "demo", "--rate", "10/s")
	var address string
	eventually(t, 60*time.Second, "demo prints a link that signs in", func() bool {
		address = regexp.MustCompile(`http://\S+/sign-in#\S+`).FindString(demo.out.String())
		return address != ""
	})
	root := address[:strings.Index(address, "/sign-in#")]
	tab.Open(strings.Replace(address, "#", "?lang=en#", 1))
	tab.Wait("location.pathname === '/'")

	tab.Open(root + "/live")
	before := browsertest.Eval[float64](tab, "document.querySelectorAll('tbody tr').length")
	eventually(t, 60*time.Second, "calls arrive", func() bool {
		return browsertest.Eval[float64](tab, "document.querySelectorAll('tbody tr').length") > before
	})

	var event string
	eventually(t, 120*time.Second, "Mindbox refuses a call", func() bool {
		tab.Open(root + "/causes")
		event = browsertest.Eval[string](tab, `(document.querySelector("main tbody a[href*='/events/']") || {href: ''}).href`)
		return event != ""
	})
	// The demo's Mindbox refuses now and then, and may do so twice.
	const again = `main a.button.main[href*='outcome=dead']`
	eventually(t, 120*time.Second, "sent again, it is delivered", func() bool {
		tab.Open(event)
		text := tab.Text("main")
		if !browsertest.Eval[bool](tab, `!!document.querySelector("`+again+`")`) {
			return !strings.Contains(text, "✖\u00a0not delivered") && strings.Contains(text, "✓\u00a0delivered")
		}
		tab.Click(again)
		tab.Wait("location.pathname === '/replays/new' && document.querySelector('main form[method=post] button.main')")
		tab.Click("main form[method=post] button.main")
		tab.Wait("location.pathname.split('/').length === 3 && document.querySelector('main') && document.querySelector('main').innerText.includes('✓')")
		return false
	})
}
