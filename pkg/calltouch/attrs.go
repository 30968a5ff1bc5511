package calltouch

import (
	"maps"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
)

// nested bounds how often JSON text may stand inside JSON text.
const nested = 2

// attributes reads the attributes that the site set, in every shape in which they may come:
// an object, a list of {name, value} or {key, value} or of objects with one key, the JSON text of
// these, or nothing. The names are those that v declares, where one is the same but for case, "_"
// and "-"; other attributes keep theirs. The result is never nil.
func attributes(raw any, v View) map[string]string {
	came := map[string]string{}
	collect(came, raw, nested)
	if len(came) == 0 {
		return came
	}
	out := make(map[string]string, len(came))
	for _, name := range slices.Sorted(maps.Keys(came)) {
		known := v.declared(name)
		if _, taken := out[known]; taken && known != name {
			continue // the exact spelling wins, then the first one
		}
		out[known] = came[name]
	}
	return out
}

func collect(into map[string]string, raw any, depth int) {
	switch raw := raw.(type) {
	case string:
		if depth == 0 || isNothing(raw) || collectPlain(into, raw) {
			return
		}
		if v, err := decodeJSON([]byte(raw)); err == nil {
			collect(into, v, depth-1)
		}
	case map[string]any:
		for name, value := range raw {
			put(into, name, value)
		}
	case []any:
		for _, element := range raw {
			m, _ := element.(map[string]any)
			if name, value, ok := named(m); ok {
				put(into, name, value)
				continue
			}
			for name, value := range m {
				put(into, name, value)
			}
		}
	}
}

// collectPlain reads what nearly every hook brings, an object of texts without escapes, several
// times faster than a parser of all JSON. It takes nothing and reports false when raw is more.
func collectPlain(into map[string]string, raw string) bool {
	if strings.ContainsAny(raw, "\\\n\r\t ") || !isPrintable(raw) {
		return false
	}
	rest, ok := strings.CutPrefix(raw, `{"`)
	if !ok {
		return false
	}
	rest, ok = strings.CutSuffix(rest, `"}`)
	if !ok {
		return false
	}
	pairs := strings.Split(rest, `","`)
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, `":"`)
		if !ok || strings.Contains(name, `"`) || strings.Contains(value, `"`) {
			return false
		}
	}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, `":"`)
		put(into, name, value)
	}
	return true
}

// named reads {"name": N, "value": V} and {"key": N, "value": V}.
func named(m map[string]any) (name string, value any, ok bool) {
	value, ok = m["value"]
	if !ok {
		return "", nil, false
	}
	if name, ok = m["name"].(string); !ok {
		name, ok = m["key"].(string)
	}
	return name, value, ok
}

func put(into map[string]string, name string, value any) {
	name, text := printable(strings.TrimSpace(name)), printable(asText(value))
	if name != "" && !isNothing(text) {
		into[name] = text
	}
}

// declared returns the declared spelling of an attribute's name, or the name itself.
func (v View) declared(name string) string {
	if slices.Contains(v.Attrs, name) || name == v.Device {
		return name
	}
	for _, a := range v.Attrs {
		if same(a, name) {
			return a
		}
	}
	if v.Device != "" && same(v.Device, name) {
		return v.Device
	}
	return name
}

// Undeclared returns the names of the attributes that e brought and v does not declare, sorted.
// An unreadable event has none.
func Undeclared(e event.Event, v View) []string {
	f, err := Parse(e, v)
	if err != nil {
		return nil
	}
	return f.Undeclared(v)
}

// Undeclared is the same for an event that is parsed already.
func (f Fields) Undeclared(v View) []string {
	attrs, _ := f["attrs"].(map[string]string)
	var names []string
	for name := range attrs {
		if !slices.Contains(v.Attrs, name) && name != v.Device {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// deviceUUID returns a well-formed UUID in lower case; "" for anything else, and for all zeros,
// which stands for a device that Mindbox does not know.
func deviceUUID(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) != 36 || strings.Trim(s, "0-") == "" {
		return ""
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !isHex(c) {
			return ""
		}
	}
	return s
}
