package link

import (
	"slices"
	"strconv"
	"strings"

	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// draft is a body while its dotted and nested fields are merged.
type draft struct {
	pos      strictyaml.Pos // of what named it first
	names    []string
	children map[string]*draft
	leaf     *strictyaml.Node
}

func (d *draft) child(name string, at strictyaml.Pos) *draft {
	if c, ok := d.children[name]; ok {
		return c
	}
	if d.children == nil {
		d.children = map[string]*draft{}
	}
	c := &draft{pos: at}
	d.children[name] = c
	d.names = append(d.names, name)
	return c
}

// body reads a link's body in any of its forms; nil after a mistake.
func (l *loader) body(n *strictyaml.Node, s *expression.Scope) *bodyNode {
	if n == nil || n.Kind == strictyaml.Broken {
		return nil
	}
	if n.Kind == strictyaml.Scalar {
		if n = l.ReadJSON(n, expression.Closing); n == nil {
			return nil
		}
	}
	if n.Kind != strictyaml.Mapping {
		l.NotA(n, "a mapping (key: value)")
		return nil
	}
	before := l.Reported()
	d := &draft{pos: n.Pos}
	l.merge(d, "", n, n.Pos)
	out := l.compileBody(d, "", s)
	if l.FailedSince(before) {
		return nil
	}
	if out == nil || len(out.members) == 0 {
		l.Mistake(n.Pos, "the body is empty")
		return nil
	}
	return out
}

// merge puts a value of the file at a place of the body.
func (l *loader) merge(d *draft, path string, n *strictyaml.Node, at strictyaml.Pos) {
	switch {
	case n.Kind == strictyaml.Broken:
	case n.Kind == strictyaml.Scalar && len(d.children) > 0:
		l.Mistake(at, "fields stand below %s in line %d, so it cannot have a value of its own", path, d.pos.Line).Hint("leave one of the two out")
	case d.leaf != nil:
		l.Mistake(at, "the field %s stands here a second time, the first time in line %d", path, d.pos.Line)
	case n.Kind == strictyaml.Scalar:
		d.leaf = n
	case n.Kind == strictyaml.Sequence:
		for i, item := range n.Items {
			name := strconv.Itoa(i)
			l.merge(d.child(name, item.Pos), join(path, name), item, item.Pos)
		}
	default:
		for _, e := range n.Entries {
			l.mergeEntry(d, path, e)
		}
	}
}

func (l *loader) mergeEntry(d *draft, path string, e strictyaml.Entry) {
	warnOfAlphabets(l.Reader, e.Pos, e.Key)
	for name := range strings.SplitSeq(e.Key, ".") {
		if strings.TrimSpace(name) == "" || strings.Contains(name, "${") {
			l.Mistake(e.Pos, "%s is no name of a field", e.Key).Hint("names with dots between them, as in customer.mobilePhone")
			return
		}
		if d.leaf != nil {
			l.Mistake(e.Pos, "%s has a value of its own in line %d, so nothing can stand below it: %s", path, d.pos.Line, e.Key).Hint("leave one of the two out")
			return
		}
		path = join(path, name)
		d = d.child(name, e.Pos)
	}
	l.merge(d, path, e.Value, e.Pos)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (l *loader) compileBody(d *draft, path string, s *expression.Scope) *bodyNode {
	switch {
	case d.leaf != nil:
		return l.leaf(d.leaf, path, s)
	case len(d.names) > 0 && slices.ContainsFunc(d.names, strictyaml.Digits):
		return l.listBody(d, path, s)
	}
	n := &bodyNode{path: path, pos: d.pos}
	for _, name := range d.names {
		if value := l.compileBody(d.children[name], join(path, name), s); value != nil {
			n.members = append(n.members, field{name, append(expression.AppendString(nil, name), ':'), value})
		}
	}
	return n
}

// listBody makes a list of numbered names: subscriptions.0, subscriptions.1.
func (l *loader) listBody(d *draft, path string, s *expression.Scope) *bodyNode {
	n := &bodyNode{path: path, pos: d.pos, list: true}
	for i := range d.names {
		c, ok := d.children[strconv.Itoa(i)]
		if !ok {
			l.Mistake(d.pos, "the list %s has no item %d: its items are numbered from 0 without gaps, and it has no other fields", path, i)
			return nil
		}
		if value := l.compileBody(c, join(path, strconv.Itoa(i)), s); value != nil {
			n.items = append(n.items, value)
		}
	}
	return n
}

// leaf compiles one value; nil after a mistake.
func (l *loader) leaf(v *strictyaml.Node, path string, s *expression.Scope) *bodyNode {
	n := &bodyNode{path: path, pos: v.Pos, limit: mindbox.Longest(path)}
	if v.Literal() {
		l.checkNumber(v)
		n.raw = []byte(v.Text)
		return n
	}
	if p := strictyaml.Placeholder(v.Text); p != "" {
		n := l.Mistake(v.Pos, "%s is a placeholder that nobody filled in", p)
		n.Hint("${...} with a field of Calltouch's")
		if p == strictyaml.ToDo {
			n.Hint("${...} with a field of Calltouch's, as `touchbox fields` lists them, or delete the line if Mindbox can do without")
		}
		return nil
	}
	t := template(s, v, l.inText(v))
	if t == nil {
		return nil
	}
	text, constant := t.Constant()
	if !constant {
		n.template = t
		return n
	}
	l.checkText(v, text, n)
	n.raw = expression.AppendString(nil, text)
	return n
}

// template compiles a value of the body: quotes in pasted JSON make a text of it, as everybody reads them.
func template(s *expression.Scope, v *strictyaml.Node, r expression.Reporter) *expression.Template {
	if v.Style == strictyaml.JSONText {
		return s.TextTemplate(v.Text, r)
	}
	return s.Template(v.Text, r)
}

func (l *loader) checkNumber(v *strictyaml.Node) {
	if !strictyaml.IsNumber(v.Text) || strings.Contains(v.Text, ".") {
		return
	}
	if i, err := strconv.ParseInt(v.Text, 10, 64); err != nil || !mindbox.FitsInteger(i) {
		l.Warn(v.Pos, "%s does not fit an integer field of Mindbox's (32 bits)", v.Text).Hint(`as a text, in quotes: "%s"`, v.Text)
	}
}

// checkText looks at a text that is the same for all events.
func (l *loader) checkText(v *strictyaml.Node, text string, n *bodyNode) {
	length, meant := len([]rune(text)), unmarked(text, n.path)
	switch {
	case strings.TrimSpace(text) == "":
		m := l.Mistake(v.Pos, "the text is empty, and to Mindbox that may mean: erase the field")
		if likely := likely(n.path); likely != "" {
			m.Hint("likely ${%s}; or leave the field out", strictyaml.Word(likely))
			return
		}
		m.Hint("${...} with a field of Calltouch's, or leave the field out")
	case meant != "":
		l.Warn(v.Pos, "%s would be sent as it stands", text).Code("${%s}", meant)
	case length > n.limit:
		l.Warn(v.Pos, "the text has %d characters, Mindbox takes %d", length, n.limit)
	}
}
