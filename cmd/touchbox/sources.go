package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// spanFlags say which days of which site to read back.
type spanFlags struct {
	site, from, to string
	kinds          []string
}

func (f *spanFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.site, "site", "", "id or name of the site (required)")
	flags.StringVar(&f.from, "from", "", "first day, `YYYY-MM-DD`, in the cabinet's zone (required)")
	flags.StringVar(&f.to, "to", "", "last day, `YYYY-MM-DD`, included (default: today)")
	flags.StringSliceVar(&f.kinds, "kind", nil, "call.ended or request (default: both)")
	_ = cmd.MarkFlagRequired("site")
	_ = cmd.MarkFlagRequired("from")
}

// span is what of a site is read back, the queue to compare it with, and the file.
type span struct {
	days  admin.Days
	asked poll.Span
	queue *queue.Queue
	file  *link.File
}

// withSpan runs f on the days that the flags name.
func (c *cli) withSpan(ctx context.Context, flags spanFlags, f func(context.Context, span) error) error {
	return c.withQueue(ctx, func(ctx context.Context, q *queue.Queue, file *link.File) error {
		if err := c.needsFile(); err != nil {
			return err
		}
		days, err := flags.days(c, file)
		if err != nil {
			return err
		}
		asked, err := c.span(days, q, file)
		if err != nil {
			return err
		}
		return f(ctx, span{days, asked, q, file})
	})
}

// days checks the flags against the file. Every complaint is a Mistake.
func (f *spanFlags) days(c *cli, file *link.File) (admin.Days, error) {
	one := file.Site(f.site)
	if one == nil {
		return admin.Days{}, app.Mistakef("%s", c.lang.Sprintf("no site %q in %s", f.site, c.settings.Config))
	}
	days := admin.Days{Site: one.ID, To: calltouch.DayOf(time.Now(), one.Location)}
	var err error
	if days.From, err = calltouch.ParseDay(f.from); err != nil {
		return days, app.Mistakef("--from: %w", err)
	}
	if f.to != "" {
		if days.To, err = calltouch.ParseDay(f.to); err != nil {
			return days, app.Mistakef("--to: %w", err)
		}
	}
	if days.To.Before(days.From) {
		return days, app.Mistakef("%s", c.lang.Sprintf("--to %s is before --from %s", days.To, days.From))
	}
	for _, text := range f.kinds {
		kind, err := event.ParseKind(text)
		if err != nil || kind == event.CallStarted {
			return days, app.Mistakef("%s", c.lang.Sprintf("--kind: use call.ended or request"))
		}
		if days.Kind != "" && days.Kind != kind {
			days.Kind = ""
			break
		}
		days.Kind = kind
	}
	return days, nil
}

// span is what Calltouch is asked for some days, from here: it takes the site's token. Every complaint is a Mistake.
func (c *cli) span(days admin.Days, q *queue.Queue, file *link.File) (poll.Span, error) {
	one := file.Site(days.Site)
	if missing := one.Token.Missing(c.lang); missing != "" {
		return poll.Span{}, app.Mistakef("%s", c.lang.Sprintf("site %s has no API token here: %s", one.Name, missing))
	}
	if one.Token.Value() == "" {
		return poll.Span{}, app.Mistakef("%s", c.lang.Sprintf("site %s has no API token: set `token` in %s", one.Name, c.settings.Config))
	}
	asked := app.Span(days, q, file)
	asked.Ledger = app.NewLedger(q, file)
	asked.Progress = c.spanBar()
	asked.Waiting = func(err error, before time.Duration) {
		_, _ = fmt.Fprintf(c.errs, "\n%s\n", c.lang.Sprintf("Calltouch: %v; next try in %s", err, before.Round(time.Second)))
	}
	return asked, nil
}

// spanBar draws the progress on a terminal; elsewhere it stays silent.
func (c *cli) spanBar() func(poll.Progress) {
	bar := c.newProgress(countsSteps)
	if bar == nil {
		return nil
	}
	return func(p poll.Progress) {
		text := fmt.Sprintf("%s %s, %d", p.Day, p.Kind.Dotted(), p.Records)
		if p.Left > 0 {
			text += c.lang.Sprintf(", about %s left", p.Left.Round(time.Second))
		}
		bar.show(nil, text, p.Step, p.Steps)
	}
}

// explainAPI adds what a person can do to an error of Calltouch's API.
func explainAPI(c *cli, err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New(c.lang.Sprintf("stopped; the same command goes on from here"))
	}
	if unread := (*poll.UnreadError)(nil); errors.As(err, &unread) {
		days := make([]string, len(unread.Days))
		for i, d := range unread.Days {
			days[i] = d.String()
		}
		return errors.New(c.lang.Sprintf("Calltouch did not list %s, however often it was asked (%s); the other days were read. The same command asks for them again", strings.Join(days, ", "), unread.Err))
	}
	return err
}

