package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/show"
)

// tryFlags say what to try, on which events, and when that is to fail.
type tryFlags struct {
	link, against string
	since, until  string
	most          int
	list, diff    bool
	failOn        string
}

func (c *cli) tryCommand() *cobra.Command {
	var f tryFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "try [FILE]",
		Short: "Try a changed touchbox.yaml on the stored events of the past; sends nothing",
		Long: "Say what the links of a file, by default that of TOUCHBOX_CONFIG, make of the stored events, beside what the running links\n" +
			"make of them: how many go from which outcome to which and why, in what the requests differ, which events no link takes, which\n" +
			"are sent twice, which are sent by none any more. A new link is tried on all of them, so one sees what a `since` would bring.\n" +
			"The outcomes are those of the links: whether Mindbox then accepts a request is not known. --since and --until are about when\n" +
			"the call or request happened. Ctrl-C stops it; nothing is changed. Exit code 1 where --fail-on says so.",
		Args: cobra.MaximumNArgs(1),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error { return d.try(ctx, args, f) }),
	})
	flags := cmd.Flags()
	flags.StringVar(&f.link, "link", "", "only the events of this link, by its `id`")
	flags.StringVar(&f.against, "against", "", "beside this `version` of a link, as `touchbox links history` shows it, and not what runs")
	flags.StringVar(&f.since, "since", "7d", "not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago")
	flags.StringVar(&f.until, "until", "", "and before this `time`")
	flags.IntVar(&f.most, "sample", admin.DefaultTried, "try about so many events, evenly picked, where there are more")
	flags.BoolVar(&f.list, "list", false, "also list each event of which a link makes something else")
	flags.BoolVar(&f.diff, "diff", false, "also show the requests of some events that differ, before and after")
	flags.StringVar(&f.failOn, "fail-on", "", "end with 1 on `any|lost|double`: any change, events that no link sends any more, events that more links send")
	return cmd
}

// tryJSON is a trial as --json shows it.
type tryJSON struct {
	File    string `json:"file"`
	Against string `json:"against,omitempty"`
	admin.Trial
	Cases []caseJSON `json:"cases,omitempty"` // with --list
}

// caseJSON is an event of which a link makes something else.
type caseJSON struct {
	Key     string        `json:"key"`
	Link    string        `json:"link"`
	From    event.Outcome `json:"from"`
	To      event.Outcome `json:"to"`
	Differs bool          `json:"differs"` // the request is another one
}

// examplesShown is of how many events of a link --diff shows the requests.
const examplesShown = 5

func (d *desk) try(ctx context.Context, args []string, f tryFlags) error {
	o, err := d.tryOptions(ctx, args, f)
	if err == nil {
		err = d.revealing(ctx, "try: "+admin.FilterText(admin.Filter{Link: f.link, Since: o.Since}))
	}
	if err != nil {
		return err
	}
	view := tryJSON{File: d.admin.File.Path, Against: f.against}
	if f.list {
		o.Each = func(one admin.Tried) {
			view.Cases = append(view.Cases, caseJSON{one.Key.String(), one.Link, one.From, one.To, one.Differs})
		}
	}
	if view.Trial, err = d.admin.Try(ctx, o); err != nil {
		return err
	}
	if d.json {
		err = d.printJSON(view)
	} else {
		err = d.printTrial(view)
	}
	if failed, _ := view.FailsOn(f.failOn); failed {
		err = errors.Join(err, errors.New(d.lang.Sprintf("the trial shows what --fail-on %s forbids", f.failOn)))
	}
	return err
}

// tryOptions checks the flags and makes the file to be tried that of the desk.
func (d *desk) tryOptions(ctx context.Context, args []string, f tryFlags) (o admin.TryOptions, err error) {
	o = admin.TryOptions{Link: f.link, Most: f.most, Reveal: d.reveal}
	if f.most <= 0 {
		return o, app.Mistakef("%s", d.lang.Sprintf("--sample: want a positive number"))
	}
	if _, err := (admin.Trial{}).FailsOn(f.failOn); err != nil {
		return o, app.Mistakef("--fail-on: %w", err)
	}
	if o.Since, o.Until, err = d.readSpan(f.since, f.until); err != nil {
		return o, err
	}
	if f.diff {
		o.Examples = examplesShown
	}
	if len(args) == 0 {
		err = d.needsFile()
	} else {
		d.admin.File, err = d.fileToTry(args[0])
	}
	if err == nil && f.against != "" {
		o.Before, o.Link, err = d.versionToTry(ctx, f)
	}
	return o, err
}

