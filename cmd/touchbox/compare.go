package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// compareFlags say what is compared with what.
type compareFlags struct {
	link, with   string
	ids, column  string
	since, until string
	most         int
	list, diff   bool
}

func (c *cli) compareCommand() *cobra.Command {
	var f compareFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "compare --link A --with B | compare --link A --ids FILE",
		Short: "Compare a link with another one, with a version of itself, or with what another system delivered; sends nothing",
		Long: "--with: what two links make of the same stored events. The second is another link, as one in shadow mode beside a live one, or\n" +
			"a version of the first, by the beginning of its hash, as `touchbox links history` shows it. Which events both send, which only\n" +
			"one and why not the other, and in what the requests differ. A link in shadow mode counts as if it sent.\n\n" +
			"--ids: what the link sent, by its history, beside the ids that another system says it delivered: a CSV, or one id a line (- is\n" +
			"standard input). Which both have; which only Touchbox has; which only the list has, with what is known of them: never came, set\n" +
			"aside, filtered by which condition. Without --since and --until the span is from the first to the last event of the list.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.compare(ctx, f) }),
	})
	flags := cmd.Flags()
	flags.StringVar(&f.link, "link", "", "`id` of the link (required)")
	flags.StringVar(&f.with, "with", "", "`id` of another link, or a version of this one")
	flags.StringVar(&f.ids, "ids", "", "`file` with the ids of calls or requests that another system delivered")
	flags.StringVar(&f.column, "column", "", "`name` or number of the column of a CSV that holds the ids")
	flags.StringVar(&f.since, "since", "", "not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago (with --with: 7d)")
	flags.StringVar(&f.until, "until", "", "and before this `time`")
	flags.IntVar(&f.most, "sample", admin.DefaultTried, "with --with: about so many events, evenly picked, where there are more")
	flags.BoolVar(&f.list, "list", false, "also list each event that makes a difference")
	flags.BoolVar(&f.diff, "diff", false, "with --with: also show both requests of some events that differ")
	_ = cmd.MarkFlagRequired("link")
	return cmd
}

func (d *desk) compare(ctx context.Context, f compareFlags) error {
	if (f.with == "") == (f.ids == "") {
		return app.Mistakef("%s", d.lang.Sprintf("compare wants --with or --ids"))
	}
	if f.ids != "" {
		return d.compareIDs(ctx, f)
	}
	if f.since == "" {
		f.since = "7d"
	}
	o := admin.CompareOptions{Link: f.link, With: f.with, Most: f.most, Reveal: d.reveal}
	if f.most <= 0 {
		return app.Mistakef("%s", d.lang.Sprintf("--sample: want a positive number"))
	}
	err := d.revealing(ctx, "compare: "+admin.FilterText(admin.Filter{Link: f.link}))
	if err != nil {
		return err
	}
	if o.Since, o.Until, err = d.readSpan(f.since, f.until); err != nil {
		return err
	}
	if f.diff {
		o.Examples = examplesShown
	}
	var cases []caseJSON
	if f.list {
		o.Each = func(one admin.Tried) {
			cases = append(cases, caseJSON{one.Key.String(), one.Link, one.From, one.To, one.Differs})
		}
	}
	result, err := d.admin.Compare(ctx, o)
	if errors.Is(err, admin.ErrManyVersions) || errors.Is(err, queue.ErrNotFound) {
		return app.Mistake{Err: err}
	}
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(comparisonJSON{result, cases})
	}
	return d.printComparison(result, cases)
}

// comparisonJSON is a comparison as --json shows it.
type comparisonJSON struct {
	admin.Comparison
	Cases []caseJSON `json:"cases,omitempty"` // with --list
}

