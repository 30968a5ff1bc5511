package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/draft"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// newLink is the command `link new` while it runs.
type newLink struct {
	*cli
	spec  spec.Spec
	plan  draft.Plan
	flags linkFlags
	file  *link.File // nil where there is none, or it has mistakes
	text  []byte     // of the file
}

// linkFlags are the flags of `link new`; "" is one that was not given.
type linkFlags struct {
	id, events, numbers, operation, static, to string
	sites, set                                 []string
	write, shadow                              bool
}

func (c *cli) draftCommand() *cobra.Command {
	return group(&cobra.Command{Use: "link", Short: "Draft a link from Mindbox's specification (ТЗ)"}, c.linkNewCommand())
}

func (c *cli) linkNewCommand() *cobra.Command {
	n := &newLink{cli: c}
	cmd := c.withJSON(&cobra.Command{
		Use:   "new [FILE]",
		Short: "Draft the link for an operation from its specification (ТЗ)",
		Long: "Read the specification of an operation from a file, or from standard input, as Mindbox's manager wrote it: its JSON with placeholders\n" +
			"and comments, a list of dotted names, a table, a curl or an HTTP request, or a chat with one of these in it. Each field is proposed\n" +
			"with an expression. What is not sure stays TODO, which `check` refuses, with the best candidates beside it.\n\n" +
			"On a terminal it asks what it cannot know; flags answer beforehand. The draft is printed; with --write it is put into touchbox.yaml,\n" +
			"of which nothing else changes, once nothing is TODO and the file is right. The old file is kept beside it.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return n.run(cmd.Context(), args) },
	})
	f := &n.flags
	cmd.Flags().StringVar(&f.id, "id", "", "id of the link; of two links what both begin with (default: made of the events)")
	cmd.Flags().StringVar(&f.events, "event", "", "which events: call.ended, request, call.started, or several with commas between them")
	cmd.Flags().StringVar(&f.numbers, "numbers", "", "dynamic (visitors known to Mindbox), static (all others), both (two links with one body) or any (one link without deviceUUID)")
	cmd.Flags().StringVar(&f.operation, "operation", "", "name of the operation (default: the specification's)")
	cmd.Flags().StringVar(&f.static, "static-operation", "", "with --numbers both: the operation for static numbers")
	cmd.Flags().StringSliceVar(&f.sites, "site", nil, "name of the site, or of several with commas (default: the only one)")
	cmd.Flags().StringVar(&f.to, "to", "", "name of the destination (default: the only one, or the one with the specification's endpoint)")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "the value of a field, as in `customer.ids.crm=ctClientId`; without a value the field is left out; may be given several times")
	cmd.Flags().BoolVar(&f.shadow, "shadow", false, "mode: shadow: the links do all but the sending")
	cmd.Flags().BoolVar(&f.write, "write", false, "put the links into touchbox.yaml")
	return cmd
}

func (n *newLink) run(ctx context.Context, args []string) error {
	if err := n.readFile(); err != nil {
		return err
	}
	text, err := n.readSpecification(args)
	if err != nil {
		return err
	}
	n.spec = spec.Read(text, n.lang)
	if len(n.spec.Fields) == 0 {
		n.printNotes(n.spec.Notes)
		return app.Mistakef("%s", n.lang.Sprintf("nothing to draft a link from"))
	}
	n.plan = draft.Suggest(n.spec, n.file)
	n.plan.Language = n.lang
	if err := n.takeFlags(); err != nil {
		return err
	}
	if n.canAsk() {
		n.askAbout()
	}
	n.plan.Hint = n.lastValues(ctx)
	d := n.draft()
	if n.canAsk() {
		n.askFields(d)
		d = n.draft()
	}
	return n.finish(d)
}

func (n *newLink) draft() draft.Draft { return draft.New(n.spec, n.plan, n.file, n.text) }

