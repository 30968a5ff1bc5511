package expression

import (
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends any value of the language as JSON. Keys of maps are sorted, so that the
// same event always gives the same bytes; nil inside a list or a map is left out.
//
// The writer is our own, because encoding/json takes 2.2 times as long for the values that events have
// (BenchmarkJSON beside this file, ten runs, geometric mean; 1.4 for an object, 6 for a number), has to be given
// a copy without nil, and writes large numbers as 1e+21.
func AppendJSON(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case string:
		return AppendString(b, v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v)
	case time.Time:
		return AppendString(b, v.UTC().Format(time.RFC3339)), nil
	case []string:
		return appendList(b, len(v), func(i int) any { return v[i] })
	case []any:
		return appendList(b, len(v), func(i int) any { return v[i] })
	case map[string]string:
		return appendMap(b, slices.Sorted(maps.Keys(v)), func(k string) any { return v[k] })
	case map[string]any:
		return appendMap(b, slices.Sorted(maps.Keys(v)), func(k string) any { return v[k] })
	}
	return appendOther(b, v)
}

// appendOther takes what expr's own functions give: []int, [][2]any, map[any][]any.
func appendOther(b []byte, v any) ([]byte, error) {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Slice, reflect.Array:
		return appendList(b, r.Len(), func(i int) any { return r.Index(i).Interface() })
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return strconv.AppendInt(b, r.Int(), 10), nil
	}
	out, err := json.Marshal(v)
	if err != nil {
		return b, errBadValue
	}
	return append(b, out...), nil
}

// appendFloat writes 42, not 42.0 or 4.2e1.
func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return b, errBadValue
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64), nil
}

func appendList(b []byte, n int, at func(int) any) ([]byte, error) {
	b = append(b, '[')
	first := true
	for i := range n {
		v := at(i)
		if IsNil(v) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		var err error
		if b, err = AppendJSON(b, v); err != nil {
			return b, err
		}
		if len(b) > MaxBody { // a list may hold one long text many times
			return b, errTooMuch
		}
	}
	return append(b, ']'), nil
}

func appendMap(b []byte, keys []string, at func(string) any) ([]byte, error) {
	b = append(b, '{')
	first := true
	for _, k := range keys {
		v := at(k)
		if IsNil(v) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(AppendString(b, k), ':')
		var err error
		if b, err = AppendJSON(b, v); err != nil {
			return b, err
		}
		if len(b) > MaxBody {
			return b, errTooMuch
		}
	}
	return append(b, '}'), nil
}

const hexDigits = "0123456789abcdef"

// AppendString appends a JSON string. Unlike encoding/json it leaves <, > and & as they are.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += n
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}
