package strictyaml

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// converter turns YAML's syntax tree into nodes: anchors, aliases and merges are resolved, and
// what YAML would read otherwise than a person is refused.
type converter struct {
	*Reader
	anchors map[string]*Node
	total   int
}

// convert reads any value.
func (c *converter) convert(n ast.Node) *Node {
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
		return &Node{Pos: tokenPos(n.GetToken()), size: 1}
	case *ast.LiteralNode:
		return &Node{Kind: Scalar, Style: Block, Text: n.Value.Value, Pos: tokenPos(n.Start), size: 1}
	}
	return c.scalar(n)
}

func (c *converter) tag(n *ast.TagNode) {
	text := n.GetToken().Value
	c.Mistake(tokenPos(n.GetToken()), "%s is a YAML tag and would vanish", text).
		Hint("write `not %s`, or put the whole value in quotes", strings.TrimLeft(text, "!"))
}

func (c *converter) alias(n *ast.AliasNode) *Node {
	name := n.Value.GetToken().Value
	out, ok := c.anchors[name]
	if !ok {
		at := tokenPos(n.GetToken())
		c.Mistake(at, "no anchor &%s stands above", name).Suggest(name, slices.Sorted(maps.Keys(c.anchors)))
		return &Node{Pos: at, size: 1}
	}
	if c.total += out.size; c.total > maxNodes {
		c.total = 0
		c.Mistake(tokenPos(n.GetToken()), "the aliases make the file too large")
		return &Node{Pos: tokenPos(n.GetToken()), size: maxNodes}
	}
	return out
}

func (c *converter) mapping(n *ast.MappingNode) *Node {
	at := tokenPos(n.Start)
	if !n.IsFlowStyle && len(n.Values) > 0 {
		at = tokenPos(n.Values[0].Key.GetToken())
	}
	return c.entries(n.Values, at)
}

func (c *converter) entries(values []*ast.MappingValueNode, at Pos) *Node {
	out := &Node{Kind: Mapping, Pos: at, size: 1}
	var merges []*Node
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
			if hidden := swallowed(tag, v); len(hidden) > 0 {
				values = slices.Concat(hidden, values[i+1:])
				i = -1
			}
		}
		out.add(c.Reader, Entry{key, tokenPos(v.Key.GetToken()), c.value(v)})
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
func (n *Node) add(r *Reader, e Entry) {
	if old := n.find(e.Key); old != nil {
		r.Mistake(e.Pos, "%s stands here a second time, the first time in line %d", e.Key, old.Pos.Line)
		return
	}
	n.put(e)
}

// merge takes over the keys that n does not have.
func (n *Node) merge(from *Node) {
	for _, e := range from.Entries {
		if n.find(e.Key) == nil {
			n.put(e)
		}
	}
}

// merged reads what follows <<: one mapping or a list of them.
func (c *converter) merged(v *ast.MappingValueNode) []*Node {
	value := c.convert(v.Value)
	list := []*Node{value}
	if value.Kind == Sequence {
		list = value.Items
	}
	var out []*Node
	for _, m := range list {
		switch m.Kind {
		case Mapping:
			out = append(out, m)
		case Broken:
		default:
			c.Mistake(tokenPos(v.Key.GetToken()), "<< takes the keys of a mapping, and this is none")
		}
	}
	return out
}

// value reads the value of a key; none at all is refused.
func (c *converter) value(v *ast.MappingValueNode) *Node {
	if isNull(v.Value) {
		at := tokenPos(v.Key.GetToken())
		name := v.Key.GetToken().Value
		c.missingHint(c.Mistake(at, "%s has no value", name), at, name)
		return &Node{Pos: at, size: 1}
	}
	return c.convert(v.Value)
}

// missingHint looks at the source for why a key has no value.
func (c *converter) missingHint(n Note, at Pos, name string) {
	line := []rune(c.lines[at.Line-1])
	before, after := string(line[:at.Column-1]), strings.TrimPrefix(string(line[at.Column-1:]), name)
	switch behind := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(after), ":")); {
	case strings.HasSuffix(strings.TrimSpace(before), "{") && strings.HasPrefix(behind, "}"):
		n.Hint("braces alone make a mapping; an expression is ${%s}", name)
	case strings.HasPrefix(behind, "#{"):
		n.Hint("everything from # on is a comment here; an expression is ${...}")
	case behind == "":
		n.Hint("give it a value, or leave the key out; what belongs under it stands some blanks further right")
	default:
		n.Hint("leave the key out, or give it a value")
	}
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

func (c *converter) sequence(n *ast.SequenceNode) *Node {
	out := &Node{Kind: Sequence, Pos: tokenPos(n.Start), size: 1}
	for _, v := range n.Values {
		if isNull(v) {
			at := out.Pos
			if v != nil {
				at = tokenPos(v.GetToken())
			}
			c.Mistake(at, "an item of the list has no value").Hint("delete the item, or give it a value")
			continue
		}
		item := c.convert(v)
		out.Items = append(out.Items, item)
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
	c.Mistake(at, "this is no key").Hint("a key is a plain word or stands in quotes, and a colon follows")
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
func (c *converter) scalar(n ast.Node) *Node {
	t := n.GetToken()
	out := &Node{Kind: Scalar, Text: t.Value, Pos: tokenPos(t), size: 1}
	if s, ok := n.(*ast.StringNode); ok {
		out.Text = s.Value
		if !plainToken(t) {
			out.Style = Quoted
			return out
		}
	}
	if !c.unambiguous(out.Pos, out.Text) {
		out.Kind = Broken
	}
	return out
}

var (
	leadingZero = regexp.MustCompile(`^[-+]?0\d+(\.\d*)?$`)
	otherBase   = regexp.MustCompile(`^[-+]?0[xXoObB][0-9a-fA-F_]+$`)
	underscored = regexp.MustCompile(`^[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?$`)
	oddNumber   = regexp.MustCompile(`^([-+]?(\d+\.|\.\d+)|\+\d[\d.]*|[-+]?\d+(\.\d*)?[eE][-+]?\d+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	oddBoolean  = regexp.MustCompile(`^(?i:yes|no|on|off)$|^(True|TRUE|False|FALSE)$`)
	oddNull     = regexp.MustCompile(`^(~|null|Null|NULL)$`)
)

// Unambiguous reports whether every reader of YAML takes a text without quotes for the same: yes, 007 and null are not.
func Unambiguous(text string) bool { return new(Reader).unambiguous(Pos{}, text) }

// unambiguous refuses plain scalars that some readers of YAML take for something else.
func (r *Reader) unambiguous(at Pos, text string) bool {
	switch {
	case strings.IndexAny(text, "%@`") == 0:
		r.Mistake(at, "%s begins with a sign that YAML keeps for itself", text).Hint(`put it in quotes: "%s"`, text)
	case oddNull.MatchString(text):
		r.Mistake(at, "%s means no value", text).Hint("leave the key out, or put a text in quotes")
	case oddBoolean.MatchString(text):
		r.Mistake(at, "%s is a text to some readers of YAML and a boolean to others", text).
			Hint(`write true or false, or put a text in quotes: "%s"`, text)
	case leadingZero.MatchString(text), otherBase.MatchString(text), underscored.MatchString(text), oddNumber.MatchString(text):
		r.Mistake(at, "%s would lose or change its digits", text).Hint(`put it in quotes: "%s"`, text)
	default:
		return true
	}
	return false
}