// fileToTry reads the file that is named.
func (d *desk) fileToTry(path string) (*link.File, error) {
	file, problems, err := link.Load(path, link.Options{Getenv: os.Getenv, Language: d.lang, Lenient: true})
	if err != nil {
		return nil, app.Mistake{Err: err}
	}
	for _, warning := range problems.Warnings() {
		_, _ = fmt.Fprintln(d.errs, warning)
	}
	return file, nil
}

// versionToTry is the version of --against as a file, and its link's id.
func (d *desk) versionToTry(ctx context.Context, f tryFlags) (*link.File, string, error) {
	version, err := d.admin.Version(ctx, f.link, f.against)
	if err != nil {
		return nil, "", app.Mistake{Err: err}
	}
	file, l, err := version.In(d.admin.File)
	if err != nil {
		return nil, "", err
	}
	if d.admin.File.Link(l.ID) == nil {
		return nil, "", app.Mistakef("%s", d.lang.Sprintf("no link %q in %s", l.ID, d.admin.File.Path))
	}
	return file, l.ID, nil
}

// printTrial shows a trial to a person.
func (d *desk) printTrial(t tryJSON) error {
	if t.Against == "" {
		d.say("%s beside what runs: events tried: %d", t.File, t.Tried)
	} else {
		d.say("%s beside version %s: events tried: %d", t.File, t.Against, t.Tried)
	}
	d.printSample(t.Tried, t.Skipped, t.Erased, t.Unreadable)
	d.group(t.Unnamed, d.lang.Text("not tried, of a site that is not in the file: %d, such as %s"))
	d.group(t.SiteGone, d.lang.Text("of a site that is not in the file any more: %d, such as %s"))
	for _, one := range t.Links {
		if err := d.printLinkTrial(one); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintln(d.out)
	d.printOverAll(t.Trial)
	for _, one := range t.Cases {
		_, _ = fmt.Fprintf(d.out, "%s  %s  %s\n", one.Link, show.Printable(one.Key), d.caseWords(one))
	}
	return nil
}

// printSample says of which events a trial or a comparison is, and which it left out.
func (d *desk) printSample(tried, skipped, erased int, unreadable admin.Group) {
	if skipped > 0 {
		d.say("this is a sample: %d of %d events; all numbers below are those of the sample", tried, tried+skipped)
	}
	if erased > 0 {
		d.say("not tried, of erased persons: %d", erased)
	}
	d.group(unreadable, d.lang.Text("not tried, cannot be read: %d, such as %s"))
}

// group says how many events are counted together, where there are any.
func (d *desk) group(g admin.Group, format string) {
	if g.Count > 0 {
		_, _ = fmt.Fprintf(d.out, format+"\n", g.Count, show.Printable(g.Example))
	}
}

// printOverAll says what concerns events and no link by itself.
func (d *desk) printOverAll(t admin.Trial) {
	d.group(t.Lost, d.lang.Text("sent before, and by no link now: %d, such as %s"))
	for _, one := range t.Twice {
		d.say("sent by %s: %d, of them by more links than before: %d, such as %s", strings.Join(one.Links, " + "), one.Count, one.New, show.Printable(one.Example))
	}
	for _, one := range t.Untaken {
		d.say("taken by no link: %s %s: %d, of them taken before: %d, such as %s", one.Site, one.Kind, one.Count, one.New, show.Printable(one.Example))
	}
	if t.Changes == 0 {
		d.say("no link makes anything else of an event")
	}
}

// caseWords says what became of an event.
func (d *desk) caseWords(one caseJSON) string {
	if one.From == one.To {
		return d.lang.Sprintf("%s, with another request", d.lang.Coded(string(one.To)))
	}
	return fmt.Sprintf("%s → %s", d.lang.Coded(string(one.From)), d.lang.Coded(string(one.To)))
}

// printLinkTrial shows what one link makes of the events.
func (d *desk) printLinkTrial(t admin.LinkTrial) error {
	_, _ = fmt.Fprintf(d.out, "\n%s: %s\n", t.Link, d.lang.Text(trialStates[t.State]))
	switch before, after := d.countsCell(t.Before), d.countsCell(t.After); {
	case t.State == admin.TrialNew:
		d.say("  it would make of them: %s", after)
	case before == after:
		d.say("  before and after: %s", after)
	default:
		d.say("  before: %s", before)
		d.say("  after: %s", after)
	}
	if t.Resets {
		d.say("  it is tried as after `touchbox links reset %s`: until then it reads what it reads now", t.Link)
	}
	d.group(t.Older, d.lang.Text("  older than its start, or of a backfill: %d, such as %s"))
	if err := d.printMoves(t.Moves); err != nil {
		return err
	}
	if err := d.printDifferences(t); err != nil {
		return err
	}
	return d.printExamples(t)
}

// trialStates say the state of a link in a trial.
var trialStates = map[string]string{
	admin.TrialSame:    "as it runs",
	admin.TrialChanged: "changed",
	admin.TrialNew:     "new",
	admin.TrialGone:    "not in the file any more",
}

// why says why an event is not sent: in words, or by the condition, the field or the expression.
func (d *desk) why(word string) string { return show.Printable(d.lang.Text(admin.WhyWord(word))) }

func (d *desk) printMoves(moves []admin.Move) error {
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	for _, m := range moves {
		_, _ = fmt.Fprintf(table, "  %s → %s\t%d\t%s\t%s\n", d.lang.Coded(string(m.From)), d.lang.Coded(string(m.To)), m.Count, d.why(m.Why), show.Printable(m.Example))
	}
	return table.Flush()
}

// differencesShown is how many kinds of difference a person sees of a link; --json has all.
const differencesShown = 40

// printDifferences says in what the requests of a link differ.
func (d *desk) printDifferences(t admin.LinkTrial) error {
	if t.Unknown > 0 {
		d.say("  requests of which nobody knows any more what was sent: %d", t.Unknown)
	}
	if t.Differs == 0 {
		return nil
	}
	d.say("  requests that differ: %d; that stay the same: %d", t.Differs, t.Same)
	table := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	for _, one := range t.Differences[:min(len(t.Differences), differencesShown)] {
		place := one.Path
		if one.Part != admin.PartBody {
			place = strings.TrimSpace(one.Part + " " + one.Path)
		}
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%d\t%s\n", show.Printable(place), d.values(one), one.Count, show.Printable(one.Example))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if more := len(t.Differences) - differencesShown; more > 0 {
		d.say("  ... and %d more", more)
	}
	return nil
}

// values says what stood at a place and what stands there now.
func (d *desk) values(one admin.Difference) string {
	from, to := show.Printable(one.From), show.Printable(one.To)
	if one.Several {
		from, to = d.lang.Text("(several values)"), d.lang.Text("(several values)")
	}
	switch one.Kind {
	case admin.DifferenceAdded:
		from = d.lang.Text("(nothing)")
	case admin.DifferenceGone:
		to = d.lang.Text("(nothing)")
	}
	return from + " → " + to
}

// printExamples shows the requests of events that differ, as a unified diff.
func (d *desk) printExamples(t admin.LinkTrial) error {
	for _, e := range t.Examples {
		if e.Before.Request == nil || e.After.Request == nil {
			continue
		}
		text, err := unified(e.Key+" "+e.Before.Version, e.Key+" "+e.After.Version, requestLines(e.Before.Request), requestLines(e.After.Request))
		if err != nil {
			return err
		}
		if text == "" {
			d.say("  %s: the requests differ in what is masked; --reveal shows it", show.Printable(e.Key))
		}
		d.printUnified(text)
	}
	return nil
}

// unified is a unified diff of two texts with their names; "" when they are the same.
func unified(oldName, newName string, then, now []string) (string, error) {
	before, after := strings.Join(then, "\n")+"\n", strings.Join(now, "\n")+"\n"
	return udiff.ToUnified(oldName, newName, before, udiff.Lines(before, after), udiff.DefaultContextLines)
}

// printUnified prints a diff, whoever chose its texts.
func (d *desk) printUnified(text string) {
	for line := range strings.Lines(text) {
		_, _ = fmt.Fprintln(d.out, show.Printable(strings.TrimSuffix(line, "\n")))
	}
}
