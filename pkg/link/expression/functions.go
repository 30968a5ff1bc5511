package expression

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/email"
	"github.com/touchbox/touchbox/pkg/phone"
)

// function is one function of the language beside expr's own.
type function struct {
	name  string
	call  func(args ...any) (any, error)
	types []any // signatures for the strict check
}

// functions are documented in docs/links.md with the examples of pkg/link. All of them are
// nil for a nil argument, but filled, empty and json.
func functions(e Events) []function {
	if e.Location == nil {
		e.Location = time.UTC
	}
	return []function{
		{"filled", func(args ...any) (any, error) { return Filled(args[0]), nil }, []any{new(func(any) bool)}},
		{"empty", func(args ...any) (any, error) { return !Filled(args[0]), nil }, []any{new(func(any) bool)}},
		{"phone", text(func(v string) any {
			return something(phone.Normalize(v, phone.Options{TenDigits: e.TenDigits}))
		}), []any{new(func(string) string)}},
		{"email", text(func(v string) any { return something(email.Normalize(v)) }), []any{new(func(string) string)}},
		{"uuid", text(func(v string) any { return something(UUID(v)) }), []any{new(func(string) string)}},
		{"utc", e.printer(time.UTC), timeTypes},
		{"local", e.printer(e.Location), timeTypes},
		{"date", e.date, timeTypes[:3]},
		{"cut", cut, []any{new(func(string, int) string)}},
		{"json", asJSON, []any{new(func(any) string)}},
		{"lookup", lookup, []any{
			new(func(map[string]string, string) string), new(func(map[string]string, string, string) string),
			new(func(map[string]any, string) any), new(func(map[string]any, string, any) any),
		}},
	}
}

// usages are how the functions are called, for hints.
var usages = map[string]string{
	"filled": `filled(city)`, "empty": `empty(city)`, "phone": `phone(callerphone)`, "email": `email(email)`, "uuid": `uuid(attrs.name)`,
	"utc": `utc(time), utc(time, "yyyy-MM-dd")`, "local": `local(time), local(time, "HH:mm")`, "date": `date(time)`, "cut": `cut(comment, 1000)`, "json": `json(tags)`,
	"lookup": `lookup(table, phonenumber, "other")`,
	"lower":  `lower(city)`, "upper": `upper(city)`, "trim": `trim(city)`, "len": `len(city)`, "int": `int(utm_term)`, "float": `float(utm_term)`, "string": `string(duration)`,
	"split": `split(utm_campaign, "_")[0]`, "join": `join(tags, ", ")`, "replace": `replace(city, "г. ", "")`, "indexOf": `indexOf(url, "promo")`, "hasPrefix": `url startsWith "https"`,
	"hasSuffix": `url endsWith "/"`, "max": `max(duration, 0)`, "min": `min(duration, 600)`, "round": `round(duration / 60)`, "any": `any(tags, # startsWith "VIP")`,
	"all": `all(tags, # startsWith "VIP")`, "none": `none(tags, # startsWith "VIP")`, "one": `one(tags, # startsWith "VIP")`, "filter": `filter(tags, # startsWith "VIP")`,
	"map": `map(tags, lower(#))`, "count": `count(tags, # startsWith "VIP")`, "find": `find(tags, # startsWith "VIP")`, "first": `first(tags)`, "last": `last(tags)`,
}

// timeTypes: a time, Unix seconds or Calltouch's local text; then each with a form of its own.
var timeTypes = []any{
	new(func(time.Time) string), new(func(int) string), new(func(string) string),
	new(func(time.Time, string) string), new(func(int, string) string), new(func(string, string) string),
}

// options are the functions for expr.
func options(e Events) []expr.Option {
	var out []expr.Option
	for _, f := range functions(e) {
		out = append(out, expr.Function(calledName(f.name), f.call, f.types...))
	}
	return out
}

// calledName is what expr knows a function by. One that shares its name with a field, email(email), gets a
// name that no field can have: expr asks for fields first.
func calledName(function string) string {
	if _, ok := calltouch.Lookup(function); ok {
		return function + "()"
	}
	return function
}

// parseCalls parses an expression and gives the functions in it their called names.
func parseCalls(source string, c *conf.Config) (*parser.Tree, error) {
	tree, err := parser.ParseWithConfig(source, c)
	if err == nil {
		ast.Walk(&tree.Node, visitor(renameCall))
	}
	return tree, err
}

func renameCall(n ast.Node) {
	if call, ok := n.(*ast.CallNode); ok {
		if callee, ok := call.Callee.(*ast.IdentifierNode); ok {
			callee.Value = calledName(callee.Value)
		}
	}
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

// Filled reports whether there is anything: not nil, not a text of blanks, not an empty list.
func Filled(v any) bool {
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

// UUID is a UUID in its usual form, or "" for anything else and for the one of zeros:
// Mindbox refuses a request with such a device.
func UUID(s string) string {
	s = strings.TrimSpace(s)
	id, err := uuid.Parse(s)
	if err != nil || len(s) != 36 || id == uuid.Nil {
		return ""
	}
	return strings.ToLower(s)
}

// printer is utc() or local(): a time in the destination's form, or in the one given.
func (e Events) printer(zone *time.Location) func(args ...any) (any, error) {
	return func(args ...any) (any, error) {
		format := e.Format
		if len(args) > 1 {
			pattern, ok := args[1].(string)
			if !ok {
				return nil, errBadValue
			}
			var err error
			if format, err = ParseTimeFormat(pattern); err != nil {
				return nil, errBadValue
			}
		}
		t, ok, err := e.moment(args[0])
		if !ok {
			return nil, err
		}
		return format.format(t.In(zone)), nil
	}
}

// date is the day in the site's zone, as Mindbox takes dates.
func (e Events) date(args ...any) (any, error) {
	t, ok, err := e.moment(args[0])
	if !ok {
		return nil, err
	}
	return t.In(e.Location).Format(time.DateOnly), nil
}

// localTexts are the forms of Calltouch's local times, of hooks and of the API.
var localTexts = []string{time.DateTime, "02/01/2006 15:04:05", time.DateOnly, "02/01/2006"}

// moment reads a time, Unix seconds or a local text; ok is false for nil and for a year outside 1970 to
// 2100, which no event has.
func (e Events) moment(v any) (t time.Time, ok bool, err error) {
	t, ok, err = e.anyMoment(v)
	return t, ok && t.Unix() >= 0 && t.Year() <= lastYear, err
}

// lastYear is the last one that the vocabulary's times have.
const lastYear = 2100

func (e Events) anyMoment(v any) (t time.Time, ok bool, err error) {
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
			if t, err := time.ParseInLocation(layout, v, e.Location); err == nil {
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
	b, err := AppendJSON(nil, args[0])
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

// Text is a value inside mixed text. Lists, maps and times do not come here: the check refuses
// them.
func Text(v any) (string, error) {
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
