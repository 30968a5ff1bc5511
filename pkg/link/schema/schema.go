// Package schema makes the JSON Schemas by which editors check and complete touchbox.yaml and the files of its tests.
//
// They are made of the tables of keys (pkg/link/keys), the vocabulary and the functions of expressions; what an editor shows beside a key is in
// both languages. The package reads no file.
package schema

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/link/keys"
)

// Which is one of the schemas, as commands name it.
type Which string

// All schemas.
const (
	Config Which = "config" // of touchbox.yaml
	Tests  Which = "tests"  // of tests/*.yaml
)

// All are their names.
func All() []string { return []string{string(Config), string(Tests)} }

// Address is where editors find it.
func (w Which) Address() string {
	return "https://raw.githubusercontent.com/touchbox/touchbox/main/schemas/" + string(w) + ".schema.json"
}

// Write writes the schema.
func (w Which) Write(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(w.schema())
}

// both is a text as an editor shows it: in English, then in Russian.
func both(english string) string {
	if russian := lang.Russian.Text(english); russian != english {
		return english + "\n\n" + russian
	}
	return english
}

// object is a piece of a schema.
type object = map[string]any

// schema is the whole of it: the file's own section, and the others as definitions.
func (w Which) schema() object {
	sections := keys.Sections()
	if w == Tests {
		sections = keys.TestSections()
	}
	root, defs := sectionSchema(sections[0]), definitions()
	if w == Tests {
		defs = testDefinitions()
	}
	for _, s := range sections[1:] {
		defs[s.Name] = sectionSchema(s)
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "https://github.com/touchbox/touchbox/schemas/" + string(w) + ".schema.json"
	root["$defs"] = defs
	return root
}

// definitions are the values that many keys of touchbox.yaml share. A value that YAML gives as a number or boolean is
// a text to Touchbox where a text belongs.
func definitions() object {
	scalar := []string{"string", "number", "boolean"}
	sources := []any{secretObject("env", "Name of an environment variable"), secretObject("file", "Path of a file")}
	return object{
		"text":         object{"type": scalar, "pattern": `\S`},
		"duration":     object{"type": "string", "pattern": keys.DurationPattern, "description": both("A span of time: 30s, 15m, 72h, 10d")},
		"value":        object{"type": scalar},
		"kind":         object{"enum": keys.EventKinds()},
		"template":     described(ref("text"), both("A text with ${...} in it.")+"\n\n"+expressionHelp()),
		"expression":   described(object{"type": []string{"string", "boolean"}, "pattern": `\S`}, both("A condition: yes or no.")+"\n\n"+expressionHelp()),
		"secretSource": object{"oneOf": append([]any{ref("text")}, sources...)},
		"parameter":    object{"oneOf": append([]any{ref("template")}, sources...)},
		"secret":       object{"oneOf": []any{ref("secretSource"), object{"type": "array", "items": ref("secretSource"), "minItems": 1, "maxItems": 2}}},
		"accessKey":    object{"oneOf": append([]any{secretObject("sha256", "Hash of the key, 64 hexadecimal digits")}, sources...)},
		"body":         object{"oneOf": []any{object{"type": "string", "pattern": `\{`}, bodyFields(object{"minProperties": 1})}},
		"bodyValue": object{"oneOf": []any{described(object{"type": scalar}, expressionHelp()),
			object{"type": "array", "items": ref("bodyValue")}, bodyFields(object{})}},
	}
}

func sectionSchema(s *keys.Section) object {
	properties, required := object{}, []string{}
	for _, k := range s.Keys {
		properties[k.Name] = described(keySchema(k), both(k.About))
		if len(k.Examples) > 0 {
			properties[k.Name].(object)["examples"] = k.Examples
		}
		if k.Required {
			required = append(required, k.Name)
		}
	}
	return object{"title": both(s.About), "type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// keySchema is a key's value or values.
func keySchema(k keys.Key) object {
	one := valueSchema(k)
	switch k.Number {
	case keys.OneOrMore:
		return object{"oneOf": []any{one, object{"type": "array", "items": one, "minItems": 1}}}
	case keys.List:
		list := object{"type": "array", "items": one}
		if k.Required {
			list["minItems"] = 1
		}
		return list
	case keys.Map:
		return object{"type": "object", "additionalProperties": one}
	case keys.Named:
		return object{"type": "object", "propertyNames": object{"pattern": expression.NamePattern}, "additionalProperties": one}
	}
	switch {
	case k.Kind == keys.Bool:
		one["default"] = k.Default == "true"
	case k.Default != "":
		one["default"] = k.Default
	}
	return one
}

// shared are the definitions of the kinds that have one.
var shared = map[keys.Kind]string{
	keys.Text: "text", keys.Duration: "duration", keys.EventKind: "kind", keys.Secret: "secret", keys.Template: "template",
	keys.Parameter: "parameter", keys.Expression: "expression", keys.Body: "body", keys.AccessKey: "accessKey",
	keys.TestEvent: "event", keys.Expected: "expected",
}

func valueSchema(k keys.Key) object {
	switch k.Kind {
	case keys.Word:
		return object{"type": []string{"string", "integer"}, "pattern": k.Pattern, "minimum": 0}
	case keys.Choice:
		return object{"enum": k.Choices}
	case keys.Address:
		return object{"type": "string", "pattern": keys.AddressPattern}
	case keys.Size:
		return object{"type": "string", "pattern": keys.SizePattern}
	case keys.Rate:
		return object{"type": "string", "pattern": keys.RatePattern}
	case keys.Table:
		return object{"type": "object", "additionalProperties": ref("value")}
	case keys.Mapping:
		return ref(k.Of.Name)
	case keys.Bool:
		return object{"type": "boolean"}
	}
	return ref(shared[k.Kind])
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func described(schema object, about string) object {
	schema["description"] = about
	return schema
}

// bodyFields adds to a schema that it is a mapping of a body's fields, dotted or not.
func bodyFields(schema object) object {
	schema["type"] = "object"
	schema["propertyNames"] = object{"pattern": `^[^.\s][^.]*(\.[^.]+)*$`}
	schema["additionalProperties"] = ref("bodyValue")
	return schema
}

func secretObject(key, about string) object {
	return object{"type": "object", "required": []string{key}, "additionalProperties": false,
		"properties": object{key: described(ref("text"), both(about))}}
}

// expressionHelp says what an expression may name.
func expressionHelp() string {
	var b strings.Builder
	b.WriteString(both("Fields of the event:"))
	b.WriteString("\n\n")
	for _, f := range calltouch.Vocabulary() {
		fmt.Fprintf(&b, "- `%s`: %s\n", f.Name, meaning(f))
	}
	fmt.Fprintf(&b, "\n%s `%s`", both("Functions, beside those of expr:"), strings.Join(expression.Functions(), "`, `"))
	return b.String()
}

// meaning is a field's meaning in both languages, and its values where there are few.
func meaning(f calltouch.Field) string {
	text := f.English
	if f.Russian != f.English {
		text += " / " + f.Russian
	}
	if f.Values != nil {
		text += " (" + strings.Join(f.Values, ", ") + ")"
	}
	return text
}

// testDefinitions are the values that keys of tests share.
func testDefinitions() object {
	scalar := []string{"string", "number", "boolean"}
	return object{
		"text":      object{"type": scalar, "pattern": `\S`},
		"body":      object{"oneOf": []any{object{"type": "string", "pattern": `\{`}, bodyFields(object{})}},
		"bodyValue": object{"oneOf": []any{object{"type": scalar}, object{"type": "array", "items": ref("bodyValue")}, bodyFields(object{})}},
		"event":     object{"oneOf": []any{object{"type": "string", "pattern": `\S`}, eventSchema()}},
		"expected":  object{"oneOf": []any{object{"enum": keys.Outcomes()}, ref(keys.Expectation.Name)}},
	}
}

// eventSchema is an event by names and values of its fields.
func eventSchema() object {
	properties := object{}
	for _, f := range calltouch.Vocabulary() {
		properties[f.Name] = described(fieldSchema(f), meaning(f))
	}
	attribute := object{"type": []string{"string", "number", "boolean"}}
	return object{"type": "object", "properties": properties, "patternProperties": object{`^attrs\..+$`: attribute}, "additionalProperties": false}
}

func fieldSchema(f calltouch.Field) object {
	list := object{"type": "array", "items": object{"type": []string{"string", "number", "boolean"}}}
	switch {
	case f.Type == calltouch.Attributes:
		return object{"type": "object"}
	case f.Type == calltouch.List, strings.HasPrefix(f.Name, "tags_"):
		return object{"oneOf": []any{object{"type": "string"}, list}}
	case f.Values != nil:
		return object{"enum": append([]any{""}, values(f)...)}
	}
	return object{"type": []string{"string", "number", "boolean"}}
}

// values are those of a closed list. YAML gives 0 and true as a number and a boolean.
func values(f calltouch.Field) (out []any) {
	for _, v := range f.Values {
		out = append(out, v)
		var plain any
		if json.Unmarshal([]byte(v), &plain) == nil {
			out = append(out, plain)
		}
	}
	return out
}
