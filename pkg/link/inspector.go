package link

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// inspector finds what expr's own check lets pass.
type inspector struct {
	*loader
	origin
	scope
	local []string          // let variables
	calls map[ast.Node]bool // what is called
}

// locals collects what only the whole tree tells: let variables, and which identifiers are called.
func (v *inspector) locals(tree ast.Node) {
	v.calls = map[ast.Node]bool{}
	ast.Walk(&tree, visitor(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.VariableDeclaratorNode:
			v.local = append(v.local, n.Name)
		case *ast.CallNode:
			v.calls[n.Callee] = true
		}
	}))
}

type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (f visitor) Visit(n *ast.Node) { f(*n) }

// Visit implements ast.Visitor.
func (v *inspector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.identifier(n)
	case *ast.CallNode:
		v.call(n)
	case *ast.MemberNode:
		v.member(n)
	case *ast.BinaryNode:
		v.binary(n)
	case *ast.BytesNode:
		v.mistake(v.where(n), "bytes are not part of the language")
	case *ast.SequenceNode:
		v.mistake(v.where(n), "of expressions with ; between them only the last one would count").hint("join conditions by and")
	}
}

func (v *inspector) where(n ast.Node) Pos { return v.place(v.origin, n.Location().From) }

func (v *inspector) identifier(n *ast.IdentifierNode) {
	if v.calls[n] || slices.Contains(v.local, n.Value) || slices.Contains(v.known, n.Value) {
		return
	}
	m := v.mistake(v.where(n), "unknown name %s", n.Value)
	if h := wordHints[strings.ToLower(n.Value)]; h != "" {
		m.hint("write %s", h)
		return
	}
	if slices.Contains(v.attrs, n.Value) {
		m.hint("write %s", "attrs."+n.Value)
		return
	}
	m.suggest(n.Value, append(slices.Clone(v.known), functionNames()...))
}

func (v *inspector) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		v.notCallable(n)
		return
	}
	if slices.Contains(functionNames(), callee.Value) && !slices.Contains(v.known, callee.Value) {
		v.arguments(callee.Value, n)
		return
	}
	m := v.mistake(v.where(n), "unknown function %s", callee.Value)
	if why := withheld[callee.Value]; why != "" {
		m.hint(why)
		return
	}
	m.suggest(callee.Value, functionNames())
}

func (v *inspector) notCallable(n *ast.CallNode) {
	m := v.mistake(v.where(n), "this cannot be called")
	if member, ok := n.Callee.(*ast.MemberNode); ok && member.Node.Type() == reflect.TypeFor[time.Time]() {
		m.code(`local(time, "HH")`)
	}
}

// arguments checks a form given to utc() or local().
func (v *inspector) arguments(name string, n *ast.CallNode) {
	if name != "utc" && name != "local" || len(n.Arguments) < 2 {
		return
	}
	if s, ok := n.Arguments[1].(*ast.StringNode); ok {
		if _, err := parseTimeFormat(s.Value); err != nil {
			v.mistake(v.where(s), "%s is no form of a time", s.Value).
				hint("letters such as yyyy-MM-dd HH:mm:ss.fff, other text in single quotes")
		}
	}
}

func (v *inspector) member(n *ast.MemberNode) {
	base, ok := n.Node.(*ast.IdentifierNode)
	if !ok || base.Value != "attrs" {
		return
	}
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		v.mistake(v.where(n), "an attribute is named in full").code("attrs.name")
		return
	}
	if !slices.Contains(v.attrs, name.Value) {
		v.mistake(v.where(name), "the attribute %s is not declared in attrs of the site", name.Value).
			suggest(name.Value, v.attrs)
	}
}

func (v *inspector) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "<", "<=", ">", ">=":
		v.ordered(n)
	case "==", "!=":
		v.compared(n, n.Left, n.Right)
		v.compared(n, n.Right, n.Left)
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, item := range list.Nodes {
				v.compared(n, n.Left, item)
			}
		}
	case "/", "%":
		if i, ok := n.Right.(*ast.IntegerNode); ok && i.Value == 0 {
			v.mistake(v.where(n), "nothing can be divided by 0")
		}
	case "matches":
		if s, ok := n.Right.(*ast.StringNode); ok {
			if _, err := regexp.Compile(s.Value); err != nil {
				v.mistake(v.where(s), "%s is no pattern", s.Value)
			}
		}
	}
}

// ordered refuses texts in order: "9" > "30". The texts of date(), utc() and local() are made to
// be compared.
func (v *inspector) ordered(n *ast.BinaryNode) {
	if n.Left.Type().Kind() != reflect.String || n.Right.Type().Kind() != reflect.String {
		return
	}
	if isTimeText(n.Left) || isTimeText(n.Right) {
		return
	}
	v.mistake(v.where(n), "texts are compared letter by letter: \"9\" is more than \"30\"").
		hint("int(%s) makes a number of a text", sourceOf(n.Left))
}

func isTimeText(n ast.Node) bool {
	call, ok := n.(*ast.CallNode)
	if !ok {
		return false
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	return ok && slices.Contains([]string{"date", "utc", "local"}, callee.Value)
}

func sourceOf(n ast.Node) string {
	if id, ok := n.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return "..."
}

// compared refuses a text that a field never has.
func (v *inspector) compared(n *ast.BinaryNode, field, value ast.Node) {
	text, ok := value.(*ast.StringNode)
	if !ok {
		return
	}
	id, isField := field.(*ast.IdentifierNode)
	name := ""
	if isField {
		name = id.Value
	} else if m, ok := field.(*ast.MemberNode); ok {
		if base, ok := m.Node.(*ast.IdentifierNode); ok && base.Value == "attrs" {
			name = "attrs"
		}
	}
	f, ok := calltouch.Lookup(name)
	switch {
	case !ok:
	case slices.Contains(nothings, strings.ToLower(strings.TrimSpace(text.Value))):
		v.mistake(v.where(value), "%q never comes: nothing, in all its spellings, is nil", text.Value).
			code("empty(%s), filled(%s)", sourceOf(field), sourceOf(field))
	case f.Type == calltouch.Boolean:
		v.mistake(v.where(n), "%s is yes or no, not a text", f.Name).hint("write %s or not %s", f.Name, f.Name)
	case f.Values != nil && !slices.Contains(f.Values, text.Value):
		v.mistake(v.where(value), "%s is never %q", f.Name, text.Value).
			hint("its values: %s", strings.Join(f.Values, ", "))
	}
}

// nothings are Calltouch's spellings of nothing; the vocabulary makes all of them nil.
var nothings = []string{"", "null", "undefined", "{}", "<не указано>", "<не заполнено>", "(not set)", "(not provided)"}
