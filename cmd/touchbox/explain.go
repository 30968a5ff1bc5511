package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
)

func (c *cli) explainCommand() *cobra.Command {
	var id string
	cmd := c.withReveal(&cobra.Command{
		Use:   "explain --link ID FILE|-|EVENT",
		Short: "Say what a link makes of an event, and why; sends nothing",
		Long: "Read the body of a hook from a file or standard input, url-encoded or JSON, or an API record, or a stored event by its\n" +
			"key or id, and show each condition with the values it saw, the rendered request, and what is nil and why.\n" +
			"A file needs no server. Exit code 0 whatever the verdict.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withSample(cmd.Context(), id, args[0], c.explain)
		},
	})
	cmd.Flags().StringVar(&id, "link", "", "`id` of the link (required)")
	_ = cmd.MarkFlagRequired("link")
	return cmd
}

func (c *cli) explain(_ context.Context, file *link.File, l *link.Link, e event.Event) error {
	site := file.Site(e.Key.Site)
	if site == nil {
		return app.Mistakef("site %s is not in %s", e.Key.Site, c.settings.Config)
	}
	fields, err := calltouch.Parse(e, site.View())
	if err != nil {
		return errors.Join(errors.New("the body cannot be read"), err)
	}
	explanation := l.Explain(fields, c.reveal)
	if c.json {
		return json.NewEncoder(c.out).Encode(explanation)
	}
	return explanation.Print(c.out, c.lang)
}
