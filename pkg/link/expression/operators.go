package expression

import (
	"errors"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm/runtime"
)

// The operators of the language with its rules for nil: comparisons and searches are false,
// arithmetic is nil, == and != are total. A panic or an error means a value that the operator
// cannot use; expr turns a panic into the error of the run.

// errBadValue is a value that an operator or a function cannot use.
var errBadValue = errors.New("a value that it cannot use")

// operators are called by the names that the patch writes into the tree.
func operators() map[string]func(a, b any) (any, error) {
	ops := map[string]func(a, b any) (any, error){
		"==": func(a, b any) (any, error) { return equal(a, b), nil },
		"!=": func(a, b any) (any, error) { return !equal(a, b), nil },
		"..": span,
		"in": func(a, b any) (any, error) { return in(a, b) },
	}
	for op, compare := range map[string]func(a, b any) bool{
		"<": runtime.Less, "<=": runtime.LessOrEqual, ">": runtime.More, ">=": runtime.MoreOrEqual,
		"contains":   texts(strings.Contains),
		"startsWith": texts(strings.HasPrefix),
		"endsWith":   texts(strings.HasSuffix),
		"matches":    matches,
	} {
		ops[op] = func(a, b any) (any, error) {
			if IsNil(a) || IsNil(b) {
				return false, nil
			}
			return compare(whole(a), whole(b)), nil
		}
	}
	for op, compute := range map[string]func(a, b any) any{
		"+": runtime.Add, "-": runtime.Subtract, "*": runtime.Multiply,
		"/":  func(a, b any) any { return runtime.Divide(a, b) },
		"%":  func(a, b any) any { return runtime.Modulo(a, b) },
		"**": func(a, b any) any { return runtime.Exponent(a, b) },
		"^":  func(a, b any) any { return runtime.Exponent(a, b) },
	} {
		ops[op] = func(a, b any) (any, error) {
			if IsNil(a) || IsNil(b) {
				return nil, nil
			}
			if overflows(op, a, b) {
				return nil, errBadValue
			}
			return finite(compute(a, b))
		}
	}
	return ops
}

// IsNil reports whether a value is nil, or a list or table that is.
func IsNil(v any) bool {
	switch v.(type) {
	case nil:
		return true
	case string, bool, int, int64, float64, time.Time:
		return false
	}
	return runtime.IsNil(v)
}

// whole cuts a time to its second: hooks have no finer ones, the API does.
func whole(v any) any {
	if t, ok := v.(time.Time); ok {
		return t.Truncate(time.Second)
	}
	return v
}

func equal(a, b any) bool {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return x == y
		}
	case bool:
		if y, ok := b.(bool); ok {
			return x == y
		}
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Unix() == y.Unix()
	}
	if IsNil(a) || IsNil(b) {
		return IsNil(a) && IsNil(b)
	}
	return runtime.Equal(a, b)
}

func texts(f func(a, b string) bool) func(a, b any) bool {
	return func(a, b any) bool { return f(a.(string), b.(string)) }
}

// pattern is a regular expression with what matching costs for each byte.
type pattern struct {
	*regexp.Regexp
	steps int
}

func compilePattern(text string) (*pattern, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	re, err := regexp.Compile(text)
	return &pattern{re, patternSteps(tree)}, err
}

func matches(a, b any) bool {
	if p, ok := b.(*pattern); ok {
		return p.MatchString(a.(string))
	}
	re, err := regexp.Compile(b.(string))
	if err != nil {
		panic(errBadValue)
	}
	return re.MatchString(a.(string))
}

// matchingSteps is how much work a match is at most; a pattern that is no pattern is found later.
func matchingSteps(a, b any) (int, error) {
	const atOnce = 8 // states that the matcher follows in one step
	text, _ := a.(string)
	if p, ok := b.(*pattern); ok {
		return len(text) / atOnce * p.steps, nil
	}
	source, _ := b.(string)
	if len(source) > maxPattern {
		return 0, errTooMuch
	}
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return 0, errBadValue
	}
	n := patternSteps(tree)
	if n > maxPattern {
		return 0, errTooMuch
	}
	return len(text)/atOnce*n + 16*n, nil
}