func (d *desk) printComparison(c admin.Comparison, cases []caseJSON) error {
	d.say("%s beside %s: events compared: %d", c.Link, show.Printable(c.With), c.Tried)
	d.printSample(c.Tried, c.Skipped, c.Erased, c.Unreadable)
	d.group(c.NotRead, d.lang.Text("not compared, one of the two does not read them: %d, such as %s"))
	d.group(c.Older, d.lang.Text("not compared, older than the start of one of the two, or of a backfill: %d, such as %s"))
	d.say("both send: %d; only %s: %d; only %s: %d", c.Both, c.Link, c.OnlyLink, show.Printable(c.With), c.OnlyWith)
	if err := d.printMoves(c.Moves); err != nil {
		return err
	}
	if err := d.printDifferences(c.LinkTrial); err != nil {
		return err
	}
	if err := d.printExamples(c.LinkTrial); err != nil {
		return err
	}
	for _, one := range cases {
		_, _ = fmt.Fprintf(d.out, "%s  %s\n", show.Printable(one.Key), d.caseWords(one))
	}
	return nil
}

// idCaseJSON is an id that one side alone has.
type idCaseJSON struct {
	ID      string `json:"id"` // a key where there is one
	Here    bool   `json:"here"`
	Outcome string `json:"outcome"`
	Why     string `json:"why,omitempty"`
}

// idComparisonJSON is a comparison with ids as --json shows it.
type idComparisonJSON struct {
	admin.IDComparison
	Cases []idCaseJSON `json:"cases,omitempty"` // with --list
}

func (d *desk) compareIDs(ctx context.Context, f compareFlags) error {
	o := admin.IDOptions{Link: f.link}
	var err error
	if o.Since, o.Until, err = d.readSpan(f.since, f.until); err != nil {
		return err
	}
	if o.IDs, err = d.readIDs(f.ids, f.column); err != nil {
		return err
	}
	var view idComparisonJSON
	if f.list {
		o.Each = func(id string, here bool, g admin.IDGroup) {
			view.Cases = append(view.Cases, idCaseJSON{d.mask().Text(id), here, g.Outcome, g.Why})
		}
	}
	if view.IDComparison, err = d.admin.CompareIDs(ctx, o); err != nil {
		return err
	}
	for _, groups := range [][]admin.IDGroup{view.OnlyHere, view.OnlyThere} {
		for i := range groups {
			groups[i].Example = d.mask().Text(groups[i].Example)
		}
	}
	if d.json {
		return d.printJSON(view)
	}
	return d.printIDs(view)
}

func (d *desk) printIDs(view idComparisonJSON) error {
	d.say("%s beside the list: ids in it: %d", view.Link, view.Given)
	if !view.Until.IsZero() {
		d.say("compared from %s to %s", d.when(view.Since), d.when(view.Until))
	}
	d.say("both have: %d", view.Both)
	here, there := 0, 0
	for _, one := range view.OnlyHere {
		here += one.Count
	}
	for _, one := range view.OnlyThere {
		there += one.Count
	}
	d.say("only Touchbox: %d", here)
	if err := d.printGroups(view.OnlyHere); err != nil {
		return err
	}
	d.say("only the list: %d", there)
	if err := d.printGroups(view.OnlyThere); err != nil {
		return err
	}
	for _, one := range view.Cases {
		side := d.lang.Text("only the list")
		if one.Here {
			side = d.lang.Text("only Touchbox")
		}
		_, _ = fmt.Fprintf(d.out, "%s  %s  %s  %s\n", side, show.Printable(one.ID), d.known(one.Outcome), d.why(one.Why))
	}
	return nil
}

// known says what is known of an id: the outcome that it has for the link, or why it has none.
func (d *desk) known(word string) string {
	if slices.Contains(event.Outcomes, event.Outcome(word)) {
		return d.lang.Coded(word)
	}
	return d.lang.Text(admin.WhyWord(word))
}

func (d *desk) printGroups(groups []admin.IDGroup) error {
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	for _, one := range groups {
		_, _ = fmt.Fprintf(table, "  %s\t%d\t%s\t%s\n", d.known(one.Outcome), one.Count, d.why(one.Why), show.Printable(one.Example))
	}
	return table.Flush()
}
