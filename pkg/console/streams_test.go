package console_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestFiveHundredStreamsLeaveNothingBehind opens and closes as many as a console allows at a time, again and again. Not parallel:
// other tests' goroutines would count.
func TestFiveHundredStreamsLeaveNothingBehind(t *testing.T) {
	waittest.Slow(t, "500 streams")
	p := queuetest.Spawn(t) // in a process of its own: the server's goroutines are not ours
	before := goleak.IgnoreCurrent()
	q := p.Open(queue.Options{})
	h := newHouseOn(t, q, nil)
	const people, each, most = 8, 4, 500
	var browsers []*browser
	for i := range people {
		key := fmt.Sprint("key ", i)
		h.people = append(h.people, console.Person{Name: key, Role: console.See, Hash: sha256.Sum256([]byte(key))})
		b := h.signedIn(key)
		b.client.Transport = &http.Transport{DisableKeepAlives: true}
		browsers = append(browsers, b)
	}
	for opened := 0; opened < most; {
		var close []func()
		for _, b := range browsers {
			for range each {
				close = append(close, b.stream(t))
				opened++
			}
		}
		for _, f := range close {
			f()
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	h.server.Close()
	h.rest()
	q.Close()
	queuetest.Eventually(t, "nothing goes on", func() bool { return goleak.Find(before) == nil })
}

// stream opens a stream, as soon as the one before it has left its place, and reads its beginning.
func (b *browser) stream(t *testing.T) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	queuetest.Eventually(t, "there is a place for a stream", func() bool {
		response, err := b.client.Do(b.request("GET", "/live/stream", nil).WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		begin := make([]byte, len("retry: 1000\n\nevent: on"))
		if _, err := io.ReadFull(response.Body, begin); err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %q %v", response.StatusCode, begin, err)
		}
		if !strings.HasSuffix(string(begin), "event: on") {
			_ = response.Body.Close()
			return false
		}
		end = func() { cancel(); _ = response.Body.Close() }
		return true
	})
	return end
}

// TestAStreamTooManyIsToldSoAndTakesNoPlace holds that one browser takes no more places than four, and that the fifth page hears why
// nothing comes.
func TestAStreamTooManyIsToldSoAndTakesNoPlace(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	var ends []func()
	for range 4 {
		ends = append(ends, b.stream(t))
	}
	for range 2 {
		if got := b.get("/live/stream?lang=en"); got.status != http.StatusOK || !strings.Contains(got.body, "event: full\ndata: Nothing new comes to this page: you have 4 open") {
			t.Errorf("the fifth: %d %s", got.status, got.body)
		}
	}
	ends[0]()
	ends[0] = b.stream(t) // there is a place again
	for _, end := range ends {
		end()
	}
}

// TestAFifthLiveTailSaysWhyNothingComes holds that the page says it, and goes on when there is a place.
func TestAFifthLiveTailSaysWhyNothingComes(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.enter(tab, "see")
	tab.Open(h.server.URL + "/live?lang=en")
	tab.Click("[data-pause]")
	if held := browsertest.Eval[float64](tab, holdFour); held != 4 {
		t.Fatal(held)
	}
	tab.Click("[data-pause]")
	tab.Wait("document.querySelector('.box[role=status]')?.textContent.includes('Close one of them')")
	tab.Run("(window.held.shift().abort(), 1)")
	tab.Wait("!document.querySelector('.box[role=status]')")
	h.publish(77, 30)
	tab.Wait("document.getElementById('e-10001/call-ended/77') !== null")
	tab.Run("(window.held.forEach((one) => one.abort()), 1)")
}

// holdFour opens streams until four have a place, and keeps them in window.held.
const holdFour = `(async () => {
	window.held = [];
	while (window.held.length < 4) {
		const one = new AbortController(), answer = await fetch("/live/stream", { signal: one.signal });
		const begin = await answer.body.getReader().read();
		if (new TextDecoder().decode(begin.value).includes("retry: 1000")) { window.held.push(one); }
	}
	return window.held.length;
})()`

// TestTheNinthTabLoads has a browser, which opens six connections to a host, show eight live tails and one page more.
func TestTheNinthTabLoads(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.enter(tab, "see")
	for range 8 {
		tab.Run("(fetch('/live/stream').catch(() => {}), 1)")
	}
	took := browsertest.Eval[float64](tab, "(async () => { const began = performance.now(); const a = await fetch('/events'); await a.text(); return a.status === 200 ? performance.now() - began : -1; })()")
	if took < 0 || took > 10_000 { // a second on a machine that has nothing else to do
		t.Errorf("it took %.0f ms", took)
	}
	t.Logf("the ninth page took %.0f ms", took)
	tab.Run("(window.stop(), 1)")
}
