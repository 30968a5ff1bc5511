package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// How jobs are worked off.
const (
	jobsEvery = 2 * time.Second  // between two looks for one
	jobTTL    = 30 * time.Second // of the lease: whoever died with a job holds it so long
	jobWrites = time.Second      // between two writes of how far it is
)

// RunJobs works off the jobs of these kinds, one at a time and the oldest first, until ctx ends; a job that another
// process died with goes on here. Of two jobs of one kind over one link the second waits. desk gives the Admin of the
// newest file.
func RunJobs(ctx context.Context, desk func() Admin, kinds []JobKind, log zerolog.Logger) error {
	var alarms wait.Throttle
	for wait.Sleep(ctx, jobsEvery) == nil {
		a := desk()
		err := a.RunNextJob(ctx, kinds)
		if err != nil && !errors.Is(err, queue.ErrHeld) && ctx.Err() == nil && alarms.Due("jobs", time.Minute) {
			log.Warn().Err(err).Msg("jobs are not worked off, trying on")
		}
	}
	return nil
}

// RunNextJob works off the oldest job of these kinds that waits. No job is no error.
func (a Admin) RunNextJob(ctx context.Context, kinds []JobKind) error {
	jobs, err := a.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range slices.Backward(jobs) {
		waits := j.State == JobQueued || j.Interrupted && !j.Command
		if !waits || !slices.Contains(kinds, j.Kind) || behindAnother(j, jobs) {
			continue
		}
		if err := a.runJob(ctx, j.ID, nil); !errors.Is(err, queue.ErrHeld) {
			return err
		}
	}
	return nil
}

// behindAnother reports whether somebody works at a job of the same kind over the same link.
func behindAnother(j Job, jobs []Job) bool {
	return slices.ContainsFunc(jobs, func(other Job) bool {
		return other.ID != j.ID && other.Kind == j.Kind && other.State == JobRunning && !other.Interrupted &&
			(other.Work.Link == j.Work.Link || other.Work.Link == "" || j.Work.Link == "")
	})
}

// ReplayByCommand is Replay as a job that this process alone works at: others see how far it is, and stop it. The
// job is there from its first item to its end; when the process dies, it is shown as interrupted, and a person lets it
// go on.
func (a Admin) ReplayByCommand(ctx context.Context, items []Item, o ReplayOptions) (Result, error) {
	job := a.newJob(JobReplay, WorkOf(o.Of, o), o.Why)
	job.Command = true
	if err := a.Audit(ctx, AuditEntry{Verb: VerbReplay, On: job.On, Why: o.Why, Found: len(items), Job: job.ID}); err != nil {
		return Result{}, err
	}
	if _, err := a.Queue.State().Create(ctx, event.JobKeys.Of(job.ID), job); err != nil {
		return Result{}, err
	}
	var result Result
	err := a.runJob(ctx, job.ID, func(ctx context.Context, r *jobRun) (int, error) {
		o.proceed = r.look
		show := o.Progress
		o.Progress = func(p Progress) {
			r.at(p.Done, p.Total)
			if show != nil {
				show(p)
			}
		}
		var err error
		result, err = r.admin.replay(ctx, items, o)
		r.result = &result
		return result.Replayed, err
	})
	return result, err
}

// jobRun is a job on its way.
type jobRun struct {
	admin Admin // as the person who asked
	id    string

	before Job // as it was when this run began
	mu     sync.Mutex
	done   int // of this run
	total  int
	wrote  time.Time
	result *Result
	taken  *Taken
}

// runJob works at a job, or does do in its place, while it holds its lease. When ctx ends, the job stays as it is: it
// goes on with the next process, but that of a command is stopped. queue.ErrHeld: somebody else works at it.
func (a Admin) runJob(ctx context.Context, id string, do func(context.Context, *jobRun) (int, error)) error {
	lease, err := a.Queue.Lease(ctx, event.LeaseJob(id), jobTTL)
	if err != nil {
		return err
	}
	defer lease.Release()
	r := &jobRun{admin: a, id: id}
	if err := r.begin(lease.Context()); err != nil || r.before.Ends() {
		return err
	}
	if do == nil {
		do = doJob
	}
	changed, err := do(lease.Context(), r)
	if lease.Context().Err() != nil && !(r.before.Command && ctx.Err() != nil) {
		return err // another process goes on with it
	}
	return errors.Join(err, r.end(context.WithoutCancel(ctx), changed, err))
}

// begin marks the job as running.
func (r *jobRun) begin(ctx context.Context) error {
	err := r.change(ctx, func(j *Job) {
		if j.Ends() {
			return
		}
		now := r.admin.now().UTC()
		j.State, j.Seen = JobRunning, now
		if j.Began.IsZero() {
			j.Began = now
		}
	})
	r.admin.Actor = r.before.actor()
	return err
}

// change changes the job as it is stored, again when somebody else was faster, and remembers it the first time.
func (r *jobRun) change(ctx context.Context, how func(*Job)) error {
	for {
		j, revision, err := r.admin.job(ctx, r.id)
		if err != nil {
			return err
		}
		how(&j)
		_, err = r.admin.Queue.State().Update(ctx, event.JobKeys.Of(r.id), j, revision)
		if errors.Is(err, queue.ErrConflict) {
			continue
		}
		if r.before.ID == "" {
			r.before = j
		}
		return err
	}
}

// at says how far this run is.
func (r *jobRun) at(done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.total = done, total
}

