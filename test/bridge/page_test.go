package bridge_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// browser serves the tests with a page.
var browser browsertest.Browser

// TestClickArrivesAsDynamicCall goes the whole way: the page in a browser, the site script, the
// attribute at Calltouch, the call's hook, the link, and deviceUUID in the query to Mindbox.
func TestClickArrivesAsDynamicCall(t *testing.T) {
	waittest.Slow(t, "a browser")
	tab := browser.Tab(t)
	demo := start(t, []string{"TMPDIR=" + t.TempDir()}, "touchbox", "demo", "--page", "--rate", "1/m")
	var address string
	eventually(t, 20*time.Second, "demo names the page", func() bool {
		address = regexp.MustCompile(`a click calls: (http://\S+)`).FindString(demo.out.String())
		return address != ""
	})
	address = address[len("a click calls: "):]

	// The demo's Mindbox fails now and then: an operation that it refused is not tried again.
	var got string
	device := ""
	eventually(t, 60*time.Second, "a call of the page is executed", func() bool {
		tab.Open(address + "/?lang=en")
		tab.Wait("document.querySelector('#script.done')")
		device = browsertest.Eval[string](tab, "(/mindboxDeviceUUID=([^;]*)/.exec(document.cookie) || [])[1]")
		tab.Click("#call")
		deadline := time.Now().Add(15 * time.Second)
		for time.Now().Before(deadline) {
			if browsertest.Eval[bool](tab, "!!document.querySelector('#arrived.done')") {
				got = tab.Text("#arrived code")
				return true
			}
			time.Sleep(100 * time.Millisecond)
		}
		return false
	})
	if want := "CallTouch deviceUUID=" + device; got != want || device == "" {
		t.Errorf("arrived as %q, want %q", got, want)
	}
}
