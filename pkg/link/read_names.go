package link

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// condition is one of `conditions`.
type condition struct {
	source string
	node   *node
	pos    Pos // of the name
	reads  []string
	uses   []string // other conditions
	broken bool     // after a mistake
}

// isBroken reports whether the condition or one that it uses has a mistake. Circles are broken.
func (c *condition) isBroken(all map[string]*condition) bool {
	return c.broken || slices.ContainsFunc(c.uses, func(name string) bool { return all[name].isBroken(all) })
}

var nameForm = regexp.MustCompile(namePattern)

// keywords of expr cannot be names.
var keywords = []string{"true", "false", "nil", "and", "or", "not", "in", "let", "if", "else", "matches", "contains", "startsWith", "endsWith"}

// freeName checks the name of a condition or table.
func (l *loader) freeName(e entry) bool {
	_, field := calltouch.Lookup(e.key)
	switch {
	case !nameForm.MatchString(e.key) || slices.Contains(keywords, e.key):
		l.mistake(e.pos, "%s cannot be a name", e.key).hint("letters, digits and _, as in dynamic or повторный")
	case field:
		l.mistake(e.pos, "%s is a field of Calltouch's and cannot be a name", e.key)
	case slices.Contains(functionNames(), e.key) || withheld[e.key] != "":
		l.mistake(e.pos, "%s is a function and cannot be a name", e.key)
	case l.tables[e.key] != nil:
		l.mistake(e.pos, "the name %s stands here a second time", e.key)
	default:
		return true
	}
	return false
}

func (l *loader) readTables() {
	for _, e := range l.root.entries("tables") {
		if !l.freeName(e) {
			continue
		}
		if e.value.kind != mapping {
			l.notA(e.value, "a mapping (key: value)")
			continue
		}
		t := &table{rows: map[string]any{}, node: e.value}
		for _, row := range e.value.entries {
			if row.value.kind != scalar {
				l.notA(row.value, "a text")
				continue
			}
			t.rows[row.key] = scalarValue(row.value)
		}
		l.tables[e.key] = t
	}
}

// scalarValue is a scalar with the type that its spelling has.
func scalarValue(n *node) any {
	if !n.literal() {
		return n.text
	}
	if n.text == "true" || n.text == "false" {
		return n.text == "true"
	}
	if i, err := strconv.ParseInt(n.text, 10, 64); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(n.text, 64)
	return f
}

func (l *loader) readConditions() {
	for _, e := range l.root.entries("conditions") {
		if !l.freeName(e) {
			continue
		}
		if text, ok := l.scalarText(e.value); ok {
			l.conditions[e.key] = &condition{source: text, node: e.value, pos: e.pos}
		} else {
			l.conditions[e.key] = &condition{pos: e.pos, node: e.value, broken: true}
		}
	}
	everywhere := l.everywhere()
	for _, name := range l.conditionNames() {
		l.uses(l.conditions[name], everywhere.names)
	}
	for _, name := range l.conditionNames() {
		l.refuseCircle(name)
	}
	for _, name := range l.conditionNames() {
		l.checkCondition(name, everywhere)
	}
}

func (l *loader) conditionNames() []string {
	var names []string
	for name := range l.conditions {
		names = append(names, name)
	}
	return sorted(names)
}

// everywhere is the scope of what belongs to no link: the attributes of all sites.
func (l *loader) everywhere() scope {
	s := scope{names: names{conditions: l.conditions, tables: l.tables}}
	for _, site := range l.file.Sites {
		s.attrs = append(s.attrs, site.Attrs...)
	}
	s.attrs = sorted(s.attrs)
	s.names = s.ready()
	return s
}

// uses finds which other conditions a condition names.
func (l *loader) uses(c *condition, n names) {
	if c.broken {
		return
	}
	tree := l.parse(origin{node: c.node, text: c.source}, n)
	if tree == nil {
		c.broken = true
		return
	}
	ast.Walk(&tree.Node, visitor(func(n ast.Node) {
		if id, ok := n.(*ast.IdentifierNode); ok && l.conditions[id.Value] != nil {
			c.uses = append(c.uses, id.Value)
		}
	}))
}

// refuseCircle reports a condition that stands on itself.
func (l *loader) refuseCircle(name string) {
	seen := map[string]bool{}
	var reach func(string) bool
	reach = func(from string) bool {
		for _, used := range l.conditions[from].uses {
			if used == name {
				return true
			}
			if !seen[used] {
				seen[used] = true
				if reach(used) {
					return true
				}
			}
		}
		return false
	}
	if reach(name) {
		l.mistake(l.conditions[name].pos, "the condition %s stands on itself", name)
		l.conditions[name].broken = true
	}
}

// checkCondition checks one condition in a scope, those that it uses first.
func (l *loader) checkCondition(name string, s scope) {
	c := l.conditions[name]
	if c.broken {
		return
	}
	for _, used := range c.uses {
		l.checkCondition(used, s)
	}
	before := len(l.problems)
	tree := l.check(origin{node: c.node, text: c.source}, s, wantCondition)
	if tree == nil || l.failed(before) {
		c.broken = true
		return
	}
	c.reads = s.reads(tree)
}
