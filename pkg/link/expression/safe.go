package expression

import (
	"errors"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// Names of the helpers that stand in the rewritten tree in place of expr's operators. No expression can
// spell them: the check has none of them among its names.
const (
	helperTruth  = "__truth"
	helperList   = "__list"
	helperMember = "__member"
	helperSlice  = "__slice"
	helperNegate = "__negate"
	helperCall   = "__call"
	helperOwn    = "__own_" // and the name of a function of ours
	helperOp     = "__"     // and the operator
)

// compileSafe compiles an expression for running: each operator, access and function is replaced
// by one that obeys the language's rules for nil and pays for its work. The expression must have
// passed the check.
func (s *Scope) compileSafe(o *origin) (*vm.Program, error) {
	env := types.Map{}
	for _, f := range calltouch.Vocabulary() {
		env[f.Name] = types.Any
	}
	env[nameRun] = types.Any
	patch := &safety{scope: s, origin: o}
	if s.coverage != nil {
		patch.sides = s.sidesOf(o.text)
	}
	options := slices.Concat(options(s.events), helpers(s.events), s.coverage.options())
	options = append(options, expr.Env(env), expr.Patch(patch), expr.Optimize(false))
	program, err := expr.Compile(o.text, options...)
	if patch.tooMany() {
		return nil, errInlined
	}
	return program, err
}

func helpers(e Events) []expr.Option {
	helper := func(name string, f func(m *Machine, args ...any) (any, error)) expr.Option {
		return expr.Function(name, func(args ...any) (any, error) { return f(args[0].(*Machine), args[1:]...) })
	}
	out := []expr.Option{
		expr.Function(helperTruth, func(a ...any) (any, error) { return truth(a[0]) }),
		expr.Function(helperMember, func(a ...any) (any, error) { return member(a[0], a[1]), nil }),
		expr.Function(helperNegate, func(a ...any) (any, error) { return negate(a[0]), nil }),
		helper(helperSlice, func(m *Machine, a ...any) (any, error) {
			if err := m.spend(steps(a[0])); err != nil {
				return nil, err
			}
			return m.made(cutOut(a[0], a[1], a[2]))
		}),
		helper(helperList, func(m *Machine, a ...any) (any, error) {
			if IsNil(a[0]) {
				return []any{}, nil
			}
			return a[0], m.spend(1 + size(a[0])/4) // a few steps for each item
		}),
		helper(helperCall, func(m *Machine, a ...any) (any, error) {
			v, err := callBuiltin(m, a[0].(*builtin.Function), a[1:])
			if err != nil {
				return nil, err
			}
			return m.made(v)
		}),
	}
	for _, f := range functions(e) {
		out = append(out, helper(helperOwn+f.name, func(m *Machine, a ...any) (any, error) { return callOwn(m, f, a) }))
	}
	for op, f := range operators() {
		out = append(out, helper(helperOp+op, func(m *Machine, a ...any) (any, error) { return operate(m, op, f, a[0], a[1]) }))
	}
	return out
}

// operate is one operator within the budget.
func operate(m *Machine, op string, f func(a, b any) (any, error), a, b any) (any, error) {
	work := steps(a) + steps(b)
	if op == "matches" {
		matching, err := matchingSteps(a, b)
		if err != nil {
			return nil, err
		}
		work += matching
	}
	if x, ok := a.(string); ok && op == "+" {
		if y, ok := b.(string); ok && len(x)+len(y) > maxText {
			return nil, errTooMuch
		}
	}
	if err := m.spend(work); err != nil {
		return nil, err
	}
	v, err := f(a, b)
	if err != nil {
		return nil, err
	}
	return m.made(v)
}

// callOwn is one of our functions: it pays for what it reads and makes.
func callOwn(m *Machine, f function, args []any) (any, error) {
	for _, a := range args {
		if err := m.spend(readingCost * steps(a)); err != nil {
			return nil, err
		}
	}
	v, err := f.call(args...)
	if err != nil {
		return nil, err
	}
	return m.made(v)
}

// callBuiltin is one of expr's own functions: nil for any nil, and nil instead of an empty text.
func callBuiltin(m *Machine, f *builtin.Function, args []any) (any, error) {
	if slices.ContainsFunc(args, IsNil) {
		return nil, nil
	}
	if err := m.affordable(f.Name, args); err != nil {
		return nil, err
	}
	if beyond(f.Name, args) {
		return nil, errBadValue
	}
	var v any
	var err error
	switch {
	case f.Fast != nil:
		v = f.Fast(args[0])
	case f.Safe != nil:
		v, _, err = f.Safe(args...) // its own estimate comes when the memory is taken
	default:
		v, err = f.Func(args...)
	}
	if err != nil {
		return nil, errBadValue
	}
	if s, ok := v.(string); ok {
		return something(s), nil
	}
	return finite(v)
}

// safety rewrites the tree of an expression, by what expr calls a patch: its operators, accesses and
// functions become calls of the helpers. Children are visited before their parents.
type safety struct {
	scope   *Scope
	inlined int // conditions put in place so far
	origin  *origin
	sides   sides // with a coverage
}

// Conditions that use conditions grow: what one expression may grow to, and all of a file together.
const (
	mostInlined       = 1000
	mostInlinedInFile = 100_000
)

// inline counts one condition that is put in place, and reports whether it may be.
func (s *safety) inline() bool {
	s.inlined++
	s.scope.inlined++
	return !s.tooMany()
}

func (s *safety) tooMany() bool {
	return s.inlined > mostInlined || s.scope.inlined > mostInlinedInFile
}

// errInlined reports an expression that grows too large.
var errInlined = errors.New("too many conditions within conditions")

// Visit implements ast.Visitor.
func (s *safety) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.CallNode:
		s.call(node, n)
	case *ast.IdentifierNode:
		s.identifier(node, n)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			asCondition(&n.Node)
			return
		}
		if n.Operator == "-" && !constant(n.Node) {
			replace(node, helperNegate, n.Node)
		}
	case *ast.BinaryNode:
		s.binary(node, n)
	case *ast.MemberNode:
		s.cover(n)
		replace(node, helperMember, n.Node, n.Property)
	case *ast.SliceNode:
		replace(node, helperSlice, run(), n.Node, orNil(n.From), orNil(n.To))
	case *ast.ConditionalNode:
		asCondition(&n.Cond)
		s.cover(n)
	case *ast.BuiltinNode:
		builtinCall(node, n)
	}
}

