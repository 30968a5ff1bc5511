package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/watch"
)

func (c *cli) linksCommand() *cobra.Command {
	var fast bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "links",
		Short: "List the links: how each stands, how far behind it is, and why; stop, start, reset, remove them, show their versions",
		Long: "List each link's state (running, stopped, parked, shadow, gone, new, unwell), its outcomes, what is unread and waits, and each\n" +
			"source's last event. A worker counts the outcomes ahead; what it has not counted yet is read, all of the log and the history where\n" +
			"it has only begun: some ten seconds for a million events, which Ctrl-C stops and --fast leaves out.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.listLinks(ctx, fast) }),
	})
	cmd.Flags().BoolVar(&fast, "fast", false, "without outcomes and sources, which need a scan")
	cmd.AddCommand(
		c.linksStopCommand(),
		c.linksStartCommand(),
		c.linksHistoryCommand(), c.linksResetCommand(), c.linksRemoveCommand(),
	)
	return cmd
}

func (c *cli) linksStopCommand() *cobra.Command {
	why := ""
	cmd := c.linkCommand("stop", "Stop a link: it keeps its place, other links go on", "stopped", func(a admin.Admin, ctx context.Context, id string) error {
		return a.Stop(ctx, id, why)
	})
	cmd.Flags().StringVar(&why, "why", "", "`text` that stands beside the link until it is started, and in the audit; no personal data")
	return cmd
}

func (c *cli) linksStartCommand() *cobra.Command {
	why := ""
	cmd := c.linkCommand("start", "Let a stopped link go on from its place", "started", func(a admin.Admin, ctx context.Context, id string) error {
		return a.Start(ctx, id, why)
	})
	cmd.Flags().StringVar(&why, "why", "", "`text` that the audit keeps; no personal data")
	return cmd
}

func (c *cli) linkCommand(name, short, done string, do func(admin.Admin, context.Context, string) error) *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error {
			if err := do(d.admin, ctx, args[0]); err != nil {
				return err
			}
			if d.json {
				return d.printJSON(map[string]string{"link": args[0], "state": done})
			}
			_, err := fmt.Fprintf(d.out, "%s: %s\n", args[0], d.lang.Text(done))
			return err
		}),
	})
}

// linksJSON is the whole picture.
type linksJSON struct {
	Links    []admin.LinkStatus   `json:"links"`
	Sources  []admin.SourceStatus `json:"sources,omitempty"`
	Troubles []watch.Trouble      `json:"troubles,omitempty"`
}

// listLinks shows the links; a fast list goes without what needs a scan.
func (d *desk) listLinks(ctx context.Context, fast bool) error {
	var view linksJSON
	var err error
	if fast {
		view.Links, err = d.admin.Links(ctx)
	} else {
		view.Links, view.Sources, err = d.admin.LinksWithOutcomes(ctx)
	}
	if err != nil {
		return err
	}
	if view.Troubles, err = watch.ListTroubles(ctx, d.admin.Queue.State(), time.Now()); err != nil {
		return err
	}
	return d.printLinks(view)
}

func (d *desk) printLinks(view linksJSON) error {
	if d.json {
		return d.printJSON(view)
	}
	table := listing[admin.LinkStatus]{
		header: d.lang.Sprintf("LINK\tSTATE\tUNREAD\tIN HAND\tRETRIES\tDEAD LETTERS\tOLDEST\tLAST SUCCESS (%s)\tOUTCOMES", d.zoneName()),
		cells:  d.linkCells,
	}
	if err := table.print(d.cli, view.Links, len(view.Links)); err != nil {
		return err
	}
	d.printWhys(view.Links)
	d.printTroubles(view.Troubles)
	d.printSources(view.Sources)
	return nil
}

