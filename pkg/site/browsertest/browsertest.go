// Package browsertest runs the pages of a test in a real browser, a headless Chromium.
//
// One browser serves all tests of a package, each test has a tab with cookies and storage of its
// own, and at the end of a test the browser's error console must be empty.
//
//	var browser browsertest.Browser
//
//	func TestMain(m *testing.M) {
//		code := m.Run()
//		browser.Close()
//		os.Exit(code)
//	}
//
//	func TestPage(t *testing.T) {
//		tab := browser.Tab(t)
//		tab.Open("http://127.0.0.1:8080/")
//		tab.Wait("document.title == 'Clinic'")
//	}
package browsertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
)

// NeedBrowser is the environment variable that makes a missing browser a failure (=1) instead of
// a skipped test.
const NeedBrowser = "NEED_BROWSER"

// tabs is how many tests have a tab at one time: more only slow each other down.
const tabs = 2

// Browser is a headless Chromium that starts with the first tab. The zero value is ready.
type Browser struct {
	once  sync.Once
	ctx   context.Context
	close context.CancelFunc
	slots chan struct{}
	err   error

	profile string // folder
	axe     axe
}

// errNoBrowser is what start ends with where there is none.
var errNoBrowser = errors.New("no chromium, chromium-browser or google-chrome in PATH (Debian: apt-get install chromium)")

// Tab opens a tab for a test, which is skipped where there is no browser and where -short is given. It
// waits while other tests of the package have the browser, so a test with two tabs must not run beside
// others.
func (b *Browser) Tab(t testing.TB) *Tab {
	t.Helper()
	if testing.Short() && find() != "" {
		t.Skip("slow by nature: a browser")
	}
	b.once.Do(b.start)
	if errors.Is(b.err, errNoBrowser) && os.Getenv(NeedBrowser) != "1" {
		t.Skipf("SKIPPED, NOT TESTED: %v", b.err)
	}
	if b.err != nil {
		t.Fatalf("start the browser: %v", b.err)
	}
	b.slots <- struct{}{}
	t.Cleanup(func() { <-b.slots })
	return newTab(t, b)
}

// Close ends the browser, if one was started.
func (b *Browser) Close() {
	if b.close != nil {
		b.close()
	}
}

func (b *Browser) start() {
	path := find()
	if path == "" {
		b.err = errNoBrowser
		return
	}
	if b.profile, b.err = os.MkdirTemp("", "touchbox-browser"); b.err != nil {
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // root in a container has no other way; the pages are our own
		chromedp.WindowSize(1000, 800),
		chromedp.UserDataDir(b.profile),
		chromedp.Flag("remote-debugging-port", "0"), // not a pipe: the port serves axe-core too
		remote.WebSocket,
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b.ctx, b.slots = ctx, make(chan struct{}, tabs)
	b.close = func() { cancel(); stop(); _ = os.RemoveAll(b.profile) }
	b.err = chromedp.Do(ctx) // starts the process
}

// find is the path of a browser, "" where there is none.
func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
