package calltouch

import (
	"context"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Store is where events go. Both methods return only when the store has it for good, and an
// error means that this is undecided: the caller must not promise anything to anybody.
type Store interface {
	Publish(ctx context.Context, e event.Event) (event.Receipt, error)
	PutAside(ctx context.Context, a Aside) error
}

// Aside is something that came and is no event that links could take: kept for a while, so that
// a person can see it and take it back.
type Aside struct {
	Site        string
	Reason      Reason
	Origin      event.Origin
	ContentType string
	Query       string
	Body        []byte
	Received    time.Time
}

// Reason says why something was set aside; also a metric's label and a token of a subject.
type Reason string

// All reasons.
const (
	AsidePing       Reason = "ping"       // Calltouch's test, with unfilled {placeholders}
	AsideEmpty      Reason = "empty"      // no parameter with a value
	AsideOtherLead  Reason = "other_lead" // a deal, a chat, or what else is neither call nor request
	AsideNoID       Reason = "no_id"      // neither id nor requestId: they are not ticked in Calltouch
	AsideOtherSite  Reason = "other_site" // its siteId is not the one of the address
	AsideBadID      Reason = "bad_id"     // an id that cannot be one
	AsideUnreadable Reason = "unreadable" // broken JSON, a compressed or multipart body
	AsideCollision  Reason = "collision"  // another call is stored under this id
)

// Reasons lists every reason.
var Reasons = []Reason{
	AsidePing, AsideEmpty, AsideOtherLead, AsideNoID, AsideOtherSite, AsideBadID, AsideUnreadable, AsideCollision,
}
