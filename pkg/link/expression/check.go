package expression

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/types"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/spelling"
)

var timeType = types.TypeOf(time.Time{})

// check is the strict pass: names, types and what the type system cannot see. Nil means that the
// expression could not even be parsed.
func (s *Scope) check(o *origin, w want) ast.Node {
	tree := s.parse(o, w)
	if tree == nil {
		return nil
	}
	v := &inspector{scope: s, at: o, want: w}
	v.locals(tree.Node)
	result, err := new(checker.Checker).Check(tree, s.strict)
	ast.Walk(&tree.Node, v)
	if o.mistakes > 0 {
		return tree.Node
	}
	if err != nil {
		s.notTyped(o, w, err)
		return tree.Node
	}
	o.checkResult(w, tree.Node, result)
	s.checkReads(o, tree.Node)
	return tree.Node
}

// checkResult compares what the expression comes to with what is wanted.
func (o *origin) checkResult(w want, tree ast.Node, t reflect.Type) {
	kind := t.Kind()
	if _, isNil := tree.(*ast.NilNode); isNil {
		o.mistake(0, "the expression is always nil")
		return
	}
	if kind == reflect.Interface {
		return
	}
	isTime := t == reflect.TypeFor[time.Time]()
	switch {
	case w == wantCondition && kind != reflect.Bool:
		n := o.mistake(0, "a condition must come to yes or no, this one comes to %s", o.word(t.String()))
		if id, ok := tree.(*ast.IdentifierNode); ok {
			n.Code("filled(%s)", id.Value)
		}
	case w != wantCondition && isTime:
		o.mistake(0, "a time has no form of its own").Code("utc(%s), local(%s), date(%s)", o.text, o.text, o.text)
	case w == wantText && (kind == reflect.Slice || kind == reflect.Array):
		o.mistake(0, "a list cannot stand inside a text").Code(`join(%s, ", ")`, o.text)
	case w == wantText && kind == reflect.Map:
		o.mistake(0, "a mapping cannot stand inside a text").Code("json(%s)", o.text)
	case t.String() == "time.Duration":
		o.mistake(0, "a span of time has no form of its own")
	}
}

// checkReads warns of fields that never come with the link's events: they would be nil for ever.
func (s *Scope) checkReads(o *origin, tree ast.Node) {
	ast.Walk(&tree, visitor(func(n ast.Node) {
		id, ok := n.(*ast.IdentifierNode)
		if !ok {
			return
		}
		if f, ok := calltouch.Lookup(id.Value); ok {
			s.checkComes(o, n.Location().From, f)
		}
	}))
}

// checkComes warns of a field at a character of an expression.
func (s *Scope) checkComes(o *origin, character int, f calltouch.Field) {
	kinds := s.events.Kinds
	if len(kinds) > 0 && !slices.ContainsFunc(f.Kinds, func(k event.Kind) bool { return slices.Contains(kinds, k) }) {
		o.warn(character, "%s never comes with %s", f.Name, dotted(kinds))
		return
	}
	if f.Origins == calltouch.FromPoll && s.events.Unpolled {
		o.warn(character, "%s comes only with polled requests, and the site polls none", f.Name).
			Hint("give the site its API token")
	}
}

func dotted(kinds []event.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Dotted()
	}
	return strings.Join(names, ", ")
}

// inspector finds what expr's own check lets pass.
type inspector struct {
	scope *Scope
	at    *origin
	want  want
	local []string                     // let variables
	calls map[ast.Node]bool            // what is called
	texts map[ast.Node]calltouch.Field // what is compared with a field that holds texts
}

// locals collects what only the whole tree tells: let variables, and which identifiers are called.
func (v *inspector) locals(tree ast.Node) {
	v.calls, v.texts = map[ast.Node]bool{}, map[ast.Node]calltouch.Field{}
	ast.Walk(&tree, visitor(func(n ast.Node) {
		switch n := n.(type) {
		case *ast.VariableDeclaratorNode:
			v.local = append(v.local, n.Name)
		case *ast.CallNode:
			v.calls[n.Callee] = true
		case *ast.BinaryNode:
			v.compare(n.Left, n.Right)
			v.compare(n.Right, n.Left)
		}
	}))
}

