// Package keys is the table of what may stand in touchbox.yaml, and in the files of its tests: the sections, and of each key the kind of its
// value, what stands for it where it is left out, its bounds, and a sentence about it.
//
// The reader of the file (pkg/link) fills its structs by the table; the JSON Schema that editors check by is made of
// it (tools/schema). So a key, its default and its bound stand here and nowhere else. The package reads no file.
package keys

import (
	"fmt"
	"slices"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/defaults"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox"
)

// Section is one kind of mapping in touchbox.yaml.
type Section struct {
	Name  string // as problems call it
	About string // in English, with a Russian twin: for editors and docs
	Keys  []Key
}

// Names are the names of the section's keys, in the order of the table.
func (s *Section) Names() []string {
	names := make([]string, len(s.Keys))
	for i, k := range s.Keys {
		names[i] = k.Name
	}
	return names
}

// Required are the names of the keys that must be there.
func (s *Section) Required() []string {
	var names []string
	for _, k := range s.Keys {
		if k.Required {
			names = append(names, k.Name)
		}
	}
	return names
}

// Key finds a key by its name. It panics where the section has none: the names in our code are the table's.
func (s *Section) Key(name string) *Key {
	i := slices.IndexFunc(s.Keys, func(k Key) bool { return k.Name == name })
	if i < 0 {
		panic(fmt.Sprintf("keys: section %s has no key %s", s.Name, name))
	}
	return &s.Keys[i]
}

// HoldsSecrets reports whether a secret may stand anywhere in the section.
func (s *Section) HoldsSecrets() bool {
	return slices.ContainsFunc(s.Keys, func(k Key) bool { return k.Secret || k.Of != nil && k.Of.HoldsSecrets() })
}

// Key is one key of a section.
type Key struct {
	Name     string
	Required bool
	Kind     Kind
	Number   Number   // how many values of that kind
	Of       *Section // of a Mapping: what stands in it
	Pattern  string   // of a Word: its form
	Form     string   // of a Word: the name of its form, in English, with a Russian twin
	Choices  []string // of a Choice
	Default  string   // what stands for it where it is left out, as a person would write it; "" = nothing, or it depends on other keys
	Least    string   // of a Duration or Size: the least that makes sense; "" = any
	Examples []any    // of values, for editors; what Default and Choices show needs none
	Secret   bool     // a secret stands there, may stand there, or is put there by mistake: problems quote nothing of it
	About    string   // in English, with a Russian twin: for editors and docs
}

// Kind is what a value is.
type Kind int

// All kinds of value.
const (
	Text       Kind = iota // any one value, by its written text
	Word                   // a text of one form, which YAML may give as a number
	Choice                 // one of some words
	Address                // https://..., see AddressPattern
	Duration               // 30s, 15m, 72h, 10d, see ParseDuration
	Size                   // 500MB, 10GB, see ParseSize
	Rate                   // 100/s, 6000/m, see ParseRate
	EventKind              // a kind of event, dotted
	Secret                 // a text, {env: NAME}, {file: path}, or two of these
	Template               // a text with ${...} in it
	Parameter              // a template, {env: NAME} or {file: path}
	Expression             // a condition
	Table                  // texts, numbers and booleans by free names
	Body                   // a request's JSON in any of its forms
	Mapping                // a section of its own
	TestEvent              // of a test: a hook's body, a record, or names and values
	Expected               // of a test: an outcome, or a section of its own
	Bool                   // true or false
	AccessKey              // {sha256: hash}, {env: NAME} or {file: path}, of a key that a person has
)

// Number is how many values of a kind a key holds, and how they are written.
type Number int

// All numbers.
const (
	One       Number = iota
	OneOrMore        // one value, or a list of some
	List             // a list; of a required key with at least one item
	Map              // by any names
	Named            // by names that expressions can use
)

