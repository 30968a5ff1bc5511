package console

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// manyDrops is above how many the number has to be typed before they are dropped, manyReplays before they are sent again.
const (
	manyDrops   = 100
	manyReplays = 1000
)

// why is the reason that a person has to give. errBadForm: they gave none.
func (v *visit) why() (string, error) {
	why := strings.TrimSpace(v.r.FormValue("why"))
	if why == "" {
		return "", errBadForm
	}
	return why, nil
}

// typed reports whether the number that a person typed is the one that they were shown, which may be another by now. Up to most none is
// asked for.
func (v *visit) typed(n, shown, most int) bool {
	text := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, v.r.FormValue("count"))
	return n <= most || text == strconv.Itoa(shown)
}

func (v *visit) stopLink() error {
	why, err := v.why()
	if err == nil {
		err = v.admin.Stop(v.ctx(), v.r.PathValue("id"), why)
	}
	if err != nil {
		return err
	}
	v.c.standing.forget()
	return v.redirect("/links/" + v.r.PathValue("id") + "?done=link-stopped")
}

func (v *visit) startLink() error {
	if err := v.admin.Start(v.ctx(), v.r.PathValue("id"), ""); err != nil {
		return err
	}
	v.c.standing.forget()
	return v.redirect("/links/" + v.r.PathValue("id") + "?done=link-started")
}

func (v *visit) retriesNow() error {
	return v.bulk(asked{kind: admin.JobRetriesNow, back: "/retries"})
}

func (v *visit) retriesCancel() error {
	return v.bulk(asked{kind: admin.JobRetriesCancel, back: "/retries"})
}

func (v *visit) dropDead() error {
	return v.bulk(asked{kind: admin.JobDrop, most: manyDrops, back: "/deadletters"})
}

// bulk asks for work at what the filter of a list selects; what cannot be taken back needs a reason.
func (v *visit) bulk(a asked) (err error) {
	f := v.readFilter()
	if a.work, err = v.work(f); err != nil {
		return err
	}
	if a.kind != admin.JobRetriesNow {
		if a.why, err = v.why(); err != nil {
			return err
		}
	}
	a.back += "?" + f.Query()
	return v.ask(a, nil)
}

func (v *visit) takeAside() error {
	f := v.readFilter()
	q, err := v.asideQuery(f)
	if err != nil {
		return err
	}
	a := asked{kind: admin.JobAsideTake, work: admin.Work{Site: q.Site, Reason: q.Reason, Since: q.Since, Until: q.Until}, back: "/aside?" + f.Query()}
	if text := v.r.FormValue("number"); text != "" {
		if a.work.Number, err = strconv.ParseUint(text, 10, 64); err != nil || a.work.Number == 0 {
			return errBadForm
		}
	}
	return v.ask(a, nil)
}

// mostReveals is how many events a person may look at unmasked in an hour: it is no way to take a list away.
const mostReveals = 50

// reveal shows one event unmasked, once that is written down.
func (v *visit) reveal() error {
	key, err := v.eventKey()
	if err != nil {
		return err
	}
	if !v.who.Reveal {
		if v.c.refusals.allow("reveal "+v.who.Name, v.c.Now()) { // once a minute: it is no way to fill the audit
			err = v.admin.Audit(v.ctx(), admin.AuditEntry{Verb: admin.VerbRevealRefused, On: key.String()})
		}
		return cmp.Or(err, errForbidden)
	}
	if !v.c.reveals.allow(v.who.Name, v.c.Now()) {
		return errTooMany
	}
	if err := v.admin.Audit(v.ctx(), admin.AuditEntry{Verb: admin.VerbReveal, On: key.String(), Found: 1}); err != nil {
		return err
	}
	return v.tell(key, admin.Mask{Reveal: true})
}

// actor is who acts, as the audit keeps it.
func (v *visit) actor() admin.Actor {
	by := admin.ByConsole
	if v.program {
		by = admin.ByAPI
	}
	return admin.Actor{Name: v.who.Name, Role: v.who.Role, By: by, Address: v.c.address(v.r)}
}

// auditView is who changed or saw what.
type auditView struct {
	CSV       string
	Who, Verb string
	Since     string
	Verbs     []string
	Rows      []admin.AuditEntry
	Total     int // admin.Uncounted: not all was read
	Older     string
	Command   string
}

func (v *visit) audit() error {
	f := v.readFilter()
	q := admin.AuditQuery{Who: v.r.FormValue("who"), Verb: v.r.FormValue("verb"), Limit: mostRows}
	var err error
	if q.Since, q.Until, err = v.span(f); err == nil {
		err = v.oneOf("verb", q.Verb, admin.Verbs())
	}
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfAudit(q)
	}
	if q.Before, err = v.before(); err != nil {
		return err
	}
	part, err := v.admin.AuditPart(v.ctx(), q)
	if err != nil {
		return err
	}
	view := auditView{Who: q.Who, Verb: q.Verb, Since: f.Since, Rows: part.Rows, Total: part.Total, Older: v.older(part.Older), Command: "touchbox audit"}
	for name, value := range map[string]string{"who": q.Who, "verb": q.Verb, "since": f.Since, "until": f.Until} {
		if value != "" {
			view.Command += " --" + name + " " + word4shell(value)
		}
	}
	view.CSV = "/audit" + v.withQuery(formatParameter, "csv")
	v.show(page{Name: "audit", Title: v.lang.Text("Audit"), Group: "/audit", View: view})
	return nil
}

// replayPath is the address of the preview of one event's replay over one link.
func replayPath(link, key string, outcome event.Outcome) string {
	return fmt.Sprintf("/replays/new?link=%s&event=%s&outcome=%s", queryOf(link), queryOf(key), outcome)
}
