package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

func (c *cli) linksCommand() *cobra.Command {
	var fast bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "links",
		Short: "List the links: how each stands, how far behind it is, and why; stop and start them",
		Long: "List each link's state (running, stopped, parked, shadow, gone, new), its outcomes, what is unread and waits, and each\n" +
			"source's last event. It reads the whole history, some ten seconds for a million events; --fast leaves that out.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.listLinks(ctx, !fast) })
		},
	})
	cmd.Flags().BoolVar(&fast, "fast", false, "without outcomes and sources, which need a scan")
	cmd.AddCommand(
		c.linkCommand("stop", "Stop a link: it keeps its place, other links go on", "stopped", admin.Admin.Stop),
		c.linkCommand("start", "Let a stopped link go on from its place", "started", admin.Admin.Start),
	)
	return cmd
}

func (c *cli) linkCommand(name, short, done string, do func(admin.Admin, context.Context, string) error) *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				if err := do(d.Admin, ctx, args[0]); err != nil {
					return err
				}
				if d.json {
					return d.showJSON(map[string]string{"link": args[0], "state": done}, false)
				}
				_, err := fmt.Fprintf(d.out, "%s: %s\n", args[0], d.lang.Text(done))
				return err
			})
		},
	})
}

// linksJSON is the whole picture.
type linksJSON struct {
	Links   []admin.LinkStatus   `json:"links"`
	Sources []admin.SourceStatus `json:"sources,omitempty"`
}

func (d *desk) listLinks(ctx context.Context, scan bool) error {
	var view linksJSON
	var err error
	if view.Links, err = d.Links(ctx, scan); err != nil {
		return err
	}
	if scan {
		if view.Sources, err = d.Sources(ctx); err != nil {
			return err
		}
	}
	if d.json {
		return d.showJSON(view, false)
	}
	cells := make([][]string, len(view.Links))
	for i, l := range view.Links {
		cells[i] = d.linkCells(l)
	}
	if err := d.table(d.lang.Text("LINK\tSTATE\tUNREAD\tIN HAND\tRETRIES\tDEAD LETTERS\tOLDEST\tLAST SUCCESS\tOUTCOMES"), cells); err != nil {
		return err
	}
	d.printWhys(view.Links)
	d.printSources(view.Sources)
	return nil
}

func (d *desk) linkCells(l admin.LinkStatus) []string {
	oldest, success, outcomes := "", "", ""
	if l.Oldest != nil {
		oldest = time.Since(*l.Oldest).Round(time.Second).String()
	}
	if l.Success != nil {
		success = d.when(*l.Success)
	}
	if l.Outcomes != nil {
		outcomes = countsCell(*l.Outcomes)
	}
	return []string{l.ID, l.State, fmt.Sprint(l.Unread), fmt.Sprint(l.InHand), fmt.Sprint(l.Retries), fmt.Sprint(l.Letters), oldest, success, outcomes}
}

// countsCell writes the outcomes that occur: delivered 12, filtered 3.
func countsCell(c admin.Counts) string {
	cell := ""
	for _, one := range []struct {
		word event.Outcome
		n    int
	}{
		{event.Delivered, c.Delivered}, {event.Shadow, c.Shadow}, {event.Filtered, c.Filtered}, {event.Undeliverable, c.Undeliverable},
		{event.Waiting, c.Waiting}, {event.Dead, c.Dead}, {event.Untaken, c.Untaken}, {event.Erased, c.Erased}, {event.Abandoned, c.Abandoned},
	} {
		if one.n == 0 {
			continue
		}
		if cell != "" {
			cell += ", "
		}
		cell += fmt.Sprintf("%s %d", one.word, one.n)
	}
	return cell
}

// printWhys says below the table what needs more than a cell.
func (d *desk) printWhys(links []admin.LinkStatus) {
	for _, l := range links {
		if l.State == admin.StateParked {
			next := ""
			if l.Next != nil {
				next = d.when(*l.Next)
			}
			d.say("%s is parked: %s; the next probe is at %s", l.ID, admin.Printable(l.Why), next)
		}
		if l.State == admin.StateGone {
			d.say("%s is not in the file any more: it keeps its place", l.ID)
		}
		if l.Differs {
			d.say("%s runs on other events than the file says now", l.ID)
		}
	}
}

func (d *desk) printSources(sources []admin.SourceStatus) {
	for _, s := range sources {
		text := ""
		for _, origin := range slices.Sorted(maps.Keys(s.Last)) {
			text += fmt.Sprintf("  %s %s", origin, d.when(s.Last[origin]))
		}
		if text == "" {
			text = "  " + d.lang.Text("nothing yet")
		}
		d.say("site %s: events stored: %d, the last ones:%s", s.Site, s.Events, text)
	}
}
