package link

import (
	"github.com/expr-lang/expr/vm/runtime"
)

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
	if isNil(name) {
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
	if isNil(of) {
		return nil
	}
	text, ok := of.(string)
	length := 0
	runes := []rune(text)
	if length = len(runes); !ok {
		length = runtime.Len(of)
	}
	if isNil(from) {
		from = 0
	}
	if isNil(to) {
		to = length
	}
	if !ok {
		return runtime.Slice(of, from, to)
	}
	return something(string(runtime.Slice(runes, from, to).([]rune)))
}

// negate is -x; plus is +x.
func negate(v any) any {
	if isNil(v) {
		return nil
	}
	return runtime.Negate(v)
}
