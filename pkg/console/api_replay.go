package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// replayAsked says what is to be sent again: by a preview, or, not having looked, by a selection.
type replayAsked struct {
	selectionAsked
	Preview string  `json:"preview"`
	Unseen  bool    `json:"unseen"`
	Why     string  `json:"why"`
	Rate    float64 `json:"rate"` // at most so many a second; 0: as fast as it goes
}

// selectionAsked says which events, and as what.
type selectionAsked struct {
	Outcome  string `json:"outcome"` // "" is dead
	Link     string `json:"link"`
	Site     string `json:"site"`
	Kind     string `json:"kind"`
	Reason   string `json:"reason"`
	Status   *int   `json:"status"`
	Since    string `json:"since"`
	Until    string `json:"until"`
	Cause    string `json:"cause"`
	Event    string `json:"event"`
	Revision string `json:"revision"`
	As       string `json:"as"`
}

// asksFor is what is asked for, checked. errForbidden: delivered events, and corrections, are an admin's.
func (v *visit) asksFor(ask selectionAsked) (admin.Selection, admin.ReplayOptions, error) {
	f := retriesAsked{Link: ask.Link, Site: ask.Site, Kind: ask.Kind, Reason: ask.Reason, Status: ask.Status, Since: ask.Since, Until: ask.Until}.filter()
	f.Outcome, f.Cause, f.Event = ask.Outcome, ask.Cause, ask.Event
	o := admin.ReplayOptions{Revision: strings.TrimSpace(ask.Revision), As: ask.As}
	if err := v.isOutcome(f.Outcome); err != nil {
		return admin.Selection{}, o, err
	}
	if err := v.knowsLink("as", ask.As); err != nil {
		return admin.Selection{}, o, err
	}
	s, err := v.selection(f)
	if err == nil && !v.mayWork(admin.JobReplay, admin.WorkOf(s, o)) {
		err = errForbidden
	}
	o.Of = s
	return s, o, err
}

// previewView is what a replay would do, before it is asked for.
type previewView struct {
	Preview   string         `json:"preview"` // by which the replay is asked for
	Until     time.Time      `json:"until"`   // not later than this
	On        string         `json:"on"`      // what it would work at, in words
	Found     int            `json:"found"`
	AtMost    bool           `json:"at_most,omitempty"` // there may be fewer: not all that may be meant was read
	Looked    int            `json:"looked"`            // at so many of them, evenly picked
	WouldSend int            `json:"would_send"`        // of those that were looked at
	Forecast  admin.Forecast `json:"forecast"`          // of those that were looked at
}

func (v *visit) apiPreview() error {
	ask, err := body[selectionAsked](v)
	if err != nil {
		return err
	}
	s, o, err := v.asksFor(ask)
	if err != nil {
		return err
	}
	picked, err := v.admin.Pick(v.ctx(), s, mostForecast)
	if err != nil {
		return err
	}
	forecast, err := v.admin.ForecastWithin(v.ctx(), picked.Items, o, forecastWithin)
	if err != nil {
		return err
	}
	hash, kept, err := v.admin.KeepPreview(v.ctx(), admin.WorkOf(s, o), picked.Found)
	if err != nil {
		return err
	}
	return v.answer(http.StatusOK, previewView{hash, kept.Until, s.Text(), picked.Found, picked.AtMost, forecast.Selected, forecast.WouldSend(), forecast})
}

func (v *visit) apiReplay() error {
	ask, err := body[replayAsked](v)
	switch {
	case err != nil:
		return err
	case ask.Rate < 0:
		return errField{name: "rate"}
	case ask.Preview == "" && !ask.Unseen:
		return errAsked{v.lang.Text(`Say of which preview this is ("preview": its hash, of POST /api/v1/replays/preview), or that nobody has looked ("unseen": true).`)}
	case ask.Preview != "" && (ask.Unseen || ask.selectionAsked != selectionAsked{}):
		return errAsked{v.lang.Text("A preview says already which events it is about: send preview, why and rate alone.")}
	}
	var job admin.Job
	if ask.Preview != "" {
		job, err = v.askPreviewed(ask)
	} else {
		job, err = v.askUnseen(ask)
	}
	if err != nil {
		return err
	}
	return v.asked(job, "/api/v1/replays/")
}

// askPreviewed asks for what somebody has looked at: whoever asks must be allowed what the preview is of.
func (v *visit) askPreviewed(ask replayAsked) (admin.Job, error) {
	p, err := v.admin.PreviewOf(v.ctx(), ask.Preview)
	if err == nil && !v.mayWork(admin.JobReplay, p.Work) {
		err = errForbidden
	}
	if err != nil {
		return admin.Job{}, err
	}
	return v.admin.AskPreviewed(v.ctx(), ask.Preview, ask.Rate, ask.Why)
}

func (v *visit) askUnseen(ask replayAsked) (admin.Job, error) {
	s, o, err := v.asksFor(ask.selectionAsked)
	if err != nil {
		return admin.Job{}, err
	}
	o.Rate = ask.Rate
	return v.admin.AskJob(v.ctx(), admin.JobReplay, admin.WorkOf(s, o), ask.Why)
}

// jobOf is a job as this person may see it: from where a colleague works is the audit's, and so an admin's.
func (v *visit) jobOf(j admin.Job) admin.Job {
	if !v.may(Admin) {
		j.Address = ""
	}
	return j
}

// replayJob is the replay that the address names. admin.ErrNoJob.
func (v *visit) replayJob() (admin.Job, error) {
	j, err := v.admin.JobOf(v.ctx(), v.r.PathValue("id"))
	if err == nil && j.Kind != admin.JobReplay {
		err = admin.ErrNoJob
	}
	return j, err
}

func (v *visit) apiReplayOf() error {
	if _, _, err := v.asks(); err != nil {
		return err
	}
	j, err := v.replayJob()
	if err != nil {
		return err
	}
	return v.answer(http.StatusOK, v.jobOf(j))
}

func (v *visit) apiStopReplay() error {
	if _, err := body[struct{}](v); err != nil {
		return err
	}
	j, err := v.replayJob()
	if err == nil {
		err = v.admin.StopJob(v.ctx(), j.ID)
	}
	if err == nil {
		j, err = v.replayJob()
	}
	if err != nil {
		return err
	}
	return v.answer(http.StatusOK, v.jobOf(j))
}
