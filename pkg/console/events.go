package console

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

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
	Total    int // admin.Uncounted: not all was read
	Found    int // it is what a search found, so many; 0: it is none
	Command  string
}

// eventRow is one event of a list.
type eventRow struct {
	admin.RowView
	Caller string // masked
	Links  []linkOutcome
}

type linkOutcome struct {
	Link    string
	Outcome event.Outcome
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
	rows, total, err := v.admin.Events(v.ctx(), q)
	if err != nil {
		return err
	}
	v.listEvents(eventsView{Head: v.head("/events", f), Filter: f, Total: total, Command: "touchbox events" + f.Flags("link", "site", "kind", "outcome", "since", "until")}, rows)
	return nil
}

// eventQuery is the filter as a query for events. errBadForm.
func (v *visit) eventQuery(f filter) (admin.EventQuery, error) {
	selection, err := v.of(f)
	if err != nil {
		return admin.EventQuery{}, err
	}
	q := admin.EventQuery{Site: selection.Site, Kind: selection.Kind, Link: f.Link, Since: selection.Since, Until: selection.Until, Limit: mostRows}
	q.Outcome, err = outcomeOf(f.Outcome)
	return q, err
}

// foundEvents shows what a search has found.
func (v *visit) foundEvents(token string) error {
	keys, ok := v.c.found.take(token, v.c.Now())
	if !ok {
		return errNoPage
	}
	rows, err := v.admin.RowsOf(v.ctx(), keys)
	if err != nil {
		return err
	}
	v.listEvents(eventsView{Filter: v.readFilter(), Total: len(rows), Found: len(rows)}, rows)
	return nil
}

func (v *visit) listEvents(view eventsView, rows []admin.Row) {
	view.Kinds, view.Outcomes = event.Kinds, event.Outcomes
	for _, row := range slices.Backward(rows) {
		view.Rows = append(view.Rows, v.eventRow(row))
	}
	v.show(page{Name: "events", Title: v.lang.Text("Events"), Group: "/events", View: view})
}

func (v *visit) eventRow(row admin.Row) eventRow {
	out := eventRow{RowView: admin.Mask{}.Row(row), Caller: row.Caller}
	if row.Event.Body != nil {
		out.Caller = v.admin.Caller(row.Event, admin.Mask{})
	}
	for link, outcome := range row.Outcomes {
		out.Links = append(out.Links, linkOutcome{link, outcome})
	}
	slices.SortFunc(out.Links, func(x, y linkOutcome) int { return strings.Compare(x.Link, y.Link) })
	return out
}

// handles are lists of keys under a name that says nothing of them: what a search by a phone has found. The number
// stands in no address.
type handles struct {
	mu   sync.Mutex
	held map[string]handle
}

type handle struct {
	keys []event.Key
	end  time.Time
}

// Bounds of the handles.
const (
	handleLife  = 10 * time.Minute
	mostHandles = 1000
)

func (h *handles) put(keys []event.Key, now time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for token, one := range h.held {
		if now.After(one.end) || len(h.held) >= mostHandles {
			delete(h.held, token)
		}
	}
	if h.held == nil {
		h.held = map[string]handle{}
	}
	token := rand.Text()
	h.held[token] = handle{keys, now.Add(handleLife)}
	return token
}

func (h *handles) take(token string, now time.Time) ([]event.Key, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	one, ok := h.held[token]
	return one.keys, ok && now.Before(one.end)
}

// find looks for what a person typed: a key, an id, or a phone number. It is a POST, so that no number stands in a log.
func (v *visit) find() error {
	what := strings.TrimSpace(v.r.FormValue("what"))
	if what == "" {
		return errBadForm
	}
	keys, err := v.admin.Lookup(v.ctx(), what, mostRows)
	if err != nil {
		return err
	}
	switch len(keys) {
	case 0:
		v.show(page{Name: "notfound", Title: v.lang.Text("Nothing was found"), Group: "/events"})
		return nil
	case 1:
		return v.redirect(eventPath(keys[0]))
	}
	return v.redirect("/events?found=" + v.c.found.put(keys, v.c.Now()))
}

// eventPath is the address of an event's page.
func eventPath(key event.Key) string { return fmt.Sprintf("/events/%s", key) }
