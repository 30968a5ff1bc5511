package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
)

func (c *cli) linksHistoryCommand() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "history ID [VERSION [VERSION]]",
		Short: "List the versions of a link and when each was in force; show what two of them differ in",
		Long: "List every version of a link that ran, as far as the history reaches: when a worker took it up the last time, and from when to\n" +
			"when it decided. With one version, by the beginning of its hash, show what today's file differs in from it; with two, what the\n" +
			"second differs in from the first. `touchbox try --against VERSION` and `touchbox explain --version VERSION` ask one of them.\n" +
			"The list reads the whole history: some ten seconds for a million events.",
		Args: cobra.RangeArgs(1, 3),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error {
			if len(args) == 1 {
				return d.listVersions(ctx, args[0])
			}
			return d.compareVersions(ctx, args[0], args[1:])
		}),
	})
}

func (d *desk) listVersions(ctx context.Context, id string) error {
	versions, err := d.admin.LinkVersions(ctx, id)
	if err != nil {
		return err
	}
	return listing[admin.LinkVersion]{
		header: d.lang.Text("VERSION\tTAKEN UP\tDECIDED FIRST\tDECIDED LAST\tRECORDS\tIS"),
		cells:  d.versionCells,
	}.print(d.cli, versions, len(versions))
}

func (d *desk) versionCells(v admin.LinkVersion) []string {
	var is []string
	for _, one := range []struct {
		holds bool
		text  string
	}{
		{v.Runs, d.lang.Text("runs")}, {v.InFile, d.lang.Text("in the file")}, {!v.Kept, d.lang.Text("no longer kept")},
	} {
		if one.holds {
			is = append(is, one.text)
		}
	}
	return []string{v.Version, d.whenKnown(v.TakenUp), d.whenKnown(v.First), d.whenKnown(v.Last), fmt.Sprint(v.Records), strings.Join(is, ", ")}
}

// whenKnown writes a time that may be missing.
func (d *desk) whenKnown(t *time.Time) string {
	if t == nil {
		return ""
	}
	return d.when(*t)
}

// versionsJSON are two versions as --json shows them.
type versionsJSON struct {
	Before versionJSON `json:"before"`
	After  versionJSON `json:"after"`
}

type versionJSON struct {
	Version  string          `json:"version"`
	Document json.RawMessage `json:"document"`
}

func (d *desk) compareVersions(ctx context.Context, id string, hashes []string) error {
	if len(hashes) == 1 {
		l := d.admin.File.Link(id)
		if l == nil {
			return app.Mistakef("%s", d.lang.Sprintf("no link %q in %s", id, d.settings.Config))
		}
		hashes = append(hashes, l.Version)
	}
	var found [2]versionJSON
	for i, hash := range hashes {
		v, err := d.admin.Version(ctx, id, hash)
		if err != nil {
			return app.Mistake{Err: err}
		}
		found[i] = versionJSON{v.Version, v.Document()}
	}
	if d.json {
		return d.printJSON(versionsJSON{found[0], found[1]})
	}
	text, err := unified(found[0].Version, found[1].Version, found[0].lines(), found[1].lines())
	if err != nil {
		return err
	}
	if text == "" {
		d.say("the two versions are one")
	}
	d.printUnified(text)
	return nil
}

// unescaped undoes what the store of the versions does to signs that mean something in HTML.
var unescaped = strings.NewReplacer(`\\`, `\\`, `\u003c`, "<", `\u003e`, ">", `\u0026`, "&")

// lines is the text of a version, one thing a line.
func (v versionJSON) lines() []string {
	var b bytes.Buffer
	if json.Indent(&b, v.Document, "", "  ") != nil {
		b.Write(v.Document)
	}
	return strings.Split(unescaped.Replace(b.String()), "\n")
}
