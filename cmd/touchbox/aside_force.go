package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// force makes an event of the kind that a person says of what was set aside.
func (d *desk) force(a queue.Aside, kind event.Kind) (event.Event, error) {
	site := d.File.Site(a.Site)
	if site == nil {
		return event.Event{}, errors.New("no such site in the file")
	}
	e := rawEvent(a, site.ID)
	e.Key.Kind = kind
	fields, err := calltouch.Parse(e, site.View())
	if err != nil {
		return e, err
	}
	id, _ := fields["id"].(string)
	request, _ := fields["requestId"].(string)
	if kind == event.Request {
		id, request = request, id
	}
	e.Fingerprint = calltouch.Fingerprint(e, site.View())
	if !e.Fingerprint.Time.IsZero() {
		e.Time = e.Fingerprint.Time
	}
	e.Key, err = event.NewKey(site.ID, kind, cmp.Or(id, request, madeID(a.Body)))
	return e, err
}

// madeID is an id for what has none: the same bytes get the same one.
func madeID(body []byte) string {
	sum := sha256.Sum256(body)
	return "aside-" + hex.EncodeToString(sum[:8])
}
