package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

func (c *cli) deadlettersCommand() *cobra.Command {
	var by filterFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "deadletters",
		Short: "List what was given up, show or count it, or drop it; touchbox replay tries it again",
		Long:  "List dead letters, oldest first; --since and --until are about when they died.",
		Args:  cobra.NoArgs,
		RunE:  c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.listDeadLetters(ctx, by) }),
	})
	by.add(cmd, byPlace|byEvent|byWhy|byCause|bySpan|bounded)
	cmd.AddCommand(c.deadShowCommand(), c.deadCountCommand(), c.deadCausesCommand(), c.deadDropCommand())
	return cmd
}

func (c *cli) deadCausesCommand() *cobra.Command {
	var by filterFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "causes",
		Short: "List why events were given up: what differs only in digits, ids and quoted values is one cause",
		Long: "List the causes of dead letters, the most frequent first, as the console does: letters of one link whose reason, status and answer\n" +
			"are the same but for digits, ids and quoted values have one cause. `touchbox deadletters --cause ID` lists those of one.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.listCauses(ctx, by) }),
	})
	by.add(cmd, byPlace|byWhy|bySpan)
	return cmd
}

func (d *desk) listCauses(ctx context.Context, by filterFlags) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	causes, err := d.admin.Causes(ctx, s.filter)
	if err != nil {
		return err
	}
	return listing[admin.Cause]{
		header: d.lang.Sprintf("CAUSE\tLINK\tCOUNT\tFIRST (%s)\tLAST\tREASON\tANSWER", d.zoneName()),
		cells: func(one admin.Cause) []string {
			return []string{one.ID, one.Link, fmt.Sprint(one.Count), d.when(one.First), d.when(one.Last), d.reasonCell(one.Reason, one.Status), show.Cell(one.Answer, widest)}
		},
	}.print(d.cli, causes, len(causes))
}

func (d *desk) listDeadLetters(ctx context.Context, by filterFlags) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	if err := d.revealing(ctx, "deadletters: "+s.text()); err != nil {
		return err
	}
	list, total, err := gather(s.filters(), func(f queue.Filter) ([]queue.DeadLetter, int, error) {
		return d.admin.DeadOfCause(ctx, f, by.cause, by.limit)
	})
	if err != nil {
		return err
	}
	return listing[queue.DeadLetter]{
		header: d.lang.Sprintf("LINK\tEVENT\tDIED (%s)\tATTEMPTS\tREASON\tANSWER", d.zoneName()),
		cells: func(l queue.DeadLetter) []string {
			return []string{l.Link, l.Event.Key.String(), d.when(l.Died), fmt.Sprint(l.Attempts), d.reasonCell(l.Reason, l.Status), show.Cell(d.mask().Text(l.Answer), widest)}
		},
		json: func(l queue.DeadLetter) any { return d.mask().DeadLetter(l) },
	}.print(d.cli, list, total)
}

func (c *cli) deadShowCommand() *cobra.Command {
	var by filterFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "show KEY|ID",
		Short: "Show an event's dead letters whole",
		Args:  cobra.ExactArgs(1),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error {
			by.events = args
			return d.showDeadLetters(ctx, by)
		}),
	})
	cmd.Flags().StringVar(&by.link, "link", "", "of this link only, by its `id`")
	return cmd
}

func (d *desk) showDeadLetters(ctx context.Context, by filterFlags) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	list, total, err := gather(s.filters(), func(f queue.Filter) ([]queue.DeadLetter, int, error) {
		return d.admin.DeadLetters(ctx, f, admin.DefaultLimit)
	})
	if err == nil {
		err = d.revealing(ctx, "deadletters: "+s.text())
	}
	if err != nil {
		return err
	}
	for _, one := range list {
		view := d.admin.DeadLetterView(one, d.mask())
		if !d.json {
			d.printDeadLetter(view)
			continue
		}
		if err := d.printJSON(view); err != nil {
			return err
		}
	}
	if total == 0 {
		return errors.New(d.lang.Sprintf("no dead letter of this event"))
	}
	return nil
}

// printDeadLetter shows a dead letter to a person: why it was given up, and what came.
func (d *desk) printDeadLetter(v admin.DeadLetterView) {
	d.say("Event %s: %s", v.Key, d.kindWord(v.Kind))
	d.say("Link %s: %s", d.titled(v.Link), d.lang.Coded(string(event.Dead)))
	d.say("  given up %s, attempts: %d", d.when(v.Died), v.Attempts)
	_, _ = fmt.Fprintf(d.out, "  %s\n", show.Printable(d.reasonCell(v.Reason, v.Status)))
	if v.Answer != "" {
		_, _ = fmt.Fprintf(d.out, "      «%s»\n", show.Printable(v.Answer))
	}
	if v.Pin != nil {
		d.say("  keeps endpoint %s and operation %s of its first attempt", show.Printable(v.Pin.Endpoint), show.Printable(v.Pin.Operation))
	}
	if v.Damaged {
		d.say("  only a part of it can be read")
	}
	d.sayUnreadable(v.Problem)
	d.printValues(v.Fields)
	d.say("  `touchbox event %s` shows its whole way; `touchbox replay --link %s --event %s` tries again", v.Key, v.Link, v.Key)
}

func (c *cli) deadCountCommand() *cobra.Command {
	var by filterFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "count",
		Short: "Count dead letters by link, reason and status",
		Args:  cobra.NoArgs,
		RunE:  c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.countDeadLetters(ctx, by) }),
	})
	by.add(cmd, byPlace|byWhy|bySpan)
	return cmd
}

func (d *desk) countDeadLetters(ctx context.Context, by filterFlags) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	counts, err := d.admin.CountDead(ctx, s.filter)
	if err != nil {
		return err
	}
	return listing[admin.DeadCount]{
		header: d.lang.Text("LINK\tREASON\tCOUNT"),
		cells: func(n admin.DeadCount) []string {
			return []string{n.Link, d.reasonCell(n.Reason, n.Status), fmt.Sprint(n.Count)}
		},
	}.print(d.cli, counts, len(counts))
}

// dropFlags say what to drop.
type dropFlags struct {
	by  filterFlags
	why string
	yes bool
	job bool
}

func (c *cli) deadDropCommand() *cobra.Command {
	var f dropFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "drop --why TEXT",
		Short: "Remove dead letters for good; the history keeps that and why",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.why == "" {
				return app.Mistakef("%s", c.lang.Sprintf("--why: say why, it is kept in the history"))
			}
			return c.withDesk(cmd.Context(), func(ctx context.Context, d *desk) error { return d.drop(ctx, f) })
		},
	})
	f.by.add(cmd, byPlace|byEvent|byWhy|byCause|bySpan)
	cmd.Flags().StringVar(&f.why, "why", "", "`text` that the history keeps (required); no personal data")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.job, "job", false, jobUsage)
	return cmd
}

func (d *desk) drop(ctx context.Context, f dropFlags) error {
	s, err := f.by.read(ctx, d)
	if err != nil {
		return err
	}
	total, err := d.admin.CountWork(ctx, admin.JobDrop, s.work())
	if err != nil {
		return err
	}
	if total > 0 {
		if err := d.confirm(d.lang.Sprintf("Drop %d dead letters for good?", total), f.yes); err != nil {
			return err
		}
	}
	if f.job && total > 0 {
		return d.askJob(ctx, admin.JobDrop, s.work(), f.why)
	}
	dropped, err := d.admin.Drop(ctx, s.dead(), f.why)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(map[string]int{"dropped": dropped})
	}
	d.say("dropped: %d", dropped)
	return nil
}
