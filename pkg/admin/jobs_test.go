package admin_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

var everyKind = append(append([]admin.JobKind{}, admin.WorkerJobs...), admin.IngestJobs...)

// ask puts a job in the queue.
func (h *house) ask(kind admin.JobKind, w admin.Work, why string) string {
	h.t.Helper()
	job, err := h.AskJob(h.t.Context(), kind, w, why)
	if err != nil {
		h.t.Fatal(err)
	}
	return job.ID
}

// job is how a job stands.
func (h *house) job(id string) admin.Job {
	h.t.Helper()
	j, err := h.JobOf(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return j
}

// worker works off jobs until the returned function is called, which waits for its end.
func (h *house) worker() (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	desk := h.Admin
	desk.Actor = admin.Actor{}
	go func() { done <- admin.RunJobs(ctx, func() admin.Admin { return desk }, everyKind, zerolog.Nop()) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	}
}

func TestJobsDoWhatTheCommandsDo(t *testing.T) {
	h := newHouse(t)
	h.Actor = anna
	h.die(1, 2, 3, 4)
	if err := h.Queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte("callerphone=79161234567&duration=9"), Received: time.Now()}); err != nil {
		t.Fatal(err)
	}
	drop := h.ask(admin.JobDrop, admin.Work{Events: []string{call(1).String()}}, "a test call")
	replay := h.ask(admin.JobReplay, admin.Work{Link: "dynamic"}, "mended")
	take := h.ask(admin.JobAsideTake, admin.Work{Reason: "no_id", TakeAs: event.CallEnded}, "")
	if _, err := h.AskJob(t.Context(), admin.JobDrop, admin.Work{}, ""); !errors.Is(err, admin.ErrNoWhy) {
		t.Errorf("a drop without a reason: %v", err)
	}
	if _, err := h.AskJob(t.Context(), admin.JobReplay, admin.Work{Outcome: event.Delivered}, ""); !errors.Is(err, admin.ErrRevision) {
		t.Errorf("a replay of what was delivered: %v", err)
	}
	stop := h.worker()
	for _, id := range []string{drop, replay, take} {
		h.until("job "+id+" is done", func() bool { return h.job(id).State == admin.JobDone })
	}
	cancel := h.ask(admin.JobRetriesCancel, admin.Work{Events: []string{call(2).String(), call(3).String()}}, "no more")
	h.until("the retries are cancelled", func() bool { return h.job(cancel).State == admin.JobDone })
	now := h.ask(admin.JobRetriesNow, admin.Work{}, "")
	h.until("what waits was made due", func() bool { return h.job(now).State == admin.JobDone })
	stop()
	for id, want := range map[string][3]int{drop: {1, 1, 1}, replay: {3, 3, 3}, take: {1, 1, 1}, cancel: {2, 2, 2}} {
		if j := h.job(id); [3]int{j.Found, j.Done, j.Changed} != want || j.Who != "Анна" || j.Ended.IsZero() {
			t.Errorf("job %+v, want %v", j, want)
		}
	}
	entries := h.entries()
	for _, want := range []string{
		"deadletters_drop event 10001/call-ended/1 0 0 a test call", "deadletters_drop event 10001/call-ended/1 1 1 a test call",
		"replay dead: link dynamic 3 3 mended", "aside_take reason no_id 1 1 ", "retries_cancel event 10001/call-ended/2, event 10001/call-ended/3 2 2 no more",
	} {
		found := false
		for _, e := range entries {
			found = found || e == want
		}
		if !found {
			t.Errorf("no %q in the audit: %q", want, entries)
		}
	}
	records, err := h.Queue.History(t.Context(), call(2))
	if err != nil || records[len(records)-1].By != "Анна" {
		t.Errorf("the note is by %+v, %v", records, err)
	}
}

// What a job has made fail itself it does not take again, when it goes on.
func TestAJobTakesNothingThatIsYounger(t *testing.T) {
	h := newHouse(t)
	h.die(1)
	id := h.ask(admin.JobReplay, admin.Work{}, "")
	h.publish(2)
	stop := h.run("dynamic", always(refused))
	h.wait("dynamic", event.Dead, 2)
	stop()
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobDone || j.Changed != 1 {
		t.Errorf("%+v", j)
	}
	if dead := queuetest.DeadLetters(t, h.Queue, queue.Filter{}); len(dead) != 1 || dead[0].Event.Key != call(2) {
		t.Errorf("dead: %+v", dead)
	}
}

