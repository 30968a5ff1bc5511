package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) deadlettersCommand() *cobra.Command {
	var by selecting
	cmd := c.withReveal(&cobra.Command{
		Use:   "deadletters",
		Short: "List what was given up, show or count it, or drop it; touchbox replay tries it again",
		Long:  "List dead letters, oldest first; --since and --until are about when they died.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.listDeadLetters(ctx, by) })
		},
	})
	by.add(cmd, byPlace|byEvent|byWhy|bySpan|bounded)
	cmd.AddCommand(c.deadShowCommand(), c.deadCountCommand(), c.deadDropCommand())
	return cmd
}

// deadLetterJSON is a dead letter, as lists show it.
type deadLetterJSON struct {
	Link     string     `json:"link"`
	Key      string     `json:"key"`
	Site     string     `json:"site"`
	Kind     string     `json:"kind"`
	ID       string     `json:"id"`
	Reason   string     `json:"reason"`
	Status   int        `json:"status,omitempty"`
	Answer   string     `json:"answer,omitempty"`
	Attempts int        `json:"attempts"`
	First    *time.Time `json:"first,omitempty"`
	Died     time.Time  `json:"died"`
	Pin      *queue.Pin `json:"pin,omitempty"`
	Revision string     `json:"revision,omitempty"`
	As       string     `json:"as,omitempty"`
	Replayed bool       `json:"replayed,omitempty"`
	Damaged  bool       `json:"damaged,omitempty"`
	Version  string     `json:"version,omitempty"`

	Fields  map[string]any `json:"fields,omitempty"`  // of `show`: masked, unless revealed
	Problem string         `json:"problem,omitempty"` // of `show`: why there are no fields
	Event   *event.Event   `json:"event,omitempty"`   // of `show`, when revealed
}

func newDeadLetter(d queue.DeadLetter) deadLetterJSON {
	key := d.Event.Key
	return deadLetterJSON{
		Link: d.Link, Key: key.String(), Site: key.Site, Kind: key.Kind.Dotted(), ID: key.ID, Reason: d.Reason, Status: d.Status,
		Answer: d.Answer, Attempts: d.Attempts, First: optional(d.First), Died: d.Died, Pin: d.Pin, Revision: d.Revision, As: d.As,
		Replayed: d.Replayed, Damaged: d.Damaged, Version: d.Version,
	}
}

func (d *desk) listDeadLetters(ctx context.Context, by selecting) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	var list []queue.DeadLetter
	total := 0
	for _, f := range s.filters() {
		some, n, err := d.DeadLetters(ctx, f, by.limit)
		if err != nil {
			return err
		}
		list, total = append(list, some...), total+n
	}
	defer d.more(len(list), total)
	if d.json {
		rows := make([]deadLetterJSON, len(list))
		for i, one := range list {
			rows[i] = newDeadLetter(one)
		}
		return d.showJSON(rows, false)
	}
	cells := make([][]string, len(list))
	for i, one := range list {
		cells[i] = []string{one.Link, one.Event.Key.String(), d.when(one.Died), fmt.Sprint(one.Attempts), reasonCell(one.Reason, one.Status), clipped(one.Answer)}
	}
	return d.table(d.lang.Text("LINK\tEVENT\tDIED\tATTEMPTS\tREASON\tANSWER"), cells)
}

func (c *cli) deadShowCommand() *cobra.Command {
	var by selecting
	cmd := c.withReveal(&cobra.Command{
		Use:   "show KEY|ID",
		Short: "Show an event's dead letters whole",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			by.events = args
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.showDeadLetters(ctx, by) })
		},
	})
	cmd.Flags().StringVar(&by.link, "link", "", "of this link only, by its `id`")
	return cmd
}

func (d *desk) showDeadLetters(ctx context.Context, by selecting) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	found := 0
	for _, f := range s.filters() {
		list, total, err := d.DeadLetters(ctx, f, 0)
		if err != nil {
			return err
		}
		found += total
		for _, one := range list {
			if err := d.showDeadLetter(one); err != nil {
				return err
			}
		}
	}
	if found == 0 {
		return errors.New(d.lang.Sprintf("no dead letter of this event"))
	}
	return nil
}

func (d *desk) showDeadLetter(one queue.DeadLetter) error {
	view := newDeadLetter(one)
	view.Fields, view.Problem = d.fieldsOf(one.Event)
	if d.reveal {
		view.Event = &one.Event
	}
	return d.showJSON(view, false) // whole, so JSON for people too
}

func (c *cli) deadCountCommand() *cobra.Command {
	var by selecting
	cmd := c.withJSON(&cobra.Command{
		Use:   "count",
		Short: "Count dead letters by link, reason and status",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				s, err := by.read(ctx, d)
				if err != nil {
					return err
				}
				counts, err := d.CountDead(ctx, s.Filter)
				if err != nil {
					return err
				}
				if d.json {
					return d.showJSON(counts, false)
				}
				cells := make([][]string, len(counts))
				for i, one := range counts {
					cells[i] = []string{one.Link, reasonCell(one.Reason, one.Status), fmt.Sprint(one.Count)}
				}
				return d.table(d.lang.Text("LINK\tREASON\tCOUNT"), cells)
			})
		},
	})
	by.add(cmd, byPlace|byWhy|bySpan)
	return cmd
}

func (c *cli) deadDropCommand() *cobra.Command {
	var by selecting
	var why string
	var yes bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "drop --why TEXT",
		Short: "Remove dead letters for good; the history keeps that and why",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if why == "" {
				return app.Mistakef("%s", c.lang.Sprintf("--why: say why, it is kept in the history"))
			}
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.drop(ctx, by, why, yes) })
		},
	})
	by.add(cmd, byPlace|byEvent|byWhy|bySpan)
	cmd.Flags().StringVar(&why, "why", "", "`text` that the history keeps (required); no personal data")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

func (d *desk) drop(ctx context.Context, by selecting, why string, yes bool) error {
	s, err := by.read(ctx, d)
	if err != nil {
		return err
	}
	total := 0
	for _, f := range s.filters() {
		_, n, err := d.DeadLetters(ctx, f, 1)
		if err != nil {
			return err
		}
		total += n
	}
	if total > 0 {
		if err := d.confirm(d.lang.Sprintf("Drop %d dead letters for good?", total), yes); err != nil {
			return err
		}
	}
	dropped := 0
	for _, f := range s.filters() {
		n, err := d.Drop(ctx, f, why)
		dropped += n
		if err != nil {
			return err
		}
	}
	if d.json {
		return d.showJSON(map[string]int{"dropped": dropped}, false)
	}
	d.say("dropped: %d", dropped)
	return nil
}