func (d *desk) linkCells(l admin.LinkStatus) []string {
	oldest, success, outcomes := "", "", ""
	if l.Oldest != nil {
		oldest = d.lang.Duration(time.Since(*l.Oldest).Round(time.Second))
	}
	if l.Success != nil {
		success = d.when(*l.Success)
	}
	if l.Outcomes != nil {
		outcomes = d.countsCell(*l.Outcomes)
	}
	return []string{l.ID, d.lang.Text(l.State), fmt.Sprint(l.Unread), fmt.Sprint(l.InHand), fmt.Sprint(l.Retries), fmt.Sprint(l.DeadLetters), oldest, success, outcomes}
}

// countsCell writes the outcomes that occur: delivered 12, filtered 3.
func (c *cli) countsCell(n admin.Counts) string {
	cell := ""
	for _, one := range []struct {
		word event.Outcome
		n    int
	}{
		{event.Delivered, n.Delivered}, {event.Shadow, n.Shadow}, {event.Filtered, n.Filtered}, {event.Undeliverable, n.Undeliverable},
		{event.Waiting, n.Waiting}, {event.Dead, n.Dead}, {event.Untaken, n.Untaken}, {event.Erased, n.Erased}, {event.Abandoned, n.Abandoned},
		{event.Dropped, n.Dropped},
	} {
		if one.n == 0 {
			continue
		}
		if cell != "" {
			cell += ", "
		}
		cell += fmt.Sprintf("%s %d", c.lang.Coded(string(one.word)), one.n)
	}
	return cell
}

// printWhys says below the table what needs more than a cell.
func (d *desk) printWhys(links []admin.LinkStatus) {
	unwell := slices.IndexFunc(links, func(l admin.LinkStatus) bool { return l.State == admin.StateUnwell })
	if unwell >= 0 {
		d.say("the queue is unwell, hooks are answered 503 and nothing is delivered: %s", show.Printable(links[unwell].Why))
	}
	for _, l := range links {
		if l.State == admin.StateParked {
			next := ""
			if l.Next != nil {
				next = d.when(*l.Next)
			}
			d.say("%s is parked: %s; the next probe is at %s", l.ID, d.parkedBy(l.Why), next)
		}
		if l.State == admin.StateStopped && l.At != nil {
			text := d.lang.Sprintf("%s was stopped by %s at %s", l.ID, show.Printable(l.By), d.when(*l.At))
			if l.Why != "" {
				text += ": " + show.Printable(l.Why)
			}
			_, _ = fmt.Fprintln(d.out, text)
		}
		if l.State == admin.StateGone {
			d.say("%s is not in the file any more: it keeps its place; `touchbox links remove %s` gives it up", l.ID, l.ID)
		}
		if l.Differs {
			d.say("%s runs on other events than the file says now; `touchbox links reset %s` changes that", l.ID, l.ID)
		}
	}
}

// printTroubles says what the requests of the last day showed to be wrong.
func (d *desk) printTroubles(troubles []watch.Trouble) {
	for _, t := range troubles {
		text := ""
		switch t.Reason {
		case calltouch.TroubleKey:
			text = d.lang.Text("hooks come with a wrong key, are answered 404: compare the webhook's address in Calltouch with the one of touchbox.yaml")
		case calltouch.TroubleNoKey:
			text = d.lang.Text("hooks come, are answered 404, and the site has no key in touchbox.yaml: give it one, and enter it in Calltouch")
		case calltouch.TroubleSite:
			text = d.lang.Text("hooks come, are answered 404, and the site is not in touchbox.yaml: compare the webhook's address in Calltouch with the file")
		case calltouch.TroubleNetwork:
			text = d.lang.Text("hooks come with the right key from a network that is not allowed: check INGEST_ALLOW and INGEST_TRUSTED_PROXIES")
		case calltouch.TroubleTimezone:
			text = d.lang.Sprintf("the time zone in touchbox.yaml is wrong: the cabinet's clock shows %s", t.Detail)
		}
		site := t.Site
		if site == "" {
			site = "?"
		}
		d.say("site %s: %s (%d times, the last one %s)", site, text, t.Count, d.when(t.Last))
	}
}

