package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Result is whether one link makes of the event of one case what is expected.
type Result struct {
	File        string        `json:"file"`
	CaseLine    int           `json:"case_line"`
	Line        int           `json:"line"` // of what is expected of the link
	Case        string        `json:"case"`
	Link        string        `json:"link"`
	Passed      bool          `json:"passed"`
	Outcome     event.Outcome `json:"outcome"` // as it comes
	Differences []Difference  `json:"differences,omitempty"`
	Why         []string      `json:"why,omitempty"` // the outcome came: conditions that do not hold with what they saw, fields that are missing
	Message     string        `json:"message,omitempty"`

	expected *Expectation
	trial    link.Trial
}

// Difference is one thing that does not come as expected. What is "" is not there.
type Difference struct {
	What string `json:"what"` // outcome, condition, operation, deviceUUID, or the dotted path of a field of the body
	Want string `json:"want"` // of a field as JSON
	Got  string `json:"got"`
}

// Names of what differs beside the fields of the body.
const (
	aboutOutcome   = "outcome"
	aboutCondition = "condition"
	aboutOperation = "operation"
	aboutDevice    = "deviceUUID"
)

// Run tries the links on all cases of a file, in the order of the file.
func (f *File) Run() []Result {
	var out []Result
	for _, c := range f.Cases {
		for _, x := range c.Expect {
			r := c.run(x)
			r.File = f.Path
			out = append(out, r)
		}
	}
	return out
}

func (c *Case) run(x *Expectation) Result {
	t := x.Link.Try(c.fields, c.now)
	r := Result{CaseLine: c.Line, Line: x.Line, Case: c.Name, Link: x.Link.ID, Outcome: t.Outcome, expected: x, trial: t}
	if r.Differences = x.differences(t); len(r.Differences) == 0 {
		r.Passed = true
		return r
	}
	r.Message, r.Why = c.message(x), why(t)
	return r
}

// differences compares what came with what is expected. Where the outcome differs, it alone is told: the rest follows from it.
func (x *Expectation) differences(t link.Trial) (out []Difference) {
	add := func(what string, want *written, got string) {
		if want != nil && want.text != got {
			out = append(out, Difference{what, want.text, got})
		}
	}
	if add(aboutOutcome, x.outcome, string(t.Outcome)); len(out) > 0 {
		return out
	}
	if x.condition != nil && !slices.Contains(failing(t), x.condition.text) {
		add(aboutCondition, x.condition, strings.Join(failing(t), ", "))
	}
	add(aboutOperation, x.operation, x.Link.Operation)
	add(aboutDevice, x.device, t.Rendered.DeviceUUID)
	return append(out, x.bodyDifferences(leavesOf(t.Rendered.Body))...)
}

func (x *Expectation) bodyDifferences(came *values) (out []Difference) {
	add := func(path string, want written) {
		if got := came.at[path].text; !want.is(got) {
			out = append(out, Difference{path, want.text, got})
		}
	}
	if x.body != nil {
		for _, path := range x.body.paths {
			add(path, x.body.at[path])
		}
		for _, path := range came.paths {
			if _, ok := x.body.at[path]; !ok {
				add(path, written{})
			}
		}
	}
	if x.fields != nil {
		for _, path := range x.fields.paths {
			add(path, x.fields.at[path])
		}
	}
	for _, w := range x.without {
		for _, path := range came.paths {
			if path == w.text || strings.HasPrefix(path, w.text+".") {
				add(path, written{})
			}
		}
	}
	return out
}

// is reports whether a value came as it is written; numbers by what they are, not by how they are spelt.
func (w written) is(got string) bool {
	if w.text == got || w.loose && textJSON(w.text) == got {
		return true
	}
	if strictyaml.Digits(w.text) && strictyaml.Digits(got) {
		return false // an id has more digits than a float64
	}
	a, err := strconv.ParseFloat(w.text, 64)
	b, err2 := strconv.ParseFloat(got, 64)
	return err == nil && err2 == nil && a == b
}

// leavesOf are the leaves of a rendered body.
func leavesOf(body []byte) *values {
	v := &values{at: map[string]written{}}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	flatten(d, v, "")
	return v
}

// flatten reads the next value of a body, in its order.
func flatten(d *json.Decoder, v *values, path string) {
	token, err := d.Token()
	if err != nil {
		return // a rendered body is whole, and one that was not rendered is empty
	}
	switch delimiter, _ := token.(json.Delim); delimiter {
	case '{':
		for d.More() {
			name, _ := d.Token()
			flatten(d, v, strings.TrimPrefix(fmt.Sprint(path, ".", name), "."))
		}
		_, _ = d.Token()
	case '[':
		for i := 0; d.More(); i++ {
			flatten(d, v, fmt.Sprint(path, ".", i))
		}
		_, _ = d.Token()
	default:
		v.paths = append(v.paths, path)
		v.at[path] = written{text: tokenJSON(token)}
	}
}

func tokenJSON(token json.Token) string {
	if text, ok := token.(string); ok {
		return textJSON(text)
	}
	return fmt.Sprint(token)
}

// failing are the conditions that do not hold.
func failing(t link.Trial) (out []string) {
	for _, c := range t.Conditions {
		if !c.Pass {
			out = append(out, c.Source)
		}
	}
	return out
}

// why says how an outcome came: each condition that does not hold with what it saw, each field that is missing.
func why(t link.Trial) (out []string) {
	switch {
	case t.Outcome == event.Filtered:
		for _, c := range t.Conditions {
			if !c.Pass {
				out = append(out, c.Source+saw(c.Saw))
			}
		}
	case t.Outcome == event.Undeliverable:
		out = t.Rendered.Missing
	case t.Err != nil:
		out = []string{t.Err.Error()}
	case t.Expired:
		out = []string{"expire"}
	}
	return out
}

// saw writes what a condition saw behind it.
func saw(values map[string]any) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := "nil"
		if !expression.IsNil(values[name]) {
			if b, err := expression.AppendJSON(nil, values[name]); err == nil {
				text = string(b)
			}
		}
		parts = append(parts, name+" = "+text)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
