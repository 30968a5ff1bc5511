package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

func (c *cli) eventCommand() *cobra.Command {
	var number string
	cmd := c.withReveal(&cobra.Command{
		Use:   "event KEY|ID|PHONE | event --phone NUMBER",
		Short: "Show all that is known of one event, and why it did or did not reach Mindbox",
		Long: "Show an event by its key (10001/call-ended/148071), by Calltouch's id alone, or all events of a phone: what came, and for\n" +
			"each link every attempt, answer and outcome. Digits that are no stored id and can be a phone are looked for as one. With\n" +
			"--json one object for each event.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (number == "") == (len(args) == 0) {
				return app.Mistakef("%s", c.lang.Sprintf("name one event, or give --phone"))
			}
			return c.withDesk(cmd.Context(), func(ctx context.Context, d *desk) error { return d.showEvents(ctx, args, number) })
		},
	})
	cmd.Flags().StringVar(&number, "phone", "", "all events of this phone `number`, in any field and spelling; - reads it from the terminal; reads the whole log")
	return cmd
}

func (d *desk) showEvents(ctx context.Context, args []string, number string) error {
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
}

// keysOf finds the events that a person means.
func (d *desk) keysOf(ctx context.Context, args []string, number string) ([]event.Key, error) {
	if number == "" {
		keys, err := d.admin.Find(ctx, args[0])
		if !errors.Is(err, queue.ErrNotFound) && !errors.Is(err, event.ErrBadKey) {
			return keys, err
		}
		if phone, ok := d.phoneOf(args[0]); ok {
			return d.keysOf(ctx, nil, phone)
		}
		if errors.Is(err, queue.ErrNotFound) {
			return nil, errors.New(d.lang.Sprintf("no event %s: never stored, or older than what is kept; a hook without an id is in `touchbox aside`", show.Printable(args[0])))
		}
		return keys, err
	}
	match, masked, err := d.byPhone(number)
	if err != nil {
		return nil, err
	}
	rows, total, err := d.admin.Events(ctx, admin.EventQuery{About: match})
	if err == nil {
		err = d.foundByPhone(ctx, masked, len(rows))
	}
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

// phoneOf reads an argument as a phone: a number as people write one, with so many digits as no id of Calltouch's has.
func (d *desk) phoneOf(text string) (number string, ok bool) {
	const least = 10
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
	if strings.ContainsAny(text, "/") || len(digits) < least {
		return "", false
	}
	number = d.admin.Number(text)
	return number, number != ""
}

// byPhone finds a number in any field and spelling, as erase does. It is masked for the audit.
func (d *desk) byPhone(text string) (match func(event.Event) bool, masked string, err error) {
	number, err := d.readPhone(text)
	return d.admin.About(number), show.Hide(number), err
}

// foundByPhone writes down that somebody looked for a phone.
func (d *desk) foundByPhone(ctx context.Context, masked string, found int) error {
	return d.admin.Audit(ctx, admin.AuditEntry{Verb: admin.VerbFindPhone, On: masked, Found: found})
}

func (d *desk) showEvent(ctx context.Context, key event.Key) error {
	t, err := d.admin.Timeline(ctx, key)
	if err == nil {
		err = d.revealing(ctx, key.String())
	}
	if err != nil {
		return err
	}
	if t.Event != nil && t.Event.Damaged {
		d.sayDamaged([]string{key.String()})
	}
	view := d.admin.EventView(t, d.mask())
	if d.json {
		return d.printJSON(view)
	}
	d.printEvent(t, view)
	return nil
}

// printEvent shows an event to a person: what came, and below it what each link made of it.
func (d *desk) printEvent(t admin.Timeline, view admin.EventView) {
	d.say("Event %s: %s", t.Key.String(), d.kindWord(string(t.Key.Kind)))
	switch e := t.Event; {
	case e != nil:
		d.say("  happened %s, came %s by %s", d.when(e.Time), d.when(e.Received), d.lang.Text(string(e.Origin)))
	case t.Erased:
		d.say("  the person was erased, and with them all that was known of it")
	default:
		d.say("  the event itself is no longer kept, only what became of it")
	}
	d.sayUnreadable(view.Problem)
	for _, doubt := range view.Doubts {
		_, _ = fmt.Fprintf(d.out, "  %s\n", d.lang.Text(doubt.Text()))
	}
	d.printValues(view.Fields)
	for _, r := range view.Notes {
		d.printRecord(r)
	}
	if len(t.Links) == 0 {
		d.say("No link reads it.")
	}
	for _, l := range t.Links {
		d.printLink(l)
	}
}

// kindWord says what an event is, by its kind, in small letters.
func (d *desk) kindWord(code string) string {
	return strings.ToLower(d.lang.Text(admin.KindWord(code)))
}

// printValues shows the fields of an event, by name, with what each is.
func (d *desk) printValues(fields map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		value := fields[name]
		switch v := value.(type) {
		case time.Time:
			value = d.when(v)
		case string:
			value = d.noNumber(v)
		}
		_, _ = fmt.Fprintf(d.out, "  %-20s %-32s %s\n", show.Printable(name), calltouch.Meaning(name, string(d.lang)), oneLine(value))
	}
}

