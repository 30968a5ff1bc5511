// Package expression is the language of a link's conditions and values: the syntax of expr over
// Calltouch's vocabulary, with rules of its own for what did not come.
//
// What flows in are texts, a condition such as `duration > 30` or a template such as `Call ${id}`,
// and the fields of one event after the other. What flows out are compiled conditions and templates,
// and their values, as JSON too. A Scope says which names a text may use; a Reporter hears, before
// the first event, of all that can be known to be wrong with it. A Machine runs what was compiled
// within a budget, so that no event decides how much memory and time it takes.
//
// The package knows neither the file and its YAML nor links, sites and requests: it compiles for
// whoever gives it a Scope.
package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// Error reports an expression that met a value which it cannot use, such as int(utm_term) of a text.
// It names the expression and no value.
type Error struct {
	Source string   // as it stands in the file
	Line   int      // where it stands
	Reads  []string // what it reads of the event
	Costly bool     // it asks for more memory or work than an event may take
}

// Error is in English: it goes to logs and records.
func (e *Error) Error() string {
	if e.Costly {
		return fmt.Sprintf("the expression `%s` (line %d) takes too much memory or work%s", e.Source, e.Line, e.from(" with what came in "))
	}
	return fmt.Sprintf("the expression `%s` (line %d) met a value that it cannot use%s", e.Source, e.Line, e.from(" in "))
}

// from names what the expression reads, behind the words before it; "" where it reads nothing.
func (e *Error) from(before string) string {
	if len(e.Reads) == 0 {
		return ""
	}
	return before + strings.Join(e.Reads, ", ")
}

// Expression is one compiled expression. It is safe for concurrent use.
type Expression struct {
	source   string
	line     int
	reads    []string
	personal bool
	field    string // the expression is this field and nothing else: no program is run
	attr     string // or this attribute
	program  *vm.Program
	inputs   []string // the fields that the program needs: reads, with attrs as a whole

	whole    *Point // of a condition with a coverage, else nil
	coverage *Coverage
}

// Source is the expression as it stands in the file.
func (e *Expression) Source() string { return e.source }

// Reads lists what the expression reads of an event, through conditions too: "duration", "attrs.promo".
func (e *Expression) Reads() []string { return e.reads }

// Holds computes the expression as a condition: what it comes to, and whether that is yes; nil is no.
func (e *Expression) Holds(m *Machine, fields map[string]any) (value any, holds bool, err error) {
	if value, err = e.run(m, fields); err != nil {
		return nil, false, err
	}
	if holds, err = truth(value); err != nil {
		return value, false, e.failed(err)
	}
	if e.whole != nil {
		e.coverage.see(e.whole, value)
	}
	return value, holds, nil
}

// run computes the expression for one event.
func (e *Expression) run(m *Machine, fields map[string]any) (any, error) {
	if e.field != "" {
		return fields[e.field], nil
	}
	if e.attr != "" {
		return attribute(fields, e.attr), nil
	}
	v, err := m.run(e, fields)
	if err != nil {
		return nil, e.failed(err)
	}
	return v, nil
}

// failed is the error of an expression whose value is of no use.
func (e *Expression) failed(err error) error {
	return &Error{Source: e.source, Line: e.line, Reads: e.reads, Costly: costly(err)}
}

// costly reports whether a run ended for its budget, ours or that of expr, which has no name.
func costly(err error) bool {
	return errors.Is(err, errTooMuch) || strings.Contains(err.Error(), "memory budget exceeded")
}

// Read reads "duration" or "attrs.promo" of an event; nil where nothing came.
func Read(fields map[string]any, name string) any {
	if attr, ok := strings.CutPrefix(name, "attrs."); ok {
		return attribute(fields, attr)
	}
	return fields[name]
}

func attribute(fields map[string]any, name string) any {
	attrs, _ := fields["attrs"].(map[string]string)
	return something(attrs[name])
}

// want is what an expression must come to.
type want int

const (
	wantCondition want = iota // yes or no
	wantValue                 // anything JSON has
	wantText                  // part of a text
)

// Condition compiles a text that must come to yes or no; nil after a mistake.
func (s *Scope) Condition(text string, r Reporter) *Expression {
	return s.compile(&origin{text: text, reporter: r}, wantCondition)
}

// compile checks an expression and compiles it for running; nil after a mistake.
func (s *Scope) compile(o *origin, w want) *Expression {
	tree := s.check(o, w)
	if tree == nil {
		return nil
	}
	used := s.used(tree)
	s.checkConditions(used)
	if o.mistakes > 0 || slices.ContainsFunc(used, func(name string) bool { return s.conditions[name].broken }) {
		return nil
	}
	e := &Expression{source: o.text, line: o.reporter.Line(o.offset), reads: s.reads(tree), whole: s.coverWhole(o, w), coverage: s.coverage}
	for _, name := range e.reads {
		e.personal = e.personal || Personal(name) && name != "attrs."+s.events.Device
	}
	if e.simple(tree) {
		return e
	}
	program, err := s.compileSafe(o)
	if err != nil {
		o.mistake(0, "the expression is not understood: %s", firstLine(err.Error()))
		return nil
	}
	e.program, e.inputs = program, inputsOf(e.reads)
	return e
}

// inputsOf lists the fields that hold what an expression reads.
func inputsOf(reads []string) []string {
	var out []string
	for _, name := range reads {
		field, _, _ := strings.Cut(name, ".")
		out = append(out, field)
	}
	return sorted(out)
}

// simple recognises ${utm_source} and ${attrs.promo}, the most frequent expressions.
func (e *Expression) simple(tree ast.Node) bool {
	switch node := tree.(type) {
	case *ast.IdentifierNode:
		if _, ok := calltouch.Lookup(node.Value); ok {
			e.field = node.Value
			return true
		}
	case *ast.MemberNode:
		if name, ok := attributeName(node); ok {
			e.attr = name
			return true
		}
	}
	return false
}

// attributeName is the name in attrs.name and attrs["name"].
func attributeName(n *ast.MemberNode) (string, bool) {
	base, ok := n.Node.(*ast.IdentifierNode)
	name, isName := n.Property.(*ast.StringNode)
	if !ok || !isName || base.Value != "attrs" {
		return "", false
	}
	return name.Value, true
}

func sorted(s []string) []string { return slices.Compact(slices.Sorted(slices.Values(s))) }
