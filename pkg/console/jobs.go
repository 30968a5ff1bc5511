package console

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

// jobsView is bulk work: that which waits and is under way, and that of the last thirty days.
type jobsView struct {
	Jobs    []jobView
	Command string
}

// jobView is one job, as far as it is.
type jobView struct {
	admin.Job
	What      string  // it does, in words
	Word      word    // how it stands
	About     []named // what it works at
	Pace      float64 // so many things a second, since it began; 0 where that says nothing
	Rest      time.Duration
	Unreached int  // it has not come to, at its end
	Live      bool // it goes on by itself
	MayStop   bool
	MayGo     bool   // it can be continued, by this person
	MayFetch  bool   // this person may do what it only looked at
	Opens     string // address of what it has found; "" where there is nothing, or nothing for this person
	From      string // of a backfill: when its first day begins, as a filter takes it
	Command   string
}

// named is a value with what it is.
type named struct{ Name, Text string }

// jobWords say what a job does.
var jobWords = map[admin.JobKind]string{
	admin.JobReplay: "Send again", admin.JobDrop: "Drop for good", admin.JobRetriesNow: "Try at once", admin.JobRetriesCancel: "Give up",
	admin.JobAsideTake: "Take what was set aside", admin.JobBackfill: "Fetch past days", admin.JobFind: "Look for a phone number",
}

// jobSigns show how a job stands, by what Job.Stands says.
var jobSigns = map[string]word{
	string(admin.JobQueued): {Sign: "◔", Class: "wait"}, string(admin.JobRunning): {Sign: "◔", Class: "wait"}, admin.JobStopping: {Sign: "◔", Class: "wait"},
	admin.JobInterrupted: {Sign: "◐", Class: "wait"}, string(admin.JobStopped): {Sign: "○", Class: "wait"},
	string(admin.JobDone): {Sign: "✓", Class: "good"}, string(admin.JobFailed): {Sign: "✖", Class: "bad"},
}

// jobView is a job as it is shown to this person.
func (v *visit) jobView(j admin.Job) jobView {
	stands := jobSigns[j.Stands()]
	stands.Text = v.lang.Text(admin.JobStateWord(j.Stands()))
	view := jobView{Job: j, What: v.jobText(j), Word: stands, About: v.about(j.Work), Command: commandOf(j)}
	view.Problem = v.lang.Text(j.Problem)
	view.Live = !j.Ends() && !(j.Interrupted && j.Command)
	view.MayStop = v.may(Act) && !j.Ends() && !j.Stop
	view.MayGo = v.mayWork(j.Kind, j.Work) && (j.State == admin.JobStopped || j.State == admin.JobFailed || j.Interrupted && j.Command)
	view.MayFetch, view.From = v.may(Act), v.dayOf(j.Work.Site, j.Work.From)
	if one, held := v.c.found.take(j.ID, v.c.Now()); held && len(one.keys) > 0 && v.mayOpen(one) {
		view.Opens = "/events?found=" + j.ID
	}
	if view.Unreached = j.Left(); j.Result != nil {
		view.Unreached -= j.Result.Left + j.Result.Failed
	}
	if took := j.Seen.Sub(j.Began); j.State == admin.JobRunning && j.Done > 0 && took > 0 {
		view.Pace = float64(j.Done) / took.Seconds()
		view.Rest = time.Duration(float64(j.Left()) / view.Pace * float64(time.Second)).Round(time.Second)
	}
	return view
}

// dayOf is when a day of a site begins, as a filter of this console takes it: its zone may be another.
func (v *visit) dayOf(site, day string) string {
	s := v.admin.File.Site(site)
	if s == nil {
		return day
	}
	begins, _ := admin.ReadMoment(day, s.Location, v.c.Now())
	if text := begins.In(v.c.Zone()).Format("2006-01-02 15:04"); day != "" && text != day+" 00:00" {
		return text
	}
	return day
}

// mayWork reports whether the person may ask for such work.
func (v *visit) mayWork(kind admin.JobKind, w admin.Work) bool {
	if kind == admin.JobFind {
		return false // the process that was asked works at it, and nobody else
	}
	if kind == admin.JobDrop || w.Outcome == event.Delivered || w.Revision != "" {
		return v.may(Admin)
	}
	return v.may(Act)
}

// jobText says what a job does.
func (v *visit) jobText(j admin.Job) string {
	if j.Work.DryRun {
		return v.lang.Text("See which past events are not stored")
	}
	return orItself(v.lang, jobWords[j.Kind], string(j.Kind))
}