// Patterns of texts in the file.
const (
	AddressPattern = `^https?://[^\s/?#]+[^\s?#]*$`

	countryPattern   = `^[1-9][0-9]{0,2}$`
	sitePattern      = `^[0-9]{1,20}$`
	linkPattern      = `^[a-z0-9][a-z0-9-]{0,31}$`
	counterPattern   = `^[0-9A-Za-z]{1,32}$`
	operationPattern = `^[^\s<>{}]+$`
)

// AddressForm is the name of what matches AddressPattern, as problems call it.
const AddressForm = "address (https://...)"

// Modes of a link.
const (
	Live   = "live"
	Shadow = "shadow" // all but the sending
)

// Sections are all sections of touchbox.yaml; the first is the file itself.
func Sections() []*Section {
	return []*Section{&File, &Site, &Requests, &Journal, &Script, &Destination, &Retry, &Keep, &Link, &Console, &Person}
}

// File is the whole of touchbox.yaml.
var File = Section{Name: "touchbox.yaml", About: "Touchbox: from Calltouch to Mindbox", Keys: []Key{
	{Name: "calltouch", Required: true, Kind: Mapping, Number: List, Of: &Site, About: "The cabinets of Calltouch"},
	{Name: "mindbox", Kind: Mapping, Number: List, Of: &Destination, About: "The endpoints of Mindbox"},
	{Name: "conditions", Kind: Expression, Number: Named, About: "Conditions with a name, for `when`"},
	{Name: "tables", Kind: Table, Number: Named, About: `Tables for look-up: ${places[phonenumber] ?? "other"}`},
	{Name: "keep", Kind: Mapping, Of: &Keep, About: "How long and how much is kept"},
	{Name: "links", Kind: Mapping, Number: List, Of: &Link, About: "What goes where"},
	{Name: "console", Kind: Mapping, Of: &Console, About: "The web console, and who may sign in to it"},
}}

// Roles of a person in the console: each may do what the one before may.
const (
	RoleSee   = "see"   // look, with personal data masked
	RoleAct   = "act"   // stop and start links, retry, replay
	RoleAdmin = "admin" // drop, reset, see the audit
)

// Console says who may sign in to the web console.
var Console = Section{Name: "console", About: "The web console, and who may sign in to it", Keys: []Key{
	{Name: "people", Kind: Mapping, Number: List, Of: &Person, About: "Who may sign in; without any, by the link that `touchbox up` prints"},
	{Name: "session", Kind: Duration, Default: "12h", Least: "5m", About: "How long a session lasts in which nothing is done; never longer than 7 days"},
}}

// Person is who may sign in to the console.
var Person = Section{Name: "person", About: "A person who may sign in, or a program", Keys: []Key{
	{Name: "name", Required: true, About: "The name that the audit keeps"},
	{Name: "role", Kind: Choice, Choices: []string{RoleSee, RoleAct, RoleAdmin}, Default: RoleSee, About: "see: look; act: also stop, start, retry, replay; admin: also drop, reset, read the audit"},
	{Name: "reveal", Kind: Bool, Default: "false", About: "May see phones, names and e-mails unmasked, one event at a time, which the audit keeps"},
	{Name: "program", Kind: Bool, Default: "false", About: "The key is a program's: it opens the API alone"},
	{Name: "key", Required: true, Kind: AccessKey, Secret: true, About: "What `touchbox console key` has made: the hash of the key, or where the key itself stands"},
}}