// in looks for a in a list, or among the keys of a table.
func in(a, b any) (bool, error) {
	if IsNil(a) || IsNil(b) {
		return false, nil
	}
	switch list := b.(type) {
	case []string:
		for _, v := range list {
			if equal(a, v) {
				return true, nil
			}
		}
		return false, nil
	case []any:
		for _, v := range list {
			if equal(a, v) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		key, ok := a.(string)
		_, found := list[key]
		return ok && found, nil
	case map[string]string:
		key, ok := a.(string)
		_, found := list[key]
		return ok && found, nil
	}
	return runtime.In(a, b), nil
}

// longestSpan bounds a..b, which would otherwise be memory at the will of a value.
const longestSpan = 10_000

func span(a, b any) (any, error) {
	if IsNil(a) || IsNil(b) {
		return nil, nil
	}
	from, to := runtime.ToInt(a), runtime.ToInt(b)
	if to >= from && uint(to)-uint(from) > longestSpan {
		return nil, errBadValue
	}
	return runtime.MakeRange(from, to), nil
}

// overflows reports whether whole numbers come to one that no number holds: expr would go on with another one.
func overflows(op string, a, b any) bool {
	x, whole := toInt(a)
	y, both := toInt(b)
	if !whole || !both {
		return false
	}
	switch op {
	case "+":
		return (x+y > x) != (y > 0)
	case "-":
		return (x-y < x) != (y > 0)
	case "*":
		return x != 0 && (x*y/x != y || x == -1 && y == math.MinInt)
	}
	return false
}

// beyond reports whether int or abs is asked for what no whole number holds.
func beyond(function string, args []any) bool {
	if len(args) == 0 {
		return false
	}
	switch x := args[0].(type) {
	case float64:
		return function == "int" && !(x >= math.MinInt && x < -math.MinInt)
	case int:
		return function == "abs" && x == math.MinInt
	case int64:
		return function == "abs" && x == math.MinInt
	}
	return false
}

func finite(v any) (any, error) {
	if f, ok := v.(float64); ok && (math.IsInf(f, 0) || math.IsNaN(f)) {
		return nil, errBadValue
	}
	return v, nil
}

// truth is a value as a condition: nil is false.
func truth(v any) (bool, error) {
	switch b := v.(type) {
	case bool:
		return b, nil
	case nil:
		return false, nil
	}
	return false, errBadValue
}

// member reads x.name and x[i]; what is not there is nil, and so is an empty text.
func member(of, name any) any {
	switch x := of.(type) {
	case nil:
		return nil
	case map[string]string:
		key, _ := name.(string)
		return something(x[key])
	case map[string]any:
		key, _ := name.(string)
		return x[key]
	case []string:
		if i, ok := index(name, len(x)); ok {
			return something(x[i])
		}
		return nil
	case []any:
		if i, ok := index(name, len(x)); ok {
			return x[i]
		}
		return nil
	}
	return fetch(of, name)
}

// fetch is expr's own reading for what expressions build themselves.
func fetch(of, name any) (v any) {
	defer func() {
		if recover() != nil {
			v = nil
		}
	}()
	return runtime.Fetch(of, name)
}

func index(name any, length int) (int, bool) {
	if IsNil(name) {
		return 0, false
	}
	i := runtime.ToInt(name)
	if i < 0 {
		i += length
	}
	return i, i >= 0 && i < length
}

// something is a text, or nil for the empty one: a function never gives an empty text, because
// to Mindbox that means "erase".
func something(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// cutOut reads x[from:to] of a text in characters, and of a list.
func cutOut(of, from, to any) any {
	if IsNil(of) {
		return nil
	}
	text, ok := of.(string)
	length := 0
	runes := []rune(text)
	if length = len(runes); !ok {
		length = runtime.Len(of)
	}
	if IsNil(from) {
		from = 0
	}
	if IsNil(to) {
		to = length
	}
	if !ok {
		return runtime.Slice(of, from, to)
	}
	return something(string(runtime.Slice(runes, from, to).([]rune)))
}

// negate is -x.
func negate(v any) any {
	if IsNil(v) {
		return nil
	}
	return runtime.Negate(v)
}
