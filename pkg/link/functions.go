package link

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/phone"
)

// settings are what the functions of one site's events depend on.
type settings struct {
	location  *time.Location
	tenDigits string
	format    timeFormat // of utc() and local()
}

// function is one function of the language beside expr's own.
type function struct {
	name  string
	call  func(args ...any) (any, error)
	types []any // signatures for the strict check
}

// functions are documented in docs/links.md with the examples of the package. All of them are
// nil for a nil argument, but filled, empty and json.
func functions(s settings) []function {
	if s.location == nil {
		s.location = time.UTC
	}
	return []function{
		{"filled", func(args ...any) (any, error) { return filled(args[0]), nil }, []any{new(func(any) bool)}},
		{"empty", func(args ...any) (any, error) { return !filled(args[0]), nil }, []any{new(func(any) bool)}},
		{"phone", text(func(v string) any {
			return something(phone.Normalize(v, phone.Options{TenDigits: s.tenDigits}))
		}), []any{new(func(string) string)}},
		{"uuid", text(func(v string) any { return something(wellFormed(v)) }), []any{new(func(string) string)}},
		{"utc", s.printer(time.UTC), timeTypes},
		{"local", s.printer(s.location), timeTypes},
		{"date", s.date, timeTypes[:3]},
		{"cut", cut, []any{new(func(string, int) string)}},
		{"json", asJSON, []any{new(func(any) string)}},
		{"lookup", lookup, []any{
			new(func(map[string]string, string) string), new(func(map[string]string, string, string) string),
			new(func(map[string]any, string) any), new(func(map[string]any, string, any) any),
		}},
	}
}

// timeTypes: a time, Unix seconds or Calltouch's local text; then each with a form of its own.
var timeTypes = []any{
	new(func(time.Time) string), new(func(int) string), new(func(string) string),
	new(func(time.Time, string) string), new(func(int, string) string), new(func(string, string) string),
}

// options are the functions for expr.
func options(s settings) []expr.Option {
	var out []expr.Option
	for _, f := range functions(s) {
		out = append(out, expr.Function(f.name, f.call, f.types...))
	}
	return out
}

// text makes a function of one text nil-safe.
func text(f func(string) any) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		switch v := args[0].(type) {
		case nil:
			return nil, nil
		case string:
			return f(v), nil
		}
		return nil, errBadValue
	}
}

// filled reports whether there is anything: not nil, not a text of blanks, not an empty list.
func filled(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case string:
		return strings.TrimSpace(v) != ""
	case []string:
		return len(v) > 0
	case []any:
		return len(v) > 0
	case map[string]string:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// wellFormed is a UUID in its usual form, or "" for anything else and for the one of zeros:
// Mindbox refuses a request with such a device.
func wellFormed(s string) string {
	s = strings.TrimSpace(s)
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || id == uuid.Nil {
		return ""
	}
	return id.String()
}

// printer is utc() or local(): a time in the destination's form, or in the one given.
func (s settings) printer(zone *time.Location) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		format := s.format
		if len(args) > 1 {
			pattern, ok := args[1].(string)
			if !ok {
				return nil, errBadValue
			}
			var err error
			if format, err = parseTimeFormat(pattern); err != nil {
				return nil, errBadValue
			}
		}
		t, ok, err := s.moment(args[0])
		if !ok {
			return nil, err
		}
		return format.format(t.In(zone)), nil
	}
}

// date is the day in the site's zone, as Mindbox takes dates.
func (s settings) date(args ...any) (any, error) {
	t, ok, err := s.moment(args[0])
	if !ok {
		return nil, err
	}
	return t.In(s.location).Format(time.DateOnly), nil
}

// localTexts are the forms of Calltouch's local times, of hooks and of the API.
var localTexts = []string{time.DateTime, "02/01/2006 15:04:05", time.DateOnly, "02/01/2006"}

// moment reads a time, Unix seconds or a local text; ok is false for nil and for what is none.
func (s settings) moment(v any) (t time.Time, ok bool, err error) {
	switch v := v.(type) {
	case nil:
		return time.Time{}, false, nil
	case time.Time:
		return v.Truncate(time.Second), true, nil
	case int:
		return time.Unix(int64(v), 0), true, nil
	case int64:
		return time.Unix(v, 0), true, nil
	case float64:
		return time.Unix(int64(v), 0), true, nil
	case string:
		for _, layout := range localTexts {
			if t, err := time.ParseInLocation(layout, v, s.location); err == nil {
				return t, true, nil
			}
		}
	}
	return time.Time{}, false, errBadValue
}

// cut is the first n characters of a text.
func cut(args ...any) (any, error) {
	if args[0] == nil || args[1] == nil {
		return nil, nil
	}
	s, isText := args[0].(string)
	n, isNumber := toInt(args[1])
	if !isText || !isNumber || n < 0 {
		return nil, errBadValue
	}
	if utf8.RuneCountInString(s) <= n {
		return something(s), nil
	}
	return something(strings.TrimSpace(string([]rune(s)[:n]))), nil
}

func toInt(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	}
	return 0, false
}

// asJSON is a value as JSON text.
func asJSON(args ...any) (any, error) {
	b, err := appendValue(nil, args[0])
	return string(b), err
}

// lookup is table[key] ?? fallback.
func lookup(args ...any) (any, error) {
	table, ok := args[0].(map[string]any)
	if !ok && args[0] != nil {
		return nil, errBadValue
	}
	if key, ok := args[1].(string); ok {
		if v, ok := table[key]; ok {
			return v, nil
		}
	}
	if len(args) > 2 {
		return args[2], nil
	}
	return nil, nil
}

// asText is a value inside mixed text. Lists, maps and times do not come here: the check refuses
// them.
func asText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		if _, err := finite(v); err != nil {
			return "", err
		}
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", errBadValue
}
