package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
)

// sampleFlags say over which links an event is tried.
type sampleFlags struct{ link, site, version string }

func (f *sampleFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.link, "link", "", "`id` of the link (default: every link of the event's site)")
	cmd.Flags().StringVar(&f.site, "site", "", "`id` or name of the site that a hook in a file came to (default: the link's, or the only one)")
}

// sample is an event that links of the file are tried on.
type sample struct {
	links  []*link.Link // the one that was named, or all of the event's site
	named  bool
	event  event.Event
	fields calltouch.Fields
}

// withSample runs f on the links that the flags choose and the event that a person names: FILE, - or EVENT.
func (c *cli) withSample(ctx context.Context, flags sampleFlags, name string, f func(context.Context, sample) error) error {
	file, _, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil {
		return err
	}
	chosen, err := c.choose(ctx, file, flags)
	if err != nil {
		return err
	}
	e, err := c.eventOf(ctx, chosen, name)
	if err != nil {
		return err
	}
	site := chosen.file.Site(e.Key.Site)
	if site == nil {
		return app.Mistakef("%s", c.lang.Sprintf("site %s is not in %s", e.Key.Site, c.settings.Config))
	}
	s := sample{links: chosen.linksOf(site), named: chosen.link != nil, event: e}
	if len(s.links) == 0 {
		return app.Mistakef("%s", c.lang.Sprintf("no link of %s reads site %s", c.settings.Config, site.Name))
	}
	if s.fields, err = calltouch.Parse(e, site.View()); err != nil {
		return fmt.Errorf("the body cannot be read: %w", err)
	}
	return f(ctx, s)
}

// choice is what the flags choose of the file; nil is all.
type choice struct {
	file *link.File
	link *link.Link
	site *link.Site
}

func (c *cli) choose(ctx context.Context, file *link.File, flags sampleFlags) (choice, error) {
	chosen := choice{file: file}
	if flags.link != "" {
		if chosen.link = file.Link(flags.link); chosen.link == nil {
			return chosen, app.Mistakef("%s", c.lang.Sprintf("no link %q in %s", flags.link, c.settings.Config))
		}
	}
	if flags.site != "" {
		if chosen.site = file.Site(flags.site); chosen.site == nil {
			return chosen, app.Mistakef("%s", c.lang.Sprintf("no site %q in %s", flags.site, c.settings.Config))
		}
	}
	if flags.version != "" {
		return c.turnBack(ctx, chosen, flags.version)
	}
	return chosen, nil
}

// turnBack puts a version of the link that once ran in the place of today's, and its file with it.
func (c *cli) turnBack(ctx context.Context, chosen choice, version string) (choice, error) {
	if chosen.link == nil {
		return chosen, app.Mistakef("%s", c.lang.Text("--version is one of a link: say by --link of which"))
	}
	q, err := c.settings.OpenForCommand(ctx, chosen.file, c.log.Level(zerolog.WarnLevel))
	if err != nil {
		return chosen, err
	}
	defer q.Close()
	v, err := (admin.Admin{Queue: q, File: chosen.file}).Version(ctx, chosen.link.ID, version)
	if err != nil {
		return chosen, app.Mistake{Err: err}
	}
	chosen.file, chosen.link, err = v.File()
	return chosen, err
}

// linksOf are the links that are tried on an event of a site.
func (c choice) linksOf(site *link.Site) []*link.Link {
	if c.link != nil {
		return []*link.Link{c.link}
	}
	return slices.DeleteFunc(slices.Clone(c.file.Links), func(l *link.Link) bool { return !slices.Contains(l.Sites, site.ID) })
}

// hookSite is the site to which a hook from a file came; nil when several are possible, and its body has to say it.
func (c choice) hookSite() *link.Site {
	switch {
	case c.site != nil:
		return c.site
	case c.link != nil:
		return c.file.Site(c.link.Sites[0])
	case len(c.file.Sites) == 1:
		return c.file.Sites[0]
	}
	return nil
}

// reads reports whether an event is among those that are chosen.
func (c choice) reads(k event.Key) bool {
	return (c.link == nil || slices.Contains(c.link.Sites, k.Site) && slices.Contains(c.link.Kinds, k.Kind)) && (c.site == nil || c.site.ID == k.Site)
}

