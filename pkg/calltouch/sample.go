package calltouch

import (
	"bytes"
	"fmt"
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
	raw := event.Event{Key: event.Key{Site: site}, Origin: event.Webhook, ContentType: formType, Body: body, Received: now}
	if bytes.HasPrefix(body, []byte("{")) {
		raw.ContentType = "application/json"
	}
	e, note := Identify(raw, v)
	if note.Aside != "" {
		return event.Event{}, fmt.Errorf("no event: it would be set aside as %s", note.Aside)
	}
	return e, nil
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
