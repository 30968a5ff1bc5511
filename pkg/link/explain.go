package link

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/show"
)

// Explanation is all that can be said of one event and one link before anything is sent.
type Explanation struct {
	Link       string           `json:"link"`
	Title      string           `json:"title,omitempty"`
	Version    string           `json:"version"`
	Outcome    event.Outcome    `json:"outcome"` // delivered stands for "would be sent", dead for an expression's error
	Conditions []Condition      `json:"conditions"`
	Request    *mindbox.Preview `json:"request,omitempty"` // nil when it cannot be rendered
	Empty      []Empty          `json:"empty,omitempty"`
	Missing    []string         `json:"missing,omitempty"` // required fields that came out empty
	Notes      []string         `json:"notes,omitempty"`   // fields that Mindbox may refuse, see Rendered
	Error      string           `json:"error,omitempty"`   // of an expression
}

// Empty is a field of the body that is left out, and why.
type Empty struct {
	Path   string         `json:"path"`
	Source string         `json:"source"`
	Saw    map[string]any `json:"saw"` // what its expressions read
	Reason Reason         `json:"reason"`
}

// Reason says why a field came out empty.
type Reason string

// All reasons.
const (
	NothingCame Reason = "nothing_came"  // none of the fields that it reads came
	NotThisWay  Reason = "not_this_way"  // they never come by this origin
	NothingMade Reason = "nothing_made"  // they came, and the functions make nothing of them
	WrongKind   Reason = "not_this_kind" // they never come with this kind of event
)

// Explain shows what the link makes of an event. Personal values are masked unless reveal is
// set; the secret always is.
func (l *Link) Explain(fields map[string]any, reveal bool) Explanation {
	c := l.compiledFor(fields)
	e := Explanation{Link: l.ID, Title: l.Title, Version: l.Version}
	t := l.try(fields, e.leafOf(fields, reveal), everything)
	e.Outcome, e.Conditions = t.Outcome, t.Conditions
	if !reveal {
		maskConditions(e.Conditions)
	}
	if t.Err != nil {
		e.Error = t.Err.Error()
	}
	rendered := t.Rendered
	if rendered.Body == nil {
		return e
	}
	e.Missing, e.Notes = rendered.Missing, rendered.Notes
	c.conceal(rendered)
	if !reveal {
		c.maskNamed(rendered, fields)
		rendered.DeviceUUID = show.Hide(rendered.DeviceUUID)
	}
	e.Request = l.preview(rendered)
	return e
}

// leafOf is called with each leaf of a body: it collects the empty ones and masks the personal ones.
func (e *Explanation) leafOf(fields map[string]any, reveal bool) func(*bodyNode, any) any {
	return func(n *bodyNode, v any) any {
		if v == nil {
			e.Empty = append(e.Empty, emptyLeaf(n, fields, reveal))
			return nil
		}
		if reveal {
			return v
		}
		return maskMade(n.template, v, fields)
	}
}

func emptyLeaf(n *bodyNode, fields map[string]any, reveal bool) Empty {
	reads := n.template.Reads()
	out := Empty{Path: n.path, Source: n.template.Source(), Saw: saw(reads, fields), Reason: NothingCame}
	if slices.ContainsFunc(reads, func(name string) bool { return expression.Filled(out.Saw[name]) }) {
		out.Reason = NothingMade
	} else if all(reads, func(f calltouch.Field) bool { return !comesWith(f, fields) }) {
		out.Reason = WrongKind
	} else if all(reads, func(f calltouch.Field) bool { return !comesBy(f, fields) }) {
		out.Reason = NotThisWay
	}
	if !reveal {
		maskSaw(out.Saw)
	}
	return out
}

// all reports whether every name is a field for which the condition holds.
func all(reads []string, holds func(calltouch.Field) bool) bool {
	return len(reads) > 0 && !slices.ContainsFunc(reads, func(name string) bool {
		f, ok := calltouch.Lookup(name)
		return !ok || !holds(f)
	})
}