// eventOf is the event that an argument names: a file, standard input, or a stored event.
func (c *cli) eventOf(ctx context.Context, chosen choice, name string) (event.Event, error) {
	_, err := os.Stat(name)
	if name == "-" || err == nil {
		return c.readSample(chosen, name)
	}
	if strings.Trim(name, "0123456789") != "" && strings.Count(name, "/") != 2 {
		return event.Event{}, app.Mistake{Err: err} // neither a file nor a key
	}
	q, err := c.settings.OpenForCommand(ctx, chosen.file, c.log.Level(zerolog.WarnLevel))
	if err != nil {
		return event.Event{}, err
	}
	defer q.Close()
	a := admin.Admin{Queue: q, File: chosen.file, Actor: app.CommandActor()}
	keys, err := a.Find(ctx, name)
	if err != nil {
		return event.Event{}, err
	}
	keys = slices.DeleteFunc(keys, func(k event.Key) bool { return !chosen.reads(k) })
	if len(keys) != 1 {
		return event.Event{}, c.severalKeys(chosen, len(keys), name)
	}
	if c.reveal {
		if err := a.Audit(ctx, admin.AuditEntry{Verb: admin.VerbReveal, On: keys[0].String()}); err != nil {
			return event.Event{}, err
		}
	}
	e, err := q.GetEvent(ctx, keys[0])
	if errors.Is(err, event.ErrDamaged) {
		c.sayDamaged([]string{keys[0].String()})
		err = nil
	}
	return e, err
}

func (c *cli) severalKeys(chosen choice, n int, name string) error {
	if chosen.link != nil {
		return app.Mistakef("%s", c.lang.Sprintf("%d stored events that link %s reads have the id %s: give the whole key, as in 10001/call-ended/148071", n, chosen.link.ID, name))
	}
	return app.Mistakef("%s", c.lang.Sprintf("%d stored events have the id %s: give the whole key, as in 10001/call-ended/148071", n, name))
}

// maxSample bounds a hook from a file as ingest bounds one from the net.
const maxSample = hook.MaxBody

// readSample makes an event of a hook's body or an API record, as it would come to the site.
func (c *cli) readSample(chosen choice, name string) (event.Event, error) {
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
		return event.Event{}, app.Mistake{Err: err} // a folder, or a file that cannot be read
	}
	if len(body) > maxSample {
		return event.Event{}, app.Mistakef("%s", c.lang.Sprintf("the body is longer than the %d bytes that ingest takes", maxSample))
	}
	site := chosen.hookSite()
	if site == nil {
		site = chosen.file.Site(calltouch.SiteOf(body))
	}
	if site == nil {
		return event.Event{}, app.Mistakef("%s", c.lang.Sprintf("%s has several sites, and the body's siteId is none of them: say by --site or --link which one the hook came to", c.settings.Config))
	}
	e, err := calltouch.Sample(site.ID, body, site.View())
	if err != nil {
		return event.Event{}, app.Mistake{Err: err}
	}
	return e, nil
}

func (c *cli) explainCommand() *cobra.Command {
	var of sampleFlags
	cmd := c.withReveal(&cobra.Command{
		Use:   "explain [--link ID] FILE|-|EVENT",
		Short: "Say what the links make of an event, and why; sends nothing",
		Long: "Read the body of a hook from a file or standard input, url-encoded or JSON, or an API record, or a stored event by its\n" +
			"key or id, and show each condition with the values it saw, the rendered request, and what is nil and why. Without --link\n" +
			"every link of the event's site says so. A file needs no server. --version asks the link as it once ran. Exit code 0 whatever\n" +
			"the verdict.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withSample(cmd.Context(), of, args[0], func(_ context.Context, s sample) error { return c.explain(s) })
		},
	})
	of.add(cmd)
	cmd.Flags().StringVar(&of.version, "version", "", "by this `version` of the link, as `touchbox links history` shows it")
	return cmd
}

// explain says what each link makes of a sample; in JSON one object a line.
func (c *cli) explain(s sample) error {
	for i, l := range s.links {
		explanation := l.Explain(s.fields, c.reveal)
		if c.json {
			if err := json.NewEncoder(c.out).Encode(explanation); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			_, _ = fmt.Fprintln(c.out)
		}
		if err := explanation.Print(c.out, c.lang); err != nil {
			return err
		}
	}
	return nil
}
