package link

import "github.com/touchbox/touchbox/pkg/event"

// section describes one kind of mapping in touchbox.yaml: the reader takes the names of the keys
// from it, the schema is generated from it.
type section struct {
	name  string
	about string
	keys  []key
}

// key is one key of a section with its JSON Schema.
type key struct {
	name     string
	required bool
	schema   map[string]any
	about    string // for editors
}

func (s section) names() []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}

// The shapes of values in JSON Schema. A value that YAML gives as a number or boolean is a text
// to Touchbox where a text belongs.
func aText(def ...string) map[string]any { return withDefault(ref("text"), def) }
func aList(of string) map[string]any {
	return map[string]any{"type": "array", "items": ref(of)}
}
func oneOrMore(of string) map[string]any {
	return map[string]any{"oneOf": []any{ref(of), map[string]any{"type": "array", "items": ref(of), "minItems": 1}}}
}
func aDuration(def ...string) map[string]any { return withDefault(ref("duration"), def) }
func aMap(of string) map[string]any {
	return map[string]any{"type": "object", "additionalProperties": ref(of)}
}
func namedMap(of map[string]any) map[string]any {
	return map[string]any{"type": "object", "propertyNames": map[string]any{"pattern": namePattern}, "additionalProperties": of}
}
func choice(values ...string) map[string]any {
	return map[string]any{"enum": values, "default": values[0]}
}
func patterned(pattern string, def ...string) map[string]any {
	return withDefault(map[string]any{"type": "string", "pattern": pattern}, def)
}

// wordOrNumber is a patterned text that YAML may give as a number.
func wordOrNumber(pattern string) map[string]any {
	return map[string]any{"type": []string{"string", "integer"}, "pattern": pattern, "minimum": 0}
}
func ref(name string) map[string]any { return map[string]any{"$ref": "#/$defs/" + name} }

func withDefault(schema map[string]any, def []string) map[string]any {
	if len(def) > 0 {
		schema["default"] = def[0]
	}
	return schema
}

// Patterns of names in the file.
const (
	countryPattern   = `^[1-9][0-9]{0,2}$`
	sitePattern      = `^[0-9]{1,20}$`
	linkPattern      = `^[a-z0-9][a-z0-9-]{0,31}$`
	counterPattern   = `^[0-9A-Za-z]{1,32}$`
	urlPattern       = `^https?://[^\s/?#]+[^\s?#]*$`
	operationPattern = `^[^\s<>{}]+$`
	namePattern      = `^[\p{L}_][\p{L}\p{N}_]*$`
)

func rootSection() section {
	return section{name: "touchbox.yaml", about: "Touchbox: from Calltouch to Mindbox", keys: []key{
		{"calltouch", true, map[string]any{"type": "array", "minItems": 1, "items": ref("site")}, "The cabinets of Calltouch"},
		{"mindbox", false, map[string]any{"type": "array", "items": ref("destination")}, "The endpoints of Mindbox"},
		{"conditions", false, namedMap(ref("expression")), "Conditions with a name, for `when`"},
		{"tables", false, namedMap(aMap("value")), `Tables for look-up: ${places[phonenumber] ?? "other"}`},
		{"keep", false, ref("keep"), "How long and how much is kept"},
		{"links", false, map[string]any{"type": "array", "items": ref("link")}, "What goes where"},
	}}
}

func siteSection() section {
	return section{name: "site", about: "A cabinet of Calltouch", keys: []key{
		{"site", true, wordOrNumber(sitePattern), "Calltouch's id of the site (ID сайта)"},
		{"name", true, aText(), "The name that links use"},
		{"key", false, ref("secret"), "The secret in the webhook's address; none = no webhooks"},
		{"counter", false, wordOrNumber(counterPattern), "modId of Calltouch's script, for the site script"},
		{"token", false, ref("secret"), "Calltouch's API token; none = nothing is polled"},
		{"api", false, patterned(urlPattern, "https://api.calltouch.ru"), "Address of Calltouch's API"},
		{"timezone", false, aText("Europe/Moscow"), "The cabinet's time zone, an IANA name"},
		{"attribution", false, choice("last-non-direct", "last"), "The attribution model of polled records"},
		{"attrs", false, aList("text"), "Attributes that the site sets with ct_set_attrs"},
		{"device", false, aText("mindboxDeviceUUID"), "The attribute with Mindbox's device id"},
		{"tenDigits", false, wordOrNumber(countryPattern), "Country code put before numbers of ten digits; none = they are no numbers"},
		{"requests", false, ref("requests"), "How form requests are read"},
		{"journal", false, ref("journal"), "How the journal of calls is read"},
		{"script", false, ref("script"), "The site script"},
	}}
}

