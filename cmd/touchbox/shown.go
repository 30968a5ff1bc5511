package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// shown is a field's value as it may be shown: masked where it is about a person and --reveal was
// not given. Nothing stays nil.
func (c *cli) shown(name string, value any) any {
	field, known := calltouch.Lookup(name)
	if c.reveal || known && !field.Personal {
		return value
	}
	switch v := value.(type) {
	case nil, bool, time.Time, int64, float64:
		if known && field.Personal && v != nil {
			return admin.MaskValue(fmt.Sprint(v))
		}
		return v
	case map[string]string: // attributes: anything may be in them
		masked := make(map[string]string, len(v))
		for key, one := range v {
			masked[key] = admin.MaskValue(one)
		}
		return masked
	case []string:
		masked := make([]string, len(v))
		for i, one := range v {
			masked[i] = admin.MaskValue(one)
		}
		return masked
	}
	return admin.MaskValue(fmt.Sprint(value))
}

// oneLine writes a value on one line that is safe to print.
func oneLine(value any) string {
	if text, ok := value.(string); ok {
		return admin.Printable(text)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return admin.Printable(fmt.Sprint(value))
	}
	return admin.Printable(string(text))
}

func (d *desk) printEvent(t admin.Timeline, view eventJSON) error {
	d.say("Event %s", t.Key.String())
	if e := t.Event; e == nil {
		d.say("  the event itself is no longer kept, only what became of it")
	} else {
		d.say("  happened %s, came %s by %s", d.when(e.Time), d.when(e.Received), string(e.Origin))
	}
	if view.Problem != "" {
		d.say("  its body cannot be read: %s", admin.Printable(view.Problem))
	}
	for _, name := range slices.Sorted(maps.Keys(view.Fields)) {
		value := view.Fields[name]
		if t, ok := value.(time.Time); ok {
			value = d.when(t)
		}
		_, _ = fmt.Fprintf(d.out, "  %-20s %s\n", admin.Printable(name), oneLine(value))
	}
	for _, r := range t.Notes {
		d.printRecord(r)
	}
	if len(t.Links) == 0 {
		d.say("No link reads it.")
	}
	for _, l := range t.Links {
		d.printLink(l)
	}
	return nil
}

func (d *desk) printLink(l admin.LinkTimeline) {
	name := l.Link
	if file := d.File.Link(l.Link); file != nil && file.Title != "" {
		name += " (" + admin.Printable(file.Title) + ")"
	}
	d.say("Link %s: %s", name, string(l.Outcome))
	for _, r := range l.Records {
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
func (d *desk) printRecord(r queue.Record) {
	words := []string{string(r.Outcome), r.Note, r.Reason}
	add := func(ok bool, text string) {
		if ok {
			words = append(words, text)
		}
	}
	add(r.Status != 0, fmt.Sprint(r.Status))
	add(r.Attempts > 0, d.lang.Sprintf("attempt %d", r.Attempts))
	add(r.DurationMS > 0, fmt.Sprintf("%.0f ms", r.DurationMS))
	add(r.Parked, d.lang.Text("parked"))
	add(r.Probe, d.lang.Text("a probe"))
	add(r.Replayed, d.lang.Text("by a replay"))
	add(r.Revision != "", d.lang.Sprintf("revision %s", r.Revision))
	add(r.As != "", d.lang.Sprintf("under the name of %s", r.As))
	if r.Until != nil {
		add(true, d.lang.Sprintf("until %s", d.when(*r.Until)))
	}
	add(r.TransactionID != "", d.lang.Sprintf("transaction %s", r.TransactionID))
	add(r.Version != "", d.lang.Sprintf("version %s", r.Version))
	words = slices.Compact(slices.DeleteFunc(words, func(s string) bool { return s == "" })) // "cancelled" is a note and a reason
	_, _ = fmt.Fprintf(d.out, "  %s  %s\n", d.when(r.Time), admin.Printable(strings.Join(words, ", ")))
	if r.Answer != "" {
		_, _ = fmt.Fprintf(d.out, "      «%s»\n", admin.Printable(r.Answer))
	}
	d.printDetail(r.Detail)
}

// detail is what of a record's detail is shown in words; the rest is shown as it is.
type detail struct {
	Conditions []link.Condition `json:"conditions"`
	Missing    []string         `json:"missing"`
}

func (d *desk) printDetail(raw json.RawMessage) {
	if len(raw) == 0 {
		return
	}
	var known detail
	if json.Unmarshal(raw, &known) != nil || len(known.Conditions)+len(known.Missing) == 0 {
		_, _ = fmt.Fprintf(d.out, "      %s\n", admin.Printable(string(raw)))
		return
	}
	for _, condition := range known.Conditions {
		answer := d.lang.Text("no")
		if condition.Pass {
			answer = d.lang.Text("yes")
		}
		_, _ = fmt.Fprintf(d.out, "      %-4s %s   %s\n", answer, admin.Printable(condition.Source), oneLine(condition.Saw))
	}
	if len(known.Missing) > 0 {
		d.say("      nothing came for %s", admin.Printable(strings.Join(known.Missing, ", ")))
	}
}
