package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/cases"
	"github.com/touchbox/touchbox/pkg/link/draft"
)

func (c *cli) recordCommand() *cobra.Command {
	r := recorder{}
	cmd := &cobra.Command{
		Use:   "record KEY...",
		Short: "Make tests of stored events, without what they say of people",
		Long: "Add a case for each stored event, by its key or id, to a file of tests: the event with made-up phones, names, e-mails, addresses and ids, and what\n" +
			"each link makes of that. The same phone is the same made-up one in all cases. Attributes keep their form, times, advertisement and numbers stay.",
		Args: cobra.MinimumNArgs(1),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error {
			r.desk = d
			return r.run(ctx, args)
		}),
	}
	cmd.Flags().StringArrayVar(&r.links, "link", nil, "`id` of a link of which to write what it makes of the event (default: all that read such events); may be given again")
	cmd.Flags().StringVar(&r.to, "to", "", "`FILE` to add to (default: tests/recorded.yaml beside touchbox.yaml); - prints the cases")
	cmd.Flags().StringArrayVar(&r.keep, "keep", nil, "`NAME` of a field, or attrs.NAME, that stays as it came, because a condition needs it; may be given again")
	return cmd
}

// recorder makes cases of stored events.
type recorder struct {
	*desk
	links []string
	to    string
	keep  []string
}

func (r *recorder) run(ctx context.Context, args []string) error {
	if err := errors.Join(r.needsFile(), r.checkKeep()); err != nil {
		return err
	}
	key, err := r.admin.MadeUpKey(ctx, cases.KeySize)
	if err != nil {
		return err
	}
	var recorded []cases.Recorded
	for _, name := range args {
		keys, err := r.admin.Find(ctx, name)
		if err != nil {
			return err
		}
		for _, k := range keys {
			one, err := r.record(ctx, k, key)
			if err != nil {
				return fmt.Errorf("%s: %w", k, err)
			}
			recorded = append(recorded, one)
		}
	}
	return r.write(recorded)
}

// checkKeep refuses to keep what is about a person, and what is no field.
func (r *recorder) checkKeep() error {
	for _, name := range r.keep {
		if strings.HasPrefix(name, "attrs.") {
			continue
		}
		f, ok := calltouch.Lookup(name)
		switch {
		case !ok:
			return app.Mistakef("%s", r.lang.Sprintf("--keep: %s is no field; `touchbox fields` lists them", name))
		case f.Personal:
			return app.Mistakef("%s", r.lang.Sprintf("--keep: %s is about a person, and is made up in every test", name))
		}
	}
	return nil
}

// record makes a case of a stored event.
func (r *recorder) record(ctx context.Context, k event.Key, key []byte) (cases.Recorded, error) {
	site := r.admin.File.Site(k.Site)
	if site == nil {
		return cases.Recorded{}, app.Mistakef("%s", r.lang.Sprintf("site %s is not in %s", k.Site, r.settings.Config))
	}
	links, err := r.linksFor(k)
	if err != nil {
		return cases.Recorded{}, err
	}
	e, err := r.admin.Queue.GetEvent(ctx, k)
	if err != nil {
		return cases.Recorded{}, err
	}
	one, err := cases.Record(cases.Recording{Event: e, Site: site, Links: links, Keep: r.keep, MadeUp: cases.MadeUp{Key: key}, Lang: r.lang})
	for _, id := range one.Other {
		_, _ = fmt.Fprintln(r.errs, r.lang.Sprintf("%s: link %s makes something else of it than of the event that came, because of a made-up value; --keep NAME leaves one as it came", k.String(), id))
	}
	return one, err
}

// linksFor are the links that read such events, or those that a person names.
func (r *recorder) linksFor(k event.Key) ([]*link.Link, error) {
	var out []*link.Link
	for _, id := range r.links {
		l := r.admin.File.Link(id)
		if l == nil {
			return nil, app.Mistakef("%s", r.lang.Sprintf("no link %q in %s", id, r.settings.Config))
		}
		out = append(out, l)
	}
	if len(r.links) > 0 {
		return out, nil
	}
	for _, l := range r.admin.File.Links {
		if slices.Contains(l.Sites, k.Site) && slices.Contains(l.Kinds, k.Kind) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return nil, app.Mistakef("%s", r.lang.Sprintf("no link reads %s of site %s", k.Kind.Dotted(), k.Site))
	}
	return out, nil
}

// write adds the cases to their file, which must be right with them.
func (r *recorder) write(recorded []cases.Recorded) error {
	if r.to == "-" {
		for _, one := range recorded {
			_, _ = fmt.Fprint(r.out, one.Text)
		}
		return nil
	}
	path := r.to
	if path == "" {
		path = filepath.Join(filepath.Dir(r.settings.Config), cases.Folder, "recorded.yaml")
	}
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return app.Mistake{Err: err}
	}
	text := cases.Append(before, r.lang, recorded...)
	if file, problems := cases.Parse(path, text, r.admin.File, r.lang); file == nil {
		return app.Mistakef("%s\n%s", r.lang.Sprintf("the cases cannot be added to %s: `cases` has to be its last key, a line for each of its items, two blanks before its -; --to names another file, --to - prints them", path), problems.Mistakes())
	}
	if err := writeTestFile(path, before, text); err != nil {
		return err
	}
	r.say("Cases added to %s: %d. Run them: touchbox test", path, len(recorded))
	return nil
}

// writeTestFile writes a file of tests, or another one in the place of the old one, which a person may have changed meanwhile:
// draft.ErrChanged.
func writeTestFile(path string, old, text []byte) error {
	if old != nil {
		return draft.Replace(path, old, text)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return createConfig(path, text)
}

// writeFirstTests writes the first tests beside a new configuration, where no file of that name is.
func (c *cli) writeFirstTests() error {
	name := "templates/tests.en.yaml"
	if c.lang == lang.Russian {
		name = "templates/tests.ru.yaml"
	}
	text, err := templates.ReadFile(name)
	if err != nil {
		return err
	}
	path := filepath.Join(filepath.Dir(c.settings.Config), cases.Folder, "calls.yaml")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := writeTestFile(path, nil, text); err != nil {
		return err
	}
	c.say("Wrote %s, the first tests of its links: touchbox test", path)
	return nil
}
