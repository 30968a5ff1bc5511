package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/draft"
	"github.com/touchbox/touchbox/pkg/link/spec"
	"github.com/touchbox/touchbox/pkg/show"
)

// choose asks a person for one of some answers and returns its place; Enter takes the suggested one.
func (n *newLink) choose(question string, answers []string, suggested int) int {
	_, _ = fmt.Fprintln(n.errs, question)
	for i, one := range answers {
		_, _ = fmt.Fprintf(n.errs, "  %d  %s\n", i+1, one)
	}
	for range 3 { // who types something else three times wants to go on
		_, _ = fmt.Fprintf(n.errs, "[%d] ", suggested+1)
		line := n.readLine()
		if line == "" {
			break
		}
		if i, err := strconv.Atoi(line); err == nil && i >= 1 && i <= len(answers) {
			return i - 1
		}
	}
	return suggested
}

// askAbout asks for what flags have not said: which events, which numbers, the names of operations.
func (n *newLink) askAbout() {
	p := &n.plan
	if n.flags.events == "" {
		choices := [][]event.Kind{{event.CallEnded}, {event.Request}, {event.CallEnded, event.Request}, {event.CallStarted}}
		suggested := max(0, slices.IndexFunc(choices, func(k []event.Kind) bool { return slices.Equal(k, p.Kinds) }))
		p.Kinds = choices[n.choose(n.lang.Text("Which events does the operation want?"), []string{
			n.lang.Text("calls that have ended"), n.lang.Text("form requests"), n.lang.Text("calls that have ended and form requests"), n.lang.Text("calls that begin"),
		}, suggested)]
	}
	if n.flags.numbers == "" {
		choices := draft.AllNumbers()
		p.Numbers = choices[n.choose(n.lang.Text("Of which visitors?"), []string{
			n.lang.Text("known to Mindbox: dynamic numbers, deviceUUID is sent"), n.lang.Text("all others: static numbers"),
			n.lang.Text("both: two links with one body, an operation for each"), n.lang.Text("all of them alike: one link, no deviceUUID"),
		}, slices.Index(choices, p.Numbers))]
	}
	if p.Operation == "" {
		p.Operation = n.askName(n.lang.Text("Name of the operation in Mindbox:"), "")
	}
	if p.Numbers == draft.Both && p.Static == "" {
		p.Static = n.askName(n.lang.Text("Name of the operation for static numbers:"), p.Operation+"Static")
	}
	if n.file == nil {
		return
	}
	var sites, destinations []string
	for _, s := range n.file.Sites {
		sites = append(sites, s.Name)
	}
	for _, d := range n.file.Destinations {
		destinations = append(destinations, d.Name)
	}
	switch {
	case len(p.Sites) > 0:
	case len(sites) > 1:
		if at := n.choose(n.lang.Text("From which site?"), append(slices.Clone(sites), n.lang.Text("from all of them")), len(sites)); at < len(sites) {
			sites = sites[at : at+1]
		}
		p.Sites = sites
	default:
		p.Sites = sites
	}
	if p.To == "" && len(destinations) > 0 {
		p.To = destinations[n.choose(n.lang.Text("To which destination?"), destinations, 0)]
	}
}

// askName asks for a name; Enter takes the suggested one, or leaves it open.
func (n *newLink) askName(question, suggested string) string {
	if suggested != "" {
		question += " [" + suggested + "]"
	}
	_, _ = fmt.Fprint(n.errs, question+" ")
	if line := n.readLine(); line != "" {
		return line
	}
	return suggested
}

// mostAsked is how many fields a person is asked about: of more the draft itself is the better list.
const mostAsked = 15

// askFields asks about the fields that are unsure.
func (n *newLink) askFields(d draft.Draft) {
	var unsure []spec.Proposal
	for _, f := range d.Fields {
		if f.Certainty == spec.Unsure {
			unsure = append(unsure, f)
		}
	}
	if len(unsure) > mostAsked {
		_, _ = fmt.Fprintln(n.errs, n.lang.Sprintf("%d fields are unsure: they stay TODO in the draft", len(unsure)))
		return
	}
	if len(unsure) > 0 {
		_, _ = fmt.Fprintln(n.errs, n.lang.Text("Unsure fields: type a number, or an expression such as ${city}; - leaves the field out, Enter leaves it TODO."))
	}
	for _, f := range unsure {
		n.askField(d, f)
	}
}

func (n *newLink) askField(d draft.Draft, f spec.Proposal) {
	question := f.Path
	if len(f.Said) > 0 {
		question += ": " + strings.Join(f.Said, "; ")
	}
	_, _ = fmt.Fprintln(n.errs, show.Printable(question))
	for i, c := range f.Candidates {
		_, _ = fmt.Fprintln(n.errs, strings.TrimRight(fmt.Sprintf("  %d  %s  %s  %s", i+1, c.Value, calltouch.Meaning(c.Field, string(n.lang)), d.Last(c.Field)), " "))
	}
	for range 3 { // who types something else three times wants to go on
		_, _ = fmt.Fprint(n.errs, "> ")
		line := n.readLine()
		i, err := strconv.Atoi(line)
		switch {
		case line == "":
			return
		case line == "-":
			n.plan.Answers[f.Path] = ""
			return
		case err == nil && i >= 1 && i <= len(f.Candidates):
			n.plan.Answers[f.Path] = f.Candidates[i-1].Value
			return
		case err != nil:
			n.plan.Answers[f.Path] = asValue(line)
			return
		}
		_, _ = fmt.Fprintln(n.errs, n.lang.Sprintf("there is no number %s in the list: type an expression such as ${city}, - or Enter", line))
	}
}
