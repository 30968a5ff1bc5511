package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// filterFlags are the flags by which lists are filtered. Each command adds those that it knows.
type filterFlags struct {
	link, site, kind string
	events           []string
	reason           string
	cause            string
	status           int
	since, until     string
	limit            int

	flags *pflag.FlagSet // of the command; nil where it has none of them
}

// flagGroups are groups of these flags.
type flagGroups int

const (
	byPlace flagGroups = 1 << iota // link, site, kind
	byEvent                        // event
	byWhy                          // reason, status
	bySpan                         // since, until
	byCause                        // cause, of dead letters
	bounded                        // limit
)

func (s *filterFlags) add(cmd *cobra.Command, groups flagGroups) {
	f := cmd.Flags()
	s.flags = f
	if groups&byPlace != 0 {
		f.StringVar(&s.link, "link", "", "of this link only, by its `id`")
		f.StringVar(&s.site, "site", "", "of this site only, by its `id` or name")
		f.StringVar(&s.kind, "kind", "", "only call.started, call.ended or request")
	}
	if groups&byEvent != 0 {
		f.StringSliceVar(&s.events, "event", nil, "only this event, by its `key` or id; may be repeated")
	}
	if groups&byWhy != 0 {
		f.StringVar(&s.reason, "reason", "", "only with this reason, as the list shows it")
		f.IntVar(&s.status, "status", 0, "only with this HTTP status of Mindbox's answer")
	}
	if groups&byCause != 0 {
		f.StringVar(&s.cause, "cause", "", "only of this cause, by its `id`, as the console shows it")
	}
	if groups&bySpan != 0 {
		f.StringVar(&s.since, "since", "", "not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago")
		f.StringVar(&s.until, "until", "", "and before this `time`")
	}
	if groups&bounded != 0 {
		f.IntVar(&s.limit, "limit", admin.DefaultLimit, "show at most so many")
	}
}

// selection is what the flags say, checked. Every complaint is a Mistake.
type selection struct {
	filter queue.Filter
	keys   []event.Key // empty: all
	cause  string      // of dead letters; "": any
}

func (s *filterFlags) read(ctx context.Context, d *desk) (selection, error) {
	out := selection{filter: queue.Filter{Link: s.link, Reason: s.reason, Status: s.status}, cause: s.cause}
	if s.limit < 0 {
		return out, app.Mistakef("%s", d.lang.Sprintf("--limit: want a positive number"))
	}
	if err := s.readPlace(ctx, d, &out); err != nil {
		return out, err
	}
	if s.reason != "" && !slices.Contains(reasons(), s.reason) {
		return out, app.Mistakef("%s", d.lang.Sprintf("--reason %q: want one of %s", s.reason, strings.Join(reasons(), ", ")))
	}
	if s.asksStatus() && (s.status < leastStatus || s.status > mostStatus) {
		return out, app.Mistakef("%s", d.lang.Sprintf("--status: want an HTTP status, such as 400"))
	}
	var err error
	if out.filter.Since, out.filter.Until, err = d.readSpan(s.since, s.until); err != nil {
		return out, err
	}
	for _, text := range s.events {
		keys, err := d.admin.Find(ctx, text)
		if err != nil {
			return out, err
		}
		out.keys = append(out.keys, keys...)
	}
	return out, nil
}

// leastStatus and mostStatus bound what an answer of HTTP has.
const leastStatus, mostStatus = 100, 599

// asksStatus reports whether --status was given: 0 asks for nothing, and would select everything.
func (s *filterFlags) asksStatus() bool {
	return s.status != 0 || s.flags != nil && s.flags.Changed("status")
}

