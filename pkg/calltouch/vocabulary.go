package calltouch

import (
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Type is the type of a field's values.
type Type string

// The types, with the Go type of their values in Fields.
const (
	Text       Type = "text"       // string
	Number     Type = "number"     // int64, or float64 where it is not integral
	Boolean    Type = "boolean"    // bool
	List       Type = "list"       // []string, sorted, without repetitions, never empty
	Attributes Type = "attributes" // map[string]string, never nil
	Time       Type = "time"       // time.Time in whole seconds, in View.Location
)

// Origins is the set of ways by which a field can come.
type Origins uint8

// The ways; a backfill reads the requests API and the journal.
const (
	FromHook    Origins = 1 << iota // the webhook
	FromPoll                        // the requests API
	FromJournal                     // the calls journal
)

// Has reports whether all of the ways in p are in o.
func (o Origins) Has(p Origins) bool { return o&p == p }

// Field is one word of the vocabulary.
type Field struct {
	Name    string       // the webhook's own name, wherever the value came from
	Type    Type         // of its values
	Values  []string     // every possible value of a Text; nil when any text is possible
	Kinds   []event.Kind // the kinds of event that can have it
	Origins Origins      // the ways by which it can come

	English, Russian string // as people know it
	Poll             string // where it is in a record of the requests API; "" when it is not
	Journal          string // where it is in a record of the calls journal; "" when it is not

	Derived  bool // computed by Parse, not a parameter that can be ticked in Calltouch
	Personal bool // about a person, or a secret: masked wherever a value is shown
	Whole    bool // an id, a time or a line of the company's own: its digits are shown
	Differs  bool // the API words the value otherwise than the webhook does
}

// Fields are one event in the vocabulary. A missing name and nil both mean nothing. A value has
// the type of its field; what cannot be read as a number or a boolean stays the text that came.
type Fields map[string]any

// View says how to read the events of one site. The zero value reads times as UTC and declares
// no attributes.
type View struct {
	Location  *time.Location // of the cabinet's local times; nil means UTC
	Attrs     []string       // the declared attributes, spelt as links spell them
	Device    string         // the one of them that holds Mindbox's device UUID; "" means none
	TenDigits string         // country code put before phones of ten digits; "" means these are no numbers

	only map[string]*Field // the parameters of a hook that are read; nil means all
}

// Reading is the view of one who needs these fields alone, "duration" or "attrs.promo", as link.Link.Reads lists them. Of a hook only
// they are read, with those that they are derived from and those that every event needs: a hook has fifty, and a link uses ten.
func (v View) Reading(names []string) View {
	v.only = map[string]*Field{}
	needs := slices.Concat([]string{"attrs", "siteId", "leadtype", "timestamp", "calltime", "requestDate"}, names)
	for _, name := range names {
		switch name {
		case "tags":
			for _, f := range tagFields {
				needs = append(needs, f.Name)
			}
		case "lastName", "firstName", "middleName":
			needs = append(needs, "fio")
		}
	}
	for _, name := range needs {
		if f := hookField(name); f != nil {
			v.only[name] = f
		}
	}
	return v
}

// hookField is the field that a parameter of a hook sets, where this view reads it; nil where not.
func (v View) hookField(name string) *Field {
	if v.only != nil {
		return v.only[name]
	}
	return hookField(name)
}

// Zone is Location with its zero value resolved.
func (v View) Zone() *time.Location {
	if v.Location == nil {
		return time.UTC
	}
	return v.Location
}

// Vocabulary returns every field in the order in which people read them: the lead, the call, the
// request, the visit, then what only the API has, then what is derived.
func Vocabulary() []Field { return slices.Clone(vocabulary) }

// Lookup finds a field by its name; case counts.
func Lookup(name string) (Field, bool) {
	f, ok := byName[name]
	if !ok {
		return Field{}, false
	}
	return *f, true
}

// Meaning is what a field is, as people know it, in "ru" or else in English; "" of what is no field, or says it by its name.
func Meaning(name, language string) string {
	f := byName[name]
	if f == nil || f.Russian == name {
		return ""
	}
	if language == "ru" {
		return f.Russian
	}
	return f.English
}

// vocabulary and byName are written once and only read.
var (
	vocabulary = slices.Concat(
		ticked(leadFields), ticked(callFields), ticked(tagFields), ticked(requestFields), ticked(visitFields),
		unticked(apiFields), unticked(derivedFields))
	byName = index(vocabulary)
)

// ticked completes fields that a webhook can have.
func ticked(fields []Field) []Field {
	fields = unticked(fields)
	for i := range fields {
		fields[i].Origins |= FromHook
	}
	return fields
}

// unticked completes fields whose other origins follow from where they are in the records.
func unticked(fields []Field) []Field {
	fields = slices.Clone(fields)
	for i := range fields {
		f := &fields[i]
		if f.Type == "" {
			f.Type = Text
		}
		if f.Poll != "" {
			f.Origins |= FromPoll
		}
		if f.Journal != "" {
			f.Origins |= FromJournal
		}
	}
	return fields
}

func index(fields []Field) map[string]*Field {
	m := make(map[string]*Field, len(fields))
	for i := range fields {
		m[fields[i].Name] = &fields[i]
	}
	return m
}