func requestsSection() section {
	return section{name: "requests", about: "How form requests are read", keys: []key{
		{"from", false, map[string]any{"enum": []string{FromPoll, FromHook}}, "poll (the default with a token): the API, a hook only wakes the poller; hook: hooks, the poll fills the holes"},
		{"every", false, aDuration("1m"), "Between two polls"},
		{"sweep", false, aDuration("10d"), "How far back the daily sweep reads"},
		{"grace", false, aDuration("15m"), "How old a record must be before it is stored, so that its hook comes first"},
	}}
}

func journalSection() section {
	return section{name: "journal", about: "How the journal of calls is read", keys: []key{
		{"every", false, aDuration("15m"), "Between two readings"},
		{"sweep", false, aDuration("10d"), "How far back the daily sweep reads"},
		{"grace", false, aDuration("15m"), "How old a record must be before it is stored, so that its hook comes first"},
	}}
}

func scriptSection() section {
	return section{name: "script", about: "The site script", keys: []key{
		{"consent", false, aText(), "Name of the consent that the script waits for; none = it waits for none"},
	}}
}

func destinationSection() section {
	return section{name: "destination", about: "An endpoint of Mindbox", keys: []key{
		{"name", true, aText(), "The name that links use"},
		{"url", true, patterned(urlPattern), "Address of Mindbox's API, from the operation's description"},
		{"endpoint", true, wordOrNumber(operationPattern), "endpointId, from the operation's description"},
		{"secret", false, ref("secret"), "The endpoint's secret key"},
		{"authorization", false, choice(AuthorizationMindbox, AuthorizationSecretKey), `mindbox: Mindbox secretKey="..."; secretkey: SecretKey ...`},
		{"timeFormat", false, aText(defaultTimeFormat), "The form of utc() and local()"},
		{"headers", false, aMap("template"), "More headers; values may be ${...}"},
		{"query", false, aMap("template"), "More query parameters; values may be ${...}"},
		{"rate", false, patterned(ratePattern), "Requests over all workers, as in 100/s; none = no limit but what 429 teaches"},
		{"timeout", false, aDuration("30s"), "Of one attempt"},
		{"retry", false, ref("retry"), "The bounds of retrying"},
	}}
}

func retrySection() section {
	return section{name: "retry", about: "The bounds of retrying", keys: []key{
		{"for", false, aDuration("72h"), "An event is given up when this has passed since its first attempt"},
		{"upTo", false, aDuration("15m"), "The longest pause between two attempts"},
	}}
}

func keepSection() section {
	return section{name: "keep", about: "How long and how much is kept", keys: []key{
		{"events", false, aDuration("30d"), "Events; longer than the longest sweep"},
		{"history", false, aDuration("30d"), "What became of them; at least as long as events, or 0d for none"},
		{"deadletters", false, aDuration("90d"), "Dead letters"},
		{"disk", false, patterned(sizePattern, "10GB"), "Disk for events"},
	}}
}

func linkSection() section {
	return section{name: "link", about: "One way of a site's events to one operation", keys: []key{
		{"id", true, wordOrNumber(linkPattern), "Never changes: part of transaction ids"},
		{"title", false, aText(), "For people"},
		{"from", true, oneOrMore("text"), "Name of a site, or a list"},
		{"event", true, oneOrMore("kind"), "The kind of event, or a list"},
		{"when", false, oneOrMore("expression"), "Conditions; a list means: all of them (И)"},
		{"to", true, aText(), "Name of a destination"},
		{"operation", true, wordOrNumber(operationPattern), "Mindbox's operation"},
		{"deviceUUID", false, ref("template"), "Usually ${deviceUUID}; left out of the request when there is none"},
		{"require", false, aList("text"), "Fields of the body without which an event is undeliverable"},
		{"since", false, aText(), `Where the link starts: "2026-11-01" or RFC 3339; none = when it is first seen`},
		{"delay", false, aDuration("0m"), "How long an event rests before it is sent"},
		{"expire", false, aDuration("0h"), "An older event is not sent but dead; 0h = never"},
		{"mode", false, choice(Live, Shadow), "shadow: all but the sending"},
		{"body", true, ref("body"), "The request's JSON: dotted, nested, or pasted under |"},
	}}
}

func kindNames() []string {
	names := make([]string, len(event.Kinds))
	for i, k := range event.Kinds {
		names[i] = k.Dotted()
	}
	return names
}
