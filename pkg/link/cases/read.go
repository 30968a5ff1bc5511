package cases

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Folder is where the tests of a touchbox.yaml are, beside it.
const Folder = "tests"

// Find lists the files of tests beside a configuration.
func Find(config string) ([]string, error) {
	return filepath.Glob(filepath.Join(filepath.Dir(config), Folder, "*.yaml"))
}

// Load reads a file of tests of the links of a configuration. With a mistake among the problems there is no
// file. The error means that the file could not be read.
func Load(path string, links *link.File, l lang.Language) (*File, strictyaml.Problems, error) {
	data, err := strictyaml.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read tests: %w", err)
	}
	file, problems := Parse(path, data, links, l)
	return file, problems, nil
}

// Parse is Load for a file in memory; name stands in the problems.
func Parse(name string, data []byte, links *link.File, l lang.Language) (*File, strictyaml.Problems) {
	r := &reader{Reader: &strictyaml.Reader{Name: name, Language: l}, links: links, source: newSource(data)}
	file := &File{Path: name, source: data}
	if root := r.Read(data); root != nil && r.Mapping(root, keysOf(&keys.TestFile)) {
		file.Cases = r.file(root)
	}
	problems := r.Problems()
	if len(problems.Mistakes()) > 0 {
		return nil, problems
	}
	return file, problems
}

func keysOf(s *keys.Section) strictyaml.Keys {
	return strictyaml.Keys{Title: s.Name, Names: s.Names(), Required: s.Required()}
}

// reader reads one file of tests.
type reader struct {
	*strictyaml.Reader
	links  *link.File
	source source
}

// common is what a file says for all of its cases, or a case for itself.
type common struct {
	site  *link.Site
	clock string // as written; read by the clock of the site
	at    strictyaml.Pos
}

func (r *reader) file(root *strictyaml.Node) []*Case {
	if len(r.links.Sites) == 0 {
		r.Mistake(root.Pos, "touchbox.yaml has no sites, so no event can be read")
		return nil
	}
	all := r.common(root, common{site: r.links.Sites[0]})
	list := root.Get("cases")
	if list == nil {
		return nil
	}
	if list.Kind != strictyaml.Sequence || len(list.Items) == 0 {
		r.NotA(list, "a list of cases")
		return nil
	}
	var out []*Case
	for _, n := range list.Items {
		if r.Mapping(n, keysOf(&keys.TestCase)) {
			out = append(out, r.cases(n, all)...)
		}
	}
	return out
}

// common reads site and clock of a mapping; what it does not say is as before.
func (r *reader) common(n *strictyaml.Node, c common) common {
	if name, ok := r.ScalarText(n.Get("site")); ok {
		if site := r.links.Site(name); site != nil {
			c.site = site
		} else {
			r.Mistake(n.Get("site").Pos, "no site has the name %s", name).Suggest(name, r.siteNames())
		}
	}
	if text, ok := r.ScalarText(n.Get("clock")); ok {
		c.clock, c.at = text, n.Get("clock").Pos
	}
	return c
}

func (r *reader) siteNames() []string {
	var names []string
	for _, s := range r.links.Sites {
		names = append(names, s.Name, s.ID)
	}
	return names
}

// cases are the case of a mapping and those of its table.
func (r *reader) cases(n *strictyaml.Node, all common) []*Case {
	c := r.common(n, all)
	name, _ := r.ScalarText(n.Get("name"))
	message, _ := r.ScalarText(n.Get("message"))
	table := n.Get("table")
	e, ok := r.event(n.Get("event"), c.site)
	if !ok {
		return nil
	}
	base := Case{Name: name, Line: n.Pos.Line, Message: message, Expect: r.expectations(n.Get("links"))}
	if table != nil {
		return r.table(table, base, e, c)
	}
	if n.Get("links") == nil {
		r.Mistake(n.Pos, "the case expects nothing").Hint("say under links what becomes of the event, as in %s", "links: {"+r.someLink()+": delivered}")
	}
	r.finish(&base, e, c)
	return []*Case{&base}
}

// someLink is the id of a link, for a hint.
func (r *reader) someLink() string {
	if len(r.links.Links) == 0 {
		return "calls"
	}
	return r.links.Links[0].ID
}

// finish gives a case its fields and its clock.
func (r *reader) finish(c *Case, e given, all common) {
	c.fields = e.fields()
	c.now, _ = c.fields["time"].(time.Time)
	if all.clock == "" {
		return
	}
	now, ok := all.moment()
	if !ok {
		r.Mistake(all.at, "%s is no moment", all.clock).Code(`"2026-11-01 12:00:00", "2026-11-01T12:00:00+03:00"`)
	}
	c.now = now
}

