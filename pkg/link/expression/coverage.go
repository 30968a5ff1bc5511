package expression

import (
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Coverage notes which ways the expressions of a file have decided. What is compiled with one decides as
// without. The zero value is ready; it is safe for concurrent use.
type Coverage struct {
	mu     sync.Mutex
	points []*Point
	tables map[uintptr]map[string]*Point // the rows of a table, by where it is in memory
}

// PointKind is what decides.
type PointKind string

// All kinds of point.
const (
	CoveredCondition PointKind = "condition"   // holds, or does not: of `when`, a named one, or a side of and, or
	CoveredOr        PointKind = "alternative" // of a ?? b: the left side has come, or not
	CoveredChoice    PointKind = "choice"      // of a ? b : c: the condition holds, or does not
	CoveredRow       PointKind = "row"         // of a table: it was found, or not
)

// Point is one place of a file that decides one way or the other.
type Point struct {
	Kind   PointKind
	Source string // as it stands in the file; of a row its table and key
	Line   int
	Yes    bool // it held, had come, or was found
	No     bool // it did not; of a row always true
}

// Decided reports whether it was decided both ways.
func (p Point) Decided() bool { return p.Yes && p.No }

// Points are all points, in the order of the file.
func (c *Coverage) Points() []Point {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Point, len(c.points))
	for i, p := range c.points {
		out[i] = *p
	}
	slices.SortStableFunc(out, func(a, b Point) int { return a.Line - b.Line })
	return out
}

// point is a place of the file: a body that two links share is compiled twice, and is one place.
func (c *Coverage) point(kind PointKind, source string, line int) *Point {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.points {
		if p.Kind == kind && p.Source == source && p.Line == line {
			return p
		}
	}
	p := &Point{Kind: kind, Source: source, Line: line}
	c.points = append(c.points, p)
	return p
}

// addTable notes the rows of a table with their lines.
func (c *Coverage) addTable(name string, t table, line func(row string) int) {
	rows := map[string]*Point{}
	for row := range t {
		rows[row] = c.point(CoveredRow, name+"["+row+"]", line(row))
		rows[row].No = true
	}
	if c.tables == nil {
		c.tables = map[uintptr]map[string]*Point{}
	}
	c.tables[reflect.ValueOf(map[string]any(t)).Pointer()] = rows
}

// see notes a way that a value decides.
func (c *Coverage) see(p *Point, value any) {
	yes, _ := truth(value)
	if p.Kind == CoveredOr {
		yes = !IsNil(value)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p.Yes, p.No = p.Yes || yes, p.No || !yes
}

// find notes that a row was asked for.
func (c *Coverage) find(rows map[string]*Point, key any) {
	name, _ := key.(string)
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := rows[name]; p != nil {
		p.Yes = true
	}
}

// Names of the helpers that note, as in safe.go.
const (
	helperSeen = "__seen"
	helperKey  = "__key"
)

// options are the helpers that note.
func (c *Coverage) options() []expr.Option {
	if c == nil {
		return nil
	}
	return []expr.Option{
		expr.Function(helperSeen, func(a ...any) (any, error) { c.see(a[0].(*Point), a[1]); return a[1], nil }),
		expr.Function(helperKey, func(a ...any) (any, error) { c.find(a[0].(map[string]*Point), a[1]); return a[1], nil }),
	}
}

// sides are the texts of the nodes that decide, by where their operators stand.
type sides map[int][]string

// sidesOf reads an expression once more, untouched, for the texts of its parts.
func (s *Scope) sidesOf(text string) sides {
	out := sides{}
	tree, err := parser.ParseWithConfig(text, s.strict)
	if err != nil {
		return out
	}
	ast.Walk(&tree.Node, visitor(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.BinaryNode:
			out[n.Location().From] = []string{n.Left.String(), n.Right.String(), n.String()}
		case *ast.ConditionalNode:
			out[n.Location().From] = []string{n.Cond.String()}
		}
	}))
	return out
}

// cover notes what a node decides that the patch has reached.
func (s *safety) cover(node ast.Node) {
	if s.scope.coverage == nil {
		return
	}
	texts := s.sides[node.Location().From]
	switch n := node.(type) {
	case *ast.ConditionalNode:
		if len(texts) == 1 {
			s.seen(&n.Cond, CoveredChoice, texts[0])
		}
	case *ast.BinaryNode:
		switch {
		case len(texts) != 3:
		case n.Operator == "??":
			s.seen(&n.Left, CoveredOr, texts[2])
		case slices.Contains(junctions, n.Operator):
			s.side(&n.Left, texts[0])
			s.side(&n.Right, texts[1])
		case n.Operator == "in":
			s.asked(n.Right, &n.Left)
		}
	case *ast.MemberNode:
		s.asked(n.Node, &n.Property)
	}
}

// junctions join conditions.
var junctions = []string{"and", "&&", "or", "||"}

// side notes a side of and, or. One that is a junction itself has sides of its own, a named condition has its own place.
func (s *safety) side(node *ast.Node, text string) {
	b, ok := (*node).(*ast.BinaryNode)
	if ok && slices.Contains(junctions, b.Operator) || s.scope.conditions[text] != nil {
		return
	}
	s.seen(node, CoveredCondition, text)
}

// seen puts the helper that notes around a node.
func (s *safety) seen(node *ast.Node, kind PointKind, text string) {
	line := s.origin.reporter.Line(s.origin.place((*node).Location().From))
	replace(node, helperSeen, &ast.ConstantNode{Value: s.scope.coverage.point(kind, text, line)}, *node)
}

// asked puts the helper that notes around the key by which a table is asked.
func (s *safety) asked(of ast.Node, key *ast.Node) {
	constant, ok := of.(*ast.ConstantNode)
	if !ok || s.scope.coverage == nil {
		return
	}
	t, ok := constant.Value.(map[string]any)
	if rows := s.scope.coverage.tables[reflect.ValueOf(t).Pointer()]; ok && rows != nil {
		replace(key, helperKey, &ast.ConstantNode{Value: rows}, *key)
	}
}

// coverWhole is the point of a condition of `when` as a whole; nil where it has none: a named one has a place of its own.
func (s *Scope) coverWhole(o *origin, w want) *Point {
	text := strings.TrimSpace(o.text)
	if s.coverage == nil || w != wantCondition || s.conditions[text] != nil {
		return nil
	}
	return s.coverage.point(CoveredCondition, text, o.reporter.Line(o.offset))
}
