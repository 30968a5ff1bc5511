package console

import (
	"cmp"
	"errors"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// causesView is why events were not delivered.
type causesView struct {
	Head    listHead
	Filter  filter
	Causes  []admin.Cause
	All     int // causes
	Total   int // letters
	Command string
}

func (v *visit) causes() error {
	f := v.readFilter()
	selection, err := v.of(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfCauses(selection)
	}
	causes, err := v.admin.Causes(v.ctx(), selection)
	if err != nil {
		return err
	}
	view := causesView{Head: v.head("/causes", f), Filter: f, Causes: causes[:min(len(causes), mostRows)], All: len(causes), Command: "touchbox deadletters count" + f.Flags("link", "site", "kind", "reason", "status", "since", "until")}
	for _, c := range causes {
		view.Total += c.Count
	}
	v.show(page{Name: "causes", Title: v.lang.Text("Not delivered, by cause"), Group: "/causes", View: view})
	return nil
}

// causeView is one cause: what it is, when it came, what to do, and the letters that died of it.
type causeView struct {
	deadLettersView
	Hours  chart
	Detail string // of the newest, where there is no answer
	Hint   string
	Title  string // of its link
}

// hoursOfCause is how far the chart of a cause goes back.
const hoursOfCause = 3 * 24

func (v *visit) causePage() error {
	id := v.r.PathValue("cause")
	cause, err := v.cause(admin.Filter{}, id)
	if err != nil {
		return err
	}
	f := v.readFilter()
	f.Link, f.Cause = cause.Link, id
	view := causeView{deadLettersView: deadLettersView{Filter: f, Cause: cause, MayAct: v.may(Act), MayDrop: v.may(Admin)}}
	view.Command = "touchbox deadletters --cause " + word4shell(id)
	if view.Rows, view.Total, err = v.admin.DeadRows(v.ctx(), admin.Filter{Link: cause.Link}, id, mostRows); err != nil {
		return err
	}
	hours, err := v.admin.CauseHours(v.ctx(), id, hoursOfCause)
	if err != nil {
		return err
	}
	view.Hours = draw(v.lang, v.lang.Text("Given up by the hour, the last three days"), perHour(hours))
	if cause.Answer == "" {
		if view.Detail, err = v.detailOf(*cause); err != nil {
			return err
		}
	}
	view.Hint = orItself(v.lang, admin.ReasonHints[cause.Reason], "")
	if l := v.admin.File.Link(cause.Link); l != nil {
		view.Title = l.Title
	}
	v.show(page{Name: "cause", Title: v.lang.Text("Why it was not delivered"), Group: "/causes", View: view})
	return nil
}

// detailOf is what is known of a cause besides its reason, of its newest letter: as which expression failed, and at what.
func (v *visit) detailOf(c admin.Cause) (string, error) {
	story, err := v.admin.Story(v.ctx(), parts(c.Sample), admin.Mask{})
	if errors.Is(err, admin.ErrUnknown) {
		return "", nil
	}
	for _, s := range story.Stories {
		if last := newest(s.Records); s.Link == c.Link && last != nil {
			return cmp.Or(detailLine(v.lang, last.Detail), s.Error), err
		}
	}
	return "", err
}

// deadLettersView is a list of what was not delivered.
type deadLettersView struct {
	Head    listHead
	Filter  filter
	Kinds   []event.Kind
	Cause   *admin.Cause // it is about this one alone
	Rows    []admin.DeadLetterView
	Total   int
	MayAct  bool
	MayDrop bool
	Command string
}

func (v *visit) deadLetters() error {
	f := v.readFilter()
	selection, err := v.of(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfDead(selection, f.Cause)
	}
	view := deadLettersView{Head: v.head("/deadletters", f), Filter: f, Kinds: event.Kinds, MayAct: v.may(Act), MayDrop: v.may(Admin)}
	view.Command = "touchbox deadletters" + f.Flags("link", "site", "kind", "reason", "status", "cause", "since", "until")
	if f.Cause != "" {
		if view.Cause, err = v.cause(selection, f.Cause); err != nil {
			return err
		}
	}
	if view.Rows, view.Total, err = v.admin.DeadRows(v.ctx(), selection, f.Cause, mostRows); err != nil {
		return err
	}
	v.show(page{Name: "deadletters", Title: v.lang.Text("Not delivered"), Group: "/causes", View: view})
	return nil
}

// cause finds one cause among those that the filter selects. errNoPage: none of its dead letters is left.
func (v *visit) cause(f admin.Filter, id string) (*admin.Cause, error) {
	causes, err := v.admin.Causes(v.ctx(), f)
	if err != nil {
		return nil, err
	}
	for _, c := range causes {
		if c.ID == id {
			return &c, nil
		}
	}
	return nil, errNoPage
}

// retriesView is what waits for its next attempt.
type retriesView struct {
	Attention []attention
	Head      listHead
	Filter    filter
	Kinds     []event.Kind
	Rows      []admin.RetryView
	Total     int
	Older     string
	MayAct    bool
	Command   string
}

func (v *visit) retries() error {
	f := v.readFilter()
	selection, err := v.of(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfRetries(selection)
	}
	before, err := v.before()
	if err != nil {
		return err
	}
	part, err := v.admin.RetriesPart(v.ctx(), selection, before, mostRows)
	if err != nil {
		return err
	}
	view := retriesView{Head: v.head("/retries", f), Filter: f, Kinds: event.Kinds, Total: part.Total, Older: v.older(part.Older), MayAct: v.may(Act)}
	if view.Attention, err = v.needs("/retries", func(a admin.Attention) bool {
		return a.Kind == admin.AttentionLost && (f.Link == "" || a.Subject == f.Link)
	}); err != nil {
		return err
	}
	view.Command = "touchbox retries" + f.Flags("link", "site", "kind", "reason", "status", "since", "until")
	for _, one := range part.Rows {
		view.Rows = append(view.Rows, admin.Mask{}.Retry(one))
	}
	v.show(page{Name: "retries", Title: v.lang.Text("Waiting for the next attempt"), Group: "/retries", View: view})
	return nil
}

// asideView is what came and is no event.
type asideView struct {
	Head    listHead
	Filter  filter
	Rows    []admin.AsideView
	Total   int
	Older   string
	MayAct  bool
	Command string
}

func (v *visit) aside() error {
	f := v.readFilter()
	q, err := v.asideQuery(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfAside(q)
	}
	if q.Before, err = v.before(); err != nil {
		return err
	}
	part, err := v.admin.AsidePart(v.ctx(), q, mostRows)
	if err != nil {
		return err
	}
	view := asideView{Head: v.head("/aside", f), Filter: f, Total: part.Total, Older: v.older(part.Older), MayAct: v.may(Act), Command: "touchbox aside" + f.Flags("site", "reason", "since", "until")}
	for _, one := range part.Rows {
		view.Rows = append(view.Rows, admin.Mask{}.Aside(one))
	}
	v.show(page{Name: "aside", Title: v.lang.Text("Set aside"), Group: "/aside", View: view})
	return nil
}

// asideQuery is the filter as a query for what was set aside. errBadForm.
func (v *visit) asideQuery(f filter) (admin.AsideQuery, error) {
	selection, err := v.ofReasons(f, admin.AsideReasons())
	return admin.AsideQuery{Site: selection.Site, Reason: f.Reason, Since: selection.Since, Until: selection.Until}, err
}
