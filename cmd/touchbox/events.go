package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// eventsFlags say which events, and whether to go on.
type eventsFlags struct {
	by             filterFlags
	outcome, phone string
	follow         bool
}

func (c *cli) eventsCommand() *cobra.Command {
	var f eventsFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "events",
		Short: "List stored events with their outcomes, the newest last",
		Long: "List the newest events that the flags select, with what each link made of them; --since and --until are about when the call\n" +
			"or request happened. The log is read from its end, until there are enough; --phone reads on until it has as many, as a rule all\n" +
			"of the log. What has an --outcome is known by the counts that a worker keeps: only what it has not counted yet is read.\n" +
			"A long reading shows how far it is; Ctrl-C stops it, and what was found until then is listed.\n" +
			"--follow goes on with what comes, until Ctrl-C; with --json one object a line then.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error {
			q, err := d.eventQuery(ctx, f)
			if err == nil {
				err = d.revealing(ctx, "events: "+eventsText(q))
			}
			if err != nil {
				return err
			}
			if f.follow {
				list := d.eventListing()
				return d.admin.Follow(ctx, q, func(r admin.Row) error { return list.follow(d.cli, r) })
			}
			return d.listEvents(ctx, q)
		}),
	})
	f.by.add(cmd, byPlace|bySpan|bounded)
	cmd.Flags().StringVar(&f.outcome, "outcome", "", "only with this newest outcome, for --link or for any link")
	cmd.Flags().StringVar(&f.phone, "phone", "", "only of this phone `number`, in any field and spelling; - reads it from the terminal")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "go on with new events and new outcomes as they come")
	return cmd
}

func (d *desk) eventQuery(ctx context.Context, f eventsFlags) (admin.EventQuery, error) {
	s, err := f.by.read(ctx, d)
	if err != nil {
		return admin.EventQuery{}, err
	}
	q := admin.EventQuery{Site: s.filter.Site, Kind: s.filter.Kind, Link: s.filter.Link, Since: s.filter.Since, Until: s.filter.Until, Limit: f.by.limit}
	if q.Outcome, err = d.readOutcome(f.outcome); err != nil {
		return q, err
	}
	if f.phone != "" {
		masked := ""
		if q.About, masked, err = d.byPhone(f.phone); err != nil {
			return q, err
		}
		if err := d.foundByPhone(ctx, masked, 0); err != nil {
			return q, err
		}
	}
	if f.by.limit == 0 {
		return q, app.Mistakef("%s", d.lang.Sprintf("--limit: want a positive number"))
	}
	return q, nil
}

// eventsText says in words what a query selects.
func eventsText(q admin.EventQuery) string {
	return strings.TrimSpace(string(q.Outcome) + " " + admin.FilterText(admin.Filter{Link: q.Link, Site: q.Site, Kind: q.Kind, Since: q.Since, Until: q.Until}))
}

func (d *desk) listEvents(ctx context.Context, q admin.EventQuery) error {
	rows, total, err := d.admin.Events(ctx, q)
	if err != nil && (len(rows) == 0 || !errors.Is(err, context.Canceled)) {
		return err
	}
	d.sayDamaged(damaged(rows))
	return errors.Join(d.eventListing().print(d.cli, rows, total), err)
}

func (d *desk) eventListing() listing[admin.Row] {
	return listing[admin.Row]{
		header: d.lang.Sprintf("EVENT\tKIND\tHAPPENED (%s)\tBY\tCALLER\tOUTCOMES", d.zoneName()),
		cells:  d.eventCells,
		json:   func(r admin.Row) any { return d.mask().Row(r) },
		line:   "%[3]s  %-30[1]s %-16[2]s %-8[4]s %-13[5]s %[6]s",
	}
}

// damaged are the keys of the rows that were read only in part.
func damaged(rows []admin.Row) []string {
	var keys []string
	for _, row := range rows {
		if row.Event.Damaged {
			keys = append(keys, row.Event.Key.String())
		}
	}
	return keys
}

func (d *desk) eventCells(row admin.Row) []string {
	caller := ""
	if fields, err := d.admin.Fields(row.Event); err == nil && fields["callerphone"] != nil {
		caller = d.noNumber(fmt.Sprint(d.mask().Field("callerphone", fields["callerphone"])))
	}
	return []string{row.Event.Key.String(), d.kindWord(string(row.Event.Key.Kind)), d.when(row.Event.Time), d.lang.Text(string(row.Event.Origin)), caller, d.outcomeCell(row.Outcomes)}
}

// noNumber says of a word in the place of a phone that it is none.
func (c *cli) noNumber(shown string) string {
	if calltouch.Withheld(shown) {
		return c.lang.Sprintf("%s (not a number)", shown)
	}
	return shown
}

// outcomeCell writes outcomes by link: calls-dynamic delivered, calls-static filtered.
func (c *cli) outcomeCell(outcomes map[string]event.Outcome) string {
	parts := make([]string, 0, len(outcomes))
	for _, link := range slices.Sorted(maps.Keys(outcomes)) {
		parts = append(parts, link+" "+c.lang.Coded(string(outcomes[link])))
	}
	return strings.Join(parts, ", ")
}
