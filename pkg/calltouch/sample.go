package calltouch

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Sample makes an event of what a person has in a file: the body of a hook, url-encoded or JSON,
// or one record of either API method. It is as it would come to the site now, and not stored. The
// error says why the text is no event.
func Sample(site string, body []byte, v View) (event.Event, error) {
	now := time.Now().UTC()
	body = bytes.TrimSpace(body)
	if kind := recordKind(body); kind != "" {
		origin := event.Journal
		if kind == event.Request {
			origin = event.Poll
		}
		e, _, err := Record(site, kind, origin, body, v)
		e.Received = now
		return e, err
	}
	raw := event.Event{Key: event.Key{Site: site}, Origin: event.Webhook, ContentType: FormType, Body: body, Received: now}
	if bytes.HasPrefix(body, []byte("{")) {
		raw.ContentType = "application/json"
	}
	e, note := Identify(raw, v)
	if note.Aside != "" {
		return event.Event{}, fmt.Errorf("no event: it would be set aside as %s", note.Aside)
	}
	return e, nil
}

// SiteOf is the siteId that a hook's body or a record says, of what a person has in a file; "" for none.
func SiteOf(body []byte) string {
	body = bytes.TrimSpace(body)
	if !bytes.HasPrefix(body, []byte("{")) {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(form.Get("siteId"))
	}
	fields, err := decodeObject(body)
	if err != nil || fields["siteId"] == nil {
		return ""
	}
	return strings.TrimSpace(asText(fields["siteId"]))
}

// recordKind tells a record of an API method from a hook's JSON: the names of the ids differ, or,
// for a request, the client is an object only in the record. It is "" for a hook.
func recordKind(body []byte) event.Kind {
	if !bytes.HasPrefix(body, []byte("{")) {
		return ""
	}
	fields, err := decodeObject(body)
	switch {
	case err != nil:
		return ""
	case fields["callId"] != nil:
		return event.CallEnded
	case fields["requestId"] != nil && (fields["client"] != nil || fields["dateStr"] != nil):
		return event.Request
	}
	return ""
}

// Given makes the fields of an event of which a person names some, as links spell them: each is read as a hook's
// parameter is, and what is derived comes of them. What is derived and named itself, but for the device's id, stands as
// it is named. Values are texts, numbers, booleans, and lists and objects as encoding/json has them.
func Given(key event.Key, origin event.Origin, named map[string]any, v View) Fields {
	r := &reader{fields: make(Fields, len(named)+derivedMost), view: v}
	attrs, _ := named["attrs"].(map[string]any)
	if device := named["deviceUUID"]; device != nil && v.Device != "" {
		attrs = maps.Clone(attrs)
		if attrs == nil {
			attrs = map[string]any{}
		}
		attrs[v.Device] = device
	}
	if len(attrs) > 0 {
		r.setAttributes(byName["attrs"], attrs)
	}
	for name, value := range named {
		if f := hookField(name); f != nil && name != "attrs" {
			r.setJSON(f, joined(value))
		}
	}
	r.readTags(named["tags"])
	r.derive(event.Event{Key: key, Origin: origin})
	for _, name := range []string{"lastName", "firstName", "middleName"} {
		r.derived(name, strings.TrimSpace(printable(asText(named[name]))))
	}
	if t := givenTime(named["time"], v); !t.IsZero() {
		r.fields["time"] = t
	}
	return r.fields
}

// givenTime reads a moment as RFC 3339 has it, or as the cabinet's clock.
func givenTime(value any, v View) time.Time {
	text := asText(value)
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.In(v.Zone())
	}
	return moment(nil, nil, v.Zone(), text, "")
}
