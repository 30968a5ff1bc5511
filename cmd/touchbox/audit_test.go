package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
)

// Whatever a command changes or shows unmasked stands in the audit under the name of whoever gave it, and no entry holds a phone.
func TestAuditSaysWhoDidWhat(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2)
	o.setAside("10001", "no_id", "callerphone=79161234567")
	for _, line := range []string{
		"links stop calls --why holidays", "links start calls", "event 1 --reveal", "events --reveal --link calls", "event --phone 79160000001",
		"deadletters --reveal", "deadletters show 1 --reveal", "retries --reveal", "aside --reveal", "aside show 1 --reveal", "fields --reveal",
		"explain --link calls 1 --reveal", "replay --dry-run --reveal", "deadletters drop --event 2 --why mistake --yes", "replay --event 1 --why mended",
		"retries --cancel --event 1 --why enough --yes", "aside take 1", "erase --phone 79160000001 --yes", "send --link calls 2 --yes",
	} {
		o.runs(0, strings.Fields(line)...)
	}
	for _, line := range []string{"event 2", "links", "deadletters", "audit"} { // these leave nothing
		o.runs(0, strings.Fields(line)...)
	}
	var list []admin.AuditEntry
	o.reads(&list, "audit")
	var got []string
	for _, e := range list {
		if e.Who != "oleg" || e.By != admin.ByCLI || e.Address == "" {
			t.Errorf("by whom: %+v", e)
		}
		got = append(got, e.Verb+" "+e.On)
	}
	want := []string{
		"link_stop link calls", "link_start link calls", "reveal 10001/call-ended/1", "reveal events: link calls", "find_phone *********01",
		"reveal deadletters: all", "reveal deadletters: event 10001/call-ended/1", "reveal retries: all", "reveal aside: all", "reveal aside: number 1",
		"reveal fields: site 10001", "reveal 10001/call-ended/1", "reveal replay --dry-run: dead: all",
		"deadletters_drop event 10001/call-ended/2", "deadletters_drop event 10001/call-ended/2",
		"replay dead: event 10001/call-ended/1", "replay dead: event 10001/call-ended/1",
		"retries_cancel event 10001/call-ended/1", "retries_cancel event 10001/call-ended/1", "aside_take number 1", "aside_take number 1",
		"find_phone a person", "erase a person", "erase a person", "send 10001/call-ended/2, link calls",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	out, _ := o.runs(0, "audit", "--verb", "link_stop")
	if !strings.Contains(out, "holidays") || strings.Contains(out, "link_start") {
		t.Errorf("--verb:\n%s", out)
	}
	if out, _ = o.runs(0, "audit", "--who", "anna"); strings.Contains(out, "oleg") {
		t.Errorf("--who:\n%s", out)
	}
	if out, _ = o.runs(0, "audit", "--json", "--limit", "1000"); strings.Contains(out, "916000000") || strings.Contains(out, "9161234567") {
		t.Errorf("a phone:\n%s", out)
	}
	o.runs(2, "audit", "--since", "soon")
	o.runs(2, "audit", "--limit", "0")
}

func TestLinksSayWhoStoppedOneAndWhy(t *testing.T) {
	o := newOperator(t)
	o.runs(0, "links", "stop", "calls", "--why", "until the template is there")
	out, _ := o.runs(0, "links", "--fast")
	if !strings.Contains(out, "calls was stopped by oleg at ") || !strings.Contains(out, ": until the template is there") {
		t.Errorf("links:\n%s", out)
	}
	var view linksJSON
	o.reads(&view, "links", "--fast")
	if l := view.Links[0]; l.By != "oleg" || l.Why != "until the template is there" || l.At == nil {
		t.Errorf("links --json: %+v", l)
	}
}

func TestJobsAreAskedForListedAndTurned(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2, 3)
	var asked, shown admin.Job
	o.reads(&asked, "replay", "--event", "1", "--job", "--why", "mended")
	if asked.Kind != admin.JobReplay || asked.State != admin.JobQueued || asked.Who != "oleg" || asked.Why != "mended" {
		t.Errorf("asked: %+v", asked)
	}
	o.runs(0, "jobs", "stop", asked.ID)
	if out, _ := o.runs(0, "jobs", "show", asked.ID); !strings.Contains(out, "stopped") || !strings.Contains(out, "touchbox jobs continue "+asked.ID) {
		t.Errorf("stopped:\n%s", out)
	}
	o.runs(0, "jobs", "continue", asked.ID)
	o.runs(0, "deadletters", "drop", "--event", "2", "--why", "mistake", "--yes", "--job")
	o.runs(0, "retries", "--now", "--job")
	o.runs(0, "aside", "take", "--reason", "no_id", "--job")
	o.runs(2, "retries", "--job")
	a := app.NewAdmin(o.queue, o.file)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = admin.RunJobs(ctx, func() admin.Admin { return a }, slices.Concat(admin.WorkerJobs, admin.IngestJobs), zerolog.Nop()) // it returns no error
	}()
	o.until("all have ended", func() bool {
		jobs, err := a.Jobs(t.Context())
		return err == nil && !slices.ContainsFunc(jobs, func(j admin.Job) bool { return !j.Ends() })
	})
	o.reads(&shown, "jobs", "show", asked.ID)
	if shown.State != admin.JobDone || shown.Changed != 1 || o.dead() != 1 {
		t.Errorf("done: %+v, %d are dead", shown, o.dead())
	}
	o.runs(0, "replay", "--event", "3") // by the command itself
	var list []admin.Job
	o.reads(&list, "jobs")
	if len(list) != 5 || list[0].State != admin.JobDone || !list[0].Command || list[0].Result == nil || list[0].Result.Replayed != 1 {
		t.Errorf("jobs: %+v", list)
	}
	for _, j := range list {
		if j.State != admin.JobDone {
			t.Errorf("job %+v", j)
		}
	}
	if out, _ := o.runs(0, "jobs"); strings.Count(out, "oleg") != 5 || !strings.Contains(out, "1/1") {
		t.Errorf("jobs:\n%s", out)
	}
	o.runs(2, "jobs", "stop", asked.ID)
	o.runs(2, "jobs", "show", "nope")
}
