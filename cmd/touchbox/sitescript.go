package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/site"
)

func (c *cli) siteScriptCommand() *cobra.Command {
	var id, address string
	var inline bool
	cmd := &cobra.Command{
		Use:   "site-script --site ID",
		Short: "Print the script that hands Mindbox's device id to Calltouch",
		Long: "Print the tag that loads the site script from ingest (--address), or, with --inline, the whole script to paste into the\n" +
			"site's pages. It must run on every page that Calltouch's script runs on.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			file, _, err := c.settings.LoadConfigLeniently(c.lang)
			if err != nil {
				return err
			}
			one := file.Site(id)
			if one == nil {
				return fmt.Errorf("%s", c.lang.Sprintf("no site %q in %s", id, c.settings.Config))
			}
			config, _ := app.ScriptConfig(file, one.ID)
			text := site.Tag(address, one.ID)
			if inline {
				text = site.Inline(config)
			}
			_, err = fmt.Fprintln(c.out, strings.TrimRight(text, "\n"))
			return err
		},
	}
	cmd.Flags().StringVar(&id, "site", "", "id or name of the site (required)")
	cmd.Flags().StringVar(&address, "address", "https://YOUR-HOST", "address of ingest as browsers see it")
	cmd.Flags().BoolVar(&inline, "inline", false, "print the script itself between tags")
	_ = cmd.MarkFlagRequired("site")
	return cmd
}