// compare notes what a field that holds texts is compared with.
func (v *inspector) compare(field, with ast.Node) {
	id, ok := field.(*ast.IdentifierNode)
	if !ok {
		return
	}
	if f, ok := calltouch.Lookup(id.Value); ok && (f.Type == calltouch.Text || f.Type == calltouch.List) {
		v.texts[with] = f
		if list, ok := with.(*ast.ArrayNode); ok {
			for _, item := range list.Nodes {
				v.texts[item] = f
			}
		}
	}
}

type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (f visitor) Visit(n *ast.Node) { f(*n) }

// Visit implements ast.Visitor.
func (v *inspector) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		v.identifier(n)
	case *ast.CallNode:
		v.call(n)
	case *ast.MemberNode:
		v.member(n)
	case *ast.BinaryNode:
		v.binary(n)
	case *ast.BytesNode:
		v.mistake(n, "bytes are not part of the language")
	case *ast.SequenceNode:
		v.mistake(n, "of expressions with ; between them only the last one would count").Hint("join conditions by and")
	}
}

// mistake reports a mistake at a node of the tree.
func (v *inspector) mistake(n ast.Node, format string, args ...any) Note {
	return v.at.mistake(n.Location().From, format, args...)
}

func (v *inspector) identifier(n *ast.IdentifierNode) {
	if v.calls[n] || slices.Contains(v.local, n.Value) || slices.Contains(v.scope.names, n.Value) {
		return
	}
	m := v.mistake(n, unknownName, n.Value)
	if right := v.scope.rightForm(v.at, v.want); right != "" && !strings.Contains(right, n.Value) {
		m.Hint("write %s", right)
		return
	}
	if usage := usages[n.Value]; usage != "" {
		m.Code("%s", usage)
		return
	}
	if h := wordHints[strings.ToLower(n.Value)]; h != "" {
		m.Hint("write %s", h)
		return
	}
	if slices.Contains(v.scope.events.Attrs, n.Value) {
		m.Hint("write %s", "attrs."+n.Value)
		return
	}
	f, compared := v.texts[n]
	switch {
	case compared && f.Values == nil && len(n.Value) < shortest:
		m.Hint("a text stands in quotes: %s", strconv.Quote(n.Value))
	case m.Suggest(n.Value, append(slices.Clone(v.scope.names), functionNames()...)):
	case compared && f.Values != nil:
		m.Hint("its values: %s", `"`+strings.Join(f.Values, `", "`)+`"`)
	case compared:
		m.Hint("a text stands in quotes: %s", strconv.Quote(n.Value))
	case len(called(n.Value)) > 0:
		m.Hint("write %s", strings.Join(called(n.Value), ", "))
	}
}

// shortest is how long a word is that resembles a name not by chance.
const shortest = 4

// called are the fields whose Russian name begins with a word, which may be all of it: Длительность, of the call.
func called(word string) []string {
	var names []string
	for _, f := range calltouch.Vocabulary() {
		if first, _, _ := strings.Cut(f.Russian, " "); strings.EqualFold(first, word) {
			names = append(names, f.Name)
		}
	}
	return names
}

func (v *inspector) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		v.notCallable(n)
		return
	}
	name, renamed := strings.CutSuffix(callee.Value, "()")
	if slices.Contains(functionNames(), name) && (renamed || !slices.Contains(v.scope.names, name)) {
		v.arguments(name, n)
		return
	}
	m := v.mistake(n, "unknown function %s", name)
	if why := withheld[name]; why != "" {
		m.Hint(why)
		return
	}
	switch right := v.scope.rightForm(v.at, v.want); {
	case v.scope.conditions[name] != nil:
		m.Hint("write %s", name)
	case v.scope.tables[name] != nil:
		m.Hint("write %s", name+"[phonenumber]")
	case right != "":
		m.Hint("write %s", right)
	default:
		m.Suggest(name, functionNames())
	}
}

