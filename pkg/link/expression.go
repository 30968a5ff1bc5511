package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// ExpressionError reports an expression that met a value which it cannot use, such as
// int(utm_term) of a text. It names the expression and no value.
type ExpressionError struct {
	Source string // as it stands in the file
	Pos    Pos
	Reads  []string // what it reads of the event
}

// Error is in English: it goes to logs and records.
func (e *ExpressionError) Error() string {
	return fmt.Sprintf("the expression `%s` (line %d) met a value that it cannot use in %s",
		e.Source, e.Pos.Line, strings.Join(e.Reads, ", "))
}

// expression is one compiled expression.
type expression struct {
	source   string
	pos      Pos
	reads    []string
	personal bool
	field    string // the expression is this field and nothing else: no program is run
	attr     string // or this attribute
	program  *vm.Program
}

// run computes the expression for one event.
func (e *expression) run(m *vm.VM, fields map[string]any) (any, error) {
	if e.field != "" {
		return fields[e.field], nil
	}
	if e.attr != "" {
		attrs, _ := fields["attrs"].(map[string]string)
		return something(attrs[e.attr]), nil
	}
	v, err := m.Run(e.program, fields)
	if err != nil {
		return nil, &ExpressionError{e.source, e.pos, e.reads}
	}
	return v, nil
}

// origin is where an expression stands: in a scalar, from a byte on.
type origin struct {
	node   *node
	offset int
	text   string
}

// scope is what an expression is compiled for.
type scope struct {
	names
	settings
	kinds []event.Kind // of the link; nil = any
	sites []*Site      // of the link; nil = any
}

// want is what an expression must come to.
type want int

const (
	wantCondition want = iota // yes or no
	wantValue                 // anything JSON has
	wantText                  // part of a text
)

// longestExpression bounds the work of the parser.
const longestExpression = 10_000

// compile checks an expression and compiles it for running; nil after a mistake.
func (l *loader) compile(o origin, s scope, w want) *expression {
	before := len(l.problems)
	tree := l.check(o, s, w)
	if tree == nil {
		return nil
	}
	used := s.used(tree)
	l.checkConditions(used, s)
	if l.failed(before) || slices.ContainsFunc(used, func(name string) bool { return s.conditions[name].broken }) {
		return nil
	}
	e := &expression{source: o.text, pos: l.at(o.node, o.offset), reads: s.reads(tree)}
	for _, name := range e.reads {
		e.personal = e.personal || personal(name) && name != "attrs."+l.deviceOf(s)
	}
	if e.simple(tree, s.names) {
		return e
	}
	program, err := compileSafe(o.text, s.settings, s.names)
	if err != nil {
		l.mistake(e.pos, "the expression is not understood: %s", firstLine(err.Error()))
		return nil
	}
	e.program = program
	return e
}

// deviceOf is the device's attribute of the scope's first site.
func (l *loader) deviceOf(s scope) string {
	if len(s.sites) > 0 {
		return s.sites[0].Device
	}
	return defaultDevice
}

// simple recognises ${utm_source} and ${attrs.promo}, the most frequent expressions.
func (e *expression) simple(tree ast.Node, n names) bool {
	switch node := tree.(type) {
	case *ast.IdentifierNode:
		if _, ok := calltouch.Lookup(node.Value); ok {
			e.field = node.Value
			return true
		}
	case *ast.MemberNode:
		base, ok := node.Node.(*ast.IdentifierNode)
		name, isName := node.Property.(*ast.StringNode)
		if ok && isName && base.Value == "attrs" {
			e.attr = name.Value
			return true
		}
	}
	return false
}

// parse reads an expression; nil after a mistake.
func (l *loader) parse(o origin, n names) *parser.Tree {
	switch {
	case strings.TrimSpace(o.text) == "":
		l.mistake(l.at(o.node, o.offset), "the expression is empty")
		return nil
	case len(o.text) > longestExpression:
		l.mistake(l.at(o.node, o.offset), "the expression is too long")
		return nil
	}
	tree, err := parser.ParseWithConfig(o.text, n.strict)
	if err != nil {
		l.notParsed(o, n, err)
		return nil
	}
	return tree
}

// place is where a character of the expression stands in the file; expr counts in characters.
func (l *loader) place(o origin, character int) Pos {
	runes := []rune(o.text)
	return l.at(o.node, o.offset+len(string(runes[:min(character, len(runes))])))
}

// located takes place and message out of an error of expr.
func (l *loader) located(o origin, err error) (Pos, string, int) {
	var e *file.Error
	if errors.As(err, &e) {
		return l.place(o, e.From), e.Message, e.From
	}
	return l.place(o, 0), firstLine(err.Error()), 0
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
