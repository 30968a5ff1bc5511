package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) retriesCommand() *cobra.Command {
	var by selecting
	var now, cancel, yes bool
	cmd := c.withReveal(&cobra.Command{
		Use:   "retries",
		Short: "List what waits for its next attempt, run it now, or give it up",
		Long: "List the events that wait in RETRIES: until when, after which error, replays too. --now makes those that the flags select due\n" +
			"at once, --cancel makes dead letters of them, which can be replayed. --since and --until are about when the waiting began.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if now && cancel {
				return app.Mistakef("%s", c.lang.Sprintf("--now and --cancel exclude each other"))
			}
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				s, err := by.read(ctx, d)
				if err != nil {
					return err
				}
				switch {
				case now:
					return d.changeRetries(ctx, s, c.lang.Text("made due now"), d.RunNow)
				case cancel:
					if err := d.confirm(c.lang.Text("Give up what waits, as dead letters?"), yes); err != nil {
						return err
					}
					return d.changeRetries(ctx, s, c.lang.Text("made dead letters"), d.Cancel)
				}
				return d.listRetries(ctx, s, by.limit)
			})
		},
	})
	by.add(cmd, byPlace|byEvent|byWhy|bySpan|bounded)
	cmd.Flags().BoolVar(&now, "now", false, "make the next attempt at once")
	cmd.Flags().BoolVar(&cancel, "cancel", false, "make dead letters of what waits")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (d *desk) changeRetries(ctx context.Context, s selected, what string, change func(context.Context, queue.Filter) (int, error)) error {
	sum := 0
	for _, f := range s.filters() {
		n, err := change(ctx, f)
		sum += n
		if err != nil {
			return err
		}
	}
	if d.json {
		return d.showJSON(map[string]int{"changed": sum}, false)
	}
	_, err := fmt.Fprintf(d.out, "%d %s\n", sum, what)
	return err
}

// retryJSON is an event that waits.
type retryJSON struct {
	Link     string     `json:"link"`
	Key      string     `json:"key"`
	Until    *time.Time `json:"until,omitempty"`
	Due      bool       `json:"due"`
	Attempts int        `json:"attempts"`
	First    *time.Time `json:"first,omitempty"`
	Reason   string     `json:"reason,omitempty"`
	Status   int        `json:"status,omitempty"`
	Error    string     `json:"error,omitempty"`
	Pin      *queue.Pin `json:"pin,omitempty"`
	Revision string     `json:"revision,omitempty"`
	As       string     `json:"as,omitempty"`
	Replayed bool       `json:"replayed"`
}

func (d *desk) listRetries(ctx context.Context, s selected, limit int) error {
	var list []queue.Retry
	total := 0
	for _, f := range s.filters() {
		some, n, err := d.Retries(ctx, f, limit)
		if err != nil {
			return err
		}
		list, total = append(list, some...), total+n
	}
	defer d.more(len(list), total)
	if d.json {
		rows := make([]retryJSON, len(list))
		for i, r := range list {
			rows[i] = retryJSON{
				Link: r.Link, Key: r.Event.Key.String(), Until: optional(r.Until), Due: r.Due, Attempts: r.Attempts, First: optional(r.First),
				Reason: r.Reason, Status: r.Status, Error: r.LastError, Pin: r.Pin, Revision: r.Revision, As: r.As, Replayed: r.Replayed,
			}
		}
		return d.showJSON(rows, false)
	}
	cells := make([][]string, len(list))
	for i, r := range list {
		until := d.when(r.Until)
		if r.Due {
			until = d.lang.Text("due")
		}
		cells[i] = []string{r.Link, r.Event.Key.String(), until, fmt.Sprint(r.Attempts), reasonCell(r.Reason, r.Status), clipped(r.LastError)}
	}
	return d.table(d.lang.Text("LINK\tEVENT\tUNTIL\tATTEMPTS\tREASON\tLAST ERROR"), cells)
}

// optional is a time that JSON leaves out when it is zero.
func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func reasonCell(reason string, status int) string {
	if status == 0 {
		return reason
	}
	return fmt.Sprintf("%s %d", reason, status)
}

// clipped keeps a cell of a table short.
func clipped(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
