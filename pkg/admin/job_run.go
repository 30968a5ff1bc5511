package admin

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait"
)

// How jobs are worked off.
const (
	jobsEvery  = 2 * time.Second        // between two looks for one
	jobsAtOnce = 4                      // of one process
	jobTTL     = 30 * time.Second       // of the lease: whoever died with a job holds it so long
	jobLooks   = 500 * time.Millisecond // between two looks whether it is to stop
	jobWrites  = time.Second            // between two writes of how far it is
)

// RunJobs works off the jobs of these kinds, some at a time and the oldest first, until ctx ends; a job that another
// process died with goes on here. Of two jobs over the same things of one link the second waits. desk gives the Admin of the
// newest file.
func RunJobs(ctx context.Context, desk func() Admin, kinds []JobKind, log zerolog.Logger) error {
	var alarms wait.Throttle
	report := func(err error) {
		if fault := (faultError{}); errors.As(err, &fault) {
			log.Error().Str("fault", fault.Error()).Str("where", fault.where).Msg("a job met a fault of Touchbox's own and has failed; others go on")
			return
		}
		if err != nil && !errors.Is(err, queue.ErrHeld) && ctx.Err() == nil && alarms.Due("jobs", time.Minute) {
			log.Warn().Err(err).Msg("jobs are not worked off, trying on")
		}
	}
	var running errgroup.Group
	running.SetLimit(jobsAtOnce)
	for wait.Sleep(ctx, jobsEvery) == nil {
		a := desk()
		waiting, err := a.waitingJobs(ctx, kinds)
		report(err)
		for _, id := range waiting {
			running.TryGo(func() error {
				report(a.runJob(ctx, id, nil))
				return nil
			})
		}
	}
	return running.Wait()
}

// waitingJobs are the jobs of these kinds that nobody works at and that may begin, the oldest first.
func (a Admin) waitingJobs(ctx context.Context, kinds []JobKind) ([]string, error) {
	jobs, err := a.Jobs(ctx)
	var ids []string
	for i := range slices.Backward(jobs) {
		j := &jobs[i]
		waits := !j.Command && (j.State == JobQueued || j.Interrupted)
		if !waits || !slices.Contains(kinds, j.Kind) || behindAnother(*j, jobs) {
			continue
		}
		j.State, j.Interrupted = JobRunning, false // those behind it wait for it
		ids = append(ids, j.ID)
	}
	return ids, err
}

// behindAnother reports whether somebody works at the same things of the same link.
func behindAnother(j Job, jobs []Job) bool {
	return slices.ContainsFunc(jobs, func(other Job) bool {
		return other.ID != j.ID && other.Kind.things() == j.Kind.things() && other.State == JobRunning && !other.Interrupted &&
			(other.Work.Link == j.Work.Link || other.Work.Link == "" || j.Work.Link == "")
	})
}

// things are what jobs of a kind work at.
func (k JobKind) things() string {
	switch k {
	case JobReplay, JobDrop:
		return event.DeadLettersStream
	case JobRetriesNow, JobRetriesCancel:
		return event.RetriesStream
	}
	return string(k)
}