// withToken is the file with a token of Calltouch's API.
func withToken() linktest.File {
	file := config
	file.Site += "\ntoken: the-token-of-the-site"
	return file
}

// stopped stops a job that runs, and returns how long that took.
func (h *house) stopped(id string) time.Duration {
	h.t.Helper()
	asked := time.Now()
	if err := h.StopJob(h.t.Context(), id); err != nil {
		h.t.Fatal(err)
	}
	h.until("it is stopped", func() bool { return h.job(id).State == admin.JobStopped })
	return time.Since(asked)
}

// stopWithin is how soon a job stops that is to stop.
const stopWithin = 2 * time.Second

// A job that waits for its next turn, for its link or for an answer stops as soon as one that is busy.
func TestAJobStopsWhateverItWaitsFor(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3)
	h.Backfill = func(ctx context.Context, _ admin.Days, told func(admin.BackfillProgress)) (admin.Backfilled, error) {
		told(admin.BackfillProgress{Done: 1, Total: 4, Sum: admin.Backfilled{New: 7}, Waits: "Calltouch: 502; next try in 1m0s"})
		<-ctx.Done()
		return admin.Backfilled{New: 7}, ctx.Err()
	}
	h.File = withToken().Parse(t)
	stop := h.worker()
	defer stop()
	slow := h.ask(admin.JobReplay, admin.Work{Rate: 0.01}, "")
	h.until("the first is through", func() bool { return h.job(slow).Done == 1 })
	fill := h.ask(admin.JobBackfill, admin.Work{Site: "10001", From: "2026-11-01", To: "2026-11-02"}, "")
	h.until("it waits", func() bool { return h.job(fill).Problem != "" })
	if j := h.job(fill); j.Found != 4 || j.Done != 1 || j.Filled == nil || j.Filled.New != 7 || j.On != "site 10001, 2026-11-01 to 2026-11-02" {
		t.Errorf("%+v", j)
	}
	for _, id := range []string{slow, fill} {
		if took := h.stopped(id); took > stopWithin {
			t.Errorf("%s: it took %s", h.job(id).Kind, took)
		}
	}
	if j := h.job(slow); j.Changed != 1 || j.Left() != 2 {
		t.Errorf("%+v", j)
	}
	if j := h.job(fill); j.Changed != 7 || j.Problem != "" {
		t.Errorf("%+v", j)
	}
}

func TestABackfillIsRefusedThatCannotBe(t *testing.T) {
	h := newHouse(t)
	for want, w := range map[error]admin.Work{
		admin.ErrNoSite: {Site: "99999", From: "2026-11-01", To: "2026-11-02"}, admin.ErrNoToken: {Site: "10001", From: "2026-11-01", To: "2026-11-02"},
	} {
		if _, err := h.AskJob(t.Context(), admin.JobBackfill, w, ""); !errors.Is(err, want) {
			t.Errorf("%+v: %v", w, err)
		}
	}
	h.File = withToken().Parse(t)
	for _, w := range []admin.Work{
		{Site: "10001", From: "2026-11-02", To: "2026-11-01"}, {Site: "10001", From: "yesterday", To: "2026-11-01"}, {Site: "10001", From: "2026-11-01"},
		{Site: "10001", From: "2999-11-01", To: "2999-11-02"}, {Site: "10001", From: "2026-11-01", To: "2026-11-01", Kind: event.CallStarted},
	} {
		if _, err := h.AskJob(t.Context(), admin.JobBackfill, w, ""); !errors.Is(err, admin.ErrDays) {
			t.Errorf("%+v: %v", w, err)
		}
	}
}

