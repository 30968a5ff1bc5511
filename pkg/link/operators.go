package link

import (
	"errors"
	"math"
	"regexp"
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
			if isNil(a) || isNil(b) {
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
			if isNil(a) || isNil(b) {
				return nil, nil
			}
			return finite(compute(a, b))
		}
	}
	return ops
}

func isNil(v any) bool {
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
	if isNil(a) || isNil(b) {
		return isNil(a) && isNil(b)
	}
	return runtime.Equal(a, b)
}

func texts(f func(a, b string) bool) func(a, b any) bool {
	return func(a, b any) bool { return f(a.(string), b.(string)) }
}

func matches(a, b any) bool {
	if re, ok := b.(*regexp.Regexp); ok {
		return re.MatchString(a.(string))
	}
	re, err := regexp.Compile(b.(string))
	if err != nil {
		panic(errBadValue)
	}
	return re.MatchString(a.(string))
}

// in looks for a in a list, or among the keys of a table.
func in(a, b any) (bool, error) {
	if isNil(a) || isNil(b) {
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
	if isNil(a) || isNil(b) {
		return nil, nil
	}
	from, to := runtime.ToInt(a), runtime.ToInt(b)
	if to >= from && uint(to)-uint(from) > longestSpan {
		return nil, errBadValue
	}
	return runtime.MakeRange(from, to), nil
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
