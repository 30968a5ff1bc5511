package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// askAbove is how many events are replayed without a question.
const askAbove = 100

// replayFlags say what to replay, and how.
type replayFlags struct {
	by       selecting
	outcome  string
	revision string
	as       string
	rate     string
	dryRun   bool
	yes      bool
}

func (c *cli) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "replay",
		Short: "Give dead letters, or other events, back to their links",
		Long: "Give the events that the flags select back to their links, by default all dead letters. Today's link renders them anew; each\n" +
			"keeps its transactionId, so that what Mindbox has executed is not executed twice. --outcome selects other events:\n" +
			"undeliverable and filtered (the link was wrong and is mended), untaken (from before the link's start, or from a backfill),\n" +
			"delivered (only with --revision NAME, which makes new transactionIds). --since and --until are about when a dead letter died\n" +
			"and, with --outcome, about when the call or request happened.\n\n" +
			"Interrupted at any moment, the same command goes on. Nothing left to do is no failure.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.replay(ctx, f) })
		},
	})
	f.by.add(cmd, byPlace|byEvent|byWhy|bySpan)
	flags := cmd.Flags()
	flags.StringVar(&f.outcome, "outcome", string(event.Dead), "dead, undeliverable, filtered, untaken or delivered")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say how many and which, and what would be sent; send nothing")
	flags.StringVar(&f.revision, "revision", "", "short `name` of a correction: Mindbox executes the events anew, once for each name")
	flags.StringVar(&f.as, "as", "", "`id` of the link that does the work of a renamed one, which --link names")
	flags.StringVar(&f.rate, "rate", "", "at most so many, as in 10/s")
	flags.BoolVar(&f.yes, "yes", false, "do not ask, however many")
	return cmd
}

func (d *desk) replay(ctx context.Context, f replayFlags) error {
	how, err := d.how(f)
	if err != nil {
		return err
	}
	items, err := d.items(ctx, f)
	if err != nil {
		return err
	}
	if f.dryRun {
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
	how.Progress = d.replayBar()
	result, err := d.Run(ctx, items, how)
	if errors.Is(err, context.Canceled) {
		return errors.New(d.lang.Sprintf("stopped after %d of %d; the same command goes on from here", result.Replayed, len(items)))
	}
	if err != nil {
		return err
	}
	if err := d.printReplay(result, len(items)); err != nil {
		return err
	}
	return d.replayFailure(result, f)
}

// how checks the flags that say how to replay.
func (d *desk) how(f replayFlags) (admin.Replay, error) {
	how := admin.Replay{Revision: f.revision, As: f.as}
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
	if f.as != "" && d.File.Link(f.as) == nil {
		return how, app.Mistakef("%s", d.lang.Sprintf("--as: no link %q in %s", f.as, d.settings.Config))
	}
	if f.outcome == string(event.Delivered) && f.revision == "" && !f.dryRun {
		return how, app.Mistake{Err: admin.ErrRevision}
	}
	return how, nil
}

func (d *desk) items(ctx context.Context, f replayFlags) ([]admin.Item, error) {
	s, err := f.by.read(ctx, d)
	if errors.Is(err, queue.ErrNotFound) && len(f.by.events) > 0 {
		return nil, errors.New(d.lang.Sprintf("no such event: never stored, or older than what is kept"))
	}
	if err != nil {
		return nil, err
	}
	return d.Select(ctx, admin.Selection{
		Outcome: event.Outcome(f.outcome), Link: s.Link, Keys: s.keys, Site: s.Site, Kind: s.Kind,
		Reason: s.Reason, Status: s.Status, Since: s.Since, Until: s.Until,
	})
}

// replayBar draws the progress on a terminal; elsewhere it stays silent.
func (d *desk) replayBar() func(admin.Progress) {
	if !app.IsTerminal(d.errs) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(p admin.Progress) {
		if bar == nil {
			bar = progressbar.NewOptions(p.Total, progressbar.OptionSetWriter(d.errs), progressbar.OptionShowCount(),
				progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
		}
		text := ""
		if p.Held > 0 {
			text = d.lang.Sprintf("%d wait for the worker", p.Held)
		}
		bar.Describe(text)
		_ = bar.Set(p.Done)
	}
}

// replayJSON is the result of a replay.
type replayJSON struct {
	Selected int `json:"selected"`
	admin.Result
}

func (d *desk) printReplay(result admin.Result, selected int) error {
	if d.json {
		return d.showJSON(replayJSON{Selected: selected, Result: result}, false)
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
		text += " " + h.Link + ": " + h.State
		if h.Why != "" {
			text += " (" + admin.Printable(h.Why) + ")"
		}
		text += ";"
	}
	return errors.New(text + d.lang.Text(" mend or start it, then repeat the command"))
}
