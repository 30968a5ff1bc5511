package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
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
			file, _, err := c.settings.LoadConfigLeniently(c.lang)
			if err != nil {
				return err
			}
			l := file.Link(id)
			if l == nil {
				return app.Mistakef("%s", c.lang.Sprintf("no link %q in %s", id, c.settings.Config))
			}
			e, err := c.eventOf(cmd.Context(), file, l, args[0])
			if err != nil {
				return err
			}
			return c.explain(file, l, e)
		},
	})
	cmd.Flags().StringVar(&id, "link", "", "`id` of the link (required)")
	_ = cmd.MarkFlagRequired("link")
	return cmd
}

// eventOf is the event that an argument names: a file, standard input, or a stored event.
func (c *cli) eventOf(ctx context.Context, file *link.File, l *link.Link, name string) (event.Event, error) {
	_, err := os.Stat(name)
	if name == "-" || err == nil {
		return c.readSample(l, file.Site(l.Sites[0]).View(), name)
	}
	if strings.Trim(name, "0123456789") != "" && strings.Count(name, "/") != 2 {
		return event.Event{}, app.Mistake{Err: err} // neither a file nor a key
	}
	q, err := c.settings.OpenForCommand(ctx, file, c.log.Level(zerolog.WarnLevel))
	if err != nil {
		return event.Event{}, err
	}
	defer q.Close()
	keys, err := (admin.Admin{Queue: q, File: file}).Find(ctx, name)
	if err != nil {
		return event.Event{}, err
	}
	keys = slices.DeleteFunc(keys, func(k event.Key) bool {
		return !slices.Contains(l.Sites, k.Site) || !slices.Contains(l.Kinds, k.Kind)
	})
	if len(keys) != 1 {
		return event.Event{}, app.Mistakef("%s", c.lang.Sprintf("%d stored events that link %s reads have the id %s: give the whole key, as in 10001/call-ended/148071", len(keys), l.ID, name))
	}
	return q.GetEvent(ctx, keys[0])
}

// maxSample bounds a hook from a file as ingest bounds one from the net.
const maxSample = calltouch.MaxBody

// readSample makes an event of a hook's body or an API record, as it would come to the link's
// first site.
func (c *cli) readSample(l *link.Link, view calltouch.View, name string) (event.Event, error) {
	var in io.Reader = c.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return event.Event{}, app.Mistake{Err: err}
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	body, err := io.ReadAll(io.LimitReader(in, maxSample+1))
	if err != nil {
		return event.Event{}, err
	}
	if len(body) > maxSample {
		return event.Event{}, app.Mistakef("the body is longer than the %d bytes that ingest takes", maxSample)
	}
	e, err := calltouch.Sample(l.Sites[0], body, view)
	if err != nil {
		return event.Event{}, app.Mistake{Err: err}
	}
	return e, nil
}

func (c *cli) explain(file *link.File, l *link.Link, e event.Event) error {
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
