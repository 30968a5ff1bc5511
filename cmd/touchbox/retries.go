package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// retriesFlags say which retries, and what to do with them: without a word they are listed.
type retriesFlags struct {
	by                   filterFlags
	now, cancel, restore bool
	why                  string
	yes                  bool
	job                  bool
}

func (c *cli) retriesCommand() *cobra.Command {
	var f retriesFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "retries",
		Short: "List what waits for its next attempt, run it now, or give it up",
		Long: "List the events that wait in RETRIES: until when, after which error, replays too. --now makes those that the flags select due\n" +
			"at once, --cancel makes dead letters of them, which can be replayed. --restore puts back what waits by its history and is not in\n" +
			"the list any more, because a damaged disk or an older copy of the store took it away. --since and --until are about when the\n" +
			"waiting began.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.now && f.cancel || f.restore && (f.now || f.cancel) {
				return app.Mistakef("%s", c.lang.Sprintf("--now, --cancel and --restore exclude each other"))
			}
			if f.job && !f.now && !f.cancel {
				return app.Mistakef("%s", c.lang.Sprintf("--job goes with --now or --cancel"))
			}
			return c.withDesk(cmd.Context(), func(ctx context.Context, d *desk) error { return d.retries(ctx, f) })
		},
	})
	f.by.add(cmd, byPlace|byEvent|byWhy|bySpan|bounded)
	cmd.Flags().BoolVar(&f.now, "now", false, "make the next attempt at once")
	cmd.Flags().BoolVar(&f.cancel, "cancel", false, "make dead letters of what waits")
	cmd.Flags().BoolVar(&f.restore, "restore", false, "put back what was lost from the list")
	cmd.Flags().StringVar(&f.why, "why", "", "`text` that the audit keeps beside --cancel; no personal data")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.job, "job", false, jobUsage)
	return cmd
}

func (d *desk) retries(ctx context.Context, f retriesFlags) error {
	s, err := f.by.read(ctx, d)
	if err != nil {
		return err
	}
	switch {
	case f.now && f.job:
		return d.askJob(ctx, admin.JobRetriesNow, s.work(), f.why)
	case f.now:
		return d.changeRetries(s, d.lang.Text("made due now"), func(one queue.Filter) (int, error) { return d.admin.RunNow(ctx, one) })
	case f.cancel:
		if err := d.confirm(d.lang.Text("Give up what waits, as dead letters?"), f.yes); err != nil {
			return err
		}
		if f.job {
			return d.askJob(ctx, admin.JobRetriesCancel, s.work(), f.why)
		}
		return d.changeRetries(s, d.lang.Text("made dead letters"), func(one queue.Filter) (int, error) { return d.admin.Cancel(ctx, one, f.why) })
	case f.restore:
		return d.restoreRetries(ctx, s)
	}
	return d.listRetries(ctx, s, f.by.limit)
}

func (d *desk) restoreRetries(ctx context.Context, s selection) error {
	var sum admin.Restored
	for _, f := range s.filters() {
		done, err := d.admin.Restore(ctx, f)
		sum.Restored += done.Restored
		sum.Abandoned += done.Abandoned
		if err != nil {
			return err
		}
	}
	if d.json {
		return d.printJSON(sum)
	}
	d.say("put back: %d", sum.Restored)
	if sum.Abandoned > 0 {
		d.say("not in the log any more, recorded as abandoned: %d", sum.Abandoned)
	}
	return nil
}

func (d *desk) changeRetries(s selection, what string, change func(queue.Filter) (int, error)) error {
	sum, err := addUp(s.filters(), change)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(map[string]int{"changed": sum})
	}
	_, err = fmt.Fprintf(d.out, "%s: %d\n", what, sum)
	return err
}

func (d *desk) listRetries(ctx context.Context, s selection, limit int) error {
	if err := d.revealing(ctx, "retries: "+s.text()); err != nil {
		return err
	}
	list, total, err := gather(s.filters(), func(f queue.Filter) ([]queue.Retry, int, error) { return d.admin.Retries(ctx, f, limit) })
	if err != nil {
		return err
	}
	return listing[queue.Retry]{
		header: d.lang.Sprintf("LINK\tEVENT\tNEXT ATTEMPT (%s)\tATTEMPTS\tREASON\tLAST ERROR", d.zoneName()),
		cells: func(r queue.Retry) []string {
			until := d.when(r.Until)
			if r.Due {
				until = d.lang.Text("now")
			}
			return []string{r.Link, r.Event.Key.String(), until, fmt.Sprint(r.Attempts), d.reasonCell(r.Reason, r.Status), show.Cell(d.mask().Text(r.LastError()), widest)}
		},
		json: func(r queue.Retry) any { return d.mask().Retry(r) },
	}.print(d.cli, list, total)
}