func (v *inspector) notCallable(n *ast.CallNode) {
	m := v.mistake(n, "this cannot be called")
	if right := v.scope.rightForm(v.at, v.want); right != "" {
		m.Hint("write %s", right)
		return
	}
	if member, ok := n.Callee.(*ast.MemberNode); ok && member.Node.Type() == reflect.TypeFor[time.Time]() {
		m.Code(`local(time, "HH")`)
	}
}

// arguments checks a form given to utc() or local(), and a phone that is looked up.
func (v *inspector) arguments(name string, n *ast.CallNode) {
	if name == "lookup" && len(n.Arguments) > 1 {
		v.phoneInTable(n.Arguments[0], n.Arguments[1])
	}
	if name != "utc" && name != "local" || len(n.Arguments) < 2 {
		return
	}
	if s, ok := n.Arguments[1].(*ast.StringNode); ok {
		if _, err := ParseTimeFormat(s.Value); err != nil {
			v.mistake(s, "%s is no form of a time", s.Value).
				Hint("letters such as yyyy-MM-dd HH:mm:ss.fff, other text in single quotes")
		}
	}
}

func (v *inspector) member(n *ast.MemberNode) {
	v.phoneInTable(n.Node, n.Property)
	base, ok := n.Node.(*ast.IdentifierNode)
	if !ok || base.Value != "attrs" {
		return
	}
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		v.mistake(n, "an attribute is named in full").Code("attrs.name")
		return
	}
	if !slices.Contains(v.scope.events.Attrs, name.Value) {
		v.mistake(name, "the attribute %s is not declared in attrs of the site", name.Value).
			Suggest(name.Value, v.scope.events.Attrs)
	}
}

func (v *inspector) binary(n *ast.BinaryNode) {
	v.phones(n)
	switch n.Operator {
	case "<", "<=", ">", ">=":
		v.ordered(n)
		v.never(n, n.Left, n.Right)
		v.never(n, n.Right, n.Left)
	case "==", "!=":
		v.compared(n, n.Left, n.Right)
		v.compared(n, n.Right, n.Left)
		v.never(n, n.Left, n.Right)
		v.never(n, n.Right, n.Left)
	case "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, item := range list.Nodes {
				v.compared(n, n.Left, item)
			}
		}
	case "/", "%":
		if i, ok := n.Right.(*ast.IntegerNode); ok && i.Value == 0 {
			v.mistake(n, "nothing can be divided by 0")
		}
	case "matches":
		if s, ok := n.Right.(*ast.StringNode); ok {
			if _, err := regexp.Compile(s.Value); err != nil {
				v.mistake(s, "%s is no pattern", s.Value)
			}
		}
	}
}

// ordered refuses texts in order: "9" > "30". The texts of date(), utc() and local() are made to
// be compared.
func (v *inspector) ordered(n *ast.BinaryNode) {
	if n.Left.Type().Kind() != reflect.String || n.Right.Type().Kind() != reflect.String {
		return
	}
	if isTimeText(n.Left) || isTimeText(n.Right) {
		return
	}
	v.mistake(n, "texts are compared letter by letter: \"9\" is more than \"30\"").
		Hint("int(%s) makes a number of a text", sourceOf(n.Left))
}