// readFile reads the file that the link is for. Without one a link can be drafted all the same.
func (n *newLink) readFile() error {
	text, err := os.ReadFile(n.settings.Config)
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && !n.flags.write:
		_, _ = fmt.Fprintln(n.errs, n.lang.Sprintf("there is no %s: `touchbox init` writes one", n.settings.Config))
		return nil
	default:
		return app.Mistake{Err: err}
	}
	n.text = text
	file, problems, err := link.Parse(n.settings.Config, text, n.options())
	if err != nil && n.flags.write {
		return app.Mistake{Err: err}
	}
	if err != nil {
		_, _ = fmt.Fprintln(n.errs, n.lang.Sprintf("%s has mistakes (%d): the draft does without it; `touchbox check` names them", n.settings.Config, len(problems.Mistakes())))
		return nil
	}
	n.file = file
	return nil
}

func (n *newLink) options() link.Options {
	return link.Options{Getenv: os.Getenv, Language: n.lang, Lenient: true}
}

func (n *newLink) readSpecification(args []string) (string, error) {
	in := n.in
	if len(args) > 0 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return "", app.Mistake{Err: err}
		}
		defer func() { _ = file.Close() }()
		in = file
	} else if n.canAsk() {
		_, _ = fmt.Fprintln(n.errs, n.lang.Text("Paste the specification, then press Enter and Ctrl-D."))
	}
	text, err := io.ReadAll(io.LimitReader(in, spec.MostText+1))
	if err != nil {
		return "", err
	}
	if len(text) > spec.MostText {
		return "", app.Mistakef("%s", n.lang.Sprintf("the specification is larger than 1 MB: give the part with the fields alone"))
	}
	for _, one := range documents {
		if bytes.HasPrefix(text, []byte(one.begins)) {
			return "", app.Mistakef("%s", n.lang.Sprintf("this is a file of %s and no text: open it, copy the text and paste it, or save it as plain text", one.of))
		}
	}
	return string(text), nil
}

// documents are the files in which specifications come and that hold no text as it is, by what they begin with.
var documents = []struct{ begins, of string }{
	{"PK\x03\x04", "Word, Excel"}, {"\xd0\xcf\x11\xe0", "Word, Excel"}, {"{\\rtf", "Word (RTF)"}, {"%PDF", "PDF"}, {"\x89PNG", "PNG"}, {"\xff\xd8\xff", "JPEG"},
}

// takeFlags puts what was said on the command line into the plan.
func (n *newLink) takeFlags() error {
	f, p := n.flags, &n.plan
	p.ID, p.Shadow = f.id, f.shadow
	for _, one := range []struct {
		flag string
		into *string
	}{{f.operation, &p.Operation}, {f.static, &p.Static}, {f.to, &p.To}} {
		if one.flag != "" {
			*one.into = one.flag
		}
	}
	if len(f.sites) > 0 {
		p.Sites = f.sites
	}
	if f.events != "" {
		kinds, err := n.kinds(f.events)
		if err != nil {
			return err
		}
		p.Kinds = kinds
	}
	if f.numbers != "" {
		if p.Numbers = draft.Numbers(f.numbers); !slices.Contains(draft.AllNumbers(), p.Numbers) {
			return app.Mistakef("%s", n.lang.Sprintf("--numbers: dynamic, static, both or any"))
		}
	}
	if p.Numbers == draft.Static && p.Static != "" {
		p.Operation = p.Static
	}
	p.Answers = map[string]string{}
	for _, one := range f.set {
		path, value, ok := strings.Cut(one, "=")
		if !ok || !slices.ContainsFunc(n.spec.Fields, func(f spec.Field) bool { return f.Path == path }) {
			return app.Mistakef("%s", n.lang.Sprintf("--set %s: want FIELD=VALUE with a field of the specification", path))
		}
		p.Answers[path] = asValue(value)
	}
	return nil
}

