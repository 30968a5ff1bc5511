package bridge_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// pastEvents lie in pastDays days before yesterday. A command asks Calltouch twice a second, for
// calls and for requests of each day.
const (
	pastEvents = 150
	pastDays   = 3
)

// counts are what backfill and replay print, as far as this test needs it.
type counts struct {
	New, Known, Aside int
	InProgress        int  `json:"in_progress"`
	DryRun            bool `json:"dry_run"`
	Matches           map[string]int
}

// gapsRow is one row of gaps.
type gapsRow struct {
	Listed, Stored, Missing int
	Outcomes                map[string]int
}

// past is a running bridge and a Calltouch with a past that the bridge has not seen.
type past struct {
	*stack
	t        *testing.T
	bridge   *process
	cabinet  *calltouchtest.Calltouch
	box      *mindbox
	span     []string // flags
	calls    int
	requests int
}

func newPast(t *testing.T) *past {
	cabinet := calltouchtest.New(calltouchtest.Config{Seed: 5, Token: "api-token"})
	zone := time.FixedZone("UTC+3", 3*60*60)
	year, month, day := time.Now().In(zone).Date()
	from := time.Date(year, month, day-1-pastDays, 0, 0, 0, 0, zone)
	to := from.AddDate(0, 0, pastDays)
	cabinet.Populate(pastEvents, from.Add(time.Hour), to.Add(-time.Hour))
	p := &past{t: t, stack: newStack(t), cabinet: cabinet, box: newMindbox(t, mindboxtest.Config{Secret: "mindbox-secret"})}
	p.calls, p.requests = len(cabinet.Calls()), len(cabinet.Requests())
	p.span = []string{"--site", "clinic", "--from", from.Format(time.DateOnly), "--to", to.AddDate(0, 0, -1).Format(time.DateOnly), "--json"}
	p.configure(strings.NewReplacer("CALLTOUCH", here(t, cabinet), "MINDBOX", p.box.url, // no loop of ours reads so far back
		"every: 1s, sweep: 1d", "every: 1h, sweep: 1s", "every: 4s, sweep: 1d", "every: 1h, sweep: 1s").Replace(lossyConfig))
	p.bridge = p.up()
	return p
}

// gaps runs the command and returns its rows in one.
func (p *past) gaps(wantCode int) gapsRow {
	p.t.Helper()
	stdout, stderr, code := run(p.t, p.env, "", "touchbox", append([]string{"gaps"}, p.span...)...)
	var rows []gapsRow
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != wantCode {
		p.t.Fatalf("gaps: exit code %d, want %d: %v %s%s", code, wantCode, err, stdout, stderr)
	}
	if len(rows) != 2*pastDays {
		p.t.Errorf("gaps: %d rows", len(rows))
	}
	sum := gapsRow{Outcomes: map[string]int{}}
	for _, r := range rows {
		sum.Listed, sum.Stored, sum.Missing = sum.Listed+r.Listed, sum.Stored+r.Stored, sum.Missing+r.Missing
		for outcome, n := range r.Outcomes {
			sum.Outcomes[outcome] += n
		}
	}
	return sum
}

func (p *past) backfill(flags ...string) counts {
	p.t.Helper()
	stdout, stderr, code := run(p.t, p.env, "", "touchbox", append(append([]string{"backfill"}, p.span...), flags...)...)
	var c counts
	if err := json.Unmarshal([]byte(stdout), &c); err != nil || code != 0 {
		p.t.Fatalf("backfill: exit code %d: %v %s%s", code, err, stdout, stderr)
	}
	return c
}

func TestPastIsBroughtBack(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "days of a cabinet are read")
	p := newPast(t)
	if g := p.gaps(1); g.Listed != pastEvents || g.Missing != pastEvents || g.Stored != 0 {
		t.Errorf("before: %+v, want %d missing", g, pastEvents)
	}
	dry := p.backfill("--dry-run")
	if !dry.DryRun || dry.New != pastEvents || dry.Matches["requests"] != p.requests || dry.Matches["dynamic"]+dry.Matches["static"] != p.calls {
		t.Errorf("dry run: %+v, want %d new, %d calls, %d requests", dry, pastEvents, p.calls, p.requests)
	}
	p.interrupt()
	before := p.cabinet.Stats().API.Asked
	if full := p.backfill(); full.New != pastEvents || full.Known != 0 {
		t.Errorf("both runs together: %+v, want %d new: the dry run stored nothing, the first one counts", full, pastEvents)
	}
	if asked := p.cabinet.Stats().API.Asked - before; asked > 2*pastDays-2 {
		t.Errorf("the second run asked %d times: it began anew", asked)
	}
	if g := p.gaps(0); g.Listed != pastEvents || g.Stored != pastEvents || g.Outcomes["untaken"] != 2*p.calls+p.requests {
		t.Errorf("after: %+v, want all %d stored and untaken", g, pastEvents)
	}
	eventually(t, 20*time.Second, "the links are idle", func() bool { return p.idle("dynamic", "static", "requests") })
	if n := p.box.Stats().Requests; n != 0 {
		t.Fatalf("%d operations were sent for what a backfill stored", n)
	}
	p.replay()
}

