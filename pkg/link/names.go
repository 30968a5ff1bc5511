package link

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// names are what an expression may name beside the vocabulary and the functions.
type names struct {
	attrs      []string
	conditions map[string]*condition
	tables     map[string]*table
	strict     *conf.Config    // made of the above, once
	known      []string        // all names, for suggestions
	checked    map[string]bool // conditions that were checked in this scope
}

// ready makes once what every expression of a scope needs.
func (n names) ready() names {
	n.strict, n.known, n.checked = n.strictConfig(), n.allNames(), map[string]bool{}
	return n
}

// table is one of `tables`. Its rows are texts, numbers or booleans.
type table struct {
	rows map[string]any
	node *node
}

// withheld are expr's functions that links do not have, each with the reason.
var withheld = map[string]string{
	"now":      "an event must come to the same verdict whenever it is looked at: use time",
	"type":     "the types of all fields are known: see `touchbox fields`",
	"get":      "write attrs.name or table[key]",
	"timezone": "local() knows the site's zone",
}

// strictConfig is expr's configuration for the check: every name with its type.
func (n names) strictConfig() *conf.Config {
	env := types.Map{}
	for _, f := range calltouch.Vocabulary() {
		env[f.Name] = n.typeOf(f)
	}
	for name := range n.conditions {
		env[name] = types.Bool
	}
	for name, t := range n.tables {
		env[name] = t.typeOf()
	}
	c := conf.CreateNew()
	expr.Env(env)(c)
	for _, o := range options(settings{}) {
		o(c)
	}
	for name := range withheld {
		c.Disabled[name] = true
		delete(c.Builtins, name)
	}
	return c
}

func (n names) typeOf(f calltouch.Field) types.Type {
	switch f.Type {
	case calltouch.Number:
		return types.Int
	case calltouch.Boolean:
		return types.Bool
	case calltouch.List:
		return types.TypeOf([]string(nil))
	case calltouch.Time:
		return timeType
	case calltouch.Attributes:
		attrs := types.Map{}
		for _, a := range n.attrs {
			attrs[a] = types.String
		}
		return attrs
	}
	return types.String
}

// typeOf is the type of the rows where they agree.
func (t *table) typeOf() types.Type {
	texts, numbers := true, true
	for _, v := range t.rows {
		switch v.(type) {
		case string:
			numbers = false
		case int64:
			texts = false
		default:
			texts, numbers = false, false
		}
	}
	switch {
	case texts:
		return types.TypeOf(map[string]string(nil))
	case numbers:
		return types.TypeOf(map[string]int(nil))
	}
	return types.TypeOf(map[string]any(nil))
}

// reads lists what a tree reads of an event, in the order of appearance, through conditions too:
// "duration", "attrs.promo".
func (n names) reads(tree ast.Node) []string {
	r := &reading{names: n}
	ast.Walk(&tree, r)
	return r.found
}

type reading struct {
	names
	found []string
}

// Visit implements ast.Visitor.
func (r *reading) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		base, ok := n.Node.(*ast.IdentifierNode)
		name, isName := n.Property.(*ast.StringNode)
		if ok && isName && base.Value == "attrs" {
			r.found = slices.DeleteFunc(r.found, func(s string) bool { return s == "attrs" })
			r.add("attrs." + name.Value)
		}
	case *ast.IdentifierNode:
		if c, ok := r.conditions[n.Value]; ok {
			for _, name := range c.reads {
				r.add(name)
			}
			return
		}
		if _, ok := calltouch.Lookup(n.Value); ok {
			r.add(n.Value)
		}
	}
}

func (r *reading) add(name string) {
	if !slices.Contains(r.found, name) {
		r.found = append(r.found, name)
	}
}

// used lists the conditions that a tree names.
func (n names) used(tree ast.Node) []string {
	var out []string
	ast.Walk(&tree, visitor(func(node ast.Node) {
		if id, ok := node.(*ast.IdentifierNode); ok && n.conditions[id.Value] != nil {
			out = append(out, id.Value)
		}
	}))
	return sorted(out)
}

// personal reports whether a name that an expression reads may hold a person's data. What a site
// puts into attributes is unknown, but for the device's.
func personal(name string) bool {
	if strings.HasPrefix(name, "attrs") {
		return true
	}
	f, ok := calltouch.Lookup(name)
	return ok && f.Personal
}

// allNames are the names that a misspelt one may have meant.
func (n names) allNames() []string {
	var out []string
	for _, f := range calltouch.Vocabulary() {
		out = append(out, f.Name)
	}
	for name := range n.conditions {
		out = append(out, name)
	}
	for name := range n.tables {
		out = append(out, name)
	}
	return sorted(out)
}

func functionNames() []string {
	var out []string
	for _, f := range functions(settings{}) {
		out = append(out, f.name)
	}
	for _, f := range builtin.Builtins {
		if _, no := withheld[f.Name]; !no {
			out = append(out, f.Name)
		}
	}
	return sorted(out)
}

func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}
