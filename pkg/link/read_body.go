package link

import (
	"slices"
	"strconv"
	"strings"
)

// draft is a body while its dotted and nested fields are merged.
type draft struct {
	pos      Pos // of what named it first
	names    []string
	children map[string]*draft
	leaf     *node
}

func (d *draft) child(name string, at Pos) *draft {
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
func (l *loader) body(n *node, s scope) *bodyNode {
	if n == nil || n.kind == broken {
		return nil
	}
	if n.kind == scalar {
		if n = l.pastedJSON(n); n == nil {
			return nil
		}
	}
	if n.kind != mapping {
		l.notA(n, "a mapping (key: value)")
		return nil
	}
	before := len(l.problems)
	d := &draft{pos: n.pos}
	l.merge(d, "", n, n.pos)
	out := l.compileBody(d, "", s)
	if l.failed(before) {
		return nil
	}
	if out == nil || len(out.members) == 0 {
		l.mistake(n.pos, "the body is empty")
		return nil
	}
	return out
}

// merge puts a value of the file at a place of the body.
func (l *loader) merge(d *draft, path string, n *node, at Pos) {
	switch {
	case n.kind == broken:
	case d.leaf != nil, n.kind == scalar && len(d.children) > 0:
		l.mistake(at, "the field %s stands here a second time, the first time in line %d", path, d.pos.Line)
	case n.kind == scalar:
		d.leaf = n
	case n.kind == sequence:
		for i, item := range n.items {
			name := strconv.Itoa(i)
			l.merge(d.child(name, item.pos), join(path, name), item, item.pos)
		}
	default:
		for _, e := range n.entries {
			l.mergeEntry(d, path, e)
		}
	}
}

func (l *loader) mergeEntry(d *draft, path string, e entry) {
	for name := range strings.SplitSeq(e.key, ".") {
		if strings.TrimSpace(name) == "" || strings.Contains(name, "${") {
			l.mistake(e.pos, "%s is no name of a field", e.key).hint("names with dots between them, as in customer.mobilePhone")
			return
		}
		path = join(path, name)
		if d.leaf != nil {
			l.mistake(e.pos, "the field %s stands here a second time, the first time in line %d", path, d.pos.Line)
			return
		}
		d = d.child(name, e.pos)
	}
	l.merge(d, path, e.value, e.pos)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (l *loader) compileBody(d *draft, path string, s scope) *bodyNode {
	switch {
	case d.leaf != nil:
		return l.leaf(d.leaf, path, s)
	case len(d.names) > 0 && slices.ContainsFunc(d.names, digits):
		return l.listBody(d, path, s)
	}
	n := &bodyNode{path: path, pos: d.pos}
	for _, name := range d.names {
		if value := l.compileBody(d.children[name], join(path, name), s); value != nil {
			n.members = append(n.members, field{name, append(appendString(nil, name), ':'), value})
		}
	}
	return n
}

// listBody makes a list of numbered names: subscriptions.0, subscriptions.1.
func (l *loader) listBody(d *draft, path string, s scope) *bodyNode {
	n := &bodyNode{path: path, pos: d.pos, list: true}
	for i := range d.names {
		c, ok := d.children[strconv.Itoa(i)]
		if !ok {
			l.mistake(d.pos, "the list %s has no item %d: its items are numbered from 0 without gaps, and it has no other fields", path, i)
			return nil
		}
		if value := l.compileBody(c, join(path, strconv.Itoa(i)), s); value != nil {
			n.items = append(n.items, value)
		}
	}
	return n
}

// leaf compiles one value; nil after a mistake.
func (l *loader) leaf(v *node, path string, s scope) *bodyNode {
	n := &bodyNode{path: path, pos: v.pos, limit: limitOf(path)}
	if v.literal() {
		l.checkNumber(v)
		n.raw = []byte(v.text)
		return n
	}
	if p := placeholder(v.text); p != "" {
		l.mistake(v.pos, "%s is a placeholder that nobody filled in", p).hint("${...} with a field of Calltouch's")
		return nil
	}
	t := l.template(v, s)
	if t == nil {
		return nil
	}
	if !t.static() {
		n.template = t
		return n
	}
	l.checkText(v, t.text(), n.limit)
	n.raw = appendString(nil, t.text())
	return n
}

func (l *loader) checkNumber(v *node) {
	if !isNumber(v.text) || strings.Contains(v.text, ".") {
		return
	}
	if i, err := strconv.ParseInt(v.text, 10, 64); err != nil || !fits32(i) {
		l.warn(v.pos, "%s does not fit an integer field of Mindbox's (32 bits)", v.text).hint(`as a text, in quotes: "%s"`, v.text)
	}
}

func (l *loader) checkText(v *node, text string, limit int) {
	switch length := len([]rune(text)); {
	case text == "":
		l.warn(v.pos, "to Mindbox an empty text may mean: erase the field").hint("leave the field out")
	case length > limit:
		l.warn(v.pos, "the text has %d characters, Mindbox takes %d", length, limit)
	}
}