// Site is a cabinet of Calltouch.
var Site = Section{Name: "site", About: "A cabinet of Calltouch", Keys: []Key{
	{Name: "site", Required: true, Kind: Word, Pattern: sitePattern, Form: "number of a site", About: "Calltouch's id of the site (ID сайта)"},
	{Name: "name", Required: true, About: "The name that links use"},
	{Name: "key", Kind: Secret, Secret: true, About: "The secret in the webhook's address; none = no webhooks"},
	{Name: "counter", Kind: Word, Pattern: counterPattern, Form: "counter (modId)", About: "modId of Calltouch's script, for the site script"},
	{Name: "token", Kind: Secret, Secret: true, About: "Calltouch's API token; none = nothing is polled"},
	{Name: "api", Kind: Address, Default: defaults.API, Secret: true, About: "Address of Calltouch's API"},
	{Name: "timezone", Default: "Europe/Moscow", Examples: []any{"Asia/Yekaterinburg", "Asia/Vladivostok"}, About: "The cabinet's time zone, an IANA name"},
	{Name: "attribution", Kind: Choice, Choices: []string{calltouch.LastNonDirect, calltouch.Last}, Default: calltouch.LastNonDirect, About: "The attribution model of polled records"},
	{Name: "attrs", Number: List, About: "Attributes that the site sets with ct_set_attrs"},
	{Name: "device", Default: defaults.Device, About: "The attribute with Mindbox's device id"},
	{Name: "tenDigits", Kind: Word, Pattern: countryPattern, Form: "country code", About: "Country code put before numbers of ten digits; none = they are no numbers"},
	{Name: "requests", Kind: Mapping, Of: &Requests, About: "How form requests are read"},
	{Name: "journal", Kind: Mapping, Of: &Journal, About: "How the journal of calls is read"},
	{Name: "script", Kind: Mapping, Of: &Script, About: "The site script"},
}}

// Requests says how a site's form requests are read.
var Requests = Section{Name: "requests", About: "How form requests are read", Keys: []Key{
	{Name: "from", Kind: Choice, Choices: []string{calltouch.RequestsFromPoll, calltouch.RequestsFromHook}, About: "poll (the default with a token): the API, a hook only wakes the poller; hook: hooks, the poll fills the holes"},
	{Name: "every", Kind: Duration, Default: minutes(defaults.RequestsEvery), Least: "1s", About: "Between two polls"},
	{Name: "sweep", Kind: Duration, Default: days(defaults.Sweep), Least: "1s", About: "How far back the daily sweep reads"},
	{Name: "grace", Kind: Duration, Default: "15m", About: "How old a record must be before it is stored, so that its hook comes first"},
}}

// Journal says how a site's journal of calls is read.
var Journal = Section{Name: "journal", About: "How the journal of calls is read", Keys: []Key{
	{Name: "every", Kind: Duration, Default: minutes(defaults.JournalEvery), Least: "1s", About: "Between two readings"},
	{Name: "sweep", Kind: Duration, Default: days(defaults.Sweep), Least: "1s", About: "How far back the daily sweep reads"},
	{Name: "grace", Kind: Duration, Default: "15m", About: "How old a record must be before it is stored, so that its hook comes first"},
}}

// Script says how the site script behaves.
var Script = Section{Name: "script", About: "The site script", Keys: []Key{
	{Name: "consent", About: "Name of the consent that the script waits for; none = it waits for none"},
}}

// Destination is an endpoint of Mindbox.
var Destination = Section{Name: "destination", About: "An endpoint of Mindbox", Keys: []Key{
	{Name: "name", Required: true, About: "The name that links use"},
	{Name: "url", Required: true, Kind: Address, Secret: true, About: "Address of Mindbox's API, from the operation's description"},
	{Name: "endpoint", Required: true, Kind: Word, Pattern: operationPattern, Form: "endpointId", About: "endpointId, from the operation's description"},
	{Name: "secret", Kind: Secret, Secret: true, About: "The endpoint's secret key"},
	{Name: "authorization", Kind: Choice, Choices: []string{mindbox.AuthorizationMindbox, mindbox.AuthorizationSecretKey}, Default: mindbox.AuthorizationMindbox, Secret: true, About: `mindbox: Mindbox secretKey="..."; secretkey: SecretKey ...`},
	{Name: "timeFormat", Default: "yyyy-MM-dd HH:mm:ss.fff", About: "The form of utc() and local()"},
	{Name: "headers", Kind: Parameter, Number: Map, Secret: true, About: "More headers; values may be ${...}, or {env: NAME} and {file: path} for a secret"},
	{Name: "query", Kind: Parameter, Number: Map, Secret: true, About: "More query parameters; values may be ${...}, or {env: NAME} and {file: path} for a secret"},
	{Name: "rate", Kind: Rate, Examples: []any{"100/s", "6000/m"}, About: "Requests over all workers, as in 100/s; none = no limit but what 429 teaches"},
	{Name: "timeout", Kind: Duration, Default: seconds(defaults.Timeout), Least: "1s", About: "Of one attempt"},
	{Name: "retry", Kind: Mapping, Of: &Retry, About: "The bounds of retrying"},
}}