// printSources says of each site what came last, and how.
func (d *desk) printSources(sources []admin.SourceStatus) {
	for _, s := range sources {
		text := ""
		for _, origin := range slices.Sorted(maps.Keys(s.Last)) {
			text += fmt.Sprintf("  %s %s", d.lang.Text(string(origin)), d.when(s.Last[origin]))
		}
		if text == "" {
			text = "  " + d.lang.Text("nothing yet")
		}
		d.say("site %s: events stored: %d, the last ones:%s", s.Site, s.Events, text)
	}
}

func (c *cli) linksResetCommand() *cobra.Command {
	var yes bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "reset ID",
		Short: "Bring what a link reads, and from when on, to what the file says",
		Long: "A link keeps the sites, the events and the start with which it first ran, whatever the file says later; all else of it may\n" +
			"change at any time. This brings them to the file. The link reads the log again from its start: what has an outcome is not\n" +
			"sent again, what it had not taken so far is. A running worker takes it up at once. Without `since` in the file the start stays.",
		Args: cobra.ExactArgs(1),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error { return d.resetLink(ctx, args[0], yes) }),
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (d *desk) resetLink(ctx context.Context, id string, yes bool) error {
	if err := d.needsFile(); err != nil {
		return err
	}
	plan, err := d.admin.PlanReset(ctx, id)
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
		plan, err = d.admin.Reset(ctx, id, queue.Watching{Waits: d.waits})
		if errors.Is(err, context.Canceled) {
			return errors.New(d.lang.Sprintf("stopped; the same command ends it"))
		}
		if err != nil {
			return err
		}
	}
	if d.json {
		return d.printJSON(plan)
	}
	if !plan.Changed {
		d.say("%s is as the file says", id)
		return nil
	}
	d.say("%s is reset", id)
	return nil
}

// printReset shows what changes.
func (d *desk) printReset(r admin.ResetPlan) {
	if !r.Before.Start.Equal(r.After.Start) {
		d.say("%s starts at %s, so far at %s", r.Link, d.when(r.After.Start), d.when(r.Before.Start))
	}
	if before, after := event.SubjectsText(r.Before.Subjects), event.SubjectsText(r.After.Subjects); before != after {
		d.say("%s reads %s, so far %s", r.Link, after, before)
	}
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
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error { return d.removeLink(ctx, args[0], yes) }),
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
	if err := d.needsFile(); err != nil {
		return err
	}
	left, err := d.admin.PlanRemoval(ctx, id)
	if err != nil {
		return err
	}
	unread := left.Unread + uint64(left.InHand)
	question := d.lang.Sprintf("Remove link %s for good? Unread events that it abandons: up to %d; waiting ones that become dead letters: %d.", id, unread, left.Waiting)
	if err := d.confirm(question, yes); err != nil {
		return err
	}
	removed, err := d.admin.Remove(ctx, id, queue.Watching{Done: d.removalBar(int(unread + left.Waiting)), Waits: d.waits})
	if errors.Is(err, context.Canceled) {
		return errors.New(d.lang.Sprintf("stopped; the same command ends it"))
	}
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(removalJSON{id, removed})
	}
	d.say("%s is removed; abandoned: %d, made dead letters: %d", id, removed.Abandoned, removed.DeadLetters)
	return nil
}

// waits says on standard error what a command waits for, and how long at most.
func (d *desk) waits(w queue.Wait) {
	text := d.lang.Text("waiting for what a worker has in hand of the link")
	if w.For == queue.WaitReset {
		text = d.lang.Text("waiting for another reset or removal of the link")
	}
	_, _ = fmt.Fprintln(d.errs, d.lang.Sprintf("%s, at most %s", text, time.Until(w.Until).Round(time.Second)))
}

// removalBar draws the progress on a terminal; elsewhere it stays silent.
func (d *desk) removalBar(total int) func(int) {
	bar := d.newProgress(countsItems)
	if bar == nil || total == 0 {
		return nil
	}
	return func(done int) { bar.show(nil, "", done, total) }
}
