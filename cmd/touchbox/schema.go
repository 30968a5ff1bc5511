package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link/schema"
)

func (c *cli) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [config|tests]",
		Short: "Print the JSON Schema by which an editor checks and completes touchbox.yaml, or its tests",
		Long: "Print the schema of touchbox.yaml, or of the files of tests, for editors that do not reach the internet:\n" +
			"  touchbox schema >touchbox.schema.json\n" +
			"and as the first line of touchbox.yaml: # yaml-language-server: $schema=touchbox.schema.json\n" +
			"VS Code (the extension YAML by Red Hat) and JetBrains follow this line.",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: schema.All(),
		RunE: func(_ *cobra.Command, args []string) error {
			which := schema.Config
			if len(args) > 0 {
				which = schema.Which(args[0])
			}
			if !slices.Contains(schema.All(), string(which)) {
				return app.Mistakef("%s", c.lang.Sprintf("no schema %q: config is that of touchbox.yaml, tests that of its tests", string(which)))
			}
			return which.Write(c.out)
		},
	}
}
