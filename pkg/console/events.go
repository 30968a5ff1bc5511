package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// eventsView is a list of events.
type eventsView struct {
	Head     listHead // empty: it cannot be taken away
	Filter   filter
	Kinds    []event.Kind
	Outcomes []event.Outcome
	Rows     []eventRow
	Total    int  // admin.Uncounted: not all was read
	Found    int  // it is what a search found, so many; 0: it is none
	Before   bool // it is no newest part
	Older    string
	Command  string
}

// eventRow is one event of a list.
type eventRow struct {
	admin.RowView
	Caller string         // masked
	Links  []linkOutcome  // what matters most first, of many links some
	Rest   int            // of so many links more
	More   []outcomeCount // it is this that became of it
}

type linkOutcome struct {
	Link    string
	Outcome event.Outcome
}

type outcomeCount struct {
	Outcome event.Outcome
	Count   int
}

func (v *visit) events() error {
	if token := v.r.FormValue("found"); token != "" {
		return v.foundEvents(token)
	}
	f := v.readFilter()
	q, err := v.eventQuery(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfEvents(q)
	}
	if q.Before, err = v.before(); err != nil {
		return err
	}
	rows, total, err := v.admin.Events(v.ctx(), q)
	if err != nil {
		return err
	}
	if q.Before > 0 && q.Outcome != "" {
		total = admin.Uncounted // it is that of the older ones
	}
	v.listEvents(eventsView{Head: v.head("/events", f), Filter: f, Total: total, Before: q.Before > 0, Command: "touchbox events" + f.Flags("link", "site", "kind", "outcome", "since", "until")}, rows)
	return nil
}

// eventQuery is the filter as a query for events. errBadForm.
func (v *visit) eventQuery(f filter) (admin.EventQuery, error) {
	selection, err := v.of(f)
	if err != nil {
		return admin.EventQuery{}, err
	}
	return admin.EventQuery{
		Site: selection.Site, Kind: selection.Kind, Link: f.Link, Outcome: event.Outcome(f.Outcome), Since: selection.Since, Until: selection.Until, Limit: mostRows,
	}, v.isOutcome(f.Outcome)
}

// foundEvents shows to whoever looked, and to admins, what a search has found.
func (v *visit) foundEvents(token string) error {
	one, ok := v.c.found.take(token, v.c.Now())
	if !ok || !v.mayOpen(one) {
		return errNoPage
	}
	rows, err := v.admin.RowsOf(v.ctx(), one.keys)
	if err != nil {
		return err
	}
	v.listEvents(eventsView{Filter: v.readFilter(), Total: len(rows), Found: len(rows)}, rows)
	return nil
}

// mayOpen reports whether the person may open what a search has found.
func (v *visit) mayOpen(h handle) bool { return h.who == v.who.Name || v.may(Admin) }

// listEvents shows rows, which come oldest first, the newest first, and as many as a page may weigh.
func (v *visit) listEvents(view eventsView, rows []admin.Row) {
	view.Kinds, view.Outcomes = event.Kinds, event.Outcomes
	var err error
	if view.Rows, err = v.eventRows(rows); err != nil {
		v.fail(err)
		return
	}
	if n := len(view.Rows); n > 0 && (n < len(rows) || n == mostRows && view.Total != n) {
		view.Older = v.older(rows[len(rows)-n].Event.Sequence)
	}
	v.show(page{Name: "events", Title: v.lang.Text("Events"), Group: "/events", View: view})
}

// rowsWeigh is what the rows of a list of events may weigh, in bytes: with all that stands around them a page then has less than 60 KB.
const rowsWeigh = 42 << 10

// eventRows are the newest of rows that come oldest first, the newest first, and as many as a page may weigh; one at least.
func (v *visit) eventRows(rows []admin.Row) (list []eventRow, err error) {
	left := rowsWeigh
	for _, row := range slices.Backward(rows) {
		one := v.eventRow(row)
		text, err := v.eventRowText(one)
		if err != nil {
			return nil, err
		}
		if left -= len(text); left < 0 && len(list) > 0 {
			break
		}
		list = append(list, one)
	}
	return list, nil
}

// eventRowText is an event as the row of a table.
func (v *visit) eventRowText(row eventRow) (string, error) {
	var b strings.Builder
	err := v.c.pages[v.lang]["live"].ExecuteTemplate(&b, "event-row", row)
	return b.String(), err
}

func (v *visit) eventRow(row admin.Row) eventRow {
	out := eventRow{RowView: admin.Mask{}.Row(row), Caller: row.Caller}
	if row.Event.Body != nil {
		out.Caller = v.admin.Caller(row.Event, admin.Mask{})
	}
	for link, outcome := range row.Outcomes {
		out.Links = append(out.Links, linkOutcome{link, outcome})
	}
	slices.SortFunc(out.Links, func(x, y linkOutcome) int {
		return cmp.Or(matters(x.Outcome)-matters(y.Outcome), strings.Compare(x.Link, y.Link))
	})
	out.fold()
	return out
}

// mostOutcomes is of how many links a row says what they made of its event.
const mostOutcomes = 4

// fold counts what is too much for a row: its event's page has all of it.
func (r *eventRow) fold() {
	if len(r.Links) <= mostOutcomes+1 {
		return
	}
	rest := r.Links[mostOutcomes:]
	r.Links, r.Rest = r.Links[:mostOutcomes], len(rest)
	for _, one := range rest {
		if n := len(r.More); n == 0 || r.More[n-1].Outcome != one.Outcome {
			r.More = append(r.More, outcomeCount{Outcome: one.Outcome})
		}
		r.More[len(r.More)-1].Count++
	}
}

// byMatter are the outcomes, what a person may have to do something about first.
var byMatter = []event.Outcome{
	event.Dead, event.Abandoned, event.Waiting, event.Undeliverable, event.Delivered, event.Shadow, event.Dropped, event.Untaken, event.Filtered, event.Erased,
}

// matters is the place of an outcome among them.
func matters(o event.Outcome) int {
	if i := slices.Index(byMatter, o); i >= 0 {
		return i
	}
	return len(byMatter)
}

// eventPath is the address of an event's page.
func eventPath(key event.Key) string { return fmt.Sprintf("/events/%s", key) }
