package cases

import (
	"fmt"
	"io"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/show"
)

// Print writes the results of a case after the other for a person: those that fail, and with verbose all. Whatever a stranger may
// have chosen is made safe for a terminal.
func Print(w io.Writer, results []Result, verbose bool, l lang.Language) {
	last := ""
	for _, r := range results {
		if r.Passed && !verbose {
			continue
		}
		if head := fmt.Sprintf("%s:%d  %s", r.File, r.CaseLine, show.Printable(r.Case)); head != last {
			_, _ = fmt.Fprintln(w, head)
			last = head
		}
		for _, line := range r.lines(l) {
			_, _ = fmt.Fprintln(w, "  "+show.Printable(line))
		}
	}
}

// lines are a result in words.
func (r Result) lines(l lang.Language) []string {
	if r.Passed {
		return []string{l.Sprintf("%s: %s, as expected", r.Link, string(r.Outcome))}
	}
	var out []string
	for _, d := range r.Differences {
		if d.What == aboutOutcome {
			out = append(out, l.Sprintf("%s: %s expected, %s came", r.Link, d.Want, d.Got))
			continue
		}
		if len(out) == 0 {
			out = append(out, l.Sprintf("%s: %s, but", r.Link, string(r.Outcome)))
		}
		out = append(out, d.lines()...)
	}
	for _, reason := range r.Why {
		out = append(out, "  "+r.because(reason, l))
	}
	if r.Message != "" {
		out = append(out, "  "+r.Message)
	}
	return out
}

// lines are what was expected and what came, one below the other.
func (d Difference) lines() (out []string) {
	if d.Want != "" {
		out = append(out, "  - "+d.What+": "+d.Want)
	}
	if d.Got != "" {
		out = append(out, "  + "+d.What+": "+d.Got)
	}
	return out
}

func (r Result) because(reason string, l lang.Language) string {
	switch r.Outcome {
	case event.Filtered:
		return l.Sprintf("does not hold: %s", reason)
	case event.Undeliverable:
		return l.Sprintf("nothing came for %s", reason)
	}
	if r.trial.Expired {
		return l.Sprintf("older than expire allows")
	}
	return reason
}