// What a command is about to work at, nobody else takes.
func TestAJobOfACommandIsLeftToIt(t *testing.T) {
	h := newHouse(t)
	h.die(1)
	job := admin.Job{ID: "ofcommand", Kind: admin.JobReplay, State: admin.JobQueued, Asked: time.Now(), Command: true}
	if _, err := h.Queue.State().Create(t.Context(), event.JobKeys.Of(job.ID), job); err != nil {
		t.Fatal(err)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(job.ID); j.State != admin.JobQueued {
		t.Errorf("%+v", j)
	}
	h.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	if j := h.job(job.ID); !j.Interrupted { // the command died before it began
		t.Errorf("%+v", j)
	}
	if err := h.ContinueJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(job.ID); j.State != admin.JobDone || j.Changed != 1 {
		t.Errorf("%+v", j)
	}
}

// A job that nobody works at holds up no other over the same things.
func TestAJobThatWasLeftHoldsUpNoOther(t *testing.T) {
	h := newHouse(t)
	h.die(1)
	left := admin.Job{ID: "leftbehind", Kind: admin.JobReplay, State: admin.JobRunning, Asked: time.Now(), Began: time.Now(), Command: true}
	if _, err := h.Queue.State().Create(t.Context(), event.JobKeys.Of(left.ID), left); err != nil {
		t.Fatal(err)
	}
	id := h.ask(admin.JobDrop, admin.Work{Link: "dynamic"}, "test calls")
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobDone || j.Changed != 1 {
		t.Errorf("%+v", j)
	}
}

// What a killed process came through after it had written its numbers last is through all the same.
func TestAJobOfAKilledProcessCountsAllThatIsThrough(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2)
	job := admin.Job{ID: "ofakilled", Kind: admin.JobReplay, State: admin.JobRunning, Asked: time.Now().Add(time.Minute), Began: time.Now(), Found: 5, Done: 1, Changed: 1}
	if _, err := h.Queue.State().Create(t.Context(), event.JobKeys.Of(job.ID), job); err != nil {
		t.Fatal(err)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(job.ID); j.State != admin.JobDone || j.Found != 5 || j.Done != 5 || j.Left() != 0 {
		t.Errorf("%+v", j)
	}
}

// What a preview told of counts for ten minutes, and as long as there is not much more.
func TestAPreviewCountsForAWhile(t *testing.T) {
	h := newHouse(t)
	h.die(1)
	now := time.Now()
	h.Now = func() time.Time { return now }
	hash, _, err := h.KeepPreview(t.Context(), admin.Work{Link: "dynamic"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := h.PreviewOf(t.Context(), hash); err != nil || p.Found != 1 || p.Work.Link != "dynamic" {
		t.Errorf("%+v, %v", p, err)
	}
	now = now.Add(10 * time.Minute)
	if _, err := h.AskPreviewed(t.Context(), hash, 0, ""); !errors.Is(err, admin.ErrNoPreview) {
		t.Errorf("after ten minutes: %v", err)
	}
	for now, told := range map[int]int{0: 0, 10: 10, 11: 10, 110: 100} {
		if admin.Grown(now, told) || !admin.Grown(told+told/10+1, told) {
			t.Errorf("%d of %d", now, told)
		}
	}
}

// A form that comes twice asks for one job.
func TestAFormThatComesTwiceAsksForOneJob(t *testing.T) {
	h := newHouse(t)
	h.Actor = anna
	h.Actor.Request = "a-form"
	first, again := h.ask(admin.JobReplay, admin.Work{}, "mended"), h.ask(admin.JobReplay, admin.Work{}, "mended")
	h.Actor.Request = "another"
	if other := h.ask(admin.JobReplay, admin.Work{}, "mended"); first != again || other == first {
		t.Errorf("%s, %s, %s", first, again, other)
	}
	if entries := h.entries(); len(entries) != 2 {
		t.Errorf("%q", entries)
	}
}

// What came, or died, after a job was asked for is not its own, whatever its outcome.
func TestAJobTakesWhatWasThereWhenItWasAskedFor(t *testing.T) {
	h := newHouse(t)
	h.register()
	old := event.Event{Key: call(1), Origin: event.Backfill, ContentType: "application/x-www-form-urlencoded", Body: []byte("id=1&duration=30"), Received: time.Now(), Time: time.Now().Add(-time.Hour)}
	h.store(old)
	id := h.ask(admin.JobReplay, admin.Work{Outcome: event.Untaken, Link: "dynamic"}, "")
	old.Key = call(2)
	h.store(old)
	if n, err := h.CountWork(t.Context(), admin.JobReplay, admin.Work{Outcome: event.Untaken, Link: "dynamic"}); n != 2 || err != nil {
		t.Fatalf("now there are %d, %v", n, err)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.Changed != 1 || len(queuetest.Retries(t, h.Queue, queue.Filter{Key: call(2)})) != 0 {
		t.Errorf("%+v", j)
	}
}

// The pace is kept whatever else is waited for meanwhile, as long as each wait is shorter than a second: within a minute as many are let
// through as there should be. Of a clock of its own, so that it holds on any machine.
func TestAPaceIsCaughtUpWithAfterAWait(t *testing.T) {
	const most, seconds, step = 40, 60, 5 * time.Millisecond
	for name, held := range map[string]func(at time.Duration) bool{
		"nothing else":                    func(time.Duration) bool { return false },
		"half of each second":             func(at time.Duration) bool { return at%time.Second < 500*time.Millisecond },
		"900 ms now and then":             func(at time.Duration) bool { return at%(7*time.Second) < 900*time.Millisecond },
		"each write of 20 ms, one by one": func(at time.Duration) bool { return at%(25*time.Millisecond) != 0 },
	} {
		pace, began, n := admin.PaceOf(most), time.Now(), 0
		for at := time.Duration(0); at < seconds*time.Second; at += step {
			for !held(at) && pace.AllowN(began.Add(at), 1) {
				n++
			}
		}
		if want := most * seconds; math.Abs(float64(n-want)) > 0.05*float64(want) {
			t.Errorf("beside %s: %d within a minute, want %d", name, n, want)
		}
	}
}

// The pace of a replay is kept within a twentieth. A machine that is busy with something else gets a second and a third try.
func TestAJobKeepsItsPace(t *testing.T) {
	const pace, n, tries = 40, 200, 3
	const slack = 0.05
	for try := range tries {
		h := newHouse(t)
		h.die(upTo(n)...)
		id := h.ask(admin.JobReplay, admin.Work{Rate: pace}, "")
		stop := h.worker()
		waittest.Within(t, time.Minute, "it is done", func() bool { return h.job(id).State == admin.JobDone })
		stop()
		j := h.job(id)
		got := float64(n) / j.Ended.Sub(j.Began).Seconds()
		t.Logf("asked for %d a second, was %.2f", pace, got)
		if j.Changed != n || got > pace*(1+slack) || got < pace/2 {
			t.Fatalf("%.2f a second instead of %d: %+v", got, pace, j)
		}
		if got >= pace*(1-slack) {
			return
		}
		t.Logf("try %d was too slow", try+1)
	}
	t.Errorf("no try of %d came within a twentieth of %d a second", tries, pace)
}

// What a replay of many events is about is said by some of them, and by how many have the outcome: nobody waits until all were read.
func TestManyEventsArePickedFromNotRead(t *testing.T) {
	h := newHouse(t)
	h.register()
	const n = 40
	e := event.Event{Origin: event.Backfill, ContentType: "application/x-www-form-urlencoded", Received: time.Now()}
	for id := range n {
		e.Key, e.Body, e.Time = call(id+1), fmt.Appendf(nil, "id=%d&duration=30", id+1), time.Now().Add(-time.Hour*time.Duration(1+id/(n/2)))
		h.store(e)
	}
	a := h.board()
	of := admin.Selection{Outcome: event.Untaken, Filter: admin.Filter{Link: "dynamic"}}
	picks := func(s admin.Selection, most int) admin.Picked {
		t.Helper()
		p, err := a.Pick(t.Context(), s, most)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := picks(of, 10); len(p.Items) != 10 || p.Found != n || p.AtMost {
		t.Errorf("few enough: %d of %d, %v", len(p.Items), p.Found, p.AtMost)
	}
	defer admin.CountAtMost(5)()
	p := picks(of, 10)
	if len(p.Items) != 10 || p.Found != n || p.AtMost || p.Items[0].Key != call(1) || p.Items[9].Key != call(37) {
		t.Errorf("by the outcome alone: %d of %d, %v: %v", len(p.Items), p.Found, p.AtMost, p.Items)
	}
	of.Filter.Until = time.Now().Add(-90 * time.Minute)
	if p := picks(of, 10); len(p.Items) != 5 || p.Found != n || !p.AtMost {
		t.Errorf("of some time: %d of %d, %v", len(p.Items), p.Found, p.AtMost)
	}
	if count, err := a.CountWork(t.Context(), admin.JobReplay, admin.WorkOf(of, admin.ReplayOptions{})); count != n || err != nil {
		t.Errorf("asked for again: %d, %v", count, err)
	}
	of.Keys = []event.Key{call(40)}
	if p := picks(of, 10); len(p.Items) != 1 || p.Found != 1 || p.AtMost {
		t.Errorf("one by its key: %+v", p)
	}
	f, err := a.ForecastWithin(t.Context(), p.Items, admin.ReplayOptions{}, time.Nanosecond)
	if err != nil || f.Selected >= len(p.Items) {
		t.Errorf("in no time: %d, %v", f.Selected, err)
	}
	if f, err = a.ForecastWithin(t.Context(), p.Items, admin.ReplayOptions{}, time.Minute); err != nil || f.Selected != len(p.Items) {
		t.Errorf("in a minute: %d, %v", f.Selected, err)
	}
}

func TestDeadLettersOfOneCauseAreDropped(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2)
	h.publish(3)
	other := refused
	other.Answer = "no such area"
	stop := h.run("dynamic", always(other))
	h.wait("dynamic", event.Dead, 3)
	stop()
	causes, err := h.Causes(t.Context(), queue.Filter{})
	if err != nil || len(causes) != 2 || causes[0].Count != 2 {
		t.Fatalf("%+v, %v", causes, err)
	}
	work := admin.Work{Cause: causes[0].ID}
	if n, err := h.CountWork(t.Context(), admin.JobDrop, work); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	id := h.ask(admin.JobDrop, work, "test calls")
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	left := queuetest.DeadLetters(t, h.Queue, queue.Filter{})
	if j := h.job(id); j.Changed != 2 || len(left) != 1 || left[0].Event.Key != call(3) {
		t.Errorf("%+v, left %+v", j, left)
	}
}

// Two jobs over the same things of one link wait for each other, and for no others.
func TestJobsOverTheSameThingsWaitForEachOther(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3)
	first := h.ask(admin.JobReplay, admin.Work{Rate: 0.01}, "")
	second := h.ask(admin.JobDrop, admin.Work{Link: "dynamic"}, "test calls")
	now := h.ask(admin.JobRetriesNow, admin.Work{}, "")
	stop := h.worker()
	defer stop()
	h.until("the first replays, and what waits is tried", func() bool { return h.job(first).Done == 1 && h.job(now).State == admin.JobDone })
	if state := h.job(second).State; state != admin.JobQueued {
		t.Errorf("the second is %s", state)
	}
	h.stopped(first)
	h.until("the second is done", func() bool { return h.job(second).State == admin.JobDone })
	if j := h.job(second); j.Changed != 2 {
		t.Errorf("%+v", j)
	}
}

func TestAJobIsStoppedAndGoesOn(t *testing.T) {
	h := newHouse(t)
	ids := upTo(60)
	h.die(ids...)
	id := h.ask(admin.JobReplay, admin.Work{Rate: 10}, "")
	stop := h.worker()
	defer stop()
	h.until("some are through", func() bool { return h.job(id).Done > 0 })
	if took := h.stopped(id); took > stopWithin {
		t.Errorf("it took %s", took)
	}
	j := h.job(id)
	left := len(queuetest.DeadLetters(t, h.Queue, queue.Filter{}))
	if j.Changed == 0 || j.Changed+left != len(ids) || j.Found != len(ids) {
		t.Errorf("%d left of %+v", left, j)
	}
	if err := h.StopJob(t.Context(), id); !errors.Is(err, admin.ErrJobEnded) {
		t.Errorf("stopped again: %v", err)
	}
	if err := h.ContinueJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.until("it is done", func() bool { return h.job(id).State == admin.JobDone })
	if j := h.job(id); j.Changed != len(ids) || j.Found != len(ids) || j.Done != len(ids) {
		t.Errorf("%+v", j)
	}
	if err := h.ContinueJob(t.Context(), id); !errors.Is(err, admin.ErrJobEnded) {
		t.Errorf("continued again: %v", err)
	}
	if _, err := h.JobOf(t.Context(), "nope.*"); !errors.Is(err, admin.ErrNoJob) {
		t.Errorf("no job: %v", err)
	}
}

// A server that answered nobody for some seconds has not made a job fail: it goes on by itself.
func TestAJobGoesOnWhenTheQueueAnswersAgain(t *testing.T) {
	waittest.Slow(t, "a request is given up after five seconds")
	server := queuetest.Spawn(t)
	h := &house{t: t, Admin: admin.Admin{Queue: server.Open(queue.Options{}), File: config.Parse(t), Fields: readForm, Actor: anna}}
	ids := upTo(60)
	h.die(ids...)
	id := h.ask(admin.JobReplay, admin.Work{Rate: 20}, "")
	ran := make(chan error, 1)
	go func() { ran <- h.RunNextJob(t.Context(), everyKind) }()
	h.until("some are through", func() bool { return h.job(id).Done > 0 })
	thaw := server.Freeze()
	time.Sleep(7 * time.Second) // the first request is given up, and the one after it not
	thaw()
	if err := <-ran; !queue.Unanswered(err) {
		t.Errorf("the job has met %v", err)
	}
	if j := h.job(id); j.State != admin.JobRunning || !j.Interrupted {
		t.Errorf("%+v", j)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobDone || j.Found != len(ids) || j.Done != len(ids) {
		t.Errorf("%+v", j)
	}
}

// Who comes too late to a job that has ended does nothing.
func TestAJobThatHasEndedIsNotWorkedAtAgain(t *testing.T) {
	h := newHouse(t)
	h.Actor = anna
	h.die(1)
	id := h.ask(admin.JobDrop, admin.Work{}, "a test call")
	if err := h.StopJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	before, audit := h.job(id), len(h.entries())
	if err := h.WorkAt(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobStopped || !j.Ended.Equal(before.Ended) || len(h.entries()) != audit {
		t.Errorf("%+v, %q", j, h.entries())
	}
	if dead := queuetest.DeadLetters(t, h.Queue, queue.Filter{}); len(dead) != 1 {
		t.Errorf("left: %+v", dead)
	}
}

// What a job had to leave is not through: it goes on with it.
func TestAJobGoesOnWithWhatItHadToLeave(t *testing.T) {
	h := newHouse(t)
	h.Actor = anna
	h.die(1, 2, 3)
	if err := h.Stop(t.Context(), "dynamic", "a new ТЗ"); err != nil {
		t.Fatal(err)
	}
	id := h.ask(admin.JobReplay, admin.Work{}, "")
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobFailed || j.Found != 3 || j.Left() != 3 || j.Problem == "" {
		t.Errorf("%+v", j)
	}
	if err := h.Start(t.Context(), "dynamic", ""); err != nil {
		t.Fatal(err)
	}
	if err := h.ContinueJob(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	if j := h.job(id); j.State != admin.JobDone || j.Changed != 3 || j.Left() != 0 {
		t.Errorf("%+v", j)
	}
}

// A process that stops leaves a job to the next one with the numbers of that moment.
func TestAJobIsHandedOverWithItsNumbers(t *testing.T) {
	h := newHouse(t)
	ids := upTo(200)
	h.die(ids...)
	id := h.ask(admin.JobReplay, admin.Work{Rate: 100}, "")
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- h.RunNextJob(ctx, everyKind) }()
	h.until("some are through", func() bool { return h.job(id).Done > 0 })
	wrote := h.job(id).Done
	h.until("there are more than it wrote", func() bool { return len(queuetest.Retries(t, h.Queue, queue.Filter{})) > wrote+10 })
	stop()
	<-ran
	if j, n := h.job(id), len(queuetest.Retries(t, h.Queue, queue.Filter{})); j.State != admin.JobRunning || j.Done != n || j.Changed != n {
		t.Errorf("%d are through, and it says %+v", n, j)
	}
}

// Who has lost the lease of a job leaves it to who has it now: its state, its lease and the audit.
func TestAJobIsLeftToWhoHasItsLease(t *testing.T) {
	waittest.Slow(t, "a lease is renewed every ten seconds")
	h := newHouse(t)
	h.Actor = anna
	ids := upTo(30)
	h.die(ids...)
	id := h.ask(admin.JobReplay, admin.Work{Rate: 1}, "")
	ran := make(chan error, 1)
	go func() { ran <- h.RunNextJob(t.Context(), everyKind) }()
	h.until("some are through", func() bool { return h.job(id).Done > 0 })
	other := map[string]any{"name": "another process", "since": time.Now()}
	if _, err := h.Queue.State().PutTTL(t.Context(), event.LeaseKeys.Of(event.LeaseJob(id)), other, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := <-ran; err == nil {
		t.Error("it was through in time")
	}
	if j := h.job(id); j.State != admin.JobRunning || j.Interrupted || !j.Ended.IsZero() {
		t.Errorf("%+v", j)
	}
	if entries := h.entries(); len(entries) != 1 {
		t.Errorf("in the audit: %q", entries)
	}
}

// A job that has ended is forgotten after its time, however it came to its end.
func TestAJobThatEndedIsForgottenAfterItsTime(t *testing.T) {
	h := newHouse(t)
	h.die(1)
	lives := func(id string) string {
		t.Helper()
		m, err := h.Queue.Client().Last(t.Context(), event.StateStream, "$KV."+event.StateBucket+"."+event.JobKeys.Of(id))
		if err != nil {
			t.Fatal(err)
		}
		return m.Header.Get("Nats-TTL")
	}
	look, err := h.AskFind(t.Context(), "79160000001") // and the console that was to look dies
	if err != nil || lives(look.ID) != "24h0m0s" {
		t.Errorf("a look for a number lives for %q, %v", lives(look.ID), err)
	}
	done, stopped := h.ask(admin.JobReplay, admin.Work{}, ""), h.ask(admin.JobRetriesNow, admin.Work{}, "")
	if ttl := lives(done); ttl != "" {
		t.Errorf("one that waits lives for %s", ttl)
	}
	if err := h.StopJob(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	if err := h.RunNextJob(t.Context(), everyKind); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{done, stopped} {
		if ttl := lives(id); ttl != "720h0m0s" {
			t.Errorf("%s lives for %q", h.job(id).Kind, ttl)
		}
	}
	if err := h.ContinueJob(t.Context(), stopped); err != nil {
		t.Fatal(err)
	}
	if ttl := lives(stopped); ttl != "" {
		t.Errorf("one that goes on lives for %s", ttl)
	}
}

// jobsVariable tells a copy of the test's binary to work off jobs on the server in this folder.
const jobsVariable = "TOUCHBOX_ADMINTEST_JOBS"

// workOffJobs is that copy.
func workOffJobs(dir string) error {
	q, err := queue.Open(context.Background(), queue.Options{Connection: queue.Connection{Socket: embedded.Socket(dir), Log: zerolog.Nop()}, SyncKnown: true})
	if err != nil {
		return err
	}
	file, _, err := link.Load(filepath.Join(dir, "touchbox.yaml"), link.Options{Lenient: true})
	if err != nil {
		return err
	}
	return admin.RunJobs(context.Background(), func() admin.Admin { return admin.Admin{Queue: q, File: file, Fields: readForm} }, everyKind, zerolog.Nop())
}

// A process that works at a job is killed again and again: the job goes on with the next, nothing is lost and nothing done twice.
func TestAJobOutlivesKills(t *testing.T) {
	waittest.Slow(t, "processes are killed, and their leases run out")
	server := queuetest.Spawn(t)
	h := &house{t: t, Admin: admin.Admin{Queue: server.Open(queue.Options{}), File: config.Parse(t), Fields: readForm, Actor: anna}}
	config.Write(t, server.Dir)
	ids := upTo(200)
	h.die(ids...)
	id := h.ask(admin.JobReplay, admin.Work{Rate: 40}, "")
	for kill := range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), jobsVariable+"="+server.Dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		h.until(fmt.Sprintf("process %d has done some", kill), func() bool { return h.job(id).Done > (kill+1)*20 })
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		waittest.Within(t, time.Minute, "it is known to be interrupted", func() bool { return h.job(id).Interrupted })
	}
	stop := h.worker()
	waittest.Within(t, time.Minute, "it is done", func() bool { return h.job(id).State == admin.JobDone })
	stop()
	for _, one := range ids {
		records, err := h.Queue.History(t.Context(), call(one))
		if err != nil {
			t.Fatal(err)
		}
		notes := 0
		for _, r := range records {
			if r.Note == admin.NoteReplayed {
				notes++
			}
		}
		if retry := queuetest.Retries(t, h.Queue, queue.Filter{Key: call(one)}); len(retry) != 1 || notes > 1 {
			t.Errorf("call %d waits %d times, with %d notes", one, len(retry), notes)
		}
	}
	// A process that died between the two has left a dead letter beside its retry, which the job removed when it went on.
	if dead := queuetest.DeadLetters(t, h.Queue, queue.Filter{}); len(dead) != 0 {
		t.Errorf("beside their retries: %d", len(dead))
	}
	if j := h.job(id); j.Result == nil || j.Result.UnderWay != 0 || j.Found != len(ids) || j.Done != len(ids) {
		t.Errorf("%+v", j.Result)
	}
	stop = h.run("dynamic", always(queue.Decision{Outcome: event.Delivered}))
	waittest.Within(t, time.Minute, "all are delivered", func() bool { return len(queuetest.Retries(t, h.Queue, queue.Filter{})) == 0 })
	stop()
	if dead := queuetest.DeadLetters(t, h.Queue, queue.Filter{}); len(dead) != 0 {
		t.Errorf("left: %d", len(dead))
	}
}

// A job that meets a fault of Touchbox's own has failed, without a value of an event in what it says; others go on.
func TestAJobThatPanicsHasFailedAndOthersGoOn(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2)
	h.File = withToken().Parse(t)
	h.Backfill = func(context.Context, admin.Days, func(admin.BackfillProgress)) (admin.Backfilled, error) {
		panic("79161234567 cannot be read")
	}
	log := &waittest.Buffer{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- admin.RunJobs(ctx, func() admin.Admin { return h.Admin }, everyKind, zerolog.New(log)) }()
	fill := h.ask(admin.JobBackfill, admin.Work{Site: "10001", From: "2026-11-01", To: "2026-11-02"}, "")
	replay := h.ask(admin.JobReplay, admin.Work{}, "mended")
	h.until("both have ended", func() bool { return h.job(fill).Ends() && h.job(replay).Ends() })
	if j := h.job(fill); j.State != admin.JobFailed || !strings.Contains(j.Problem, "a fault of Touchbox's own") || j.Interrupted {
		t.Errorf("%+v", j)
	}
	if j := h.job(replay); j.State != admin.JobDone || j.Changed != 2 {
		t.Errorf("%+v", j)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if text := log.String(); !strings.Contains(text, "jobs_test.go") || strings.Contains(text, "79161234567") {
		t.Errorf("the log: %s", text)
	}
}

// A look for a number is a job of the process that was asked: others see how far it is, its number masked, and nobody else goes on with it.
func TestALookForANumberIsAJobOfWhoeverWasAsked(t *testing.T) {
	h := newHouse(t)
	h.Actor = anna
	h.publish(1, 2, 3)
	number := h.Number("+7 916 000-00-02")
	keys, read, err := h.Lookup(t.Context(), "8 (916) 000-00-02")
	if err != nil || len(keys) != 0 || read != number {
		t.Fatalf("%v %q %v", keys, read, err)
	}
	job, err := h.AskFind(t.Context(), number)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RunNextJob(t.Context(), append(everyKind, admin.JobFind)); err != nil { // nobody else takes it
		t.Fatal(err)
	}
	err = h.Finding(t.Context(), job, number, 10, func(found []event.Key) { keys = found })
	if err != nil || len(keys) != 1 || keys[0] != call(2) {
		t.Errorf("%v, %v", keys, err)
	}
	j := h.job(job.ID)
	if j.State != admin.JobDone || j.Changed != 1 || j.Done != 3 || j.Who != "Анна" || j.On != "*********02" {
		t.Errorf("%+v", j)
	}
	if text := fmt.Sprintf("%+v %q", j, h.entries()); strings.Contains(text, "9160000002") || !strings.Contains(text, "find_phone *********02 1 0") {
		t.Error(text)
	}
	died, err := h.AskFind(t.Context(), number) // and the process ends
	if err != nil {
		t.Fatal(err)
	}
	h.Now = func() time.Time { return time.Now().Add(2 * time.Minute) }
	if j := h.job(died.ID); j.State != admin.JobFailed || j.Problem == "" {
		t.Errorf("%+v", j)
	}
	if err := h.ContinueJob(t.Context(), died.ID); !errors.Is(err, admin.ErrJobEnded) {
		t.Errorf("it goes on: %v", err)
	}
}
