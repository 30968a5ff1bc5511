package link

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// Print writes the explanation for a person. Values that strangers sent are escaped, so that
// they cannot drive a terminal.
func (e Explanation) Print(w io.Writer, l lang.Language) error {
	var b strings.Builder
	name := e.Link
	if e.Title != "" {
		name += " (" + e.Title + ")"
	}
	fmt.Fprintln(&b, l.Sprintf("Link %s, version %s", name, e.Version))
	e.printConditions(&b, l)
	e.printOutcome(&b, l)
	e.printRequest(&b, l)
	e.printEmpty(&b, l)
	for _, path := range e.Notes {
		fmt.Fprintln(&b, "  "+l.Sprintf("%s is longer or larger than Mindbox takes", path))
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

func (e Explanation) printConditions(b *strings.Builder, l lang.Language) {
	if len(e.Conditions) == 0 {
		fmt.Fprintln(b, l.Sprintf("No conditions: every event passes."))
		return
	}
	fmt.Fprintln(b, l.Sprintf("Conditions:"))
	for _, c := range e.Conditions {
		answer := l.Text("no")
		if c.Pass {
			answer = l.Text("yes")
		}
		fmt.Fprintf(b, "  %-4s %s\n", answer, c.Source)
		for _, name := range slices.Sorted(maps.Keys(c.Saw)) {
			fmt.Fprintf(b, "         %s = %s\n", name, shown(c.Saw[name], l))
		}
	}
}

func (e Explanation) printOutcome(b *strings.Builder, l lang.Language) {
	switch e.Outcome {
	case event.Filtered:
		fmt.Fprintln(b, l.Sprintf("Filtered: not all conditions hold. Nothing would be sent."))
	case event.Undeliverable:
		missing := strings.Join(e.Missing, ", ")
		fmt.Fprintln(b, l.Sprintf("Undeliverable: nothing came for %s. Nothing would be sent.", missing))
	case event.Shadow:
		fmt.Fprintln(b, l.Sprintf("Shadow: the link is tried out. Nothing would be sent."))
	case event.Untaken:
		fmt.Fprintln(b, l.Sprintf("Untaken: the link does not read events of this site and kind. Nothing would be sent."))
	case event.Dead:
		fmt.Fprintln(b, l.Sprintf("Dead: %s.", e.Error))
	default:
		fmt.Fprintln(b, l.Sprintf("It would be sent."))
	}
}

func (e Explanation) printRequest(b *strings.Builder, l lang.Language) {
	if e.Request == nil {
		return
	}
	fmt.Fprintln(b, l.Sprintf("The request:"))
	fmt.Fprintf(b, "  %s %s\n", e.Request.Method, e.Request.URL)
	for _, name := range slices.Sorted(maps.Keys(e.Request.Header)) {
		fmt.Fprintf(b, "  %s: %s\n", name, e.Request.Header[name])
	}
	var body bytes.Buffer
	if err := json.Indent(&body, e.Request.Body, "  ", "  "); err != nil {
		return
	}
	fmt.Fprintf(b, "  %s\n", body.String())
}

func (e Explanation) printEmpty(b *strings.Builder, l lang.Language) {
	if len(e.Empty) == 0 {
		return
	}
	fmt.Fprintln(b, l.Sprintf("Left out, because nothing came of it:"))
	for _, empty := range e.Empty {
		names := strings.Join(slices.Sorted(maps.Keys(empty.Saw)), ", ")
		fmt.Fprintf(b, "  %s = %s: %s\n", empty.Path, empty.Source, empty.Reason.text(names, l))
	}
}

func (r Reason) text(names string, l lang.Language) string {
	switch r {
	case NotThisWay:
		return l.Sprintf("%s never comes by this way", names)
	case WrongKind:
		return l.Sprintf("%s never comes with this kind of event", names)
	case NothingMade:
		return l.Sprintf("%s came, and the expression makes nothing of it", names)
	}
	return l.Sprintf("nothing came in %s (not ticked in Calltouch, or empty)", names)
}

func shown(v any, l lang.Language) string {
	if isNil(v) {
		return l.Text("nothing")
	}
	b, err := appendValue(nil, v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// printable shows control characters instead of obeying them; line breaks of ours stay.
func printable(s string) string {
	var b strings.Builder
	for _, c := range s {
		if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
			fmt.Fprintf(&b, `\u%04x`, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}
