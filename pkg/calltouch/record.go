package calltouch

import (
	"fmt"
	"strings"

	"github.com/touchbox/touchbox/pkg/email"
	"github.com/touchbox/touchbox/pkg/event"
)

// place is where a field stands in a record.
type place struct {
	field *Field
	path  []string
}

// The places of the fields that a record simply has; what takes a rule is read by name.
var (
	requestPlaces = places(func(f *Field) string { return f.Poll })
	callPlaces    = places(func(f *Field) string { return f.Journal })
)

func places(where func(*Field) string) []place {
	var out []place
	for i := range vocabulary {
		f := &vocabulary[i]
		if path := where(f); path != "" && !strings.ContainsAny(path, "[(") {
			out = append(out, place{f, strings.Split(path, ".")})
		}
	}
	return out
}

func (r *reader) readPlaces(record map[string]any, all []place) {
	for _, p := range all {
		if value, ok := at(record, p.path); ok {
			r.setJSON(p.field, value)
		}
	}
}

// at follows a path of one or two steps. A record with several deals has only "orders".
func at(record map[string]any, path []string) (any, bool) {
	if len(path) == 1 {
		v, ok := record[path[0]]
		return v, ok
	}
	parent := object(record[path[0]])
	if parent == nil && path[0] == "order" {
		parent = object(record["orders"])
	}
	v, ok := parent[path[1]]
	return v, ok
}

// readCall reads a record of the calls journal.
func (r *reader) readCall(body []byte) error {
	record, err := decodeObject(body)
	if err != nil {
		return err
	}
	r.readPlaces(record, callPlaces)
	r.setJSON(byName["comment"], comments(record["comments"]))
	r.readTags(record["callTags"])
	r.readTags(record["additionalTags"])
	return nil
}

// readRequest reads a record of the requests API.
func (r *reader) readRequest(body []byte) error {
	record, err := decodeObject(body)
	if err != nil {
		return err
	}
	r.readPlaces(record, requestPlaces)
	r.readClient(object(record["client"]))
	r.readSession(object(record["session"]))
	r.setJSON(byName["comment"], comments(record["comments"]))
	r.readTags(record["RequestTags"])
	r.readTags(record["requestTags"])
	r.millis, _ = number(asText(record["date"]))
	return nil
}

// readClient takes the first phone of a client, and of the contacts the first e-mail address: of those that are called mail, else of
// the others. A messenger's @name is none.
func (r *reader) readClient(client map[string]any) {
	for _, p := range list(client["phones"]) {
		m, _ := p.(map[string]any)
		if number := asText(m["phoneNumber"]); !isNothing(number) {
			r.set(byName["callerphone"], number)
			r.setJSON(byName["phoneType"], m["phoneType"])
			break
		}
	}
	r.set(byName["email"], mailOf(list(client["contacts"])))
}

// mailOf returns the contact that is an e-mail address; "" when none is.
func mailOf(contacts []any) string {
	other := ""
	for _, c := range contacts {
		m, _ := c.(map[string]any)
		address := email.Normalize(asText(m["contactValue"]))
		switch {
		case address == "":
		case strings.Contains(strings.ToLower(asText(m["contactType"])), "mail"):
			return address
		case other == "":
			other = address
		}
	}
	return other
}

// readSession corrects what older answers put elsewhere: their session's "browser" is a whole
// user agent, newer ones add "browserName".
func (r *reader) readSession(session map[string]any) {
	for _, name := range []string{"ctGlobalId", "hostname"} {
		if value, ok := session[name]; ok && r.fields[name] == nil {
			r.setJSON(byName[name], value)
		}
	}
	if browser := asText(session["browser"]); browser != "" && !strings.Contains(browser, "/") {
		r.set(byName["userAgent"], "")
		if r.fields["browser"] == nil {
			r.set(byName["browser"], browser)
		}
	}
	r.readTags(session["additionalTags"])
}

// comments joins the texts of a list of comments, a line each.
func comments(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	var texts []string
	for _, c := range list(v) {
		text, ok := c.(string)
		if m, isObject := c.(map[string]any); isObject {
			text, ok = asText(m["comment"]), true
		}
		if ok && !isNothing(text) {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, "\n")
}

// readTags takes the names of {category, type, names}, and plain names.
func (r *reader) readTags(v any) {
	switch v := v.(type) {
	case string:
		r.addTag(v)
	case []any:
		for _, element := range v {
			r.readTags(element)
		}
	case map[string]any:
		r.readTags(v["names"])
		r.readTags(v["name"])
	}
}

// Record makes an event of one record of either API method, with its fields: kind says which
// method it came from. Its Received is left to the caller. The error is ErrUnreadable, or
// event.ErrBadKey where the record has no usable id.
func Record(site string, kind event.Kind, origin event.Origin, body []byte, v View) (event.Event, Fields, error) {
	e := event.Event{Key: event.Key{Site: site, Kind: kind}, Origin: origin, ContentType: "application/json", Body: body}
	f, err := Parse(e, v)
	if err != nil {
		return event.Event{}, nil, err
	}
	id := f.text("id")
	if kind == event.Request {
		id = f.text("requestId")
	}
	if e.Key, err = event.NewKey(site, kind, strings.TrimSpace(id)); err != nil {
		return event.Event{}, nil, fmt.Errorf("read a record of %s: %w", kind.Dotted(), err)
	}
	e.Fingerprint = f.fingerprint(v)
	e.Time = e.Fingerprint.Time
	return e, f, nil
}
