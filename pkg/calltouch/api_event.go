package calltouch

import (
	"fmt"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
)

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