// about says what a job works at.
func (v *visit) about(w admin.Work) []named {
	var list []named
	add := func(name, text string) {
		if text != "" {
			list = append(list, named{v.lang.Text(name), text})
		}
	}
	if w.Outcome != "" {
		add("Outcome", inWords(v.lang, outcomeWords[w.Outcome], string(w.Outcome)).Text)
	}
	add("Link", w.Link)
	add("Site", v.c.siteName(w.Site))
	if w.Kind != "" {
		add("Kind", v.lang.Text(admin.KindWord(string(w.Kind))))
	}
	if w.Reason != "" {
		add("Reason", v.lang.Text(admin.ReasonWord(w.Reason)))
	}
	add("Status", nonzero(w.Status))
	if w.Cause != "" {
		add("Cause", v.causeWords(w.Cause))
	}
	add("Event", someOf(w.Events))
	add("Number", nonzero(int(w.Number)))
	add("Phone", w.Phone)
	add("Since", v.moment(w.Since)+w.From)
	add("Until", v.moment(w.Until)+w.To)
	add("Name of the correction", w.Revision)
	add("In place of", w.As)
	if w.Rate > 0 {
		add("Pace", v.lang.Sprintf("%v a second", w.Rate))
	}
	return list
}

func nonzero(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// someOf are the first of a list, with how many there are besides.
func someOf(list []string) string {
	const most = 5
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s, … (+%d)", strings.Join(list[:most], ", "), len(list)-most)
}

// moment is a moment in the site's zone; "" where there is none.
func (v *visit) moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(v.c.Zone()).Format(time.RFC3339)
}

// jobCommands are the commands that do what jobs do.
var jobCommands = map[admin.JobKind]string{
	admin.JobReplay: "touchbox replay", admin.JobDrop: "touchbox deadletters drop", admin.JobRetriesNow: "touchbox retries --now",
	admin.JobRetriesCancel: "touchbox retries --cancel", admin.JobAsideTake: "touchbox aside take", admin.JobBackfill: "touchbox backfill",
}

// commandOf is the command that asks for the same job.
func commandOf(j admin.Job) string {
	w, b := j.Work, strings.Builder{}
	if j.Kind == admin.JobFind {
		return "" // nobody has the number any more
	}
	b.WriteString(jobCommands[j.Kind])
	if w.Number > 0 {
		fmt.Fprintf(&b, " %d", w.Number)
	}
	flag := func(name, value string) {
		if value != "" {
			b.WriteString(" --" + name + " " + word4shell(value))
		}
	}
	flag("outcome", string(w.Outcome))
	flag("link", w.Link)
	flag("site", w.Site)
	flag("kind", dotted(cmp.Or(w.Kind, w.TakeAs)))
	flag("reason", w.Reason)
	flag("status", nonzero(w.Status))
	flag("cause", w.Cause)
	for _, key := range w.Events {
		flag("event", key)
	}
	flag("since", momentFlag(w.Since))
	flag("until", momentFlag(w.Until))
	flag("from", w.From)
	flag("to", w.To)
	flag("revision", w.Revision)
	flag("as", w.As)
	if w.Rate > 0 {
		flag("rate", strconv.FormatFloat(w.Rate, 'f', -1, 64)+"/s")
	}
	if w.DryRun {
		b.WriteString(" --dry-run")
	}
	if j.Kind != admin.JobAsideTake && j.Kind != admin.JobBackfill && j.Kind != admin.JobRetriesNow {
		flag("why", j.Why)
	}
	return b.String() + " --job"
}

// dotted is a kind as a command takes it; "" where there is none.
func dotted(k event.Kind) string {
	if k == "" {
		return ""
	}
	return k.Dotted()
}

