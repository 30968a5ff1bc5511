package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// askAbove is how many events are replayed without a question.
const askAbove = 100

// replayFlags say what to replay, and how.
type replayFlags struct {
	by       filterFlags
	outcome  string
	revision string
	as       string
	rate     string
	why      string
	dryRun   bool
	job      bool
	yes      bool
}

func (c *cli) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "replay",
		Short: "Give dead letters, or other events, back to their links",
		Long: "Give the events that the flags select back to their links, by default all dead letters. Today's link renders them anew; each\n" +
			"keeps its transactionId, so that what Mindbox has executed is not executed twice. --outcome selects other events:\n" +
			"undeliverable and filtered (the link was wrong and is mended), shadow (the link was tried out and goes live now),\n" +
			"untaken (from before the link's start, or from a backfill),\n" +
			"abandoned (by a link that was removed and is back, as far as the log still holds them),\n" +
			"delivered (only with --revision NAME, which makes new transactionIds). --since and --until are about when a dead letter died\n" +
			"and, with --outcome, about when the call or request happened.\n\n" +
			"Interrupted at any moment, the same command goes on. Nothing left to do is no failure.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.replay(ctx, f) }),
	})
	f.by.add(cmd, byPlace|byEvent|byWhy|bySpan)
	flags := cmd.Flags()
	flags.StringVar(&f.outcome, "outcome", string(event.Dead), "dead, undeliverable, filtered, shadow, untaken, abandoned or delivered")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say how many and which, what would be sent, and in what it differs from what was; send nothing")
	flags.StringVar(&f.revision, "revision", "", "short `name` of a correction: Mindbox executes the events anew, once for each name")
	flags.StringVar(&f.as, "as", "", "`id` of the link that does the work of a renamed one, which --link names")
	flags.StringVar(&f.rate, "rate", "", "at most so many, as in 10/s")
	flags.BoolVar(&f.job, "job", false, jobUsage)
	flags.StringVar(&f.why, "why", "", "`text` that the audit keeps; no personal data")
	flags.BoolVar(&f.yes, "yes", false, "do not ask, however many")
	return cmd
}

func (d *desk) replay(ctx context.Context, f replayFlags) error {
	how, err := d.readHow(f)
	if err != nil {
		return err
	}
	if how.Of, err = d.selection(ctx, f); err != nil {
		return err
	}
	items, err := d.admin.Select(ctx, how.Of)
	if err != nil {
		return err
	}
	how.Why = f.why
	if f.dryRun {
		if err := d.revealing(ctx, "replay --dry-run: "+how.Of.Text()); err != nil {
			return err
		}
		return d.dryRun(ctx, items, how)
	}
	if len(items) == 0 {
		return d.printReplay(admin.Result{}, 0)
	}
	if len(items) > askAbove {
		if err := d.confirm(d.lang.Sprintf("Replay %d events?", len(items)), f.yes); err != nil {
			return err
		}
	}
	if f.job {
		return d.askJob(ctx, admin.JobReplay, admin.WorkOf(how.Of, how), f.why)
	}
	how.Progress = d.replayBar()
	result, err := d.admin.ReplayByCommand(ctx, items, how)
	if errors.Is(err, context.Canceled) {
		return errors.New(d.lang.Sprintf("stopped after %d of %d; the same command goes on from here", result.Replayed, len(items)))
	}
	if err != nil && result.Failed == 0 {
		return err
	}
	if err := errors.Join(d.printReplay(result, len(items)), err); err != nil {
		return err
	}
	return d.replayFailure(result, f)
}

// readHow checks the flags that say how to replay.
func (d *desk) readHow(f replayFlags) (admin.ReplayOptions, error) {
	how := admin.ReplayOptions{Revision: f.revision, As: f.as}
	if f.rate != "" {
		rate, err := parseRate(f.rate)
		if err != nil {
			return how, app.Mistake{Err: err}
		}
		how.Rate = rate
	}
	if f.as != "" && f.by.link == "" {
		return how, app.Mistakef("%s", d.lang.Sprintf("--as goes with --link: the old link's id"))
	}
	if f.as != "" && d.admin.File.Link(f.as) == nil {
		return how, app.Mistakef("%s", d.lang.Sprintf("--as: no link %q in %s", f.as, d.settings.Config))
	}
	if f.outcome == string(event.Delivered) && f.revision == "" && !f.dryRun {
		return how, app.Mistake{Err: admin.ErrRevision}
	}
	return how, nil
}

