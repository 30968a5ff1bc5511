package console

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// replayView is what sending again would do, before it is done.
type replayView struct {
	Filter   filter
	Words    string // what is selected
	Goes     bool   // some would be sent
	Outcome  event.Outcome
	Links    []admin.LinkTrial
	Groups   []replayGroup // what would become of all that was looked at: their sum is Looked
	Moves    []replayMove  // why some would not be sent
	Untold   int           // so many whys and differences are left out
	Pinned   int
	Total    int          // items of the selection
	AtMost   bool         // there may be fewer: not all that may be meant was read
	Looked   int          // at so many of them, evenly picked
	Halted   []admin.Halt // nothing goes over these links now
	Typed    bool
	Again    bool // there are more than the person was shown before
	Revision bool // a correction has to be named
	Command  string
}

// replayGroup is a part of what was looked at, and what would become of it.
type replayGroup struct {
	Word    word
	Count   int
	Example string // key of one; "" where none is known
}

// replayMove is why some events of a link would not be sent.
type replayMove struct {
	Link string
	admin.Move
}

// A preview looks at so many items at most, and for so long: somebody waits for it.
const (
	mostForecast   = 2000
	forecastWithin = 10 * time.Second
)

// selection is what a person wants to send again. errBadForm.
func (v *visit) selection(f filter) (admin.Selection, error) {
	s := admin.Selection{Outcome: event.Outcome(cmp.Or(f.Outcome, string(event.Dead)))}
	var err error
	if s.Filter, err = v.of(f); err != nil {
		return s, err
	}
	if f.Event != "" {
		key, err := event.ParseKey(f.Event)
		if err != nil {
			return s, errField{name: "event"}
		}
		s.Keys = []event.Key{key}
	}
	s.Cause = f.Cause
	return s, nil
}

func (v *visit) newReplay() error { return v.forecast(v.readFilter(), false) }

// forecast shows what sending again would do.
func (v *visit) forecast(f filter, again bool) error {
	s, err := v.selection(f)
	if err != nil {
		return err
	}
	if s.Outcome == event.Delivered && !v.may(Admin) {
		return errForbidden
	}
	picked, err := v.admin.Pick(v.ctx(), s, mostForecast)
	if err != nil {
		return err
	}
	forecast, err := v.admin.ForecastWithin(v.ctx(), picked.Items, admin.ReplayOptions{}, forecastWithin)
	if err != nil {
		return err
	}
	view := replayView{
		Filter: f, Outcome: s.Outcome, Links: forecast.Links, Groups: v.groups(forecast), Pinned: forecast.Pinned, Total: picked.Found, AtMost: picked.AtMost,
		Looked: forecast.Selected, Typed: picked.Found > manyReplays, Again: again, Revision: s.Outcome == event.Delivered,
	}
	selected := f
	selected.Outcome = string(s.Outcome)
	view.Words = v.words(selected)
	for _, l := range forecast.Links {
		view.Goes = view.Goes || l.After.Delivered > 0
		for _, m := range l.Moves {
			if m.To != event.Delivered {
				m.Why = admin.Mask{}.Text(m.Why)
				view.Moves = append(view.Moves, replayMove{l.Link, m})
			}
		}
	}
	view.bound()
	if view.Halted, err = v.halted(forecast); err != nil {
		return err
	}
	view.Command = "touchbox replay" + f.Flags("outcome", "link", "site", "kind", "reason", "status", "cause", "event", "since", "until")
	v.show(page{Name: "replay", Title: v.lang.Text("Send again"), Group: "/causes", View: view})
	return nil
}

// bound leaves out what is too much for a page: of many links each may differ in much.
func (r *replayView) bound() {
	r.Moves, r.Untold = firstOf(r.Moves, mostRows)
	left := mostRows
	for i := range r.Links {
		var untold int
		r.Links[i].Differences, untold = firstOf(r.Links[i].Differences, left)
		left -= len(r.Links[i].Differences)
		r.Untold += untold
	}
}

// groups are what would become of all that a forecast looked at: each event is in one of them.
func (v *visit) groups(f admin.Forecast) []replayGroup {
	var sum admin.Counts
	for _, l := range f.Links {
		sum.Delivered += l.After.Delivered
		sum.Filtered += l.After.Filtered
		sum.Undeliverable += l.After.Undeliverable
		sum.Dead += l.After.Dead
		sum.Shadow += l.After.Shadow
	}
	var list []replayGroup
	add := func(sign, text, class string, n int, example string) {
		if n > 0 {
			list = append(list, replayGroup{word{sign, v.lang.Text(text), class}, n, example})
		}
	}
	add("✓", "would be sent", "good", sum.Delivered, "")
	add("─", "would not meet the conditions", "", sum.Filtered, "")
	add("◌", "data is missing", "wait", sum.Undeliverable, "")
	add("✖", "an expression fails", "bad", sum.Dead, "")
	add("◍", "trial mode", "", sum.Shadow, "")
	add("✖", "cannot be read", "bad", f.Unreadable.Count, f.Unreadable.Example)
	add("◔", "are under way already and passed over", "", f.UnderWay.Count, f.UnderWay.Example)
	add("○", "their link is not in the file", "wait", f.Gone.Count, f.Gone.Example)
	add("·", "had gone on in the meantime", "", f.Vanished, "")
	return list
}

// halted are those of the links of a forecast over which nothing goes now.
func (v *visit) halted(f admin.Forecast) ([]admin.Halt, error) {
	halts, err := v.admin.Halts(v.ctx())
	var list []admin.Halt
	for _, h := range halts {
		if slices.ContainsFunc(f.Links, func(l admin.LinkTrial) bool { return l.Link == h.Link }) {
			list = append(list, h)
		}
	}
	return list, err
}

// replay sends again what the filter selects now, by a job.
func (v *visit) replay() error {
	f := v.readFilter()
	s, err := v.selection(f)
	if err != nil {
		return err
	}
	o := admin.ReplayOptions{Revision: strings.TrimSpace(v.r.FormValue("revision"))}
	if o.Rate, err = strconv.ParseFloat(cmp.Or(v.r.FormValue("rate"), "0"), 64); err != nil || o.Rate < 0 || math.IsInf(o.Rate, 0) || math.IsNaN(o.Rate) {
		return errBadForm
	}
	return v.ask(asked{
		kind: admin.JobReplay, work: admin.WorkOf(s, o), why: strings.TrimSpace(v.r.FormValue("why")), most: manyReplays, back: "/causes",
	}, func() error { return v.forecast(f, true) })
}
