package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) fieldsCommand() *cobra.Command {
	var siteName string
	var days int
	cmd := c.withReveal(&cobra.Command{
		Use:   "fields",
		Short: "List the words that links may use, and how often each came",
		Long: "List the vocabulary with its names in both languages. Where a Touchbox runs, also the share of the site's stored events of\n" +
			"the last days in which each field came, and its newest value, masked. A field that never came is unticked in Calltouch.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			uses, err := c.fieldUses(cmd.Context(), siteName, days)
			if err != nil {
				return err
			}
			if c.json {
				return printFieldsJSON(c.out, uses, c.reveal)
			}
			return printFields(c.out, uses, c.lang, c.reveal)
		},
	})
	cmd.Flags().StringVar(&siteName, "site", "", "name or id of the site (default: the first one)")
	cmd.Flags().IntVar(&days, "days", 7, "how many days back to look")
	return cmd
}

// fieldUses asks the running Touchbox; without one it gives the vocabulary alone and says so.
func (c *cli) fieldUses(ctx context.Context, siteName string, days int) ([]app.FieldUse, error) {
	var uses []app.FieldUse
	err := c.withQueue(ctx, func(ctx context.Context, q *queue.Queue, file *link.File) error {
		site := file.Sites[0]
		if siteName != "" {
			if site = file.Site(siteName); site == nil {
				return app.Mistakef("%s", c.lang.Sprintf("no site %q in %s", siteName, c.settings.Config))
			}
		}
		var err error
		uses, err = app.CountFields(ctx, q, site, time.Now().AddDate(0, 0, -days), nil)
		return err
	})
	if err == nil || siteName != "" || ctx.Err() != nil {
		return uses, err
	}
	_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("without shares: %v", err))
	for _, f := range calltouch.Vocabulary() {
		uses = append(uses, app.FieldUse{Field: f})
	}
	return uses, nil
}

func printFields(w io.Writer, uses []app.FieldUse, l lang.Language, reveal bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, l.Sprintf("FIELD\tTYPE\tCAME\tLAST VALUE\tMEANING"))
	for _, u := range uses {
		meaning := u.Field.English
		if l == lang.Russian {
			meaning = u.Field.Russian
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", u.Field.Name, u.Field.Type, share(u, l), lastValue(u, reveal), meaning)
	}
	return table.Flush()
}

func share(u app.FieldUse, l lang.Language) string {
	switch {
	case u.Of == 0:
		return "-"
	case u.Came == 0 && !u.Field.Derived:
		return l.Sprintf("never: not ticked?")
	}
	return fmt.Sprintf("%d%%", (100*u.Came+u.Of/2)/u.Of)
}

// lastValue is safe to print: a stranger chose it.
func lastValue(u app.FieldUse, reveal bool) string {
	if u.Last == nil {
		return ""
	}
	value := fmt.Sprint(u.Last)
	if u.Field.Personal && !reveal {
		value = admin.MaskValue(value)
	}
	runes := []rune(admin.Printable(value))
	if len(runes) > 40 {
		return string(runes[:40]) + "…"
	}
	return string(runes)
}

func printFieldsJSON(w io.Writer, uses []app.FieldUse, reveal bool) error {
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
		Last    string   `json:"last,omitempty"`
	}
	rows := make([]row, 0, len(uses))
	for _, u := range uses {
		r := row{
			Name: u.Field.Name, Type: string(u.Field.Type), Values: u.Field.Values, English: u.Field.English,
			Russian: u.Field.Russian, Derived: u.Field.Derived, Came: u.Came, Of: u.Of, Last: lastValue(u, reveal),
			Origins: strings.Fields(originNames(u.Field.Origins)),
		}
		for _, k := range u.Field.Kinds {
			r.Kinds = append(r.Kinds, k.Dotted())
		}
		rows = append(rows, r)
	}
	encoder := json.NewEncoder(w)
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
