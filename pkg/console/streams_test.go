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
		if response.StatusCode == http.StatusTooManyRequests {
			_ = response.Body.Close()
			return false
		}
		begin := make([]byte, 6)
		if _, err := io.ReadFull(response.Body, begin); err != nil || string(begin) != "retry:" {
			t.Fatalf("%d %q %v", response.StatusCode, begin, err)
		}
		end = func() { cancel(); _ = response.Body.Close() }
		return true
	})
	return end
}

// TestAStreamTooManyIsRefused holds that one browser takes no more places than four.
func TestAStreamTooManyIsRefused(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	for range 4 {
		defer b.stream(t)()
	}
	if got := b.get("/live/stream"); got.status != http.StatusTooManyRequests {
		t.Errorf("the fifth: %d", got.status)
	}
}

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
	for _, text := range tab.TakeErrors() {
		if !strings.Contains(text, "429") { // the streams too many, which the script asks for here without minding
			t.Error(text)
		}
	}
	tab.Run("(window.stop(), 1)")
}