// call gives a function of ours the machine, which pays for what it reads and makes. filled and empty do neither.
func (s *safety) call(node *ast.Node, n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value == "filled" || callee.Value == "empty" {
		return
	}
	name := strings.TrimSuffix(callee.Value, "()")
	if name == "lookup" && len(n.Arguments) > 1 {
		s.asked(n.Arguments[0], &n.Arguments[1])
	}
	replace(node, helperOwn+name, append([]ast.Node{run()}, n.Arguments...)...)
}

// identifier puts tables in place, and conditions by their own patched tree.
func (s *safety) identifier(node *ast.Node, n *ast.IdentifierNode) {
	if t, ok := s.scope.tables[n.Value]; ok {
		ast.Patch(node, &ast.ConstantNode{Value: map[string]any(t)})
		return
	}
	c, ok := s.scope.conditions[n.Value]
	if !ok || c.broken {
		return
	}
	if !s.inline() {
		return
	}
	tree, err := parseCalls(c.text, s.scope.strict)
	if err != nil {
		return
	}
	s.within(c, &tree.Node)
	ast.Patch(node, tree.Node)
}

// within patches the tree of a condition that is put in place.
func (s *safety) within(c *condition, tree *ast.Node) {
	inner := &safety{scope: s.scope, inlined: s.inlined, origin: &origin{text: c.text, reporter: c.inText}}
	if s.scope.coverage != nil {
		inner.sides = s.scope.sidesOf(c.text)
	}
	ast.Walk(tree, inner)
	s.inlined = inner.inlined
	asCondition(tree)
	if s.scope.coverage != nil {
		inner.seen(tree, CoveredCondition, c.text)
	}
}

func (s *safety) binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		asCondition(&n.Left)
		asCondition(&n.Right)
		s.cover(n)
		return
	case "??", "in":
		s.cover(n)
		if n.Operator == "??" {
			return
		}
	case "matches":
		if s, ok := n.Right.(*ast.StringNode); ok {
			if p, err := compilePattern(s.Value); err == nil {
				ast.Patch(&n.Right, &ast.ConstantNode{Value: p})
			}
		}
	}
	replace(node, helperOp+n.Operator, run(), n.Left, n.Right)
}

// predicates that must come to a boolean; the others may come to anything.
var conditionPredicates = []string{"all", "none", "any", "one", "filter", "find", "findIndex", "findLast", "findLastIndex", "count"}

func builtinCall(node *ast.Node, n *ast.BuiltinNode) {
	i, ok := builtin.Index[n.Name]
	if !ok {
		return
	}
	f := builtin.Builtins[i]
	if !f.Predicate {
		replace(node, helperCall, append([]ast.Node{run(), &ast.ConstantNode{Value: f}}, n.Arguments...)...)
		return
	}
	replace(&n.Arguments[0], helperList, run(), n.Arguments[0])
	if len(n.Arguments) > 1 && slices.Contains(conditionPredicates, n.Name) {
		if p, ok := n.Arguments[1].(*ast.PredicateNode); ok {
			asCondition(&p.Node)
		}
	}
}

// run is the name of the machine that runs the expression, as an argument of a helper.
func run() ast.Node { return &ast.IdentifierNode{Value: nameRun} }

// replace puts a call of a helper in the node's place.
func replace(node *ast.Node, helper string, args ...ast.Node) {
	ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: helper}, Arguments: args})
}

// asCondition makes nil false, where the node does not come to a boolean anyway.
func asCondition(node *ast.Node) {
	if !boolean(*node) {
		replace(node, helperTruth, *node)
	}
}

var booleanHelpers = []string{
	helperTruth, "filled", "empty", helperOp + "==", helperOp + "!=", helperOp + "<", helperOp + "<=",
	helperOp + ">", helperOp + ">=", helperOp + "in", helperOp + "contains", helperOp + "startsWith",
	helperOp + "endsWith", helperOp + "matches",
}

func boolean(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BoolNode:
		return true
	case *ast.UnaryNode:
		return n.Operator == "not" || n.Operator == "!"
	case *ast.BinaryNode:
		return n.Operator != "??"
	case *ast.CallNode:
		callee, ok := n.Callee.(*ast.IdentifierNode)
		return ok && slices.Contains(booleanHelpers, callee.Value)
	case *ast.BuiltinNode:
		return n.Name == "all" || n.Name == "none" || n.Name == "any" || n.Name == "one"
	}
	return false
}

func constant(n ast.Node) bool {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return true
	}
	return false
}

func orNil(n ast.Node) ast.Node {
	if n == nil {
		return &ast.NilNode{}
	}
	return n
}
