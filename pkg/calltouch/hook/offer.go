package hook

import (
	"context"
	"net/http"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
)

// offer finds out what a hook is and brings it where it belongs. The text is that of the answer.
func (h *Handler) offer(ctx context.Context, auth *siteAuth, raw event.Event) (string, intake.Observation) {
	a := intake.Hook(raw, auth.view)
	o := intake.Observation{Site: auth.site.ID, Kind: a.Event.Key.Kind, UnknownPhase: a.Note.UnknownPhase, Status: http.StatusOK}
	if a.Note.Aside == "" {
		o.Attribution = auth.site.OtherModel(a.Note.Attribution)
		h.warnOfSettings(auth, a.Note)
		if o.Kind == event.Request && h.config.Poll != nil && h.config.Poll.Waits(auth.site.ID) {
			return h.waitForRecord(ctx, auth, &a, o)
		}
	}
	result, err := h.intake.Offer(ctx, &a)
	if err != nil {
		return h.undecided(auth, o, err)
	}
	if result.Aside != "" {
		h.warnOfAside(auth, result.Aside)
		return "aside: " + string(result.Aside), intake.Observation{Site: o.Site, Kind: o.Kind, Aside: result.Aside, Status: http.StatusOK}
	}
	o.Receipt = result.Receipt
	if line := h.config.Log.Debug(); line.Enabled() {
		line.Str("event_id", a.Event.Key.String()).Str("receipt", string(o.Receipt)).Msg("hook")
	}
	return string(o.Receipt), o
}

// waitForRecord keeps the hook of a form request on disk until its record was polled, and has it polled.
// Only then is it an event, or known as one, and received.
func (h *Handler) waitForRecord(ctx context.Context, auth *siteAuth, a *intake.Arrival, o intake.Observation) (string, intake.Observation) {
	if err := h.intake.KeepForRecord(ctx, a); err != nil {
		return h.undecided(auth, o, err)
	}
	h.config.Poll.Wake(a.Event) // not before: the poll asks for the days of the hooks that it finds
	o.Waits = true
	h.config.Log.Debug().Str("event_id", a.Event.Key.String()).Msg("hook waits for its record")
	return "waits for its record", o
}

// undecided is the answer to a hook of which it is not known whether it was stored, or that was not tried:
// it comes again.
func (h *Handler) undecided(auth *siteAuth, o intake.Observation, err error) (string, intake.Observation) {
	o.Status = http.StatusServiceUnavailable
	auth.warnError(h.config.Log, err)
	return "come again", o
}

// warnOfSettings says what an event shows to be wrong in a setting, in Calltouch or in the file.
func (h *Handler) warnOfSettings(auth *siteAuth, note calltouch.Note) {
	if note.UnknownPhase {
		auth.warn(h.config.Log, quiet, "a call without a known callphase is taken for an ended one: tick callphase in the webhook's settings")
	}
	if auth.site.OtherModel(note.Attribution) { // Calltouch's model of the whole cabinet may be meant
		auth.warn(h.config.Log, daily, "hooks attribute by another model than the file says: choose one model in the webhook's settings and under attribution")
	}
	if note.Zone != "" {
		h.config.Trouble(calltouch.Trouble{Site: auth.site.ID, Reason: calltouch.TroubleTimezone, Detail: note.Zone})
	}
}

// warnOfAside says that a hook was set aside, and what a person should do about it.
func (h *Handler) warnOfAside(auth *siteAuth, reason calltouch.Reason) {
	if hint, ok := hints[reason]; ok {
		auth.warn(h.config.Log, hint.every, hint.text)
		return
	}
	h.config.Log.Info().Str("site", auth.site.ID).Str("reason", string(reason)).Msg("hook set aside")
}

// hint is what is said about a reason, and how often.
type hint struct {
	every time.Duration
	text  string
}

// hints are for the reasons on which a person must act.
var hints = map[calltouch.Reason]hint{
	calltouch.AsideUnreadable: {daily, "hooks come in a form that cannot be read: `touchbox aside --reason unreadable` lists them, and a version that can read them takes them by `touchbox aside take`"},
	calltouch.AsideNoID:       {quiet, "hooks without id or requestId cannot be stored: tick id in the webhook's settings in Calltouch"},
	calltouch.AsideOtherSite:  {quiet, "hooks of another site come to this site's address: check the webhook's address in Calltouch"},
	calltouch.AsideCollision:  {quiet, "another call came under a known id: it was set aside"},
}
