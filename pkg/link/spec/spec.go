// Package spec reads the specification (ТЗ) that a Mindbox manager writes for an operation, in any of the shapes in which
// people hand it over, and proposes an expression for each of its fields.
//
// What flows in is a text: the operation's JSON with placeholders and comments, the same as an array of PHP's or an object of a
// program, XML of the earlier API, a tree, a list of dotted names, a table of two columns, a curl or an HTTP request, or a chat or a letter with
// one of these somewhere in it. What flows out is a Spec: the fields with what is said of them, the operation, the endpoint. Propose then says which
// expression a field gets, how sure that is, and what else it could be. The package knows nothing of YAML, reads no file, and keeps
// no secret that stands in the text.
package spec

import (
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/lang"
)

// Shape is in which form the fields stood in a text.
type Shape string

// The shapes.
const (
	JSON  Shape = "json"
	Table Shape = "table" // of two columns or more: the field, its meaning
	Names Shape = "names" // dotted names, one a line, perhaps with a meaning behind each
	None  Shape = "none"  // no fields were found
)

// Spec is what a text says of an operation. It holds no secret.
type Spec struct {
	Shape         Shape
	Fields        []Field
	Operations    []string // names of operations, in the order of the text
	Endpoint      string   // endpointId; "" where the text names none
	URL           string   // scheme and host of Mindbox's API; "" where the text names none
	Authorization string   // mindbox.AuthorizationMindbox or mindbox.AuthorizationSecretKey; "" where the text shows none
	Headers       []string // names of headers that a link does not set by itself
	Device        bool     // the text shows the parameter deviceUUID
	Secret        bool     // a secret stood in the text
	Notes         []Note   // what was odd, in the order of the text
}

// Note is a remark about the text, worded for a person.
type Note struct {
	Line int    `json:"line"` // counts from 1; 0 where it is about the whole
	Text string `json:"text"`
}

// Field is one field of the operation's body.
type Field struct {
	Path     string   // dotted, as in customerAction.customFields.callId
	Line     int      // of the text
	Said     []string // what is said of it: a placeholder, a comment, a meaning; masked
	Example  string   // what stands in its place and may be a placeholder as well as an example; it may be about a person
	Constant string   // JSON of a value that is always the same; "" where there is none
	Written  string   // an expression in ${...} that stands there already
	Odd      bool     // its name or its meaning is in doubt: nothing about it is sure
}

// reader reads one text.
type reader struct {
	language lang.Language
	spec     Spec
}

// note adds a remark.
func (r *reader) note(line int, format string, args ...any) {
	r.spec.Notes = append(r.spec.Notes, Note{line, r.language.Sprintf(format, args...)})
}

// Most of a text, in bytes, and of its fields: far above any specification, and what is bounded costs no minute.
const (
	MostText   = 1 << 20
	mostFields = 2000
)

// Read reads a text of at most MostText bytes. It always gives what could be read; its notes, in the language, say what could not.
func Read(text string, l lang.Language) Spec {
	r := &reader{language: l, spec: Spec{Shape: None}}
	text = r.withoutSecrets(clean(text))
	r.readRequest(text)
	text = plainNotation(text)
	for _, read := range []func(string) []Field{r.readXML, r.readJSON, r.readTable, r.readTree, r.readNames, r.readProse} {
		if r.spec.Fields = read(text); len(r.spec.Fields) > 0 {
			break
		}
	}
	if len(r.spec.Fields) > mostFields {
		r.note(r.spec.Fields[mostFields].Line, "there are %d fields: the first %d were read", len(r.spec.Fields), mostFields)
		r.spec.Fields = r.spec.Fields[:mostFields]
	}
	r.merge()
	r.noteBoth()
	r.noteConditions(text)
	r.checkNames()
	if len(r.spec.Fields) == 0 {
		r.spec.Shape = None
		r.note(0, "no field was found: neither a JSON, nor a table, nor a list of names such as customer.mobilePhone")
	}
	slices.SortStableFunc(r.spec.Notes, func(a, b Note) int { return a.Line - b.Line })
	return r.spec
}

// merge joins the fields that stand there twice. One that is said to be two things is odd.
func (r *reader) merge() {
	places := map[string]int{}
	var once []Field
	for _, f := range r.spec.Fields {
		i, twice := places[f.Path]
		if !twice {
			places[f.Path] = len(once)
			once = append(once, f)
			continue
		}
		first := &once[i]
		if first.Constant != f.Constant || differ(first.Said, f.Said) {
			first.Odd = true
			r.note(f.Line, "%s stands here a second time and is said to be something else than in line %d", f.Path, first.Line)
		}
		for _, said := range f.Said {
			if !slices.Contains(first.Said, said) {
				first.Said = append(first.Said, said)
			}
		}
	}
	r.spec.Fields = once
}

// noteBoth remarks on a field that is a value in one place and has fields of its own in another: no body can have both.
func (r *reader) noteBoth() {
	for _, f := range r.spec.Fields {
		for i := range r.spec.Fields {
			if inner := &r.spec.Fields[i]; strings.HasPrefix(inner.Path, f.Path+".") {
				inner.Odd = true
				r.note(inner.Line, "%s has a value of its own (line %d), so it cannot have the field %s besides: ask which of the two is meant, and leave the other out (--set FIELD=)", f.Path, f.Line, inner.Path)
			}
		}
	}
}

// differ reports whether both say something, and not the same.
func differ(a, b []string) bool { return len(a) > 0 && len(b) > 0 && !slices.Equal(a, b) }