func (d *desk) selection(ctx context.Context, f replayFlags) (admin.Selection, error) {
	s, err := f.by.read(ctx, d)
	if errors.Is(err, queue.ErrNotFound) && len(f.by.events) > 0 {
		return admin.Selection{}, errors.New(d.lang.Sprintf("no such event: never stored, or older than what is kept"))
	}
	return admin.Selection{Outcome: event.Outcome(f.outcome), Keys: s.keys, Filter: s.filter}, err
}

// replayBar draws the progress on a terminal; elsewhere it says once what the replay waits for.
func (d *desk) replayBar() func(admin.Progress) {
	bar := d.newProgress(countsItems)
	if bar == nil {
		told := false
		return func(p admin.Progress) {
			if p.Held > 0 && !told {
				told = true
				_, _ = fmt.Fprintln(d.errs, d.lang.Sprintf("%d of %d are given back; %d wait for the worker, and this command for them", p.Done, p.Total, p.Held))
			}
		}
	}
	return func(p admin.Progress) {
		text := ""
		if p.Held > 0 {
			text = d.lang.Sprintf("%d wait for the worker", p.Held)
		}
		bar.show(nil, text, p.Done, p.Total)
	}
}

// replayJSON is the result of a replay.
type replayJSON struct {
	Selected int `json:"selected"`
	admin.Result
}

func (d *desk) printReplay(result admin.Result, selected int) error {
	if d.json {
		return d.printJSON(replayJSON{Selected: selected, Result: result})
	}
	if selected == 0 {
		d.say("nothing to replay")
		return nil
	}
	d.say("replayed: %d of %d", result.Replayed, selected)
	for _, one := range []struct {
		n    int
		text string
	}{
		{result.Pinned, d.lang.Text("of them keep the endpoint and operation of their first attempt, which Mindbox may have executed: %d")},
		{result.UnderWay, d.lang.Text("refused, because a retry or replay of them is under way: %d")},
		{result.Vanished, d.lang.Text("no longer there: %d")},
		{result.Failed, d.lang.Text("failed, and left where they are: %d")},
		{result.Left, d.lang.Text("left where they are, because their link is halted: %d")},
	} {
		if one.n > 0 {
			_, _ = fmt.Fprintf(d.out, one.text+"\n", one.n)
		}
	}
	return nil
}

// replayFailure is what of a result makes the command fail.
func (d *desk) replayFailure(result admin.Result, f replayFlags) error {
	if len(f.by.events) > 0 && result.UnderWay > 0 && result.Replayed == 0 {
		return queue.ErrUnderWay
	}
	if result.Left == 0 {
		return nil
	}
	text := d.lang.Text("not all was replayed:")
	for _, h := range result.Halted {
		text += " " + h.Link + ": " + d.lang.Text(h.State)
		if h.Why != "" {
			text += " (" + show.Printable(d.lang.Error(errors.New(h.Why))) + ")"
		}
		text += ";"
	}
	return errors.New(text + d.lang.Text(" mend or start it, then repeat the command"))
}

// dryShown is how many items a dry run shows with what would be sent.
const dryShown = 20

// dryJSON is the result of a dry run.
type dryJSON struct {
	Selected int             `json:"selected"`
	Items    []previewJSON   `json:"items"`    // the first ones
	Forecast *admin.Forecast `json:"forecast"` // of all of them
}

type previewJSON struct {
	Key string `json:"key"`
	admin.Preview
}

// dryRun says how many events a replay would take and which, what would become of all of them, and shows for the first ones what
// was sent beside what would be.
func (d *desk) dryRun(ctx context.Context, items []admin.Item, how admin.ReplayOptions) error {
	how.Progress = d.replayBar()
	forecast, err := d.admin.Forecast(ctx, items, how, d.reveal)
	if err != nil {
		return err
	}
	view := dryJSON{Selected: len(items), Items: []previewJSON{}, Forecast: &forecast}
	if !d.json {
		d.say("a replay would take: %d", len(items))
		if err := d.printForecast(forecast); err != nil {
			return err
		}
	}
	for _, item := range items[:min(len(items), dryShown)] {
		p, err := d.admin.Preview(ctx, item, how, d.reveal)
		if errors.Is(err, queue.ErrNotFound) {
			continue // it has gone on in the meantime
		}
		if errors.Is(err, admin.ErrGone) {
			p.Problem, err = err.Error(), nil
		}
		if err != nil {
			return err
		}
		if !d.json {
			d.printPreview(p)
		}
		view.Items = append(view.Items, previewJSON{Key: item.Key.String(), Preview: p})
	}
	if d.json {
		return d.printJSON(view)
	}
	if more := len(items) - dryShown; more > 0 {
		d.say("... and %d more", more)
		for _, item := range items[dryShown:min(len(items), dryShown+admin.DefaultLimit)] {
			_, _ = fmt.Fprintf(d.out, "%s  %s\n", item.Link, item.Key)
		}
	}
	return nil
}

