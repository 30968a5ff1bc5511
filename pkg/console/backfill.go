package console

import (
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// backfillForm is what a site's page begins with, where Calltouch can be asked for its past days.
type backfillForm struct {
	Site  string
	Day   string // that it begins with
	Kinds []event.Kind
}

// backfillForm is that of a site; nil: nobody can ask, or this person may not.
func (v *visit) backfillForm(c admin.SiteCard) *backfillForm {
	if !c.InFile || !c.Polled || !v.may(Act) {
		return nil
	}
	yesterday := v.c.Now().In(v.c.Zone()).AddDate(0, 0, -1).Format(time.DateOnly) // today the poller and the journal are at
	return &backfillForm{c.ID, yesterday, []event.Kind{event.CallEnded, event.Request}}
}

// backfill fetches past days, or with look says what that would bring, by a job: it asks Calltouch for minutes.
func (v *visit) backfill() error {
	w := admin.Work{Site: v.r.PathValue("id"), From: v.r.FormValue("from"), To: v.r.FormValue("to"), DryRun: v.r.FormValue("look") != ""}
	if text := v.r.FormValue("kind"); text != "" {
		var err error
		if w.Kind, err = event.ParseKind(text); err != nil {
			return errBadForm
		}
	}
	return v.leave(asked{kind: admin.JobBackfill, work: w})
}
