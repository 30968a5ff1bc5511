package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/watch"
)

func (c *cli) fieldsCommand() *cobra.Command {
	var siteName string
	var days int
	cmd := c.withReveal(&cobra.Command{
		Use:   "fields",
		Short: "List the words that links may use, and how often each came",
		Long: "List the vocabulary with its names in both languages, first what the links of the file read. Where a Touchbox runs, also the share of the site's stored events of\n" +
			"the last days in which each field came, and its newest value, masked. A field that never came is unticked in Calltouch. It reads the log of these days, 50,000 events at most,\n" +
			"and shows how far it is; Ctrl-C stops that, and what was counted until then is listed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > mostDays {
				return app.Mistakef("%s", c.lang.Sprintf("--days: want a number from 1 to %d", mostDays))
			}
			uses, err := c.fieldUses(cmd.Context(), siteName, days)
			if err != nil && (!errors.Is(err, context.Canceled) || len(uses) == 0) {
				return err
			}
			if c.json {
				return errors.Join(c.printFieldsJSON(uses), err)
			}
			return errors.Join(c.printFields(c.usedFirst(uses)), err)
		},
	})
	cmd.Flags().StringVar(&siteName, "site", "", "name or id of the site (default: the first one)")
	cmd.Flags().IntVar(&days, "days", 7, "how many days back to look")
	return cmd
}

// mostDays is far beyond what is kept.
const mostDays = 100_000

// fieldUses asks the running Touchbox; without one it gives the vocabulary alone and says so.
func (c *cli) fieldUses(ctx context.Context, siteName string, days int) ([]watch.FieldUse, error) {
	var uses []watch.FieldUse
	err := c.withQueue(ctx, func(ctx context.Context, q *queue.Queue, file *link.File) error {
		if len(file.Sites) == 0 {
			return app.Mistakef("%s", c.lang.Sprintf("%s has no sites", c.settings.Config))
		}
		site := file.Sites[0]
		if siteName != "" {
			if site = file.Site(siteName); site == nil {
				return app.Mistakef("%s", c.lang.Sprintf("no site %q in %s", siteName, c.settings.Config))
			}
		}
		if c.reveal {
			if err := (admin.Admin{Queue: q, Actor: app.CommandActor()}).Audit(ctx, admin.AuditEntry{Verb: admin.VerbReveal, On: "fields: " + admin.FilterText(admin.Filter{Site: site.ID})}); err != nil {
				return err
			}
		}
		var err error
		var unread []string
		scan := watch.FieldScan{Told: c.fieldsBar(), Site: site, Since: time.Now().AddDate(0, 0, -days), Damaged: func(k event.Key) { unread = append(unread, k.String()) }}
		uses, err = scan.Count(ctx, q)
		c.sayDamaged(unread)
		return err
	})
	if err == nil || siteName != "" || ctx.Err() != nil {
		return uses, err
	}
	_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("without shares: %v", err))
	for _, f := range calltouch.Vocabulary() {
		uses = append(uses, watch.FieldUse{Field: f})
	}
	return uses, nil
}

// fieldsBar is scanBar for the reading of fields.
func (c *cli) fieldsBar() queue.Told {
	show := c.scanBar()
	if show == nil {
		return nil
	}
	return func(done, total uint64) { show(admin.Scanned{Stream: event.EventsStream, Done: done, Total: total}) }
}

// usedFirst puts the fields that the links of the file read before the others.
func (c *cli) usedFirst(uses []watch.FieldUse) []watch.FieldUse {
	file, _, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil {
		return uses
	}
	read := map[string]bool{}
	for _, l := range file.Links {
		for _, name := range l.Reads() {
			name, _, _ = strings.Cut(name, ".") // attrs.promo
			read[name] = true
		}
	}
	sorted := slices.Clone(uses)
	slices.SortStableFunc(sorted, func(a, b watch.FieldUse) int {
		switch {
		case read[a.Field.Name] == read[b.Field.Name]:
			return 0
		case read[a.Field.Name]:
			return -1
		}
		return 1
	})
	return sorted
}

func (c *cli) printFields(uses []watch.FieldUse) error {
	table := listing[watch.FieldUse]{
		header: c.lang.Text("FIELD\tMEANING\tTYPE\tCAME\tLAST VALUE"),
		cells: func(u watch.FieldUse) []string {
			return []string{u.Field.Name, calltouch.Meaning(u.Field.Name, string(c.lang)), c.lang.Text(string(u.Field.Type)), c.share(u), c.lastValue(u)}
		},
	}
	if err := table.table(c, uses); err != nil {
		return err
	}
	for _, u := range uses {
		if u.Unread > 0 {
			_, _ = fmt.Fprintln(c.out, c.lang.Sprintf("%s came in %d events and could not be read: `touchbox event KEY` shows such an event", u.Field.Name, u.Unread))
		}
	}
	return nil
}

func (c *cli) share(u watch.FieldUse) string {
	switch {
	case u.Of == 0:
		return "-"
	case u.Unread > 0:
		return c.lang.Sprintf("%d%%, %d unreadable", (100*u.Came+u.Of/2)/u.Of, u.Unread)
	case u.Never() && u.Enough():
		return c.lang.Sprintf("never: not ticked?")
	case u.Never():
		return c.lang.Sprintf("not yet, hooks: %d", u.Hooks)
	}
	return fmt.Sprintf("%d%%", (100*u.Came+u.Of/2)/u.Of)
}

// lastValue is safe to print: a stranger chose it.
func (c *cli) lastValue(u watch.FieldUse) string {
	if u.Last == nil {
		return ""
	}
	value := u.Last
	if !c.reveal {
		value = u.Field.Masked(value)
	}
	if t, ok := value.(time.Time); ok && !c.json {
		return c.lang.Moment(t, time.Now())
	}
	if list, ok := value.([]string); ok {
		value = strings.Join(list, ", ")
	}
	const most = 40
	return show.Cell(show.Printable(fmt.Sprint(value)), most)
}

func (c *cli) printFieldsJSON(uses []watch.FieldUse) error {
	type row struct {
		Name    string   `json:"name"`
		Type    string   `json:"type"`
		Values  []string `json:"values,omitempty"`
		Kinds   []string `json:"kinds"`
		Origins []string `json:"origins"`
		English string   `json:"english"`
		Russian string   `json:"russian"`
		Derived bool     `json:"derived"`
		Came    int      `json:"came"`
		Of      int      `json:"of"`
		Unread  int      `json:"unread,omitempty"`
		Last    string   `json:"last,omitempty"`
	}
	rows := make([]row, 0, len(uses))
	for _, u := range uses {
		r := row{
			Name: u.Field.Name, Type: string(u.Field.Type), Values: u.Field.Values, English: u.Field.English,
			Russian: u.Field.Russian, Derived: u.Field.Derived, Came: u.Came, Of: u.Of, Unread: u.Unread, Last: c.lastValue(u),
			Origins: strings.Fields(originNames(u.Field.Origins)),
		}
		for _, k := range u.Field.Kinds {
			r.Kinds = append(r.Kinds, k.Dotted())
		}
		rows = append(rows, r)
	}
	encoder := json.NewEncoder(c.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(rows)
}

func originNames(o calltouch.Origins) string {
	var names string
	for _, way := range []struct {
		bit  calltouch.Origins
		name string
	}{{calltouch.FromHook, "hook"}, {calltouch.FromPoll, "poll"}, {calltouch.FromJournal, "journal"}} {
		if o.Has(way.bit) {
			names += way.name + " "
		}
	}
	return names
}
