package main

import (
	"context"
	"errors"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) linksResetCommand() *cobra.Command {
	var yes bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "reset ID",
		Short: "Bring what a link reads, and from when on, to what the file says",
		Long: "A link keeps the sites, the events and the start with which it first ran, whatever the file says later; all else of it may\n" +
			"change at any time. This brings them to the file. The link reads the log again from its start: what has an outcome is not\n" +
			"sent again, what it had not taken so far is. A running worker takes it up at once. Without `since` in the file the start stays.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.resetLink(ctx, args[0], yes) })
		},
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (d *desk) resetLink(ctx context.Context, id string, yes bool) error {
	plan, err := d.PlanReset(ctx, id)
	if err != nil {
		return err
	}
	if plan.Changed {
		if !d.json {
			d.printReset(plan)
		}
		if err := d.confirm(d.lang.Sprintf("Reset link %s? Stored events that it reads again: %d; what has an outcome is not sent again.", id, plan.Again), yes); err != nil {
			return err
		}
		plan, err = d.Reset(ctx, id)
		if errors.Is(err, context.Canceled) {
			return errors.New(d.lang.Sprintf("stopped; the same command ends it"))
		}
		if err != nil {
			return err
		}
	}
	if d.json {
		return d.showJSON(plan, false)
	}
	if !plan.Changed {
		d.say("%s is as the file says", id)
		return nil
	}
	d.say("%s is reset", id)
	return nil
}

// printReset shows what changes.
func (d *desk) printReset(r admin.Resetting) {
	if !r.Before.Start.Equal(r.After.Start) {
		d.say("%s starts at %s, so far at %s", r.Link, d.when(r.After.Start), d.when(r.Before.Start))
	}
	if before, after := subjectWords(r.Before.Subjects), subjectWords(r.After.Subjects); before != after {
		d.say("%s reads %s, so far %s", r.Link, after, before)
	}
}

// subjectWords writes subjects as people say them: 10001 call.ended.
func subjectWords(subjects []string) string {
	words := make([]string, len(subjects))
	for i, s := range subjects {
		words[i] = s
		if tokens := strings.Split(s, "."); len(tokens) == 5 {
			words[i] = tokens[2] + " " + event.Kind(tokens[3]).Dotted()
		}
	}
	return strings.Join(words, ", ")
}

func (c *cli) linksRemoveCommand() *cobra.Command {
	var yes bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "remove ID",
		Short: "Give up a link that has left the file",
		Long: "A link that leaves the file keeps its place, and the log cannot be purged beyond it. This gives it up for good: what waits for\n" +
			"another attempt becomes dead letters, which `touchbox replay --link ID --as NEW` delivers, what it has not read is recorded as\n" +
			"abandoned. Interrupted at any moment, the same command ends it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.removeLink(ctx, args[0], yes) })
		},
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// removalJSON is the result of a removal.
type removalJSON struct {
	Link string `json:"link"`
	queue.Removal
}

func (d *desk) removeLink(ctx context.Context, id string, yes bool) error {
	left, err := d.PlanRemoval(ctx, id)
	if err != nil {
		return err
	}
	unread := left.Unread + uint64(left.InHand)
	question := d.lang.Sprintf("Remove link %s for good? Unread events that it abandons: up to %d; waiting ones that become dead letters: %d.", id, unread, left.Waiting)
	if err := d.confirm(question, yes); err != nil {
		return err
	}
	removed, err := d.Remove(ctx, id, d.removalBar(int(unread+left.Waiting)))
	if errors.Is(err, context.Canceled) {
		return errors.New(d.lang.Sprintf("stopped; the same command ends it"))
	}
	if err != nil {
		return err
	}
	if d.json {
		return d.showJSON(removalJSON{id, removed}, false)
	}
	d.say("%s is removed; abandoned: %d, made dead letters: %d", id, removed.Abandoned, removed.DeadLetters)
	return nil
}

// removalBar draws the progress on a terminal; elsewhere it stays silent.
func (d *desk) removalBar(total int) func(int) {
	if !app.IsTerminal(d.errs) || total == 0 {
		return nil
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(d.errs), progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
	return func(done int) { _ = bar.Set(min(done, total)) }
}
