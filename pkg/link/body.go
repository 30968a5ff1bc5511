package link

import (
	"strings"

	"github.com/expr-lang/expr/vm"
)

// bodyNode is one value of a compiled body: an object, a list, or a leaf.
type bodyNode struct {
	path     string
	members  []field // of an object, in the order of the file
	items    []*bodyNode
	list     bool
	raw      []byte    // a leaf that never changes, as JSON
	template *template // any other leaf
	limit    int       // characters that Mindbox takes
	require  int       // place among the link's required fields, counted from 1; 0 = none
	pos      Pos
}

// field is one field of an object, with its key and colon as JSON.
type field struct {
	name  string
	key   []byte
	value *bodyNode
}

// rendering is one run over a body.
type rendering struct {
	vm      *vm.VM
	fields  map[string]any
	present []bool                       // by bodyNode.require
	notes   []string                     // see Rendered.Notes
	leaf    func(n *bodyNode, v any) any // Explain looks at, and masks, each value; nil in Render
}

// append appends the value; ok is false where nothing came, and then nothing was appended.
func (n *bodyNode) append(b []byte, r *rendering) (out []byte, ok bool, err error) {
	switch {
	case n.raw != nil:
		b, ok = append(b, n.raw...), true
	case n.template != nil:
		b, ok, err = n.appendLeaf(b, r)
	case n.list:
		b, ok, err = n.appendList(b, r)
	default:
		b, ok, err = n.appendObject(b, r)
	}
	if ok && n.require > 0 && string(n.raw) != `""` {
		r.present[n.require-1] = true
	}
	return b, ok, err
}

func (n *bodyNode) appendObject(b []byte, r *rendering) ([]byte, bool, error) {
	start := len(b)
	b = append(b, '{')
	some := false
	for i := range n.members {
		m := &n.members[i]
		before := len(b)
		if some {
			b = append(b, ',')
		}
		out, ok, err := m.value.append(append(b, m.key...), r)
		if err != nil {
			return b, false, err
		}
		if b = out; !ok {
			b = b[:before]
		}
		some = some || ok
	}
	if !some {
		return b[:start], false, nil
	}
	return append(b, '}'), true, nil
}

func (n *bodyNode) appendList(b []byte, r *rendering) ([]byte, bool, error) {
	start := len(b)
	b = append(b, '[')
	some := false
	for _, item := range n.items {
		before := len(b)
		if some {
			b = append(b, ',')
		}
		out, ok, err := item.append(b, r)
		if err != nil {
			return b, false, err
		}
		if b = out; !ok {
			b = b[:before]
		}
		some = some || ok
	}
	if !some {
		return b[:start], false, nil
	}
	return append(b, ']'), true, nil
}

func (n *bodyNode) appendLeaf(b []byte, r *rendering) ([]byte, bool, error) {
	v, err := n.template.value(r.vm, r.fields)
	if err != nil {
		return b, false, err
	}
	if !n.note(r, v) {
		v = nil
	}
	if r.leaf != nil {
		v = r.leaf(n, v)
	}
	if v == nil {
		return b, false, nil
	}
	out, err := appendValue(b, v)
	if err != nil {
		return b, false, n.template.failed()
	}
	return out, true, nil
}

// note remarks what Mindbox may refuse, and reports whether there is anything at all.
func (n *bodyNode) note(r *rendering, v any) bool {
	switch v := v.(type) {
	case string:
		if len(v) > n.limit && len([]rune(v)) > n.limit {
			r.notes = append(r.notes, n.path)
		}
	case int64:
		if !fits32(v) {
			r.notes = append(r.notes, n.path)
		}
	case int:
		if !fits32(int64(v)) {
			r.notes = append(r.notes, n.path)
		}
	case bool, float64:
	default:
		return filled(v)
	}
	return true
}

// fits32 reports whether Mindbox's integer fields hold v.
func fits32(v int64) bool { return v == int64(int32(v)) }

// failed is the error of a template whose value is no JSON.
func (t *template) failed() error {
	for _, p := range t.parts {
		if p.expr != nil {
			return &ExpressionError{p.expr.source, p.expr.pos, p.expr.reads}
		}
	}
	return errBadValue
}

// Limits of Mindbox's fields in characters: a longer name stops the whole operation.
const (
	longestName = 100
	longestText = 1000
)

var nameFields = map[string]bool{"firstName": true, "lastName": true, "middleName": true, "fullName": true}

func limitOf(path string) int {
	if nameFields[path[strings.LastIndexByte(path, '.')+1:]] {
		return longestName
	}
	return longestText
}

// walk visits every node of the body.
func (n *bodyNode) walk(f func(*bodyNode)) {
	f(n)
	for _, m := range n.members {
		m.value.walk(f)
	}
	for _, item := range n.items {
		item.walk(f)
	}
}

// find is the node at a dotted path; nil when there is none.
func (n *bodyNode) find(path string) (found *bodyNode) {
	n.walk(func(c *bodyNode) {
		if c.path == path {
			found = c
		}
	})
	return found
}
