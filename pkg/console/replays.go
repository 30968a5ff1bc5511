package console

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// replayView is what sending again would do, before it is done.
type replayView struct {
	Filter   filter
	Outcome  event.Outcome
	Forecast admin.Forecast
	Total    int // items of the selection
	Looked   int // at so many of them, evenly picked
	Sends    int // of those that were looked at
	Typed    bool
	Again    bool // there are more than the person was shown before
	Revision bool // a correction has to be named
	Command  string
}

// mostForecast is how many items a preview looks at.
const mostForecast = 2000

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
			return s, errBadForm
		}
		s.Keys = []event.Key{key}
	}
	if f.Cause != "" {
		if s.Keys, err = v.admin.OfCause(v.ctx(), s.Filter, f.Cause, 0); err != nil {
			return s, err
		}
		if len(s.Keys) == 0 {
			return s, errNoPage
		}
	}
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
	items, err := v.admin.Select(v.ctx(), s)
	if err != nil {
		return err
	}
	looked := evenly(items, mostForecast)
	forecast, err := v.admin.Forecast(v.ctx(), looked, admin.ReplayOptions{}, false)
	if err != nil {
		return err
	}
	view := replayView{
		Filter: f, Outcome: s.Outcome, Forecast: forecast, Total: len(items), Looked: len(looked), Typed: len(items) > manyReplays, Again: again,
		Revision: s.Outcome == event.Delivered,
	}
	for _, l := range forecast.Links {
		view.Sends += l.After.Delivered
	}
	view.Command = "touchbox replay" + f.Flags("outcome", "link", "site", "kind", "reason", "status", "event", "since", "until")
	v.show(page{Name: "replay", Title: v.lang.Text("Send again"), Group: "/causes", View: view})
	return nil
}

// evenly picks at most so many of a list, from all of it.
func evenly(items []admin.Item, most int) []admin.Item {
	if len(items) <= most {
		return items
	}
	picked := make([]admin.Item, most)
	for i := range picked {
		picked[i] = items[i*len(items)/most]
	}
	return picked
}

// grown reports whether there are by a tenth more than a person was shown.
func grown(now, shown int) bool { return now > shown+shown/10 }

// replay sends again what the filter selects now.
func (v *visit) replay() error {
	f := v.readFilter()
	s, err := v.selection(f)
	if err != nil {
		return err
	}
	shown, err := strconv.Atoi(v.r.FormValue("shown"))
	if err != nil {
		return errBadForm
	}
	o := admin.ReplayOptions{Of: s, Why: strings.TrimSpace(v.r.FormValue("why")), Revision: strings.TrimSpace(v.r.FormValue("revision"))}
	if o.Rate, err = strconv.ParseFloat(cmp.Or(v.r.FormValue("rate"), "0"), 64); err != nil || o.Rate < 0 {
		return errBadForm
	}
	if (s.Outcome == event.Delivered || o.Revision != "") && !v.may(Admin) {
		return errForbidden
	}
	items, err := v.admin.Select(v.ctx(), s)
	if err != nil {
		return err
	}
	if grown(len(items), shown) || !v.typed(len(items), manyReplays) {
		return v.forecast(f, true)
	}
	return v.redirect("/replays/" + v.c.runs.begin(v.admin, v.who.Name, items, o))
}

// runs are the replays that this console has begun. One that is interrupted loses nothing: the same selection takes up
// what is left.
type runs struct {
	mu  sync.Mutex
	all map[string]*run
}

// run is one replay.
type run struct {
	ID, Who, Why string
	Of           string
	Began        time.Time

	mu       sync.Mutex
	stop     context.CancelFunc
	progress admin.Progress
	result   admin.Result
	err      error
	ended    bool
	stopped  bool
}

// mostRuns is how many replays are remembered; the oldest that has ended goes.
const mostRuns = 100

// begin sends items again, beside the request that asked for it.
func (r *runs) begin(a admin.Admin, who string, items []admin.Item, o admin.ReplayOptions) string {
	ctx, stop := context.WithCancel(context.Background())
	one := &run{ID: strings.ToLower(rand.Text()[:8]), Who: who, Why: admin.Mask{}.Text(o.Why), Of: o.Of.Text(), Began: time.Now(), stop: stop, progress: admin.Progress{Total: len(items)}}
	o.Progress = func(p admin.Progress) {
		one.mu.Lock()
		defer one.mu.Unlock()
		one.progress = p
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]*run{}
	}
	r.forget()
	r.all[one.ID] = one
	go func() {
		defer stop()
		result, err := a.Replay(ctx, items, o)
		one.mu.Lock()
		defer one.mu.Unlock()
		one.result, one.err, one.ended = result, err, true
	}()
	return one.ID
}

// forget lets the oldest go that have ended, where there are too many.
func (r *runs) forget() {
	for _, one := range slices.SortedFunc(maps.Values(r.all), func(x, y *run) int { return x.Began.Compare(y.Began) }) {
		if len(r.all) >= mostRuns && one.state().Ended {
			delete(r.all, one.ID)
		}
	}
}

func (r *runs) find(id string) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

// list are all replays, the newest first.
func (r *runs) list() []runView {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []runView
	for _, one := range r.all {
		list = append(list, one.state())
	}
	slices.SortFunc(list, func(x, y runView) int { return y.Began.Compare(x.Began) })
	return list
}

// runView is how far a replay is.
type runView struct {
	ID, Who, Why, Of string
	Began            time.Time
	Progress         admin.Progress
	Result           admin.Result
	Ended, Stopped   bool
	Failed           string
}

func (r *run) state() runView {
	r.mu.Lock()
	defer r.mu.Unlock()
	view := runView{ID: r.ID, Who: r.Who, Why: r.Why, Of: r.Of, Began: r.Began, Progress: r.progress, Result: r.result, Ended: r.ended, Stopped: r.stopped}
	if r.err != nil && !r.stopped {
		view.Failed = admin.Mask{}.Text(r.err.Error())
	}
	return view
}

func (v *visit) replays() error {
	v.show(page{Name: "replays", Title: v.lang.Text("Sent again"), Group: "/replays", View: v.c.runs.list()})
	return nil
}

func (v *visit) replayRun() error {
	one := v.c.runs.find(v.r.PathValue("id"))
	if one == nil {
		return errNoPage
	}
	v.show(page{Name: "run", Title: v.lang.Sprintf("Sending again %s", one.ID), Group: "/replays", View: one.state()})
	return nil
}

func (v *visit) stopReplay() error {
	one := v.c.runs.find(v.r.PathValue("id"))
	if one == nil {
		return errNoPage
	}
	one.mu.Lock()
	one.stopped = !one.ended
	one.mu.Unlock()
	one.stop()
	return v.redirect("/replays/" + one.ID)
}
