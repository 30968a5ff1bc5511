package link

import (
	"regexp"
	"slices"
	"strconv"

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
	l.checkConditions(l.conditionNames(), everywhere)
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
	c.uses = n.used(tree.Node)
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

// checkConditions checks conditions in a scope, those that they use first, each once. What uses a
// condition with a mistake is broken too, without a mistake of its own.
func (l *loader) checkConditions(names []string, s scope) {
	var visit func(string)
	visit = func(name string) {
		c := l.conditions[name]
		if s.checked[name] {
			return
		}
		s.checked[name] = true
		for _, used := range c.uses {
			visit(used)
			c.broken = c.broken || l.conditions[used].broken
		}
		if !c.broken {
			l.checkCondition(c, s)
		}
	}
	for _, name := range names {
		visit(name)
	}
}

func (l *loader) checkCondition(c *condition, s scope) {
	before := len(l.problems)
	tree := l.check(origin{node: c.node, text: c.source}, s, wantCondition)
	if tree == nil || l.failed(before) {
		c.broken = true
		return
	}
	c.reads = s.reads(tree)
}
