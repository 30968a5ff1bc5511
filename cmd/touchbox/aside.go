package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// asideFlags select what was set aside.
type asideFlags struct{ site, reason, since, until string }

func (f *asideFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.site, "site", "", "of this site only, by its `id` or name")
	cmd.Flags().StringVar(&f.reason, "reason", "", "only with this reason, as the list shows it")
	cmd.Flags().StringVar(&f.since, "since", "", "received not before this `time`: 2026-11-01, or 2h, 3d ago")
	cmd.Flags().StringVar(&f.until, "until", "", "and before this `time`")
}

func (f *asideFlags) query(ctx context.Context, d *desk, args []string) (q admin.AsideQuery, err error) {
	q.Reason = f.reason
	if q.Site, err = d.siteOf(ctx, f.site); err != nil {
		return q, err
	}
	if err := d.knowsReason(f.reason, admin.AsideReasons()); err != nil {
		return q, err
	}
	if q.Since, q.Until, err = d.readSpan(f.since, f.until); err != nil {
		return q, err
	}
	if len(args) > 0 {
		if q.Sequence, err = strconv.ParseUint(args[0], 10, 64); err != nil || q.Sequence == 0 {
			return q, app.Mistakef("%s", d.lang.Sprintf("%s is no number of the list", show.Printable(args[0])))
		}
	}
	return q, nil
}

func (c *cli) asideCommand() *cobra.Command {
	var flags asideFlags
	var limit int
	cmd := c.withReveal(&cobra.Command{
		Use:   "aside",
		Short: "List what came and is no event, show it, or take it all the same",
		Long: "List what was set aside: pings, hooks without an id or of another site, another call under a known id. It is kept a week.\n" +
			"`aside take` stores what was set aside by mistake, once the mistake is mended.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error {
			q, err := flags.query(ctx, d, nil)
			if err == nil && limit < 0 {
				err = app.Mistakef("%s", d.lang.Sprintf("--limit: want a positive number"))
			}
			if err != nil {
				return err
			}
			return d.listAside(ctx, q, limit)
		}),
	})
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", admin.DefaultLimit, "show at most so many")
	cmd.AddCommand(c.asideShowCommand(), c.asideTakeCommand())
	return cmd
}

func (d *desk) listAside(ctx context.Context, q admin.AsideQuery, limit int) error {
	list, total, err := d.admin.Asides(ctx, q, limit)
	if err == nil {
		err = d.revealing(ctx, "aside: "+q.Text())
	}
	if err != nil {
		return err
	}
	return listing[queue.Aside]{
		header: d.lang.Sprintf("NUMBER\tCAME (%s)\tSITE\tREASON\tBY\tBYTES", d.zoneName()),
		cells: func(a queue.Aside) []string {
			return []string{fmt.Sprint(a.Sequence), d.when(a.Received), a.Site, d.reasonWord(a.Reason), d.lang.Text(string(a.Origin)), fmt.Sprint(d.mask().Aside(a).Bytes)}
		},
		json: func(a queue.Aside) any { return d.mask().Aside(a) },
	}.print(d.cli, list, total)
}

func (c *cli) asideShowCommand() *cobra.Command {
	return c.withReveal(&cobra.Command{
		Use:   "show NUMBER",
		Short: "Show what was set aside whole",
		Args:  cobra.ExactArgs(1),
		RunE:  c.onDesk(func(ctx context.Context, d *desk, args []string) error { return d.showAside(ctx, args) }),
	})
}

func (d *desk) showAside(ctx context.Context, args []string) error {
	q, err := (&asideFlags{}).query(ctx, d, args)
	if err != nil {
		return err
	}
	list, _, err := d.admin.Asides(ctx, q, 1)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New(d.lang.Sprintf("nothing is set aside under this number"))
	}
	if err := d.revealing(ctx, "aside: "+q.Text()); err != nil {
		return err
	}
	view := d.admin.AsideView(list[0], d.mask())
	if d.json {
		return d.printJSON(view)
	}
	d.printAside(view)
	return nil
}

// printAside shows to a person what was set aside, and why.
func (d *desk) printAside(v admin.AsideView) {
	d.say("Set aside under number %d: %s", v.Number, d.reasonWord(v.Reason))
	d.say("  came %s by %s, site %s, bytes: %d", d.when(v.Received), d.lang.Text(string(v.Origin)), show.Printable(v.Site), v.Bytes)
	if v.ContentType != "" {
		_, _ = fmt.Fprintf(d.out, "  %s\n", show.Printable(v.ContentType))
	}
	d.sayUnreadable(v.Problem)
	d.printValues(v.Fields)
	for _, raw := range []string{v.Query, string(v.Body)} { // when revealed
		if raw != "" {
			_, _ = fmt.Fprintf(d.out, "      %s\n", show.Printable(raw))
		}
	}
	d.say("  `touchbox aside take %d` stores it, once what was wrong is mended", v.Number)
}

// takeFlags say what to take, and as what.
type takeFlags struct {
	by   asideFlags
	kind string // "": as what it says that it is
	job  bool
}

func (c *cli) asideTakeCommand() *cobra.Command {
	var flags takeFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "take [NUMBER]",
		Short: "Store as events what was set aside by mistake",
		Long: "Look again at what was set aside, by the file as it is now, and store what is an event: links then take it as of the time\n" +
			"when it came. Another call under a known id is stored under its id with ~2 behind it. --kind takes as that kind what does\n" +
			"not say what it is; without an id it gets one made of its bytes, and a sweep of the journal may then bring it a second time.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && flags.by == (asideFlags{}) {
				return app.Mistakef("%s", c.lang.Sprintf("say what to take: a number of the list, or --reason, --site, --since, --until"))
			}
			return c.withDesk(cmd.Context(), func(ctx context.Context, d *desk) error { return d.takeAside(ctx, flags, args) })
		},
	})
	flags.by.add(cmd)
	cmd.Flags().StringVar(&flags.kind, "kind", "", "take it as call.started, call.ended or request, whatever it says")
	cmd.Flags().BoolVar(&flags.job, "job", false, jobUsage)
	return cmd
}

func (d *desk) takeAside(ctx context.Context, flags takeFlags, args []string) error {
	q, err := flags.by.query(ctx, d, args)
	if err != nil {
		return err
	}
	identify, work := d.admin.Identify, admin.Work{Site: q.Site, Reason: q.Reason, Since: q.Since, Until: q.Until, Number: q.Sequence}
	if flags.kind != "" {
		kind, err := event.ParseKind(flags.kind)
		if err != nil {
			return app.Mistakef("--kind: %w", err)
		}
		identify, work.TakeAs = d.admin.IdentifyAs(kind), kind
	}
	if flags.job {
		return d.askJob(ctx, admin.JobAsideTake, work, "")
	}
	taken, err := d.admin.Take(ctx, q, identify)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(taken)
	}
	d.say("stored: %d, known already: %d, still no event: %d", taken.Stored, taken.Repeated, taken.Refused)
	for _, reason := range slices.Sorted(maps.Keys(taken.Reasons)) {
		_, _ = fmt.Fprintf(d.out, "  %s: %d\n", show.Printable(d.reasonWord(reason)), taken.Reasons[reason])
	}
	return nil
}
