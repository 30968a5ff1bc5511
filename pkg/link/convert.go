package link

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// converter turns YAML's syntax tree into nodes: anchors, aliases and merges are resolved, and
// what YAML would read otherwise than a person is refused.
type converter struct {
	*reader
	anchors map[string]*node
	total   int
}

// convert reads any value.
func (c *converter) convert(n ast.Node) *node {
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n)
	case *ast.MappingValueNode:
		return c.entries([]*ast.MappingValueNode{n}, tokenPos(n.Key.GetToken()))
	case *ast.SequenceNode:
		return c.sequence(n)
	case *ast.AnchorNode:
		out := c.convert(n.Value)
		c.anchors[n.Name.GetToken().Value] = out
		return out
	case *ast.AliasNode:
		return c.alias(n)
	case *ast.TagNode:
		c.tag(n)
		return &node{pos: tokenPos(n.GetToken()), size: 1}
	case *ast.LiteralNode:
		return &node{kind: scalar, style: block, text: n.Value.Value, pos: tokenPos(n.Start), size: 1}
	}
	return c.scalar(n)
}

func (c *converter) tag(n *ast.TagNode) {
	text := n.GetToken().Value
	c.mistake(tokenPos(n.GetToken()), "%s is a YAML tag and would vanish", text).
		hint("write `not %s`, or put the whole value in quotes", strings.TrimLeft(text, "!"))
}

func (c *converter) alias(n *ast.AliasNode) *node {
	name := n.Value.GetToken().Value
	out, ok := c.anchors[name]
	if !ok {
		at := tokenPos(n.GetToken())
		names := make([]string, 0, len(c.anchors))
		for known := range c.anchors {
			names = append(names, known)
		}
		c.mistake(at, "no anchor &%s stands above", name).suggest(name, sorted(names))
		return &node{pos: at, size: 1}
	}
	if c.total += out.size; c.total > maxNodes {
		c.total = 0
		c.mistake(tokenPos(n.GetToken()), "the aliases make the file too large")
		return &node{pos: tokenPos(n.GetToken()), size: maxNodes}
	}
	return out
}

func (c *converter) mapping(n *ast.MappingNode) *node {
	at := tokenPos(n.Start)
	if !n.IsFlowStyle && len(n.Values) > 0 {
		at = tokenPos(n.Values[0].Key.GetToken())
	}
	return c.entries(n.Values, at)
}

func (c *converter) entries(values []*ast.MappingValueNode, at Pos) *node {
	out := &node{kind: mapping, pos: at, size: 1}
	var merges []*node
	for i := 0; i < len(values); i++ {
		v := values[i]
		if v.Key.IsMergeKey() {
			merges = append(merges, c.merged(v)...)
			continue
		}
		key, ok := c.key(v.Key)
		if !ok {
			continue
		}
		if tag, isTag := v.Value.(*ast.TagNode); isTag {
			values = append(values[:i+1:i+1], append(swallowed(tag, v), values[i+1:]...)...)
		}
		out.add(c.reader, entry{key, tokenPos(v.Key.GetToken()), c.value(v)})
	}
	for _, m := range merges {
		out.merge(m)
	}
	return out
}

// swallowed are the keys after a tag, which the parser takes for the tag's value.
func swallowed(tag *ast.TagNode, v *ast.MappingValueNode) []*ast.MappingValueNode {
	m, ok := tag.Value.(*ast.MappingNode)
	if !ok || m.IsFlowStyle || len(m.Values) == 0 {
		return nil
	}
	if m.Values[0].Key.GetToken().Position.Column != v.Key.GetToken().Position.Column {
		return nil
	}
	return m.Values
}

// add refuses a second value for one key.
func (n *node) add(r *reader, e entry) {
	for _, old := range n.entries {
		if old.key == e.key {
			r.mistake(e.pos, "%s stands here a second time, the first time in line %d", e.key, old.pos.Line)
			return
		}
	}
	n.entries = append(n.entries, e)
	n.size = min(n.size+e.value.size, maxNodes)
}

// merge takes over the keys that n does not have.
func (n *node) merge(from *node) {
	for _, e := range from.entries {
		if n.get(e.key) == nil {
			n.entries = append(n.entries, e)
			n.size = min(n.size+e.value.size, maxNodes)
		}
	}
}

// merged reads what follows <<: one mapping or a list of them.
func (c *converter) merged(v *ast.MappingValueNode) []*node {
	value := c.convert(v.Value)
	list := []*node{value}
	if value.kind == sequence {
		list = value.items
	}
	var out []*node
	for _, m := range list {
		switch m.kind {
		case mapping:
			out = append(out, m)
		case broken:
		default:
			c.mistake(tokenPos(v.Key.GetToken()), "<< takes the keys of a mapping, and this is none")
		}
	}
	return out
}

// value reads the value of a key; none at all is refused.
func (c *converter) value(v *ast.MappingValueNode) *node {
	if isNull(v.Value) {
		at := tokenPos(v.Key.GetToken())
		c.mistake(at, "%s has no value", v.Key.GetToken().Value).hint("leave the key out, or give it a value")
		return &node{pos: at, size: 1}
	}
	return c.convert(v.Value)
}

func isNull(n ast.Node) bool {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return true
	case *ast.AnchorNode:
		return isNull(n.Value)
	}
	return false
}

func (c *converter) sequence(n *ast.SequenceNode) *node {
	out := &node{kind: sequence, pos: tokenPos(n.Start), size: 1}
	for _, v := range n.Values {
		if isNull(v) {
			at := out.pos
			if v != nil {
				at = tokenPos(v.GetToken())
			}
			c.mistake(at, "an item of the list has no value").hint("delete the item, or give it a value")
			continue
		}
		item := c.convert(v)
		out.items = append(out.items, item)
		out.size = min(out.size+item.size, maxNodes)
	}
	return out
}

// key reads a key from its token's text.
func (c *converter) key(n ast.MapKeyNode) (string, bool) {
	at := tokenPos(n.GetToken())
	s, ok := n.(*ast.StringNode)
	switch {
	case ok && s.Token.Type.String() != "String": // quoted
		return s.Value, true
	case ok, isScalar(n):
		text := n.GetToken().Value
		return text, c.unambiguous(at, text)
	}
	c.mistake(at, "this is no key").hint("a key is a plain word or stands in quotes, and a colon follows")
	return "", false
}

func isScalar(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return true
	}
	return false
}

// scalar reads one value from its token's text.
func (c *converter) scalar(n ast.Node) *node {
	t := n.GetToken()
	out := &node{kind: scalar, text: t.Value, pos: tokenPos(t), size: 1}
	if s, ok := n.(*ast.StringNode); ok {
		out.text = s.Value
		if !plainToken(t) {
			out.style = quoted
			return out
		}
	}
	if !c.unambiguous(out.pos, out.text) {
		out.kind = broken
	}
	return out
}
