package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) eventCommand() *cobra.Command {
	var number string
	cmd := c.withReveal(&cobra.Command{
		Use:   "event KEY|ID | event --phone NUMBER",
		Short: "Show all that is known of one event, and why it did or did not reach Mindbox",
		Long: "Show an event by its key (10001/call-ended/148071), by Calltouch's id alone, or all events of a phone: what came, and for\n" +
			"each link every attempt, answer and outcome. With --json one object for each event.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (number == "") == (len(args) == 0) {
				return app.Mistakef("%s", c.lang.Sprintf("name one event, or give --phone"))
			}
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				keys, err := d.keysOf(ctx, args, number)
				if err != nil {
					return err
				}
				for _, key := range keys {
					if err := d.showEvent(ctx, key); err != nil {
						return err
					}
				}
				return nil
			})
		},
	})
	cmd.Flags().StringVar(&number, "phone", "", "all events of this phone `number`, in any spelling; reads the whole log")
	return cmd
}

// keysOf finds the events that a person means.
func (d *desk) keysOf(ctx context.Context, args []string, number string) ([]event.Key, error) {
	if number == "" {
		keys, err := d.Find(ctx, args[0])
		if errors.Is(err, queue.ErrNotFound) {
			return nil, errors.New(d.lang.Sprintf("no event %s: never stored, or older than what is kept; a hook without an id is in `touchbox aside`", admin.Printable(args[0])))
		}
		return keys, err
	}
	match, err := d.byPhone(number)
	if err != nil {
		return nil, err
	}
	rows, total, err := d.Events(ctx, admin.EventQuery{Match: match})
	if err != nil {
		return nil, err
	}
	d.more(len(rows), total)
	if total == 0 {
		return nil, errors.New(d.lang.Sprintf("no event of this phone is stored"))
	}
	keys := make([]event.Key, len(rows))
	for i, row := range rows {
		keys[i] = row.Event.Key
	}
	return keys, nil
}

// byPhone finds the caller's number in any spelling.
func (d *desk) byPhone(number string) (func(map[string]any) bool, error) {
	o := phone.Options{TenDigits: "7"}
	want := phone.Normalize(number, o)
	if want == "" {
		return nil, app.Mistakef("%s", d.lang.Sprintf("--phone: that is no number that can be called"))
	}
	return func(fields map[string]any) bool {
		caller, _ := fields["callerphone"].(string)
		return caller != "" && phone.Normalize(caller, o) == want
	}, nil
}

// eventJSON is an event with its timeline, as --json shows it.
type eventJSON struct {
	rowJSON
	Stored   *time.Time     `json:"stored,omitempty"`
	Sequence uint64         `json:"sequence,omitempty"`
	Fields   map[string]any `json:"fields,omitempty"`  // masked, unless revealed
	Problem  string         `json:"problem,omitempty"` // why there are no fields
	Links    []linkJSON     `json:"links"`
	Notes    []queue.Record `json:"notes,omitempty"`
	Event    *event.Event   `json:"event,omitempty"` // with its raw body; when revealed only
}

// linkJSON is what a link made of an event.
type linkJSON struct {
	Link       string          `json:"link"`
	Outcome    event.Outcome   `json:"outcome"`
	Until      *time.Time      `json:"until,omitempty"` // it waits, not before this
	Records    []queue.Record  `json:"records"`
	DeadLetter *deadLetterJSON `json:"deadletter,omitempty"`
}

func (d *desk) showEvent(ctx context.Context, key event.Key) error {
	t, err := d.Timeline(ctx, key)
	if err != nil {
		return err
	}
	view := d.eventJSON(t)
	if d.json {
		return d.showJSON(view, false)
	}
	return d.printEvent(t, view)
}

func (d *desk) eventJSON(t admin.Timeline) eventJSON {
	view := eventJSON{rowJSON: newRow(event.Event{Key: t.Key}, nil), Notes: t.Notes, Links: []linkJSON{}}
	if t.Event != nil {
		view.rowJSON = newRow(*t.Event, nil)
		view.Stored, view.Sequence = &t.Event.Stored, t.Event.Sequence
		view.Fields, view.Problem = d.fieldsOf(*t.Event)
		if d.reveal {
			view.Event = t.Event
		}
	}
	for _, l := range t.Links {
		one := linkJSON{Link: l.Link, Outcome: l.Outcome, Records: l.Records}
		if one.Records == nil {
			one.Records = []queue.Record{}
		}
		if l.Retry != nil && !l.Retry.Until.IsZero() {
			one.Until = &l.Retry.Until
		}
		if l.DeadLetter != nil {
			letter := newDeadLetter(*l.DeadLetter)
			one.DeadLetter = &letter
		}
		view.Links = append(view.Links, one)
	}
	return view
}

// fieldsOf reads an event's fields and masks the personal ones, or says why it cannot.
func (d *desk) fieldsOf(e event.Event) (map[string]any, string) {
	fields, err := d.Fields(e)
	if err != nil {
		return nil, err.Error()
	}
	for name, value := range fields {
		attrs, isAttrs := value.(map[string]string)
		if value == nil || isAttrs && len(attrs) == 0 {
			delete(fields, name)
			continue
		}
		fields[name] = d.shown(name, value)
	}
	return fields, ""
}
