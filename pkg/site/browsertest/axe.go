package browsertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

// axeBundle is where Chromium's own developer tools keep axe-core, as a text within Lighthouse.
const axeBundle = "/devtools/third_party/lighthouse/lighthouse-dt-bundle.js"

// axe is the source of axe-core, read once from the browser's own tools.
type axe struct {
	once   sync.Once
	source string // a JavaScript literal
	err    error
}

// read cuts axe-core out of the bundle that the browser serves at its debugging port.
func (a *axe) read(profile string) {
	port, err := debuggingPort(profile)
	if err != nil {
		a.err = err
		return
	}
	client := &http.Client{Timeout: patience}
	answer, err := client.Get("http://127.0.0.1:" + port + axeBundle)
	if err != nil {
		a.err = err
		return
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		a.err = err
		return
	}
	a.source, a.err = axeLiteral(string(body))
}

// debuggingPort is the port that the browser chose; it writes it into its profile.
func debuggingPort(profile string) (string, error) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(filepath.Join(profile, "DevToolsActivePort"))
		if port, _, ok := strings.Cut(string(text), "\n"); err == nil && ok {
			return port, nil
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("the browser names no debugging port: %w", err)
		}
	}
}

// axeLiteral is the template literal of axe-core within the bundle.
func axeLiteral(bundle string) (string, error) {
	begin := strings.Index(bundle, "`/*! axe v")
	if begin < 0 {
		return "", fmt.Errorf("%s holds no axe-core", axeBundle)
	}
	for i := begin + 1; i < len(bundle); i++ {
		switch bundle[i] {
		case '\\':
			i++
		case '`':
			return bundle[begin : i+1], nil
		}
	}
	return "", fmt.Errorf("%s is cut off", axeBundle)
}

// Violation is what of a page keeps people out, as axe-core finds it.
type Violation struct {
	Rule  string `json:"id"`
	Help  string `json:"help"`
	Where []struct {
		HTML    string `json:"html"`
		Failure string `json:"failureSummary"`
	} `json:"nodes"`
}

func (v Violation) String() string {
	text := v.Rule + ": " + v.Help
	for _, n := range v.Where {
		text += "\n  " + n.HTML + "\n    " + regexp.MustCompile(`\s+`).ReplaceAllString(n.Failure, " ")
	}
	return text
}

// Violations are what axe-core finds on the page as it is shown now. The test is skipped where the browser brings no axe-core.
func (tab *Tab) Violations() []Violation {
	tab.t.Helper()
	b := tab.browser
	b.axe.once.Do(func() { b.axe.read(b.profile) })
	if b.axe.err != nil && os.Getenv(NeedBrowser) == "1" {
		tab.t.Fatalf("axe-core: %v", b.axe.err)
	}
	if b.axe.err != nil {
		tab.t.Skipf("SKIPPED, NOT TESTED: this browser brings no axe-core: %v", b.axe.err)
	}
	if !Eval[bool](tab, "!!window.axe") {
		Eval[any](tab, Eval[string](tab, b.axe.source)+"; 1")
	}
	text := Eval[string](tab, "axe.run(document, {resultTypes: ['violations']}).then((r) => JSON.stringify(r.violations))")
	var all []Violation
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		tab.t.Fatal(err)
	}
	return all
}