// Retry bounds the retries of a destination.
var Retry = Section{Name: "retry", About: "The bounds of retrying", Keys: []Key{
	{Name: "for", Kind: Duration, Default: "72h", Least: "1s", About: "An event is given up when this has passed since its first attempt"},
	{Name: "upTo", Kind: Duration, Default: "15m", Least: "1s", About: "The longest pause between two attempts"},
}}

// Keep says how long and how much is kept.
var Keep = Section{Name: "keep", About: "How long and how much is kept", Keys: []Key{
	{Name: "events", Kind: Duration, Default: days(defaults.Events), Least: "1h", About: "Events; longer than the longest sweep"},
	{Name: "history", Kind: Duration, Default: days(defaults.Events), About: "What became of them; at least as long as events, or 0d for none"},
	{Name: "deadletters", Kind: Duration, Default: days(defaults.DeadLetters), Least: "1h", About: "Dead letters"},
	{Name: "audit", Kind: Duration, Default: days(defaults.Audit), Least: "1d", About: "Who changed or saw what"},
	{Name: "disk", Kind: Size, Default: gigabytes(defaults.Disk), Least: "16MB", About: "Disk for events"},
}}

// Link is one way of a site's events to one operation.
var Link = Section{Name: "link", About: "One way of a site's events to one operation", Keys: []Key{
	{Name: "id", Required: true, Kind: Word, Pattern: linkPattern, Form: "id of a link (small letters, digits and -, at most 32)", About: "Never changes: part of transaction ids"},
	{Name: "title", About: "For people"},
	{Name: "from", Required: true, Number: OneOrMore, About: "Name of a site, or a list"},
	{Name: "event", Required: true, Kind: EventKind, Number: OneOrMore, About: "The kind of event, or a list"},
	{Name: "when", Kind: Expression, Number: OneOrMore, Examples: []any{"duration > 30", "not dynamic", `targetcall == "target"`, `"VIP" in tags`, []any{"dynamic", "duration > 5"}}, About: "Conditions; a list means: all of them (И)"},
	{Name: "to", Required: true, About: "Name of a destination"},
	{Name: "operation", Required: true, Kind: Word, Pattern: operationPattern, Form: "name of an operation", About: "Mindbox's operation"},
	{Name: "deviceUUID", Kind: Template, Examples: []any{"${deviceUUID}"}, About: "Usually ${deviceUUID}; left out of the request when there is none"},
	{Name: "require", Number: List, Examples: []any{[]any{"customer.mobilePhone"}}, About: "Fields of the body without which an event is undeliverable"},
	{Name: "since", Examples: []any{"2026-11-01", "2026-11-01T10:00:00+03:00"}, About: `Where the link starts: "2026-11-01" or RFC 3339; none = when it is first seen`},
	{Name: "delay", Kind: Duration, Default: "0m", About: "How long an event rests before it is sent"},
	{Name: "expire", Kind: Duration, Default: "0h", About: "An older event is not sent but dead; 0h = never"},
	{Name: "mode", Kind: Choice, Choices: []string{Live, Shadow}, Default: Live, About: "shadow: all but the sending"},
	{Name: "body", Required: true, Kind: Body, Examples: []any{map[string]any{"customer.mobilePhone": "${phone(callerphone)}", "customerAction.customFields.callId": "${id}", "executionDateTimeUtc": "${utc(time)}"}}, About: "The request's JSON: dotted, nested, or pasted under |"},
}}

// EventKinds are the kinds of event as the file spells them.
func EventKinds() []string {
	names := make([]string, len(event.Kinds))
	for i, k := range event.Kinds {
		names[i] = k.Dotted()
	}
	return names
}
