package calltouch

import (
	"context"
	"net/http"

	"github.com/touchbox/touchbox/pkg/event"
)

// take finds out what a hook is and brings it where it belongs.
func (h *Handler) take(ctx context.Context, d *door, raw event.Event) (string, Observation) {
	e, note := Identify(raw, d.site.View)
	if note.Aside != "" {
		return h.setAside(ctx, d, raw, note.Aside, "")
	}
	if note.UnknownPhase {
		d.warn(h.config.Log, "a call without a known callphase is taken for an ended one: tick callphase in the webhook's settings")
	}
	o := Observation{Site: d.site.ID, Kind: e.Key.Kind, UnknownPhase: note.UnknownPhase, Status: http.StatusOK}
	if o.Attribution = d.otherModel(note.Attribution); o.Attribution {
		d.sometimesDaily(attributionHint).Do(func() { h.config.Log.Warn().Str("site", d.site.ID).Msg(attributionHint) })
	}
	if e.Key.Kind == event.Request && h.config.OnRequest != nil && !h.config.OnRequest(ctx, e) {
		o.Woke = true
		return "ok", o
	}
	receipt, err := h.config.Store.Publish(ctx, e)
	if err != nil {
		return h.undecided(d, o, err)
	}
	if receipt == event.ReceiptCollision {
		return h.setAside(ctx, d, raw, AsideCollision, e.Key.Kind)
	}
	o.Receipt = receipt
	h.config.Log.Debug().Str("event_id", e.Key.String()).Str("receipt", string(receipt)).Msg("hook")
	return string(receipt), o
}

// setAside keeps what is no event. It counts as received: Calltouch has done its part.
func (h *Handler) setAside(ctx context.Context, d *door, e event.Event, reason Reason, kind event.Kind) (string, Observation) {
	o := Observation{Site: d.site.ID, Kind: kind, Status: http.StatusOK}
	err := h.config.Store.PutAside(ctx, Aside{
		Site: d.site.ID, Reason: reason, Origin: e.Origin,
		ContentType: e.ContentType, Query: e.Query, Body: e.Body, Received: e.Received,
	})
	if err != nil {
		return h.undecided(d, o, err)
	}
	o.Aside = reason
	if hint := hints[reason]; hint != "" {
		d.warn(h.config.Log, hint)
	} else {
		h.config.Log.Info().Str("site", d.site.ID).Str("reason", string(reason)).Msg("hook set aside")
	}
	return "aside: " + string(reason), o
}

// attributionHint is said once a day: Calltouch's model of the whole cabinet may be meant.
const attributionHint = "hooks attribute by another model than the file says: choose one model in the webhook's settings and under attribution"

// hints are for the reasons on which a person must act.
var hints = map[Reason]string{
	AsideNoID:      "hooks without id or requestId cannot be stored: tick id in the webhook's settings in Calltouch",
	AsideOtherSite: "hooks of another site come to this site's address: check the webhook's address in Calltouch",
	AsideCollision: "another call came under a known id: it was set aside",
}

func (h *Handler) undecided(d *door, o Observation, err error) (string, Observation) {
	o.Status = http.StatusServiceUnavailable
	d.warnError(h.config.Log, err)
	return "come again", o
}