// interrupt begins a backfill, presses Ctrl-C in the middle of it, and wants to be told that it goes on.
func (p *past) interrupt() {
	p.t.Helper()
	before := p.cabinet.Stats().API.Answered
	first := start(p.t, p.env, "touchbox", append([]string{"backfill"}, p.span...)...)
	eventually(p.t, 20*time.Second, "a half of the backfill is done", func() bool { return p.cabinet.Stats().API.Answered-before >= pastDays })
	if err := first.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	<-first.done
	jobs, _, _ := run(p.t, p.env, "", "touchbox", "jobs")
	if !strings.Contains(jobs, "fetched past days") || !strings.Contains(jobs, "stopped by a person") || !strings.Contains(jobs, "site 10001, ") {
		p.t.Errorf("the list of jobs lacks it: %s", jobs)
	}
	if code := first.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(first.out.String(), "the same command goes on") {
		p.t.Errorf("interrupted: exit code %d, %s", code, first.out)
	}
}

// ask leaves a backfill to the bridge, and returns the address of its job.
func (p *past) ask(flags ...string) string {
	p.t.Helper()
	stdout, stderr, code := run(p.t, p.env, "", "touchbox", append(append([]string{"backfill", "--job"}, p.span...), flags...)...)
	var job struct{ ID string }
	if err := json.Unmarshal([]byte(stdout), &job); err != nil || code != 0 {
		p.t.Fatalf("backfill --job: exit code %d: %v %s%s", code, err, stdout, stderr)
	}
	return "/jobs/" + job.ID
}

// The bridge fetches past days by a job, first to see what that would bring, and is killed in the middle of it.
func TestPastDaysAreFetchedByAJobThatOutlivesAKill(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "days of a cabinet are read, and a lease runs out")
	p := newPast(t)
	look := p.ask("--dry-run")
	eventually(t, time.Minute, "the look is done", func() bool { return p.jobAt(look).State == "done" })
	if j := p.jobAt(look); j.Filled.New != pastEvents || j.Filled.Matches["requests"] != p.requests || j.Done != 2*pastDays || j.Changed != 0 {
		t.Errorf("the look: %+v", j)
	}
	fill := p.ask()
	eventually(t, time.Minute, "a part is fetched", func() bool { j := p.jobAt(fill); return j.Done > 0 && j.State == "running" })
	p.bridge.kill()
	p.bridge = p.up()
	eventually(t, 2*time.Minute, "the other process ends it", func() bool { return p.jobAt(fill).State == "done" })
	if j := p.jobAt(fill); j.Filled.New+j.Filled.Known != pastEvents || j.Done != 2*pastDays {
		t.Errorf("%+v", j)
	}
	if g := p.gaps(0); g.Stored != pastEvents {
		t.Errorf("after: %+v, want all %d stored", g, pastEvents)
	}
}

// replay delivers what was brought back, as a person would, and finds nothing left then.
func (p *past) replay() {
	p.t.Helper()
	for range 2 {
		stdout, stderr, code := run(p.t, p.env, "", "touchbox", "replay", "--outcome", "untaken", "--yes")
		if code != 0 {
			p.t.Fatalf("replay: exit code %d: %s%s", code, stdout, stderr)
		}
		eventually(p.t, 60*time.Second, "all that was brought back is executed", func() bool { return p.box.Stats().Executed >= pastEvents })
		eventually(p.t, 20*time.Second, "the links are idle", func() bool { return p.idle("dynamic", "static", "requests") })
	}
	for id, n := range p.box.executions() {
		if n != 1 || len(p.box.transactions(id)) != 1 {
			p.t.Errorf("%s was executed %d times, under %d transaction ids", id, n, len(p.box.transactions(id)))
		}
	}
	if stats := p.box.Stats(); stats.Executed != pastEvents || stats.Requests != pastEvents {
		p.t.Errorf("%d executed, %d sent, want %d", stats.Executed, stats.Requests, pastEvents)
	}
}
