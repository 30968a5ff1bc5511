package calltouch

import (
	"html"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/google/uuid"
)

// nested bounds how often an encoding may stand inside another.
const nested = 3

// attributes reads the attributes that the site set, in every shape in which they may come:
// an object, a list of {name, value} or {key, value} or of objects with one key, the JSON text of
// these, or nothing. The names are those that v declares, where one is the same but for case, "_"
// and "-"; other attributes keep theirs. The result is never nil; unread is true where something
// came and none of these shapes was in it.
func attributes(raw any, v View) (out map[string]string, unread bool) {
	came := map[string]string{}
	read := collect(came, raw, nested)
	out = make(map[string]string, len(came))
	for _, name := range slices.Sorted(maps.Keys(came)) {
		known := v.declared(name)
		if _, taken := out[known]; taken && known != name {
			continue // the exact spelling wins, then the first one
		}
		out[known] = came[name]
	}
	return out, !read
}

// collect reports whether it could read raw; nothing can be read, too.
func collect(into map[string]string, raw any, depth int) bool {
	switch raw := raw.(type) {
	case nil:
		return true
	case string:
		return isNothing(raw) || collectPlain(into, raw) || collectText(into, strings.TrimSpace(raw), depth)
	case map[string]any:
		for name, value := range raw {
			put(into, name, value)
		}
		return true
	case []any:
		read := true
		for _, element := range raw {
			read = collectElement(into, element, depth) && read
		}
		return read
	}
	return false
}

// collectElement reads one of a list: {name, value}, an object, or its text.
func collectElement(into map[string]string, element any, depth int) bool {
	m, _ := element.(map[string]any)
	if name, value, ok := named(m); ok {
		put(into, name, value)
		return true
	}
	return collect(into, element, depth)
}

// collectText reads a text that holds attributes: as JSON, then after each of the encodings in which relays have been seen to wrap
// JSON once more, then as NAME=VALUE pairs.
func collectText(into map[string]string, text string, depth int) bool {
	if depth == 0 {
		return false
	}
	if v, err := decodeJSON([]byte(text)); err == nil {
		return collect(into, v, depth-1)
	}
	for _, undo := range []func(string) string{unescape, html.UnescapeString, unslashed, doubleQuoted} {
		if plain := undo(text); plain != text {
			if v, err := decodeJSON([]byte(plain)); err == nil {
				return collect(into, v, depth-1)
			}
			if collectText(into, plain, depth-1) {
				return true
			}
		}
	}
	return collectPairs(into, text)
}

// unslashed undoes the backslashes of JSON inside a text of which the quotes are gone.
func unslashed(s string) string { return strings.ReplaceAll(s, `\"`, `"`) }

// doubleQuoted turns the single quotes of other languages' literals into those of JSON.
func doubleQuoted(s string) string {
	if strings.Contains(s, `"`) {
		return s
	}
	return strings.ReplaceAll(s, "'", `"`)
}

// collectPairs reads name=value;name=value and {name:value, name:value}. It takes nothing and reports false where a pair is none.
func collectPairs(into map[string]string, text string) bool {
	if strings.Contains(text, `"`) {
		return false // JSON that was cut
	}
	pairs := strings.FieldsFunc(strings.Trim(text, "{}[]"), func(r rune) bool { return strings.ContainsRune("&;,", r) })
	for _, pair := range pairs {
		if name, value := cutPair(pair); value == "" || strings.ContainsFunc(name, notInName) || name == "" {
			return false
		}
	}
	for _, pair := range pairs {
		name, value := cutPair(pair)
		put(into, name, value)
	}
	return len(pairs) > 0
}

func cutPair(pair string) (name, value string) {
	if i := strings.IndexAny(pair, "=:"); i >= 0 {
		name, value = pair[:i], pair[i+1:]
	}
	return strings.Trim(name, ` '"`), strings.Trim(value, ` '"`)
}

func notInName(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' && r != '.'
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
	if m, ok := value.(map[string]any); ok && m["value"] != nil {
		value = m["value"]
	}
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

// Undeclared returns the names of the attributes that came and that v does not declare, sorted.
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
// which stands for a device that Mindbox does not know. Quotes and braces around it are none of its own.
func deviceUUID(s string) string {
	id, err := uuid.Parse(unquoted(s))
	if err != nil || id == uuid.Nil {
		return ""
	}
	return id.String()
}

// isNoDevice reports whether a site's device attribute came and holds something that is no UUID: the cookie was read wrongly.
func isNoDevice(s string) bool {
	id, err := uuid.Parse(unquoted(s))
	return s != "" && err != nil && id == uuid.Nil
}

func unquoted(s string) string {
	return strings.Trim(strings.TrimSpace(html.UnescapeString(unescape(s))), `"'«»“”{} `)
}
