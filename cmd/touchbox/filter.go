package main

import (
	"context"
	"errors"
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
	if err := d.knowsReason(s.reason, admin.Reasons()); err != nil {
		return out, err
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
	var err error
	if out.filter.Site, err = d.siteOf(ctx, s.site); err != nil {
		return err
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

// siteOf is the id of the site of --site; "" stays "". One that is not in the file, and of which nothing is stored either, is a Mistake.
func (d *desk) siteOf(ctx context.Context, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	id, known, err := d.admin.SiteOf(ctx, named)
	if err == nil && !known {
		err = app.Mistakef("%s", d.lang.Sprintf("no site %q in %s, and nothing of it is stored", named, d.settings.Config))
	}
	return id, err
}

// knowsReason is the Mistake that --reason is none of those that there are.
func (d *desk) knowsReason(reason string, all []string) error {
	if reason == "" || slices.Contains(all, reason) {
		return nil
	}
	return app.Mistakef("%s", d.lang.Sprintf("--reason %q: want one of %s", reason, strings.Join(all, ", ")))
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

// readSpan reads --since and --until: days or times in the site's zone, RFC 3339, or how long ago.
func (d *desk) readSpan(since, until string) (from, to time.Time, err error) {
	from, to, err = admin.ReadSpan(since, until, d.zone, time.Now())
	const wanted = "%s %q: want 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h or 3d for how long ago"
	switch {
	case errors.Is(err, admin.ErrSince):
		err = app.Mistakef("%s", d.lang.Sprintf(wanted, "--since", since))
	case errors.Is(err, admin.ErrUntil):
		err = app.Mistakef("%s", d.lang.Sprintf(wanted, "--until", until))
	case errors.Is(err, admin.ErrFuture):
		err = app.Mistakef("%s", d.lang.Sprintf("--since %s has not come yet: there is nothing behind it", since))
	case errors.Is(err, admin.ErrNoSpan):
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
