package expression

import (
	"maps"
	"regexp"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/types"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// Names are the conditions and tables of one file, which its expressions may use.
type Names struct {
	conditions map[string]*condition
	tables     map[string]table
	inlined    int // conditions put in place so far, see safety
	righted    int // mistakes for which the right form was looked for
	coverage   *Coverage
}

// Cover lets what is compiled from now on note which ways it decides; nil notes nothing.
func (n *Names) Cover(c *Coverage) { n.coverage = c }

// NewNames are no names yet.
func NewNames() *Names {
	return &Names{conditions: map[string]*condition{}, tables: map[string]table{}}
}

// condition is an expression with a name.
type condition struct {
	text   string
	inText Reporter // hears of mistakes in the text
	atName Reporter // hears what is wrong with the name
	reads  []string // of an event
	uses   []string // other conditions
	broken bool     // after a mistake
}

// table is a look-up table. Its rows are texts, numbers or booleans.
type table map[string]any

// keywords of expr cannot be names.
var keywords = []string{"true", "false", "nil", "and", "or", "not", "in", "let", "if", "else", "matches", "contains", "startsWith", "endsWith"}

// NamePattern is the form of a condition's or table's name.
const NamePattern = `^[\p{L}_][\p{L}\p{N}_]*$`

var nameForm = regexp.MustCompile(NamePattern)

// Free reports whether a condition or table may have the name; r hears why not.
func (n *Names) Free(name string, r Reporter) bool {
	_, field := calltouch.Lookup(name)
	switch {
	case !nameForm.MatchString(name) || slices.Contains(keywords, name):
		r.Mistake(0, "%s cannot be a name", name).Hint("letters, digits and _, as in dynamic or повторный")
	case field:
		r.Mistake(0, "%s is a field of Calltouch's and cannot be a name", name)
	case slices.Contains(functionNames(), name) || withheld[name] != "":
		r.Mistake(0, "%s is a function and cannot be a name", name)
	case n.tables[name] != nil:
		r.Mistake(0, "the name %s stands here a second time", name)
	default:
		return true
	}
	return false
}

// AddTable names a table. Its rows are texts, booleans, int64 and float64; line is where one stands.
func (n *Names) AddTable(name string, rows map[string]any, line func(row string) int) {
	n.tables[name] = rows
	if n.coverage != nil {
		n.coverage.addTable(name, rows, line)
	}
}

// AddCondition names a condition. inText hears of the mistakes in its text, atName that it stands on itself.
func (n *Names) AddCondition(name, text string, inText, atName Reporter) {
	n.conditions[name] = &condition{text: text, inText: inText, atName: atName}
}

// AddBroken names a condition whose text was refused already, so that what uses it is not refused for it.
func (n *Names) AddBroken(name string) { n.conditions[name] = &condition{broken: true} }

// typeOf is the type of the rows where they agree.
func (t table) typeOf() types.Type {
	texts, numbers := true, true
	for _, v := range t {
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

// used lists the conditions that a tree names.
func (n *Names) used(tree ast.Node) []string {
	var out []string
	ast.Walk(&tree, visitor(func(node ast.Node) {
		if id, ok := node.(*ast.IdentifierNode); ok && n.conditions[id.Value] != nil {
			out = append(out, id.Value)
		}
	}))
	return sorted(out)
}

// CheckConditions checks all conditions, those too that nothing uses. It comes before the first
// expression is compiled, in the scope of all events together.
func (s *Scope) CheckConditions() {
	names := slices.Sorted(maps.Keys(s.conditions))
	for _, name := range names {
		s.findUses(s.conditions[name])
	}
	for _, name := range names {
		s.refuseCircle(name)
	}
	s.checkConditions(names)
}

// findUses finds which other conditions a condition names.
func (s *Scope) findUses(c *condition) {
	if c.broken {
		return
	}
	tree := s.parse(&origin{text: c.text, reporter: c.inText}, wantCondition)
	if tree == nil {
		c.broken = true
		return
	}
	c.uses = s.used(tree.Node)
}

// refuseCircle reports a condition that stands on itself.
func (s *Scope) refuseCircle(name string) {
	seen := map[string]bool{}
	var reach func(string) bool
	reach = func(from string) bool {
		for _, used := range s.conditions[from].uses {
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
		s.conditions[name].atName.Mistake(0, "the condition %s stands on itself", name)
		s.conditions[name].broken = true
	}
}

// checkConditions checks conditions in a scope, those that they use first, each once. What uses a
// condition with a mistake is broken too, without a mistake of its own.
func (s *Scope) checkConditions(names []string) {
	var visit func(string)
	visit = func(name string) {
		c := s.conditions[name]
		if s.checked[name] {
			return
		}
		s.checked[name] = true
		for _, used := range c.uses {
			visit(used)
			c.broken = c.broken || s.conditions[used].broken
		}
		if !c.broken {
			s.checkCondition(c)
		}
	}
	for _, name := range names {
		visit(name)
	}
}

func (s *Scope) checkCondition(c *condition) {
	o := &origin{text: c.text, reporter: c.inText}
	tree := s.check(o, wantCondition)
	if tree == nil || o.mistakes > 0 {
		c.broken = true
		return
	}
	c.reads = s.reads(tree)
}
