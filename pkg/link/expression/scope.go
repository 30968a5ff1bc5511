package expression

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/types"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// Events says which events an expression is compiled for, and how they are read.
type Events struct {
	Attrs     []string       // the attributes that they may have
	Kinds     []event.Kind   // nil: any
	Unpolled  bool           // no form request of theirs is polled
	Device    string         // the attribute with Mindbox's id: it is no personal one
	Location  *time.Location // of local times
	TenDigits string         // country code put before ten digits; empty = ten digits are no number
	Format    TimeFormat     // of utc() and local()
}

// Scope is what the expressions about some events may name, with the types of the names.
type Scope struct {
	*Names
	events  Events
	strict  *conf.Config    // of the check
	names   []string        // all names, for suggestions
	checked map[string]bool // conditions that were checked in this scope
}

// Scope makes once what every expression about the events needs. All tables and conditions must have been added.
func (n *Names) Scope(events Events) *Scope {
	events.Attrs = sorted(events.Attrs)
	return &Scope{Names: n, events: events, strict: n.strictConfig(events.Attrs), names: n.allNames(), checked: map[string]bool{}}
}

// withheld are expr's functions that links do not have, each with the reason.
var withheld = map[string]string{
	"now":      "an event must come to the same verdict whenever it is looked at: use time",
	"type":     "the types of all fields are known: see `touchbox fields`",
	"get":      "write attrs.name or table[key]",
	"timezone": "local() knows the site's zone",
}

// strictConfig is expr's configuration for the check: every name with its type.
func (n *Names) strictConfig(attrs []string) *conf.Config {
	env := types.Map{}
	for _, f := range calltouch.Vocabulary() {
		env[f.Name] = typeOf(f, attrs)
	}
	for name := range n.conditions {
		env[name] = types.Bool
	}
	for name, t := range n.tables {
		env[name] = t.typeOf()
	}
	c := conf.CreateNew()
	expr.Env(env)(c)
	for _, o := range options(Events{}) {
		o(c)
	}
	for name := range withheld {
		c.Disabled[name] = true
		delete(c.Builtins, name)
	}
	return c
}

func typeOf(f calltouch.Field, attributes []string) types.Type {
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
		for _, a := range attributes {
			attrs[a] = types.String
		}
		return attrs
	}
	return types.String
}

// reads lists what a tree reads of an event, in the order of appearance, through conditions too:
// "duration", "attrs.promo".
func (n *Names) reads(tree ast.Node) []string {
	r := &reading{conditions: n.conditions}
	ast.Walk(&tree, r)
	return r.found
}

// reading collects what a tree reads.
type reading struct {
	conditions map[string]*condition
	found      []string
}

// Visit implements ast.Visitor.
func (r *reading) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		if name, ok := attributeName(n); ok {
			r.found = slices.DeleteFunc(r.found, func(s string) bool { return s == "attrs" })
			r.add("attrs." + name)
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

// Personal reports whether a name that an expression reads may hold a person's data. What a site
// puts into attributes is unknown, but for the device's.
func Personal(name string) bool {
	if strings.HasPrefix(name, "attrs") {
		return true
	}
	f, ok := calltouch.Lookup(name)
	return ok && f.Personal
}

// allNames are the names that a misspelt one may have meant.
func (n *Names) allNames() []string {
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
	out := Functions()
	for _, f := range builtin.Builtins {
		if _, no := withheld[f.Name]; !no {
			out = append(out, f.Name)
		}
	}
	return sorted(out)
}

// Functions are the names of the language's functions beside expr's own.
func Functions() []string {
	var out []string
	for _, f := range functions(Events{}) {
		out = append(out, f.name)
	}
	return out
}