func (n *newLink) kinds(list string) ([]event.Kind, error) {
	var kinds []event.Kind
	for name := range strings.SplitSeq(list, ",") {
		kind, err := event.ParseKind(strings.TrimSpace(name))
		if err != nil {
			return nil, app.Mistakef("%s", n.lang.Sprintf("--event: call.ended, request or call.started, with commas between several"))
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds, nil
}

// asValue is a value as the file has it: a word of the vocabulary alone is its expression.
func asValue(text string) string {
	text = strings.TrimSpace(text)
	if _, ok := calltouch.Lookup(text); ok {
		return "${" + text + "}"
	}
	return text
}

// lastValues are the last values of fields where a Touchbox runs, masked; where none does, nothing is known.
func (n *newLink) lastValues(ctx context.Context) func(string) string {
	if n.file == nil || !n.anyUnsure() {
		return nil
	}
	quiet := *n.cli
	quiet.errs, quiet.json, quiet.reveal = io.Discard, false, false
	site := ""
	if len(n.plan.Sites) > 0 {
		site = n.plan.Sites[0]
	}
	uses, err := quiet.fieldUses(ctx, site, daysOfValues)
	if err != nil {
		return nil
	}
	return func(field string) string {
		for _, u := range uses {
			if u.Field.Name == field {
				return n.lastValue(u)
			}
		}
		return ""
	}
}

// daysOfValues is how far back last values are looked for.
const daysOfValues = 7

func (n *newLink) anyUnsure() bool {
	d := n.draft()
	return slices.ContainsFunc(d.Fields, func(p spec.Proposal) bool { return len(p.Candidates) > 0 })
}

// finish prints the draft, or puts it into the file.
func (n *newLink) finish(d draft.Draft) error {
	kept, err := "", error(nil)
	if n.flags.write {
		kept, err = n.put(&d)
	}
	if n.json {
		if printed := n.printJSON(n.result(d, kept)); printed != nil {
			return printed
		}
		return err
	}
	n.printNotes(d.Notes)
	if kept == "" {
		_, _ = fmt.Fprint(n.out, d.Text(usualIndent))
	}
	switch {
	case err != nil:
		return err
	case len(d.ToDo) > 0:
		_, _ = fmt.Fprintln(n.errs, n.lang.Sprintf("still to be decided: %s", n.deciding(d)))
	case kept != "":
		n.say("%s has the links %s now; the old file is %s", n.settings.Config, strings.Join(d.Links, ", "), kept)
	}
	return nil
}

// deciding says what is still to be decided, with the flags that decide it.
func (n *newLink) deciding(d draft.Draft) string {
	flags := map[string]string{"from": "--site", "to": "--to", "operation": "--operation"}
	if n.plan.Numbers == draft.Both && n.plan.Operation != "" {
		flags["operation"] = "--static-operation"
	}
	var all, fields []string
	for _, key := range d.ToDo {
		if flag, ok := flags[key]; ok {
			all = append(all, n.lang.Sprintf("%s (%s NAME says it)", key, flag))
		} else {
			fields = append(fields, key)
		}
	}
	if len(fields) > 0 {
		all = append(all, n.lang.Sprintf("%s (--set FIELD=VALUE says it, --set FIELD= leaves the field out)", strings.Join(fields, ", ")))
	}
	return strings.Join(all, "; ")
}

// usualIndent is that of the items of `links` in the files that init writes.
const usualIndent = 2

// put puts the links into the file, once it is right with them.
func (n *newLink) put(d *draft.Draft) (kept string, err error) {
	if len(d.ToDo) > 0 {
		return "", errors.New(n.lang.Sprintf("%s stays as it is; still to be decided: %s", n.settings.Config, n.deciding(*d)))
	}
	if len(d.Twice) > 0 && !n.flags.shadow {
		return "", errors.New(n.lang.Sprintf("%s stays as it is: events would go to Mindbox twice, by %s too; take that link out first, or add --shadow", n.settings.Config, strings.Join(d.Twice, ", ")))
	}
	text, err := d.Splice(n.text)
	if err != nil {
		return "", err
	}
	problems, err := d.Check(n.settings.Config, n.file, text, n.options())
	for _, p := range problems.Warnings() {
		_, _ = fmt.Fprintln(n.errs, p)
	}
	if err != nil {
		return "", app.Mistake{Err: err}
	}
	return draft.Put(n.settings.Config, n.text, text, time.Now())
}

func (n *newLink) printNotes(notes []spec.Note) {
	for _, note := range notes {
		text := note.Text
		if note.Line > 0 {
			text = n.lang.Sprintf("line %d of the specification: %s", note.Line, note.Text)
		}
		_, _ = fmt.Fprintln(n.errs, text)
	}
}
