package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

func (c *cli) eventsCommand() *cobra.Command {
	var by selecting
	var outcome, number string
	var follow bool
	cmd := c.withReveal(&cobra.Command{
		Use:   "events",
		Short: "List stored events with their outcomes, the newest last",
		Long: "List the newest events that the flags select, with what each link made of them; --since and --until are about when the call\n" +
			"or request happened. --follow goes on with what comes, until Ctrl-C; with --json one object a line then.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				q, err := d.eventQuery(ctx, by, outcome, number)
				if err != nil {
					return err
				}
				if follow {
					return d.Follow(ctx, q, func(r admin.Row) error { return d.followed(r) })
				}
				return d.listEvents(ctx, q)
			})
		},
	})
	by.add(cmd, byPlace|bySpan|bounded)
	cmd.Flags().StringVar(&outcome, "outcome", "", "only with this newest outcome, for --link or for any link")
	cmd.Flags().StringVar(&number, "phone", "", "only of this phone `number`, in any spelling")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with new events and new outcomes as they come")
	return cmd
}

func (d *desk) eventQuery(ctx context.Context, by selecting, outcome, number string) (admin.EventQuery, error) {
	s, err := by.read(ctx, d)
	if err != nil {
		return admin.EventQuery{}, err
	}
	q := admin.EventQuery{Site: s.Site, Kind: s.Kind, Link: s.Link, Since: s.Since, Until: s.Until, Limit: by.limit}
	if q.Outcome, err = d.outcome(outcome); err != nil {
		return q, err
	}
	if number != "" {
		if q.Match, err = d.byPhone(number); err != nil {
			return q, err
		}
	}
	if by.limit == 0 {
		return q, app.Mistakef("--limit: want a positive number")
	}
	return q, nil
}

// rowJSON is one event of a list.
type rowJSON struct {
	Key      string                   `json:"key"`
	Site     string                   `json:"site"`
	Kind     string                   `json:"kind"`
	ID       string                   `json:"id"`
	Origin   event.Origin             `json:"origin,omitempty"`
	Time     *time.Time               `json:"time,omitempty"` // of the call or request
	Received *time.Time               `json:"received,omitempty"`
	Outcomes map[string]event.Outcome `json:"outcomes,omitempty"` // by link
}

func newRow(e event.Event, outcomes map[string]event.Outcome) rowJSON {
	row := rowJSON{Key: e.Key.String(), Site: e.Key.Site, Kind: e.Key.Kind.Dotted(), ID: e.Key.ID, Origin: e.Origin, Outcomes: outcomes}
	if !e.Received.IsZero() {
		row.Time, row.Received = &e.Time, &e.Received
	}
	return row
}

func (d *desk) listEvents(ctx context.Context, q admin.EventQuery) error {
	rows, total, err := d.Events(ctx, q)
	if err != nil {
		return err
	}
	defer d.more(len(rows), total)
	if d.json {
		list := make([]rowJSON, len(rows))
		for i, row := range rows {
			list[i] = newRow(row.Event, row.Outcomes)
		}
		return d.showJSON(list, false)
	}
	cells := make([][]string, len(rows))
	for i, row := range rows {
		cells[i] = d.eventCells(row)
	}
	return d.table(d.lang.Text("EVENT\tHAPPENED\tBY\tCALLER\tOUTCOMES"), cells)
}

func (d *desk) eventCells(row admin.Row) []string {
	caller := ""
	if fields, err := d.Fields(row.Event); err == nil && fields["callerphone"] != nil {
		caller = fmt.Sprint(d.shown("callerphone", fields["callerphone"]))
	}
	return []string{row.Event.Key.String(), d.when(row.Event.Time), string(row.Event.Origin), caller, outcomeCell(row.Outcomes)}
}

// outcomeCell writes outcomes by link: calls-dynamic delivered, calls-static filtered.
func outcomeCell(outcomes map[string]event.Outcome) string {
	parts := make([]string, 0, len(outcomes))
	for _, link := range slices.Sorted(maps.Keys(outcomes)) {
		parts = append(parts, link+" "+string(outcomes[link]))
	}
	return strings.Join(parts, ", ")
}

// followed prints a row of the live tail.
func (d *desk) followed(row admin.Row) error {
	if d.json {
		return d.showJSON(newRow(row.Event, row.Outcomes), true)
	}
	cells := d.eventCells(row)
	for i := range cells {
		cells[i] = admin.Printable(cells[i])
	}
	_, err := fmt.Fprintf(d.out, "%s  %-30s %-8s %-13s %s\n", cells[1], cells[0], cells[2], cells[3], cells[4])
	return err
}