// sayUnreadable says why there are no fields, where there are none.
func (d *desk) sayUnreadable(problem string) {
	if problem != "" {
		d.say("  its body cannot be read: %s", show.Printable(d.lang.Error(errors.New(problem))))
	}
}

// titled is the id of a link, with its title where it has one.
func (d *desk) titled(id string) string {
	if l := d.admin.File.Link(id); l != nil && l.Title != "" {
		return id + " (" + show.Printable(l.Title) + ")"
	}
	return id
}

func (d *desk) printLink(l admin.LinkTimeline) {
	d.say("Link %s: %s", d.titled(l.Link), d.lang.Coded(string(l.Outcome)))
	for _, r := range d.mask().Records(l.Records) {
		d.printRecord(r)
	}
	switch {
	case l.Retry != nil && l.Retry.Due:
		d.say("  waits for a worker; `touchbox links` says whether the link is stopped or parked")
	case l.Retry != nil:
		d.say("  the next attempt is at %s; `touchbox retries --now` makes it now", d.when(l.Retry.Until))
	case l.Outcome == event.Waiting:
		d.say("  not read yet; `touchbox links` says whether the link is stopped or parked")
	case l.Outcome == event.Untaken:
		d.say("  from before the link's start, or from a backfill: `touchbox replay --outcome untaken` delivers it")
	}
	if l.DeadLetter != nil {
		d.say("  a dead letter is there: `touchbox replay --link %s --event %s` tries again", l.Link, l.DeadLetter.Event.Key.String())
	}
}

// printRecord prints one line of a timeline, and below it what the line rests on.
func (d *desk) printRecord(r admin.RecordView) {
	note := r.Note
	if note == string(r.Outcome) { // "dropped" is both
		note = ""
	}
	words := []string{d.lang.Coded(string(r.Outcome)), d.lang.Text(admin.NoteWord(note)), d.reasonOf(r)}
	add := func(ok bool, text string) {
		if ok {
			words = append(words, text)
		}
	}
	add(r.Status != 0, fmt.Sprint(r.Status))
	add(r.Attempts > 0, d.lang.Sprintf("attempt %d", r.Attempts))
	add(r.DurationMS > 0, d.lang.Sprintf("%.0f ms", r.DurationMS))
	add(r.Parked, d.lang.Text("parked"))
	add(r.Probe, d.lang.Text("a probe"))
	add(r.Replayed, d.lang.Text("by a replay"))
	add(r.By != "", d.lang.Sprintf("by %s", r.By))
	add(r.Revision != "", d.lang.Sprintf("revision %s", r.Revision))
	add(r.As != "", d.lang.Sprintf("under the name of %s", r.As))
	add(!r.Until.IsZero(), d.lang.Sprintf("until %s", d.when(r.Until)))
	add(r.TransactionID != "", d.lang.Sprintf("transaction %s", r.TransactionID))
	add(r.Version != "", d.lang.Sprintf("version %s", r.Version))
	words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
	_, _ = fmt.Fprintf(d.out, "  %s  %s\n", d.when(r.Time), show.Printable(strings.Join(words, ", ")))
	if r.Answer != "" {
		_, _ = fmt.Fprintf(d.out, "      «%s»\n", show.Printable(r.Answer))
	}
	d.printDetail(r.Detail)
}

// reasonOf is the reason of a record in words; the note that says the same is enough.
func (d *desk) reasonOf(r admin.RecordView) string {
	if r.Note == r.Reason { // "cancelled" is both
		return ""
	}
	return d.reasonWord(r.Reason)
}

// printDetail says in words what a record rests on, and shows the rest as it is.
func (d *desk) printDetail(raw json.RawMessage) {
	known, rest := admin.ReadDetail(raw)
	for _, condition := range known.Conditions {
		answer := d.lang.Text("no")
		if condition.Pass {
			answer = d.lang.Text("yes")
		}
		_, _ = fmt.Fprintf(d.out, "      %-4s %s\n", answer, show.Printable(condition.Source))
		for _, line := range link.Seen(condition.Saw, d.lang) {
			_, _ = fmt.Fprintf(d.out, "             %s\n", line)
		}
	}
	for _, line := range known.Lines(d.lang) {
		_, _ = fmt.Fprintf(d.out, "      %s\n", show.Printable(line))
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		_, _ = fmt.Fprintf(d.out, "      %s: %s\n", show.Printable(name), show.Printable(string(rest[name])))
	}
}

// sayDamaged names, on standard error, stored events that were read only in part.
func (c *cli) sayDamaged(keys []string) {
	if len(keys) == 0 {
		return
	}
	const most = 20
	list := strings.Join(keys[:min(len(keys), most)], ", ")
	if len(keys) > most {
		list += ", ..."
	}
	_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("stored events that cannot be read, or only in part: %d: %s", len(keys), list))
}