func comesWith(f calltouch.Field, fields map[string]any) bool {
	name, _ := fields["kind"].(string)
	kind, err := event.ParseKind(name)
	return err != nil || slices.Contains(f.Kinds, kind)
}

func comesBy(f calltouch.Field, fields map[string]any) bool {
	switch fields["origin"] {
	case string(event.Webhook):
		return f.Origins.Has(calltouch.FromHook)
	case string(event.Poll):
		return f.Origins.Has(calltouch.FromPoll)
	case string(event.Journal):
		return f.Origins.Has(calltouch.FromJournal)
	}
	return true
}

// preview is the call as it would go out.
func (l *Link) preview(r Rendered) *mindbox.Preview {
	config := mindbox.Config{URL: l.To.URL, Authorization: l.To.Authorization}
	if l.To.Secret.Set() {
		config.Secret = l.To.Secret.Value
	}
	shown := config.Preview(mindbox.Operation{
		Endpoint: l.To.Endpoint, Name: l.Operation, DeviceUUID: r.DeviceUUID, Body: r.Body, Header: r.Header, Query: r.Query,
	})
	return &shown
}

// Print writes the explanation for a person: of an event that the link does not take, no more than that. Values that strangers
// sent are escaped, so that they cannot drive a terminal.
func (e Explanation) Print(w io.Writer, l lang.Language) error {
	if e.Outcome != event.Untaken {
		return e.PrintWhole(w, l)
	}
	var b strings.Builder
	e.printHead(&b, l)
	e.printOutcome(&b, l)
	_, err := w.Write(show.JSON([]byte(b.String())))
	return err
}

func (e Explanation) printHead(b *strings.Builder, l lang.Language) {
	name := e.Link
	if e.Title != "" {
		name += " (" + show.Printable(e.Title) + ")"
	}
	fmt.Fprintln(b, l.Sprintf("Link %s, version %s", name, e.Version))
}

// PrintWhole is Print with the request in any case, for who sends it all the same.
func (e Explanation) PrintWhole(w io.Writer, l lang.Language) error {
	var b strings.Builder
	e.printHead(&b, l)
	e.printConditions(&b, l)
	e.printOutcome(&b, l)
	e.printRequest(&b, l)
	e.printEmpty(&b, l)
	for _, path := range e.Notes {
		fmt.Fprintln(&b, "  "+l.Sprintf("%s is longer or larger than Mindbox takes", path))
	}
	_, err := w.Write(show.JSON([]byte(b.String())))
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
		fmt.Fprintf(b, "  %-4s %s\n", answer, show.Printable(c.Source))
		for _, line := range Seen(c.Saw, l) {
			fmt.Fprintf(b, "         %s\n", line)
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
		fmt.Fprintf(b, "  %s: %s\n", show.Printable(name), show.Printable(e.Request.Header[name]))
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
		var names []string
		for _, name := range slices.Sorted(maps.Keys(empty.Saw)) {
			names = append(names, titled(name, l))
		}
		fmt.Fprintf(b, "  %s = %s: %s\n", show.Printable(empty.Path), show.Printable(empty.Source), empty.Reason.text(strings.Join(names, ", "), l))
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

// Seen are the values that a condition saw, each on a line with what its field is. They are safe to print.
func Seen(saw map[string]any, l lang.Language) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(saw)) {
		lines = append(lines, titled(name, l)+" = "+show.Printable(shown(saw[name], l)))
	}
	return lines
}

// titled is the name of a field with what it is.
func titled(name string, l lang.Language) string {
	if meaning := calltouch.Meaning(name, string(l)); meaning != "" {
		return name + " (" + meaning + ")"
	}
	return show.Printable(name)
}

func shown(v any, l lang.Language) string {
	if expression.IsNil(v) {
		return l.Text("nothing")
	}
	b, err := expression.AppendJSON(nil, v)
	if err != nil {
		return "?"
	}
	return string(b)
}