// ReplayByCommand is Replay as a job that this process alone works at: others see how far it is, and stop it. The
// job is there from its first item to its end; when the process dies, it is shown as interrupted, and a person lets it
// go on.
func (a Admin) ReplayByCommand(ctx context.Context, items []Item, o ReplayOptions) (Result, error) {
	var result Result
	show := o.Progress
	err := a.byCommand(ctx, a.newJob(JobReplay, WorkOf(o.Of, o), o.Why), len(items), func(ctx context.Context, r *jobRun) (int, error) {
		o.Progress = func(p Progress) {
			r.replaying(p)
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

// byCommand does what a job says with do, in this process; found is with how many things it has to do, as far as that is known.
func (a Admin) byCommand(ctx context.Context, job Job, found int, do func(context.Context, *jobRun) (int, error)) error {
	if err := a.putJob(ctx, &job, found); err != nil {
		return err
	}
	return a.runJob(ctx, job.ID, do)
}

// putJob puts a job in the list that this process alone works at, and writes it into the audit before.
func (a Admin) putJob(ctx context.Context, job *Job, found int) error {
	job.Command = true
	if err := a.Audit(ctx, AuditEntry{Verb: string(job.Kind), On: job.On, Why: job.Why, Found: found, Job: job.ID}); err != nil {
		return err
	}
	_, err := a.Queue.State().PutTTL(ctx, event.JobKeys.Of(job.ID), *job, job.life())
	return err
}

// faultError is that something met a fault of Touchbox's own, which would have ended the process: and the next one that takes it up,
// and so on.
type faultError struct {
	what  string // without a value: it may be a person's
	where string
}

func (e faultError) Error() string { return "a fault of Touchbox's own, the log says where: " + e.what }

// sound does something, and makes an error of a panic.
func sound(do func() error) (err error) {
	defer func() {
		if met := recover(); met != nil {
			what := fmt.Sprintf("%T", met)
			if of, ok := met.(runtime.Error); ok {
				what = of.Error()
			}
			err = faultError{what, string(debug.Stack())}
		}
	}()
	return do()
}

// jobRun is a job on its way.
type jobRun struct {
	admin Admin // as the person who asked
	id    string

	before  Job // as it was when this run began
	mu      sync.Mutex
	done    int // of this run
	total   int
	changed int
	held    int
	again   bool   // it had begun before this run
	counted bool   // total is known
	anew    bool   // done and total count what earlier runs did too
	waits   string // what it waits for
	result  *Result
	taken   *Taken
	filled  *Backfilled
}

// runJob works at a job, or does do in its place, while it holds its lease. When ctx ends, or nobody answers for the queue, the job
// stays as it is: it goes on with the next process, or as soon as somebody answers. That of a command ends. queue.ErrHeld: somebody
// else works at it.
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
	changed, err := r.watched(lease.Context(), do)
	ended, lost := ctx.Err() != nil, lease.Context().Err() != nil
	switch {
	case ended && !r.before.Command:
		return errors.Join(err, r.hand(context.WithoutCancel(ctx)))
	case !ended && (lost || r.before.goesOn(err)): // where it is lost, another process may be at it already
		return err
	}
	return errors.Join(err, r.end(context.WithoutCancel(ctx), changed, err))
}

// goesOn reports whether a job goes on by itself after an error: nobody has answered for the queue. With a command's there is a person;
// and a backfill has asked again by itself, so what it ends with may be Calltouch's silence.
func (j Job) goesOn(err error) bool {
	return queue.Unanswered(err) && !j.Command && j.Kind != JobBackfill
}

// hand leaves the job to another process, with its numbers as they are.
func (r *jobRun) hand(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, wholeWithin)
	defer cancel()
	return r.change(ctx, r.numbers)
}

// watched does a job, while another goroutine says how far it is, and ends its context when a person wants it stopped.
// errJobStopped.
func (r *jobRun) watched(ctx context.Context, do func(context.Context, *jobRun) (int, error)) (int, error) {
	ctx, stop := context.WithCancelCause(ctx)
	watches := make(chan struct{})
	go func() {
		defer close(watches)
		r.watch(ctx, stop)
	}()
	var changed int
	err := sound(func() (err error) {
		changed, err = do(ctx, r)
		return err
	})
	if err != nil && errors.Is(context.Cause(ctx), errJobStopped) {
		err = errJobStopped
	}
	stop(nil)
	<-watches
	return changed, err
}

// watch looks whether a person wants the job stopped, and writes once a second how far it is.
func (r *jobRun) watch(ctx context.Context, stop context.CancelCauseFunc) {
	var wrote time.Time
	for wait.Sleep(ctx, jobLooks) == nil {
		j, _, err := r.admin.job(ctx, r.id)
		if err == nil && j.Stop {
			stop(errJobStopped)
			return
		}
		if time.Since(wrote) >= jobWrites {
			wrote = time.Now()
			_ = r.change(ctx, r.numbers) // a second later they are written again
		}
	}
}

// begin marks the job as running.
func (r *jobRun) begin(ctx context.Context) error {
	err := r.change(ctx, func(j *Job) {
		if j.Ends() {
			return
		}
		now := r.admin.now().UTC()
		j.State, j.Seen = JobRunning, now
		if r.again = !j.Began.IsZero(); !r.again {
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
		err = r.admin.keepJob(ctx, j, revision)
		if errors.Is(err, queue.ErrConflict) {
			continue
		}
		if r.before.ID == "" {
			r.before = j
		}
		return err
	}
}

// replaying takes word of how far a replay is.
func (r *jobRun) replaying(p Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counted, r.done, r.total, r.changed, r.held = true, p.Done, p.Total, p.Replayed, p.Held
}

// numbers writes into the job how far it is, this run and those before it.
func (r *jobRun) numbers(j *Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	j.Seen = r.admin.now().UTC()
	through, changed := 0, 0
	if !r.anew {
		// Of a run that was killed, what it came through after it had written that last is missing from what is left.
		through, changed = max(r.before.Done, r.before.Found-r.total), r.before.Changed
	}
	if r.counted {
		j.Found, j.Done, j.Changed = through+r.total, through+r.done, changed+r.changed
	}
	j.Held, j.Problem, j.Filled = r.held, personText(r.waits), r.filled
}

// told takes word of how far a change of many things is.
func (r *jobRun) told(done, total, changed int) {
	r.replaying(Progress{Done: done, Total: total, Replayed: changed})
}

// end writes what became of the job, into it and into the audit.
func (r *jobRun) end(ctx context.Context, changed int, failed error) error {
	var ended Job
	err := r.change(ctx, func(j *Job) {
		r.waits, r.held, r.changed = "", 0, changed
		r.numbers(j)
		if r.result != nil {
			j.Done -= r.result.Left + r.result.Failed // they are there for the next run
		}
		j.State, j.Stop, j.Ended, j.Result, j.Taken = JobDone, false, j.Seen, r.result, r.taken
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
	if err != nil { // whoever goes on with it ends it
		return err
	}
	entry := AuditEntry{Verb: string(ended.Kind), On: ended.On, Why: ended.Why, Found: ended.Found, Done: ended.Changed, Job: ended.ID}
	if ended.Kind == JobFind { // it has gone through all of the log: what it found counts
		entry.Found, entry.Done = ended.Changed, 0
	}
	return r.admin.Audit(ctx, entry)
}

// haltText says which links stood still.
func haltText(halts []Halt) string {
	text := "left, because nothing goes over the link:"
	for _, h := range halts {
		text += " " + h.Link + " is " + h.State
	}
	return text
}
