// Package intake brings what came from Calltouch to the log, whichever way it came: it is the one place
// that says what is published, what is set aside instead, and under which reason.
//
// In flow Arrivals: a hook (Hook), a hook that waited for its record (Again), a record that the API lists
// (Record). Out flow events and what is set aside, to a Store, and a Result that says which it was.
//
// It does not say when something is brought, nor what is done about an error: the webhook address, the
// poller and the backfill do, each in its own way.
package intake

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// Store is where events go; a *queue.Queue is one. Both methods return only when the store has it for
// good, and an error means that this is undecided: the caller must not promise anything to anybody.
// event.ErrTooLarge alone is final.
type Store interface {
	Publish(ctx context.Context, e event.Event) (event.Receipt, error)
	PutAside(ctx context.Context, a event.Aside) error
}

// Arrival is what came, read as far as it must be before it is stored. Its Note says why it is no event,
// where it is none.
type Arrival struct {
	Event event.Event // complete where it is one, else as it came
	Note  calltouch.Note

	keptKey string // the key under which a hook was kept until now; "" = none

	// Of a record:
	record bool // it is one
	kind   event.Kind
	id     string
	size   int // in bytes; the body is only the beginning where it has fewer
}

// Hook reads a hook of which the site, the content type, the query and the body are known.
func Hook(raw event.Event, v calltouch.View) Arrival {
	a := Arrival{}
	a.Event, a.Note = calltouch.Identify(raw, v)
	return a
}

// Again reads a hook that was set aside to be offered later.
func Again(kept event.Aside, v calltouch.View) Arrival {
	a := Hook(rawOf(kept), v)
	a.keptKey = kept.Key
	return a
}

// Unreadable is the Arrival of a hook that was set aside and cannot even be read: Offer sets it aside for
// good.
func Unreadable(kept event.Aside) Arrival {
	return Arrival{Event: rawOf(kept), Note: calltouch.Note{Aside: calltouch.AsideUnreadable}, keptKey: kept.Key}
}

// rawOf is what was set aside as the hook that it was, not read yet.
func rawOf(kept event.Aside) event.Event {
	return event.Event{
		Key: event.Key{Site: kept.Site}, Origin: event.Webhook, ContentType: kept.ContentType,
		Query: kept.Query, Body: kept.Body, Received: kept.Received,
	}
}

// Record reads a record that Calltouch's API lists. One of another site is none of this site's: a token
// may open several.
func Record(site *calltouch.Site, r calltouch.Listed, origin event.Origin, now time.Time) Arrival {
	a := Arrival{kind: r.Kind, id: r.ID, size: r.Size, record: true}
	a.Event = event.Event{
		Key: event.Key{Site: site.ID, Kind: r.Kind}, Origin: origin, ContentType: "application/json", Body: r.Raw, Received: now.UTC(),
	}
	if r.Site != "" && r.Site != site.ID {
		a.Note.Aside = calltouch.AsideOtherSite
		return a
	}
	if a.Note.Aside = r.Untakable(); a.Note.Aside != "" {
		return a
	}
	e, f, err := calltouch.Record(site.ID, r.Kind, origin, r.Raw, site.View())
	switch {
	case errors.Is(err, calltouch.ErrUnreadable):
		a.Note.Aside = calltouch.AsideUnreadable
	case r.ID == "":
		a.Note.Aside = calltouch.AsideNoID
	case err != nil:
		a.Note.Aside = calltouch.AsideBadID
	default:
		e.Received = a.Event.Received
		a.Event = e
		a.Note.Attribution, _ = f["attribution"].(string)
	}
	return a
}

// Key is the key of the event, or that which it would have if it were one; false where nothing says it.
func (a *Arrival) Key() (event.Key, bool) {
	if a.Note.Aside == "" {
		return a.Event.Key, true
	}
	key, err := event.NewKey(a.Event.Key.Site, a.kind, strings.TrimSpace(a.id))
	return key, a.record && err == nil
}

// Result says what became of an Arrival.
type Result struct {
	Receipt event.Receipt    // of the log; "" when it was not published
	Aside   calltouch.Reason // why it was set aside; "" when it was not
}

// Intake brings Arrivals to a store.
type Intake struct{ Store Store }

// Offer publishes an event. What is none is set aside, and so is what the store can never take for its
// size, and another call under a known id. With an error nothing is decided: it must be offered again.
func (in Intake) Offer(ctx context.Context, a *Arrival) (Result, error) {
	r := Result{Aside: a.Note.Aside}
	if r.Aside == "" {
		var err error
		r.Receipt, err = in.Store.Publish(ctx, a.Event)
		switch {
		case errors.Is(err, event.ErrTooLarge):
			r = Result{Aside: calltouch.AsideTooLarge}
		case err != nil:
			return Result{}, err
		case r.Receipt == event.ReceiptCollision:
			r.Aside = calltouch.AsideCollision
		default:
			return r, nil
		}
	}
	if err := in.setAside(ctx, a, r.Aside); err != nil {
		return Result{}, err
	}
	return r, nil
}

// KeepForRecord sets the hook of a form request aside until its record was polled. It is no event before.
func (in Intake) KeepForRecord(ctx context.Context, a *Arrival) error {
	kept := a.aside(calltouch.AsideUnpolled)
	kept.Key = a.Event.Key.String()
	return in.Store.PutAside(ctx, kept)
}

// setAside sets an Arrival aside. A record that is too large even for that is cut.
func (in Intake) setAside(ctx context.Context, a *Arrival, reason calltouch.Reason) error {
	kept := a.aside(reason)
	err := in.Store.PutAside(ctx, kept)
	if a.record && errors.Is(err, event.ErrTooLarge) && len(kept.Body) > calltouch.MaxHead {
		kept.Body = head(kept.Body)
		err = in.Store.PutAside(ctx, kept)
	}
	return err
}

// aside is the Arrival as it is set aside. A record is kept whole where a person may take it back, else its
// first bytes are.
func (a *Arrival) aside(reason calltouch.Reason) event.Aside {
	e := &a.Event
	kept := event.Aside{
		Site: e.Key.Site, Reason: string(reason), Key: a.keptKey, Origin: e.Origin,
		ContentType: e.ContentType, Query: e.Query, Body: e.Body, Size: a.size, Received: e.Received,
	}
	if !a.record {
		return kept
	}
	if key, ok := a.Key(); ok {
		kept.Key = key.String()
	}
	if reason == calltouch.AsideTooLarge || reason == calltouch.AsideUnreadable {
		kept.Body = head(kept.Body)
	}
	return kept
}

// head is the beginning of a body that cannot be taken.
func head(body []byte) []byte { return body[:min(len(body), calltouch.MaxHead)] }

// Observation is what became of one request to the webhook address, or of a hook that waited.
type Observation struct {
	Site         string           // "" when the address was wrong
	Kind         event.Kind       // "" when it is no event
	Receipt      event.Receipt    // "" when it was not published
	Aside        calltouch.Reason // "" when it was not set aside
	UnknownPhase bool             // stored as an ended call, though nothing said so
	Attribution  bool             // its own attribution is not the one of the file
	Waits        bool             // a form request's hook that waits for its record: on disk, and not received yet
	Settled      bool             // no request just now: a hook that waited is received
	Elsewhere    bool             // the address was not even meant for hooks: a scanner's
	Status       int              // of the answer; 429 where the connection was closed in place of one
}

// Became notes the Result of an Arrival: what was set aside has no receipt.
func (o *Observation) Became(r Result) {
	if o.Aside = r.Aside; o.Aside == "" {
		o.Receipt = r.Receipt
	}
}