func momentFlag(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func (v *visit) jobs() error {
	jobs, err := v.admin.Jobs(v.ctx())
	if err != nil {
		return err
	}
	view, live := jobsView{Command: "touchbox jobs"}, false
	for _, j := range jobs[:min(len(jobs), mostRows)] {
		one := v.jobView(j)
		view.Jobs, live = append(view.Jobs, one), live || one.Live
	}
	v.show(page{Name: "jobs", Title: v.lang.Text("Jobs"), Group: "/jobs", View: view, Refresh: refreshed(live)})
	return nil
}

// jobsToMend are the jobs of the last day that need a person. Those that cannot be read are not missed: the page has more to say.
func (v *visit) jobsToMend() []attention {
	const day = 24 * time.Hour
	jobs, err := v.admin.Jobs(v.ctx())
	if err != nil {
		return nil
	}
	var list []attention
	for _, j := range jobs {
		if v.c.Now().Sub(j.Seen) > day || j.Kind == admin.JobFind {
			continue
		}
		one := attention{Hint: v.lang.Text("Its page says why, and lets it go on: what it has done is not done again."), Href: "/jobs/" + j.ID, Link: v.lang.Text("The job")}
		switch {
		case j.State == admin.JobFailed:
			one.What = v.lang.Sprintf("A job has failed: %s, %d of %d.", v.jobText(j), j.Done, j.Found)
		case j.Interrupted && j.Command:
			one.What = v.lang.Sprintf("A command that worked at a job has ended before it: %s, %d of %d.", v.jobText(j), j.Done, j.Found)
		default:
			continue
		}
		list = append(list, one)
	}
	return list
}

// refreshed is after how many seconds a page without scripts is loaded anew; 0: it stays as it is.
func refreshed(live bool) int {
	const seconds = 5
	if live {
		return seconds
	}
	return 0
}

func (v *visit) job() error {
	j, err := v.admin.JobOf(v.ctx(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	view := v.jobView(j)
	v.show(page{Name: "job", Title: view.What, Group: "/jobs", View: view, Refresh: refreshed(view.Live)})
	return nil
}

// jobLooks is how often a stream looks how far a job is.
const jobLooks = time.Second

// jobStream sends how far a job is, as the part of its page, whenever that changes, and ends with the job.
func (v *visit) jobStream() error {
	j, err := v.admin.JobOf(v.ctx(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.stream(func(ctx context.Context, out *stream) error {
		looks := time.NewTicker(jobLooks)
		defer looks.Stop()
		for last := ""; ; {
			view := v.jobView(j)
			var b bytes.Buffer
			if err := v.c.pages[v.lang]["job"].ExecuteTemplate(&b, "part-job", view); err != nil {
				return err
			}
			if now := b.String(); now != last {
				last = now
				if err := out.send("part", now); err != nil {
					return err
				}
			}
			if !view.Live {
				return out.send("end", "")
			}
			select {
			case <-ctx.Done():
				return nil
			case <-looks.C:
			}
			if j, err = v.admin.JobOf(ctx, j.ID); err != nil {
				return err
			}
		}
	})
}

func (v *visit) stopJob() error {
	id := v.r.PathValue("id")
	if err := v.admin.StopJob(v.ctx(), id); err != nil && !errors.Is(err, admin.ErrJobEnded) { // the page says how it ended
		return err
	}
	return v.redirect("/jobs/" + id)
}

func (v *visit) continueJob() error {
	id := v.r.PathValue("id")
	j, err := v.admin.JobOf(v.ctx(), id)
	if err != nil {
		return err
	}
	if !v.mayWork(j.Kind, j.Work) {
		return errForbidden
	}
	if err := v.admin.ContinueJob(v.ctx(), id); err != nil {
		return err
	}
	return v.redirect("/jobs/" + id)
}

// asked is bulk work that a form asks for.
type asked struct {
	kind admin.JobKind
	work admin.Work
	why  string
	most int    // above so many the number has to be typed; 0: never
	back string // the page with the form
}

// ask counts what the work has to do with now, and leaves it to a job: unless it is nothing, or by a tenth more than the
// person was shown, which is then shown again. again is how that page is shown; nil leads to it.
func (v *visit) ask(a asked, again func() error) error {
	if !v.mayWork(a.kind, a.work) {
		return errForbidden
	}
	shown, err := strconv.Atoi(v.r.FormValue("shown"))
	if err != nil {
		return errBadForm
	}
	n, err := v.admin.CountWork(v.ctx(), a.kind, a.work)
	switch {
	case err != nil:
		return err
	case n == 0:
		return v.redirect(joined(a.back, "done=nothing"))
	case admin.Grown(n, shown) || a.most > 0 && !v.typed(n, shown, a.most):
		if again != nil {
			return again()
		}
		return v.redirect(joined(a.back, "done=more"))
	}
	return v.leave(a)
}

// leave leaves work to a job, and leads to its page.
func (v *visit) leave(a asked) error {
	who := v.admin
	who.Actor.Request = v.r.FormValue("request")
	job, err := who.AskJob(v.ctx(), a.kind, a.work, a.why)
	if err != nil {
		return err
	}
	v.c.standing.forget()
	return v.redirect("/jobs/" + job.ID)
}

// joined is an address with one more parameter.
func joined(path, parameter string) string {
	if strings.Contains(path, "?") {
		return path + "&" + parameter
	}
	return path + "?" + parameter
}

// work is what a filter selects, as a job works at it. errBadForm.
func (v *visit) work(f filter) (admin.Work, error) {
	s, err := v.selection(f)
	if err != nil {
		return admin.Work{}, err
	}
	s.Outcome = "" // only a replay has one
	return admin.WorkOf(s, admin.ReplayOptions{}), nil
}