func (s *filterFlags) readPlace(ctx context.Context, d *desk, out *selection) error {
	if s.link != "" {
		known, err := d.admin.Knows(ctx, s.link)
		if err != nil {
			return err
		}
		if !known {
			return app.Mistakef("%s", d.lang.Sprintf("no link %q in %s, and the queue knows none either", s.link, d.settings.Config))
		}
	}
	if s.site != "" {
		out.filter.Site = s.site
		if site := d.admin.File.Site(s.site); site != nil {
			out.filter.Site = site.ID
		} else if err := d.knowsSite(ctx, s.site); err != nil {
			return err
		}
	}
	if s.kind != "" {
		kind, err := event.ParseKind(s.kind)
		if err != nil {
			return app.Mistakef("--kind: %w", err)
		}
		out.filter.Kind = kind
	}
	return nil
}

// text says in words what is selected.
func (s selection) text() string {
	words := make([]string, 0, len(s.keys))
	for _, f := range s.filters() {
		words = append(words, admin.FilterText(f))
	}
	return strings.Join(words, "; ")
}

// work is the same for a job.
func (s selection) work() admin.Work {
	return admin.WorkOf(s.dead(), admin.ReplayOptions{})
}

// dead is the same for dead letters.
func (s selection) dead() admin.Selection {
	return admin.Selection{Keys: s.keys, Filter: s.filter, Cause: s.cause}
}

// knowsSite is the Mistake that a site which is not in the file is none of which anything is stored either.
func (d *desk) knowsSite(ctx context.Context, site string) error {
	if strings.Trim(site, "0123456789") == "" {
		events, asides, err := d.admin.Queue.CountSince(ctx, site, time.Time{})
		if err != nil || events+asides > 0 {
			return err
		}
	}
	return app.Mistakef("%s", d.lang.Sprintf("no site %q in %s, and nothing of it is stored", site, d.settings.Config))
}

// filters are what the queue is asked for: one filter for each event, or one for all.
func (s selection) filters() []queue.Filter {
	if len(s.keys) == 0 {
		return []queue.Filter{s.filter}
	}
	var list []queue.Filter
	for _, key := range s.keys {
		f := s.filter
		f.Key = key
		list = append(list, f)
	}
	return list
}

// readTime reads a time as people give it: a day or a time in the site's zone, RFC 3339, or how
// long ago.
func (d *desk) readTime(flag, text string) (time.Time, error) {
	if t, ok := admin.ReadMoment(text, d.zone, time.Now()); ok {
		return t, nil
	}
	return time.Time{}, app.Mistakef("%s", d.lang.Sprintf("%s %q: want 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h or 3d for how long ago", flag, text))
}

// readSpan reads --since and --until. A span with its ends exchanged would be an empty list, which a person takes for an answer.
func (d *desk) readSpan(since, until string) (from, to time.Time, err error) {
	if from, err = d.readTime("--since", since); err != nil {
		return from, to, err
	}
	if to, err = d.readTime("--until", until); err != nil {
		return from, to, err
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		err = app.Mistakef("%s", d.lang.Sprintf("--until %s is not after --since %s: there is nothing between them", until, since))
	}
	return from, to, err
}

// readOutcome reads the word of --outcome; "" stays "".
func (c *cli) readOutcome(text string) (event.Outcome, error) {
	if text == "" || slices.Contains(event.Outcomes, event.Outcome(text)) {
		return event.Outcome(text), nil
	}
	return "", app.Mistakef("%s", c.lang.Sprintf("--outcome %q: want one of %s", text, strings.Trim(strings.ReplaceAll(fmt.Sprint(event.Outcomes), " ", ", "), "[]")))
}

// gather asks for the rows of each filter of a selection and puts them together.
func gather[T any](filters []queue.Filter, ask func(queue.Filter) ([]T, int, error)) (rows []T, total int, err error) {
	for _, f := range filters {
		some, n, err := ask(f)
		if err != nil {
			return nil, 0, err
		}
		rows, total = append(rows, some...), total+n
	}
	return rows, total, nil
}

// addUp does something with what each filter of a selection selects, and adds up how much it was.
func addUp(filters []queue.Filter, do func(queue.Filter) (int, error)) (sum int, err error) {
	for _, f := range filters {
		n, err := do(f)
		sum += n
		if err != nil {
			return sum, err
		}
	}
	return sum, nil
}
