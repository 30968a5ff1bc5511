package demopage_test

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"

	"github.com/touchbox/touchbox/pkg/site/demopage"
)

// TestConsolePicture takes, with -update, the picture of the browser's own console on the page.
func TestConsolePicture(t *testing.T) {
	file := filepath.Join("..", "..", "..", "docs", "img", "site-script.console.png")
	if *update {
		write(t, file, photographConsole(t))
	}
	check(t, file)
}

// photographConsole opens the page in a browser of its own and looks at it with the developer
// tools that the browser brings, which are a page too.
func photographConsole(t *testing.T) []byte {
	browser, address := startInspectable(t)
	w := &way{}
	server := httptest.NewServer(demopage.Handler(demopage.Config{Call: w.call, Status: w.status}))
	t.Cleanup(server.Close)

	page, closePage := chromedp.NewContext(browser)
	defer closePage()
	do(t, page, chromedp.Navigate(server.URL+"/?lang=en"), chromedp.WaitVisible(chromedp.CSS("#script.done")))
	id := chromedp.FromContext(page).Target.TargetID

	tools, closeTools := chromedp.NewContext(browser)
	defer closeTools()
	do(t, tools, chromedp.EmulateViewport(760, 140),
		chromedp.Navigate(fmt.Sprintf("http://%s/devtools/devtools_app.html?ws=%s/devtools/page/%s&panel=console", address, address, id)))
	waitForText(t, tools, "Console")
	time.Sleep(2 * time.Second) // the tools tell nobody when their prompt is ready
	do(t, tools, chromedp.KeyEvent("touchboxState\r"))
	waitForText(t, tools, "mindboxDeviceUUID")
	picture, err := chromedp.Run(tools, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// startInspectable starts a browser whose developer tools may be opened as a page, at an address.
func startInspectable(t *testing.T) (context.Context, string) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED, NOT TAKEN: no chromium")
	}
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("remote-debugging-port", port), chromedp.Flag("remote-allow-origins", "*"), remote.WebSocket)
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	do(t, browser)
	return browser, address
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// waitForText looks for a text through all the shadow trees that the tools are made of.
func waitForText(t *testing.T, ctx context.Context, text string) {
	t.Helper()
	const search = `(function seen(root) {
		return [].some.call(root.querySelectorAll('*'), function (e) {
			return e.shadowRoot && seen(e.shadowRoot) || !e.children.length && e.textContent.indexOf(%q) >= 0;
		});
	})(document)`
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		found, err := chromedp.Run(ctx, chromedp.Evaluate[bool](fmt.Sprintf(search, text)))
		if err != nil {
			t.Fatal(err)
		}
		if found {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the tools do not show %q", text)
		}
	}
}
