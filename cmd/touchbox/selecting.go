package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// selecting are the flags by which lists are filtered. Each command adds those that it knows.
type selecting struct {
	link, site, kind string
	events           []string
	reason           string
	status           int
	since, until     string
	limit            int
}

// Groups of flags.
const (
	byPlace = 1 << iota // link, site, kind
	byEvent             // event
	byWhy               // reason, status
	bySpan              // since, until
	bounded             // limit
)

func (s *selecting) add(cmd *cobra.Command, groups int) {
	f := cmd.Flags()
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
	if groups&bySpan != 0 {
		f.StringVar(&s.since, "since", "", "not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago")
		f.StringVar(&s.until, "until", "", "and before this `time`")
	}
	if groups&bounded != 0 {
		f.IntVar(&s.limit, "limit", admin.DefaultLimit, "show at most so many")
	}
}

// selected are the flags, checked. Every complaint is a Mistake.
type selected struct {
	queue.Filter
	keys []event.Key // empty: all
}

func (s *selecting) read(ctx context.Context, d *desk) (selected, error) {
	out := selected{Filter: queue.Filter{Link: s.link, Reason: s.reason, Status: s.status}}
	if s.limit < 0 {
		return out, app.Mistakef("--limit: want a positive number")
	}
	if err := s.place(ctx, d, &out); err != nil {
		return out, err
	}
	var err error
	if out.Since, err = d.moment("--since", s.since); err != nil {
		return out, err
	}
	if out.Until, err = d.moment("--until", s.until); err != nil {
		return out, err
	}
	for _, text := range s.events {
		keys, err := d.Find(ctx, text)
		if err != nil {
			return out, err
		}
		out.keys = append(out.keys, keys...)
	}
	return out, nil
}

func (s *selecting) place(ctx context.Context, d *desk, out *selected) error {
	if s.link != "" {
		known, err := d.Knows(ctx, s.link)
		if err != nil {
			return err
		}
		if !known {
			return app.Mistakef("%s", d.lang.Sprintf("no link %q in %s, and the queue knows none either", s.link, d.settings.Config))
		}
	}
	if s.site != "" {
		out.Site = s.site
		if site := d.File.Site(s.site); site != nil {
			out.Site = site.ID
		} else if strings.Trim(s.site, "0123456789") != "" { // an id may have left the file, a name is a slip
			return app.Mistakef("%s", d.lang.Sprintf("no site %q in %s", s.site, d.settings.Config))
		}
	}
	if s.kind != "" {
		kind, err := event.ParseKind(s.kind)
		if err != nil {
			return app.Mistakef("--kind: %w", err)
		}
		out.Kind = kind
	}
	return nil
}

// filters are what the queue is asked for: one filter for each event, or one for all.
func (s selected) filters() []queue.Filter {
	if len(s.keys) == 0 {
		return []queue.Filter{s.Filter}
	}
	var list []queue.Filter
	for _, key := range s.keys {
		f := s.Filter
		f.Key = key
		list = append(list, f)
	}
	return list
}

// moment reads a time as people give it: a day or a time in the site's zone, RFC 3339, or how
// long ago.
func (d *desk) moment(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, ok := parseAgo(text); ok {
		return time.Now().Add(-ago), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateTime} {
		if t, err := time.ParseInLocation(layout, text, d.zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, app.Mistakef("%s", d.lang.Sprintf("%s %q: want 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h or 3d for how long ago", flag, text))
}

// parseAgo reads a duration, of days too.
func parseAgo(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		return time.Duration(n * 24 * float64(time.Hour)), err == nil && n >= 0
	}
	ago, err := time.ParseDuration(text)
	return ago, err == nil && ago >= 0
}

// outcome reads the word of --outcome; "" stays "".
func (c *cli) outcome(text string) (event.Outcome, error) {
	words := []event.Outcome{
		event.Waiting, event.Delivered, event.Shadow, event.Filtered, event.Undeliverable, event.Dead,
		event.Untaken, event.Erased, event.Abandoned,
	}
	if text == "" || slices.Contains(words, event.Outcome(text)) {
		return event.Outcome(text), nil
	}
	return "", app.Mistakef("%s", c.lang.Sprintf("--outcome %q: want one of %s", text, fmt.Sprint(words)))
}
