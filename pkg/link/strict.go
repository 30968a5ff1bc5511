package link

import (
	"reflect"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/types"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

var timeType = types.TypeOf(time.Time{})

// check is the strict pass: names, types and what the type system cannot see. Nil means that the
// expression could not even be parsed.
func (l *loader) check(o origin, s scope, w want) ast.Node {
	tree := l.parse(o, s.names)
	if tree == nil {
		return nil
	}
	before := len(l.problems)
	v := &inspector{loader: l, origin: o, scope: s}
	v.locals(tree.Node)
	result, err := new(checker.Checker).Check(tree, s.strict)
	ast.Walk(&tree.Node, v)
	if l.failed(before) {
		return tree.Node
	}
	if err != nil {
		l.notTyped(o, s.names, err)
		return tree.Node
	}
	l.checkResult(o, w, tree.Node, result)
	l.checkReads(o, s, tree.Node)
	return tree.Node
}

// checkResult compares what the expression comes to with what is wanted.
func (l *loader) checkResult(o origin, w want, tree ast.Node, t reflect.Type) {
	at := l.at(o.node, o.offset)
	kind := t.Kind()
	if _, isNil := tree.(*ast.NilNode); isNil {
		l.mistake(at, "the expression is always nil")
		return
	}
	if kind == reflect.Interface {
		return
	}
	isTime := t == reflect.TypeFor[time.Time]()
	switch {
	case w == wantCondition && kind != reflect.Bool:
		n := l.mistake(at, "a condition must come to yes or no, this one comes to %s", l.typeName(t))
		if id, ok := tree.(*ast.IdentifierNode); ok {
			n.code("filled(%s)", id.Value)
		}
	case w != wantCondition && isTime:
		l.mistake(at, "a time has no form of its own").code("utc(%s), local(%s), date(%s)", o.text, o.text, o.text)
	case w == wantText && (kind == reflect.Slice || kind == reflect.Array):
		l.mistake(at, "a list cannot stand inside a text").code(`join(%s, ", ")`, o.text)
	case w == wantText && kind == reflect.Map:
		l.mistake(at, "a mapping cannot stand inside a text").code("json(%s)", o.text)
	case t.String() == "time.Duration":
		l.mistake(at, "a span of time has no form of its own")
	}
}

// checkReads warns of fields that never come with the link's events: they would be nil for ever.
func (l *loader) checkReads(o origin, s scope, tree ast.Node) {
	ast.Walk(&tree, visitor(func(n ast.Node) {
		id, ok := n.(*ast.IdentifierNode)
		if !ok {
			return
		}
		if f, ok := calltouch.Lookup(id.Value); ok {
			l.checkComes(l.place(o, n.Location().From), s, f)
		}
	}))
}

func (l *loader) checkComes(at Pos, s scope, f calltouch.Field) {
	if len(s.kinds) > 0 && !slices.ContainsFunc(f.Kinds, func(k event.Kind) bool { return slices.Contains(s.kinds, k) }) {
		l.warn(at, "%s never comes with %s", f.Name, dotted(s.kinds))
		return
	}
	if f.Origins == calltouch.FromPoll && len(s.sites) > 0 && !slices.ContainsFunc(s.sites, (*Site).polls) {
		l.warn(at, "%s comes only with polled requests, and the site polls none", f.Name).
			hint("give the site its API token")
	}
}

func (s *Site) polls() bool { return s.Token.Set() }
