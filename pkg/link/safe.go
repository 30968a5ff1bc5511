package link

import (
	"errors"
	"regexp"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// Names of the helpers that the patch puts in place of expr's operators. No expression can
// spell them: the strict check knows none of them.
const (
	helperTruth  = "__truth"
	helperList   = "__list"
	helperMember = "__member"
	helperSlice  = "__slice"
	helperNegate = "__negate"
	helperCall   = "__call"
	helperOp     = "__" // and the operator
)

// compileSafe compiles an expression for running: each operator, access and function is replaced
// by one that obeys the language's rules for nil. The expression must have passed the strict
// check.
func compileSafe(source string, s settings, known names) (*vm.Program, error) {
	env := types.Map{}
	for _, f := range calltouch.Vocabulary() {
		env[f.Name] = types.Any
	}
	patch := &safety{settings: s, names: known}
	options := append(options(s), helpers()...)
	options = append(options, expr.Env(env), expr.Patch(patch), expr.Optimize(false))
	program, err := expr.Compile(source, options...)
	if patch.inlined > mostInlined {
		return nil, errInlined
	}
	return program, err
}

func helpers() []expr.Option {
	helper := func(name string, f func(args ...any) (any, error)) expr.Option {
		return expr.Function(name, f)
	}
	out := []expr.Option{
		helper(helperTruth, func(a ...any) (any, error) { return truth(a[0]) }),
		helper(helperMember, func(a ...any) (any, error) { return member(a[0], a[1]), nil }),
		helper(helperSlice, func(a ...any) (any, error) { return cutOut(a[0], a[1], a[2]), nil }),
		helper(helperNegate, func(a ...any) (any, error) { return negate(a[0]), nil }),
		helper(helperList, func(a ...any) (any, error) {
			if isNil(a[0]) {
				return []any{}, nil
			}
			return a[0], nil
		}),
		helper(helperCall, func(a ...any) (any, error) { return callBuiltin(a[0].(*builtin.Function), a[1:]) }),
	}
	for op, f := range operators() {
		out = append(out, helper(helperOp+op, func(a ...any) (any, error) { return f(a[0], a[1]) }))
	}
	return out
}

// callBuiltin is one of expr's own functions: nil for any nil, and nil instead of an empty text.
func callBuiltin(f *builtin.Function, args []any) (any, error) {
	if slices.ContainsFunc(args, isNil) {
		return nil, nil
	}
	var v any
	var err error
	switch {
	case f.Fast != nil:
		v = f.Fast(args[0])
	case f.Safe != nil:
		v, _, err = f.Safe(args...)
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

// safety is the patch. Visitors come to the children first.
type safety struct {
	settings
	names
	inlined int // conditions put in place so far
}

// mostInlined bounds what conditions that use conditions can grow to.
const mostInlined = 1000

// errInlined reports an expression that grows too large.
var errInlined = errors.New("too many conditions within conditions")

// Visit implements ast.Visitor.
func (s *safety) Visit(node *ast.Node) {
	switch n := (*node).(type) {
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
		binary(node, n)
	case *ast.MemberNode:
		replace(node, helperMember, n.Node, n.Property)
	case *ast.SliceNode:
		replace(node, helperSlice, n.Node, orNil(n.From), orNil(n.To))
	case *ast.ConditionalNode:
		asCondition(&n.Cond)
	case *ast.BuiltinNode:
		builtinCall(node, n)
	}
}

// identifier puts tables in place, and conditions by their own patched tree.
func (s *safety) identifier(node *ast.Node, n *ast.IdentifierNode) {
	if t, ok := s.tables[n.Value]; ok {
		ast.Patch(node, &ast.ConstantNode{Value: t.rows})
		return
	}
	c, ok := s.conditions[n.Value]
	if !ok || c.broken {
		return
	}
	if s.inlined++; s.inlined > mostInlined {
		return
	}
	tree, err := parser.ParseWithConfig(c.source, s.strict)
	if err != nil {
		return
	}
	ast.Walk(&tree.Node, s)
	asCondition(&tree.Node)
	ast.Patch(node, tree.Node)
}

func binary(node *ast.Node, n *ast.BinaryNode) {
	switch n.Operator {
	case "and", "&&", "or", "||":
		asCondition(&n.Left)
		asCondition(&n.Right)
		return
	case "??":
		return
	case "matches":
		if s, ok := n.Right.(*ast.StringNode); ok {
			if re, err := regexp.Compile(s.Value); err == nil {
				ast.Patch(&n.Right, &ast.ConstantNode{Value: re})
			}
		}
	}
	replace(node, helperOp+n.Operator, n.Left, n.Right)
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
		replace(node, helperCall, append([]ast.Node{&ast.ConstantNode{Value: f}}, n.Arguments...)...)
		return
	}
	replace(&n.Arguments[0], helperList, n.Arguments[0])
	if len(n.Arguments) > 1 && slices.Contains(conditionPredicates, n.Name) {
		if p, ok := n.Arguments[1].(*ast.PredicateNode); ok {
			asCondition(&p.Node)
		}
	}
}

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