func isTimeText(n ast.Node) bool {
	call, ok := n.(*ast.CallNode)
	if !ok {
		return false
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	return ok && slices.Contains([]string{"date", "utc", "local"}, callee.Value)
}

func sourceOf(n ast.Node) string {
	if id, ok := n.(*ast.IdentifierNode); ok {
		return id.Value
	}
	return "..."
}

// compared refuses a text that a field never has.
func (v *inspector) compared(n *ast.BinaryNode, field, value ast.Node) {
	if number, ok := value.(*ast.IntegerNode); ok && v.texts[value].Name != "" && n.Operator != "in" {
		v.mistake(n, "%s does not go with %s and %s", n.Operator, v.at.word("string"), v.at.word("int")).
			Code(`%s == "%d"`, v.texts[value].Name, number.Value)
		return
	}
	text, ok := value.(*ast.StringNode)
	if !ok {
		return
	}
	id, isField := field.(*ast.IdentifierNode)
	name := ""
	if isField {
		name = id.Value
	} else if m, ok := field.(*ast.MemberNode); ok {
		if base, ok := m.Node.(*ast.IdentifierNode); ok && base.Value == "attrs" {
			name = "attrs"
		}
	}
	f, ok := calltouch.Lookup(name)
	switch {
	case !ok:
	case slices.Contains(nothings, strings.ToLower(strings.TrimSpace(text.Value))):
		v.mistake(value, "%q never comes: nothing, in all its spellings, is nil", text.Value).
			Code("empty(%s), filled(%s)", sourceOf(field), sourceOf(field))
	case f.Type == calltouch.Boolean:
		v.mistake(n, "%s is yes or no, not a text", f.Name).Hint("write %s or not %s", f.Name, f.Name)
	case f.Values != nil && !slices.Contains(f.Values, text.Value):
		v.neverOneOf(value, f, text.Value)
	}
}

// never refuses a text that a function does not make: a day in another form than date()'s, a capital letter of lower()'s. It warns of
// one that is compared in order.
func (v *inspector) never(n *ast.BinaryNode, made, value ast.Node) {
	text, isText := value.(*ast.StringNode)
	call, isCall := made.(*ast.CallNode)
	if !isText {
		return
	}
	if b, ok := made.(*ast.BuiltinNode); ok {
		if right := map[string]string{"lower": strings.ToLower(text.Value), "upper": strings.ToUpper(text.Value)}[b.Name]; right != "" && right != text.Value {
			v.mistake(value, "%s() never gives %q", b.Name, text.Value).Hint("write %s", strconv.Quote(right))
		}
		return
	}
	if !isCall {
		return
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok {
		return
	}
	format := TimeFormat(nil)
	switch {
	case callee.Value == "date":
		format, _ = ParseTimeFormat("yyyy-MM-dd")
	case callee.Value == "local" && len(call.Arguments) == 2:
		if pattern, ok := call.Arguments[1].(*ast.StringNode); ok {
			format, _ = ParseTimeFormat(pattern.Value)
		}
	}
	say, inOrder := v.at.mistake, n.Operator != "==" && n.Operator != "!="
	if inOrder && !v.at.trial {
		say = v.at.warn // texts in order come to something, and it may be what is meant
	}
	if format != nil && !format.prints(text.Value, inOrder) {
		say(value.Location().From, "%s() never gives %q", callee.Value, text.Value).Hint("write it as in %s", strconv.Quote(format.format(exampleTime)))
	}
}

// exampleTime stands in hints.
var exampleTime = time.Date(2026, 11, 1, 9, 5, 0, 0, time.UTC)

// neverOneOf reports a value that a field with a closed list of them never has.
func (v *inspector) neverOneOf(at ast.Node, f calltouch.Field, value string) {
	m := v.mistake(at, "%s is never %q", f.Name, value)
	for _, right := range f.Values {
		if letters, _ := spelling.Differing(value, right); letters != "" {
			m.Suggest(value, f.Values)
			return
		}
	}
	m.Hint("its values: %s", strings.Join(f.Values, ", "))
}

// nothings are Calltouch's spellings of nothing; the vocabulary makes all of them nil.
var nothings = []string{"", "null", "undefined", "{}", "<не указано>", "<не заполнено>", "(not set)", "(not provided)"}
