package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) gapsCommand() *cobra.Command {
	var flags spanFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "gaps --site ID --from DAY [--to DAY]",
		Short: "Compare what Calltouch lists with what is stored and what became of it",
		Long: "Ask Calltouch's requests API and calls journal for some days and say, by day, how many events they list, how many are\n" +
			"stored, and what became of those. Exit code 1 when something is missing.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withQueue(cmd.Context(), func(ctx context.Context, q *queue.Queue, file *link.File) error {
				return c.gaps(ctx, q, file, &flags)
			})
		},
	})
	flags.add(cmd)
	return cmd
}

func (c *cli) gaps(ctx context.Context, q *queue.Queue, file *link.File, flags *spanFlags) error {
	span, err := flags.span(c, q, file)
	if err != nil {
		return err
	}
	span.Progress = c.bar(ctx, c.errs)
	rows, err := calltouch.Gaps(ctx, span)
	if err != nil {
		return explainAPI(c, err)
	}
	if err := c.printGaps(rows); err != nil {
		return err
	}
	if calltouch.AnyMissing(rows) {
		return errors.New(c.lang.Sprintf("something is missing: touchbox backfill brings it"))
	}
	return nil
}

func (c *cli) printGaps(rows []calltouch.GapsRow) error {
	if c.json {
		if rows == nil {
			rows = []calltouch.GapsRow{}
		}
		return json.NewEncoder(c.out).Encode(rows)
	}
	table := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, c.lang.Sprintf("day\tkind\tlisted\tstored\tmissing\tin progress\ttoo old\toutcomes"))
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", r.Day, r.Kind, r.Listed, r.Stored, r.Missing, r.InProgress, r.TooOld, outcomeList(r))
	}
	return table.Flush()
}

func outcomeList(r calltouch.GapsRow) string {
	parts := make([]string, 0, len(r.Outcomes))
	for outcome, n := range r.Outcomes {
		parts = append(parts, fmt.Sprintf("%s %d", outcome, n))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
