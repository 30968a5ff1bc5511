package browsertest

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Look makes the tab so wide and high, in pixels, and light or dark.
func (tab *Tab) Look(width, height int, dark bool) {
	tab.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	tab.do("resize", chromedp.EmulateViewport(int64(width), int64(height)))
	tab.do("choose the colours", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// WithoutScripts lets no page of the tab run a script from now on.
func (tab *Tab) WithoutScripts() {
	tab.t.Helper()
	tab.do("switch scripts off", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// Type types into the element of a CSS selector, as a person does.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.do(fmt.Sprintf("type into %s", selector), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Page is the whole page as a PNG, in the width of the tab.
func (tab *Tab) Page(width int, dark bool) []byte {
	tab.t.Helper()
	const first, most = 800, 6000
	tab.Look(width, first, dark)
	tab.Look(width, min(most, max(first, int(Eval[float64](tab, "document.documentElement.scrollHeight")))), dark)
	return tab.Picture("html")
}

// Press presses keys, one after another, wherever the focus is: "\t" is the key Tab.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.do(fmt.Sprintf("press %q", keys), chromedp.KeyEvent(keys))
}