// moment reads the clock, by the cabinet's zone where it names none.
func (c common) moment() (time.Time, bool) {
	for _, form := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.ParseInLocation(form, c.clock, c.site.Location); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// expectations reads what each link makes of an event.
func (r *reader) expectations(n *strictyaml.Node) []*Expectation {
	if n == nil {
		return nil
	}
	if n.Kind != strictyaml.Mapping {
		r.NotA(n, "a mapping (key: value)")
		return nil
	}
	var out []*Expectation
	for _, e := range n.Entries {
		l := r.link(e.Key, e.Pos)
		if l == nil {
			continue
		}
		x := &Expectation{Link: l, Line: e.Pos.Line}
		if e.Value.Kind == strictyaml.Scalar {
			x.outcome = r.outcome(e.Value)
		} else if r.Mapping(e.Value, keysOf(&keys.Expectation)) {
			r.expectation(x, e.Value)
		}
		out = append(out, x)
	}
	return out
}

func (r *reader) link(id string, at strictyaml.Pos) *link.Link {
	if l := r.links.Link(id); l != nil {
		return l
	}
	r.Mistake(at, "no link has the id %s", id).Suggest(id, r.linkIDs())
	return nil
}

func (r *reader) linkIDs() []string {
	ids := make([]string, len(r.links.Links))
	for i, l := range r.links.Links {
		ids[i] = l.ID
	}
	return ids
}

func (r *reader) expectation(x *Expectation, n *strictyaml.Node) {
	x.Message, _ = r.ScalarText(n.Get("message"))
	if o := n.Get("outcome"); o != nil {
		x.outcome = r.outcome(o)
	}
	x.condition = r.condition(n.Get("condition"), x.Link)
	x.operation = r.written(n.Get("operation"))
	x.device = r.written(n.Get("deviceUUID"))
	x.body, x.fields = r.values(n.Get("body")), r.values(n.Get("fields"))
	if without := n.Get("without"); without != nil && without.Kind != strictyaml.Sequence {
		r.NotA(without, "a list")
	} else if without != nil {
		for _, item := range without.Items {
			if w := r.written(item); w != nil {
				x.without = append(x.without, *w)
			}
		}
	}
	if len(n.Entries) == 0 || len(n.Entries) == 1 && n.Get("message") != nil {
		r.Mistake(n.Pos, "nothing is expected of link %s", x.Link.ID).Code("outcome: delivered")
	}
}

// written reads a text; nil where there is none, or a mistake.
func (r *reader) written(n *strictyaml.Node) *written {
	text, ok := r.ScalarText(n)
	if !ok {
		return nil
	}
	return &written{text: text, span: r.source.scalar(n)}
}

func (r *reader) outcome(n *strictyaml.Node) *written {
	w := r.written(n)
	if w == nil {
		return nil
	}
	return r.knownOutcome(w, n.Pos)
}

// knownOutcome is the outcome that is written, where there is such a one; nil after a mistake.
func (r *reader) knownOutcome(w *written, at strictyaml.Pos) *written {
	words := keys.Outcomes()
	if slices.Contains(words, w.text) {
		return w
	}
	m := r.Mistake(at, "%s is no outcome that a test can expect: %s", w.text, strictyaml.Words(words))
	if slices.Contains(event.Outcomes, event.Outcome(w.text)) {
		m.Hint("a test ends before anything is sent, and begins before anything is stored")
	} else {
		m.Suggest(w.text, words)
	}
	return nil
}

// condition reads the condition of a link that does not hold, which must be one of its own.
func (r *reader) condition(n *strictyaml.Node, l *link.Link) *written {
	w := r.written(n)
	if w == nil {
		return nil
	}
	all := l.When()
	if !slices.Contains(all, w.text) {
		r.Mistake(n.Pos, "link %s has no condition %s", l.ID, w.text).Suggest(w.text, all)
	}
	return w
}

// values reads a body, dotted, nested or as JSON; nil where there is none, or a mistake.
func (r *reader) values(n *strictyaml.Node) *values {
	if n == nil {
		return nil
	}
	whole := n
	if n.Kind == strictyaml.Scalar {
		if n = r.ReadJSON(n, func(string) int { return -1 }); n == nil {
			return nil
		}
	}
	if n.Kind != strictyaml.Mapping {
		r.NotA(n, "a mapping (key: value)")
		return nil
	}
	v := &values{at: map[string]written{}, json: whole.Kind == strictyaml.Scalar}
	v.span, v.indent = r.source.block(whole)
	r.leaves(v, "", n)
	return v
}

func (r *reader) leaves(v *values, path string, n *strictyaml.Node) {
	inside := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch n.Kind {
	case strictyaml.Mapping:
		for _, e := range n.Entries {
			r.leaves(v, inside(e.Key), e.Value)
		}
	case strictyaml.Sequence:
		for i, item := range n.Items {
			r.leaves(v, inside(fmt.Sprint(i)), item)
		}
	case strictyaml.Scalar:
		r.leaf(v, path, n)
	}
}

func (r *reader) leaf(v *values, path string, n *strictyaml.Node) {
	switch placeholder := strictyaml.Placeholder(n.Text); {
	case placeholder != "" && n.Style == strictyaml.Plain:
		r.Mistake(n.Pos, "%s is a placeholder that nobody filled in", placeholder)
	case strings.HasPrefix(n.Text, "${") && strings.HasSuffix(n.Text, "}"):
		r.Mistake(n.Pos, "an expression stands here").Hint("write the value that comes out of it")
	case v.at[path].text != "":
		r.Mistake(n.Pos, "the field %s stands here a second time", path)
	default:
		v.paths = append(v.paths, path)
		v.at[path] = written{text: jsonOf(n), span: r.source.scalar(n)}
	}
}

// message is why an expectation has to hold, in its own words or in those of its case.
func (c *Case) message(x *Expectation) string { return cmp.Or(x.Message, c.Message) }