// printForecast says what would become of all that a replay would take.
func (d *desk) printForecast(f admin.Forecast) error {
	if f.Selected == 0 {
		return nil
	}
	d.say("it would send: %d", f.WouldSend())
	if f.Pinned > 0 {
		d.say("of them keep the endpoint and operation of their first attempt, which Mindbox may have executed: %d", f.Pinned)
	}
	d.group(f.UnderWay, d.lang.Text("refused, because a retry or replay of them is under way: %d, such as %s"))
	d.group(f.Unreadable, d.lang.Text("cannot be read: %d, such as %s"))
	d.group(f.Gone, d.lang.Text("their link is not in the file: %d, such as %s"))
	for _, l := range f.Links {
		_, _ = fmt.Fprintf(d.out, "%s\n", l.Link)
		if err := d.printMoves(l.Moves); err != nil {
			return err
		}
		if err := d.printDifferences(l); err != nil {
			return err
		}
		if l.Differs == 0 && l.Same > 0 {
			d.say("  the requests are what they were: %d", l.Same)
		}
		if l.Differs == 0 && l.Before.Dead > 0 && l.Same > 0 {
			d.say("  what was refused for its data would be refused again")
		}
	}
	return nil
}

func (d *desk) printPreview(p admin.Preview) {
	_, _ = fmt.Fprintf(d.out, "\n%s  %s  %s\n", p.Link, p.Key, show.Printable(d.reasonCell(p.Reason, p.Status)))
	if p.Pin != nil {
		d.say("  keeps endpoint %s and operation %s of its first attempt", show.Printable(p.Pin.Endpoint), show.Printable(p.Pin.Operation))
	}
	switch {
	case p.Now == nil:
		d.say("  nothing would be sent: %s", show.Printable(d.lang.Error(errors.New(p.Problem))))
		return
	case p.Now.Request == nil:
		d.say("  nothing would be sent: %s", d.lang.Coded(string(p.Now.Outcome)))
		return
	}
	d.say("  today's link makes of it: %s", d.lang.Coded(string(p.Now.Outcome)))
	if p.Then == nil || p.Then.Request == nil {
		d.say("  what was sent is no longer known; now:")
		d.printLines(nil, requestLines(p.Now.Request))
		return
	}
	d.printLines(requestLines(p.Then.Request), requestLines(p.Now.Request))
}

// requestLines is a request, one thing a line.
func requestLines(r *mindbox.Preview) []string {
	var body bytes.Buffer
	if json.Indent(&body, r.Body, "", "  ") != nil {
		body.Write(r.Body)
	}
	return append([]string{r.Method + " " + r.URL}, strings.Split(body.String(), "\n")...)
}

// maxLines bounds the lines of a request that are shown and compared: a call may carry thousands of
// tags.
const maxLines = 2000

// printLines prints the lines of now, with - before those that have gone and + before new ones.
func (d *desk) printLines(then, now []string) {
	if then == nil {
		then = now
	}
	longest := max(len(then), len(now))
	then, now = then[:min(len(then), maxLines)], now[:min(len(now), maxLines)]
	if slices.Equal(then, now) {
		for _, line := range now {
			_, _ = fmt.Fprintf(d.out, "    %s\n", show.Printable(line))
		}
	} else {
		for _, line := range difference(then, now) {
			_, _ = fmt.Fprintf(d.out, "  %s %s\n", line[:1], show.Printable(line[1:]))
		}
	}
	if longest > maxLines {
		d.say("  ... the first %d of %d lines", maxLines, longest)
	}
}

// difference is a list of lines that turns then into now: each begins with a blank, a - or a +. It is
// a short one; where much has changed the library does not look for the shortest.
func difference(then, now []string) []string {
	before, after := strings.Join(then, "\n")+"\n", strings.Join(now, "\n")+"\n"
	unified, err := udiff.ToUnified("", "", before, udiff.Lines(before, after), len(then))
	if err != nil {
		return nil // unreachable: the edits are of this text
	}
	lines := strings.Split(strings.TrimSuffix(unified, "\n"), "\n")
	const head = 3 // two names and the place: all is in one part
	return lines[min(head, len(lines)):]
}
