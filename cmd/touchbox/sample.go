package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
)

// withSample runs f on a link of the file and the event that a person names: FILE, - or EVENT.
func (c *cli) withSample(ctx context.Context, id, name string, f func(context.Context, *link.File, *link.Link, event.Event) error) error {
	file, _, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil {
		return err
	}
	l := file.Link(id)
	if l == nil {
		return app.Mistakef("%s", c.lang.Sprintf("no link %q in %s", id, c.settings.Config))
	}
	e, err := c.eventOf(ctx, file, l, name)
	if err != nil {
		return err
	}
	return f(ctx, file, l, e)
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
