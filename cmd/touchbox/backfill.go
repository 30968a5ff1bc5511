package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) backfillCommand() *cobra.Command {
	var flags spanFlags
	var dryRun bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "backfill --site ID --from DAY [--to DAY]",
		Short: "Store what Calltouch knows of past days; delivers nothing by itself",
		Long: "Read the requests API and the calls journal for some days and store what is not stored yet. No link takes it by itself:\n" +
			"look at it, then deliver it with `touchbox replay --outcome untaken`. Ctrl-C is safe, the same command goes on.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withQueue(cmd.Context(), func(ctx context.Context, q *queue.Queue, file *link.File) error {
				return c.backfill(ctx, q, file, &flags, dryRun)
			})
		},
	})
	flags.add(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "store nothing; say what would be stored and which links would match")
	return cmd
}

// backfillResult is what --json prints.
type backfillResult struct {
	calltouch.BackfillCounts
	DryRun  bool           `json:"dry_run"`
	Matches map[string]int `json:"matches,omitempty"` // by link: new events that would pass it
}

func (c *cli) backfill(ctx context.Context, q *queue.Queue, file *link.File, flags *spanFlags, dryRun bool) error {
	span, err := flags.span(c, q, file)
	if err != nil {
		return err
	}
	span.Progress = c.bar(ctx, c.errs)
	result := backfillResult{DryRun: dryRun, Matches: map[string]int{}}
	cfg := calltouch.BackfillConfig{Span: span, Store: app.NewStore(q), DryRun: dryRun}
	if dryRun {
		cfg.New = func(e event.Event) { countMatches(result.Matches, file, e) }
	}
	result.BackfillCounts, err = calltouch.Backfill(ctx, cfg)
	if printed := c.printBackfill(result, file); printed != nil {
		return printed
	}
	if err != nil {
		return explainAPI(c, err)
	}
	return nil
}

// countMatches counts the links that would pass an event.
func countMatches(matches map[string]int, file *link.File, e event.Event) {
	fields, err := calltouch.Parse(e, file.Site(e.Key.Site).View())
	if err != nil {
		return
	}
	for _, l := range file.Links {
		if !slices.Contains(l.Sites, e.Key.Site) || !slices.Contains(l.Kinds, e.Key.Kind) {
			continue
		}
		if verdict, err := l.Filter(fields); err == nil && verdict.Pass {
			matches[l.ID]++
		}
	}
}

func (c *cli) printBackfill(r backfillResult, file *link.File) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(r)
	}
	c.say("new: %d, known: %d, in progress: %d, too old: %d, set aside: %d", r.New, r.Known, r.InProgress, r.TooOld, r.Aside)
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
