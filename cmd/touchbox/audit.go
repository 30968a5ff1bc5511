package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/show"
)

// auditFlags say which entries.
type auditFlags struct {
	since, until, who, verb string
	limit                   int
}

func (c *cli) auditCommand() *cobra.Command {
	var f auditFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "audit",
		Short: "List who changed what, or saw what unmasked, and why",
		Long: "List the newest entries of the audit, the newest last: who did what, from where, on what, why, and how much it was to be and was.\n" +
			"Every command that changes something or shows something unmasked writes one before it does so, and so does the console. No entry\n" +
			"holds a value of an event. Entries stay for keep.audit.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.listAudit(ctx, f) }),
	})
	cmd.Flags().StringVar(&f.since, "since", "", "not before this `time`: 2026-11-01, 2026-11-01T10:00:00+03:00, or 2h, 3d ago")
	cmd.Flags().StringVar(&f.until, "until", "", "and before this `time`")
	cmd.Flags().StringVar(&f.who, "who", "", "only of this person, by the `name` that the list shows")
	cmd.Flags().StringVar(&f.verb, "verb", "", "only this `verb`, as the list shows it")
	cmd.Flags().IntVar(&f.limit, "limit", admin.DefaultLimit, "show at most so many")
	return cmd
}

func (d *desk) listAudit(ctx context.Context, f auditFlags) (err error) {
	q := admin.AuditQuery{Who: f.who, Verb: f.verb, Limit: f.limit}
	if f.limit <= 0 {
		return app.Mistakef("%s", d.lang.Sprintf("--limit: want a positive number"))
	}
	if f.verb != "" && !slices.Contains(admin.Verbs(), f.verb) {
		return app.Mistakef("%s", d.lang.Sprintf("--verb %q: want one of %s", f.verb, strings.Join(admin.Verbs(), ", ")))
	}
	if q.Since, q.Until, err = d.readSpan(f.since, f.until); err != nil {
		return err
	}
	list, total, err := d.admin.AuditEntries(ctx, q)
	if err != nil {
		return err
	}
	return listing[admin.AuditEntry]{
		header: d.lang.Text("TIME\tWHO\tFROM\tVERB\tON\tFOUND\tDONE\tWHY"),
		cells: func(e admin.AuditEntry) []string {
			return []string{
				d.when(e.Time), d.words().Who(e.Who), d.words().By(e.By, e.Address), d.lang.Worded(admin.VerbWord(e.Verb), e.Verb), show.Cell(d.words().On(e.On), widest), countCell(e.Found), countCell(e.Done), show.Cell(e.Why, widest),
			}
		},
	}.print(d.cli, list, total)
}

// countCell is a count, empty where there is none.
func countCell(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}
