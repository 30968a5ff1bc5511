package browsertest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every single action and wait. It is long, because the machine may be busy, and
// costs nothing where all is well.
const patience = 20 * time.Second

// Tab is a tab of its own, with cookies and storage of its own. Every method ends the test where
// it fails.
type Tab struct {
	t       testing.TB
	ctx     context.Context
	browser *Browser

	mu     sync.Mutex
	errors []string // what the error console shows
}

func newTab(t testing.TB, browser *Browser) *Tab {
	t.Helper()
	tab := &Tab{t: t, browser: browser}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(tab.hear))
	t.Cleanup(cancel)
	tab.ctx = ctx
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		for _, text := range tab.TakeErrors() {
			t.Errorf("the error console shows: %s", text)
		}
	})
	return tab
}

// hear collects what a person would see in red in the browser's console.
func (tab *Tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		tab.add(text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeAssert {
			tab.add(fmt.Sprintf("console.%s, %d values", e.Type, len(e.Args)))
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			tab.add(e.Entry.Text + " " + e.Entry.URL)
		}
	}
}

func (tab *Tab) add(text string) {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	tab.errors = append(tab.errors, text)
}

// TakeErrors is what the error console has shown so far; it is empty afterwards.
func (tab *Tab) TakeErrors() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	errors := tab.errors
	tab.errors = nil
	return errors
}

func (tab *Tab) do(what string, step chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, step); err != nil {
		tab.t.Fatalf("%s: %v", what, err)
	}
}

// Open goes to a page and waits until it is loaded.
func (tab *Tab) Open(url string) {
	tab.t.Helper()
	tab.do("open "+url, chromedp.Navigate(url))
}

// Run evaluates an expression for its effect. A promise is awaited.
func (tab *Tab) Run(expression string) {
	tab.t.Helper()
	Eval[any](tab, "Promise.resolve("+expression+").then(function () { return 1 })")
}

// Eval is the value of an expression in the page. A promise is awaited.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tab.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return value
}

// Wait waits until a condition holds in the page.
func (tab *Tab) Wait(condition string) {
	tab.t.Helper()
	for end := time.Now().Add(patience); !Eval[bool](tab, "!!("+condition+")"); {
		if time.Now().After(end) {
			tab.t.Fatalf("after %v it still does not hold: %s", patience, condition)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Click clicks the element of a CSS selector, as a person does with the mouse.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.do("click "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// Text is what a person reads in the element of a CSS selector.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return Eval[string](tab, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// Picture is the element of a CSS selector as a PNG.
func (tab *Tab) Picture(selector string) []byte {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.Screenshot(chromedp.CSS(selector)))
	if err != nil {
		tab.t.Fatalf("picture of %s: %v", selector, err)
	}
	return picture
}