func (c *cli) backfillCommand() *cobra.Command {
	var flags spanFlags
	var dryRun, job bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "backfill --site ID --from DAY [--to DAY]",
		Short: "Store what Calltouch knows of past days; delivers nothing by itself",
		Long: "Read the requests API and the calls journal for some days and store what is not stored yet. No link takes it by itself:\n" +
			"look at it, then deliver it with `touchbox replay --outcome untaken`. Ctrl-C is safe, the same command goes on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if job {
				return c.withDesk(cmd.Context(), func(ctx context.Context, d *desk) error { return d.askBackfill(ctx, flags, dryRun) })
			}
			return c.withSpan(cmd.Context(), flags, func(ctx context.Context, s span) error { return c.backfill(ctx, s, dryRun) })
		},
	})
	flags.add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "store nothing; say what would be stored and which links would match")
	cmd.Flags().BoolVar(&job, "job", false, jobUsage)
	return cmd
}

// askBackfill leaves a backfill to the process that takes events in, which has the site's token.
func (d *desk) askBackfill(ctx context.Context, flags spanFlags, dryRun bool) error {
	if err := d.needsFile(); err != nil {
		return err
	}
	days, err := flags.days(d.cli, d.admin.File)
	if err != nil {
		return err
	}
	days.DryRun = dryRun
	return d.askJob(ctx, admin.JobBackfill, admin.WorkOfDays(days), "")
}

// backfillResult is what --json prints.
type backfillResult struct {
	admin.Backfilled
	DryRun bool `json:"dry_run"`
}

func (c *cli) backfill(ctx context.Context, s span, dryRun bool) error {
	result := backfillResult{DryRun: dryRun}
	fill := func(ctx context.Context, told func(admin.BackfillProgress)) (sum admin.Backfilled, err error) {
		result.Backfilled, err = app.Fill(ctx, app.Filling{Span: s.asked, Store: s.queue, File: s.file, DryRun: dryRun, Told: told})
		return result.Backfilled, err
	}
	var err error
	if dryRun {
		_, err = fill(ctx, nil)
	} else {
		a := admin.Admin{Queue: s.queue, File: s.file, Actor: app.CommandActor()}
		err = a.BackfillByCommand(ctx, s.days, fill)
	}
	if err != nil && !result.Any() { // it did not run: there is nothing to count
		return explainAPI(c, err)
	}
	if printed := c.printBackfill(result, s.file); printed != nil {
		return printed
	}
	if err != nil {
		return explainAPI(c, err)
	}
	return nil
}

func (c *cli) printBackfill(r backfillResult, file *link.File) error {
	if c.json {
		return c.printJSONLine(r)
	}
	c.say("new: %d, known: %d, too young to judge: %d, too old: %d, set aside: %d", r.New, r.Known, r.InProgress, r.TooOld, r.Aside)
	for _, l := range file.Links {
		if n := r.Matches[l.ID]; n > 0 {
			_, _ = fmt.Fprintf(c.out, "  %s: %d\n", l.ID, n)
		}
	}
	switch {
	case r.DryRun:
		c.say("Nothing was stored: this was a dry run.")
	case r.New > 0:
		c.say("Nothing is delivered by itself. To deliver: touchbox replay --outcome untaken --dry-run, then without --dry-run.")
	}
	return nil
}

func (c *cli) gapsCommand() *cobra.Command {
	var flags spanFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "gaps --site ID --from DAY [--to DAY]",
		Short: "Compare what Calltouch lists with what is stored and what became of it",
		Long: "Ask Calltouch's requests API and calls journal for some days and say, by day, how many events they list, how many are\n" +
			"stored, and what became of those. Exit code 1 when something is missing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withSpan(cmd.Context(), flags, c.gaps)
		},
	})
	flags.add(cmd)
	return cmd
}

func (c *cli) gaps(ctx context.Context, s span) error {
	rows, unread := poll.Gaps(ctx, s.asked)
	if unread != nil && rows == nil {
		return explainAPI(c, unread)
	}
	if err := c.printGaps(rows); err != nil {
		return err
	}
	if unread != nil {
		return explainAPI(c, unread)
	}
	if poll.AnyMissing(rows) {
		return errors.New(c.lang.Sprintf("something is missing: touchbox backfill brings it"))
	}
	return nil
}

func (c *cli) printGaps(rows []poll.GapsRow) error {
	if c.json {
		if rows == nil {
			rows = []poll.GapsRow{}
		}
		return c.printJSONLine(rows)
	}
	return listing[poll.GapsRow]{
		header: c.lang.Text("day\tkind\tlisted\tstored\tmissing\ttoo young to judge\ttoo old\toutcomes, for each link"),
		cells: func(r poll.GapsRow) []string {
			return []string{
				fmt.Sprint(r.Day), fmt.Sprint(r.Kind), fmt.Sprint(r.Listed), fmt.Sprint(r.Stored), fmt.Sprint(r.Missing), fmt.Sprint(r.InProgress),
				fmt.Sprint(r.TooOld), c.outcomeList(r),
			}
		},
	}.table(c, rows)
}

func (c *cli) outcomeList(r poll.GapsRow) string {
	parts := make([]string, 0, len(r.Outcomes))
	for outcome, n := range r.Outcomes {
		parts = append(parts, fmt.Sprintf("%s %d", c.lang.Coded(string(outcome)), n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
