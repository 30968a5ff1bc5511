package admin

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// rawEvent is what was set aside as it came to a site's address.
func rawEvent(s queue.Aside, site string) event.Event {
	return event.Event{
		Key: event.Key{Site: site}, Origin: s.Origin, ContentType: s.ContentType, Query: s.Query, Body: s.Body, Received: s.Received, Time: s.Received,
	}
}

// errNoSite says why what was set aside is no event.
var errNoSite = errors.New("no such site in the file")

// Identify looks again at what was set aside. A hook that came to the address of another site is
// tried with every site of the file: it names its own.
func (a Admin) Identify(s queue.Aside) (event.Event, error) {
	sites := []*link.Site{a.File.Site(s.Site)}
	if calltouch.Reason(s.Reason) == calltouch.AsideOtherSite || sites[0] == nil {
		sites = append(sites, a.File.Sites...)
	}
	err := errNoSite
	for _, site := range sites {
		if site == nil {
			continue
		}
		var e event.Event
		if e, err = identifyAt(site, s); err == nil {
			return e, nil
		}
	}
	return event.Event{}, err
}

func identifyAt(site *link.Site, s queue.Aside) (event.Event, error) {
	if s.Origin == event.Webhook {
		e, note := calltouch.Identify(rawEvent(s, site.ID), site.View())
		if note.Aside != "" {
			return e, errors.New(string(note.Aside))
		}
		return e, nil
	}
	e, err := calltouch.Sample(site.ID, s.Body, site.View())
	e.Origin, e.Received = s.Origin, s.Received
	return e, err
}

// IdentifyAs makes an event of the kind that a person says of what was set aside, whatever it says itself.
func (a Admin) IdentifyAs(kind event.Kind) Identify {
	return func(s queue.Aside) (event.Event, error) {
		site := a.File.Site(s.Site)
		if site == nil {
			return event.Event{}, errNoSite
		}
		e := rawEvent(s, site.ID)
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
		e.Key, err = event.NewKey(site.ID, kind, cmp.Or(id, request, madeID(s.Body)))
		return e, err
	}
}

// madeID is an id for what has none: the same bytes get the same one.
func madeID(body []byte) string {
	sum := sha256.Sum256(body)
	return "aside-" + hex.EncodeToString(sum[:8])
}