// numbers writes into the job how far it is, this run and those before it.
func (r *jobRun) numbers(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.Found, j.Done, j.Seen = r.before.Done+r.total, r.before.Done+r.done, r.admin.now().UTC()
}

// look writes, once a second, how far the job is, and reports errJobStopped when a person wants it stopped.
func (r *jobRun) look(ctx context.Context) error {
	r.mu.Lock()
	due := time.Since(r.wrote) >= jobWrites
	if due {
		r.wrote = time.Now()
	}
	r.mu.Unlock()
	if !due {
		return nil
	}
	stop := false
	err := r.change(ctx, func(j *Job) {
		r.numbers(j)
		stop = j.Stop
	})
	if err == nil && stop {
		err = errJobStopped
	}
	return err
}

// told is the same as bulk is told it.
func (r *jobRun) told(ctx context.Context, before, total int) bulk {
	return func(done, _ int) error {
		r.at(before+done, total)
		return r.look(ctx)
	}
}

// end writes what became of the job, into it and into the audit.
func (r *jobRun) end(ctx context.Context, changed int, failed error) error {
	var ended Job
	err := r.change(ctx, func(j *Job) {
		r.numbers(j)
		j.State, j.Stop, j.Ended, j.Changed, j.Result, j.Taken = JobDone, false, j.Seen, r.before.Changed+changed, r.result, r.taken
		switch {
		case errors.Is(failed, errJobStopped), errors.Is(failed, context.Canceled):
			j.State = JobStopped
		case failed != nil:
			j.State, j.Problem = JobFailed, personText(failed.Error())
		case r.result != nil && r.result.Left > 0:
			j.State, j.Problem = JobFailed, haltText(r.result.Halted)
		}
		ended = *j
	})
	if err == nil {
		_, err = r.admin.Queue.State().PutTTL(ctx, event.JobKeys.Of(r.id), ended, jobKept)
	}
	return errors.Join(err, r.admin.Audit(ctx, AuditEntry{
		Verb: string(ended.Kind), On: ended.On, Why: ended.Why, Found: ended.Found, Done: ended.Changed, Job: ended.ID,
	}))
}

// haltText says which links stood still.
func haltText(halts []Halt) string {
	text := "left, because nothing goes over the link:"
	for _, h := range halts {
		text += " " + h.Link + " is " + h.State
	}
	return text
}

// doJob does what a job says.
func doJob(ctx context.Context, r *jobRun) (int, error) {
	switch j := r.before; j.Kind {
	case JobReplay:
		return r.replay(ctx)
	case JobDrop, JobRetriesNow, JobRetriesCancel:
		return r.undelivered(ctx)
	case JobAsideTake:
		return r.take(ctx)
	default:
		return 0, fmt.Errorf("a job of the kind %q: it is of a newer Touchbox", j.Kind)
	}
}

func (r *jobRun) replay(ctx context.Context) (int, error) {
	w := r.before.Work
	s, err := w.selection(r.before.Asked)
	if err != nil {
		return 0, err
	}
	items, err := r.admin.Select(ctx, s)
	if err != nil {
		return 0, err
	}
	r.at(0, len(items))
	result, err := r.admin.replay(ctx, items, ReplayOptions{
		Revision: w.Revision, As: w.As, Rate: w.Rate, proceed: r.look, Progress: func(p Progress) { r.at(p.Done, p.Total) },
	})
	r.result = &result
	return result.Replayed, err
}

// undelivered changes retries or dead letters.
func (r *jobRun) undelivered(ctx context.Context) (int, error) {
	filters, err := r.before.Work.filters(r.before.Asked)
	if err != nil {
		return 0, err
	}
	var totals []int
	total := 0
	for _, f := range filters {
		n, err := r.count(ctx, f)
		if err != nil {
			return 0, err
		}
		totals, total = append(totals, n), total+n
	}
	changed, before := 0, 0
	for i, f := range filters {
		n, err := r.changeOne(ctx, f, totals[i], r.told(ctx, before, total))
		changed, before = changed+n, before+totals[i]
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

func (r *jobRun) count(ctx context.Context, f Filter) (n int, err error) {
	if r.before.Kind == JobDrop {
		_, n, err = r.admin.DeadLetters(ctx, f, 1)
	} else {
		_, n, err = r.admin.Retries(ctx, f, 1)
	}
	return n, err
}

func (r *jobRun) changeOne(ctx context.Context, f Filter, total int, told bulk) (int, error) {
	if r.before.Kind == JobDrop {
		return r.admin.drop(ctx, f, r.before.Why, total, told)
	}
	change := r.admin.runNow
	if r.before.Kind == JobRetriesCancel {
		change = r.admin.cancel
	}
	all, err := r.admin.waitingRetries(ctx, f)
	if err != nil {
		return 0, err
	}
	return r.admin.eachRetry(ctx, all, change, told)
}

func (r *jobRun) take(ctx context.Context) (int, error) {
	q, identify := r.before.Work.aside(r.before.Asked), Identify(r.admin.Identify)
	if kind := r.before.Work.TakeAs; kind != "" {
		identify = r.admin.IdentifyAs(kind)
	}
	_, total, err := r.admin.Asides(ctx, q, 1)
	if err != nil {
		return 0, err
	}
	taken, err := r.admin.take(ctx, q, identify, total, r.told(ctx, 0, total))
	r.taken = &taken
	return taken.Stored, err
}
