package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// asideFlags select what was set aside.
type asideFlags struct{ site, reason, since, until string }

func (f *asideFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.site, "site", "", "of this site only, by its `id` or name")
	cmd.Flags().StringVar(&f.reason, "reason", "", "only with this reason, as the list shows it")
	cmd.Flags().StringVar(&f.since, "since", "", "received not before this `time`: 2026-11-01, or 2h, 3d ago")
	cmd.Flags().StringVar(&f.until, "until", "", "and before this `time`")
}

func (f *asideFlags) query(d *desk, args []string) (q admin.AsideQuery, err error) {
	q.Site, q.Reason = f.site, f.reason
	if site := d.File.Site(f.site); site != nil {
		q.Site = site.ID
	}
	if q.Since, err = d.moment("--since", f.since); err != nil {
		return q, err
	}
	if q.Until, err = d.moment("--until", f.until); err != nil {
		return q, err
	}
	if len(args) > 0 {
		if q.Sequence, err = strconv.ParseUint(args[0], 10, 64); err != nil || q.Sequence == 0 {
			return q, app.Mistakef("%s", d.lang.Sprintf("%s is no number of the list", admin.Printable(args[0])))
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
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				q, err := flags.query(d, nil)
				if err != nil {
					return err
				}
				return d.listAside(ctx, q, limit)
			})
		},
	})
	flags.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", admin.DefaultLimit, "show at most so many")
	cmd.AddCommand(c.asideShowCommand(), c.asideTakeCommand())
	return cmd
}

// asideJSON is what was set aside.
type asideJSON struct {
	Number      uint64         `json:"number"`
	Site        string         `json:"site,omitempty"`
	Reason      string         `json:"reason"`
	Origin      event.Origin   `json:"origin"`
	Received    time.Time      `json:"received"`
	ContentType string         `json:"content_type,omitempty"`
	Bytes       int            `json:"bytes"`
	Fields      map[string]any `json:"fields,omitempty"` // of `show`: masked, unless revealed
	Problem     string         `json:"problem,omitempty"`
	Query       string         `json:"query,omitempty"` // of `show`, when revealed
	Body        []byte         `json:"body_base64,omitempty"`
}

func newAside(a queue.Aside) asideJSON {
	return asideJSON{Number: a.Sequence, Site: a.Site, Reason: a.Reason, Origin: a.Origin, Received: a.Received, ContentType: a.ContentType, Bytes: len(a.Body)}
}

func (d *desk) listAside(ctx context.Context, q admin.AsideQuery, limit int) error {
	list, total, err := d.Asides(ctx, q, limit)
	if err != nil {
		return err
	}
	defer d.more(len(list), total)
	if d.json {
		rows := make([]asideJSON, len(list))
		for i, one := range list {
			rows[i] = newAside(one)
		}
		return d.showJSON(rows, false)
	}
	cells := make([][]string, len(list))
	for i, one := range list {
		cells[i] = []string{fmt.Sprint(one.Sequence), d.when(one.Received), one.Site, one.Reason, string(one.Origin), fmt.Sprint(len(one.Body))}
	}
	return d.table(d.lang.Text("NUMBER\tCAME\tSITE\tREASON\tBY\tBYTES"), cells)
}

func (c *cli) asideShowCommand() *cobra.Command {
	return c.withReveal(&cobra.Command{
		Use:   "show NUMBER",
		Short: "Show what was set aside whole",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error {
				q, err := (&asideFlags{}).query(d, args)
				if err != nil {
					return err
				}
				list, _, err := d.Asides(ctx, q, 1)
				if err == nil && len(list) == 0 {
					err = errors.New(d.lang.Sprintf("nothing is set aside under this number"))
				}
				if err != nil {
					return err
				}
				return d.showAside(list[0])
			})
		},
	})
}

func (d *desk) showAside(a queue.Aside) error {
	view := newAside(a)
	view.Fields, view.Problem = d.fieldsOf(rawEvent(a, a.Site))
	if d.reveal {
		view.Query, view.Body = a.Query, a.Body
	}
	return d.showJSON(view, false)
}

func (c *cli) asideTakeCommand() *cobra.Command {
	var flags asideFlags
	var kind string
	cmd := c.withJSON(&cobra.Command{
		Use:   "take [NUMBER]",
		Short: "Store as events what was set aside by mistake",
		Long: "Look again at what was set aside, by the file as it is now, and store what is an event: links then take it as of the time\n" +
			"when it came. Another call under a known id is stored under its id with ~2 behind it. --kind takes as that kind what does\n" +
			"not say what it is; without an id it gets one made of its bytes, and a sweep of the journal may then bring it a second time.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && flags == (asideFlags{}) {
				return app.Mistakef("%s", c.lang.Sprintf("say what to take: a number of the list, or --reason, --site, --since, --until"))
			}
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.takeAside(ctx, flags, args, kind) })
		},
	})
	flags.add(cmd)
	cmd.Flags().StringVar(&kind, "kind", "", "take it as call.started, call.ended or request, whatever it says")
	return cmd
}

func (d *desk) takeAside(ctx context.Context, flags asideFlags, args []string, kind string) error {
	q, err := flags.query(d, args)
	if err != nil {
		return err
	}
	identify := func(a queue.Aside) (event.Event, error) { return identify(d.File, a) }
	if kind != "" {
		k, err := event.ParseKind(kind)
		if err != nil {
			return app.Mistakef("--kind: %w", err)
		}
		identify = func(a queue.Aside) (event.Event, error) { return d.force(a, k) }
	}
	taken, err := d.Take(ctx, q, identify)
	if err != nil {
		return err
	}
	if d.json {
		return d.showJSON(taken, false)
	}
	d.say("stored: %d, known already: %d, still no event: %d", taken.Stored, taken.Repeated, taken.Refused)
	for reason, n := range taken.Reasons {
		_, _ = fmt.Fprintf(d.out, "  %s: %d\n", admin.Printable(reason), n)
	}
	return nil
}

// rawEvent is what was set aside as it came to a site's address.
func rawEvent(a queue.Aside, site string) event.Event {
	return event.Event{
		Key: event.Key{Site: site}, Origin: a.Origin, ContentType: a.ContentType, Query: a.Query, Body: a.Body, Received: a.Received, Time: a.Received,
	}
}

// identify looks again at what was set aside. A hook that came to the address of another site is
// tried with every site of the file: it names its own.
func identify(file *link.File, a queue.Aside) (event.Event, error) {
	sites := []*link.Site{file.Site(a.Site)}
	if calltouch.Reason(a.Reason) == calltouch.AsideOtherSite || sites[0] == nil {
		sites = append(sites, file.Sites...)
	}
	err := errors.New("no such site in the file")
	for _, site := range sites {
		if site == nil {
			continue
		}
		var e event.Event
		if e, err = identifyAt(site, a); err == nil {
			return e, nil
		}
	}
	return event.Event{}, err
}

func identifyAt(site *link.Site, a queue.Aside) (event.Event, error) {
	if a.Origin == event.Webhook {
		e, note := calltouch.Identify(rawEvent(a, site.ID), site.View())
		if note.Aside != "" {
			return e, errors.New(string(note.Aside))
		}
		return e, nil
	}
	e, err := calltouch.Sample(site.ID, a.Body, site.View())
	e.Origin, e.Received = a.Origin, a.Received
	return e, err
}
