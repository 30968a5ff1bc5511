package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// JobKind is what a job does.
type JobKind string

// The kinds. Whoever may store no events (a worker that comes to its NATS as the user of that name) takes no
// JobAsideTake and no JobBackfill.
const (
	JobReplay        JobKind = VerbReplay
	JobDrop          JobKind = VerbDrop
	JobRetriesNow    JobKind = VerbRetriesNow
	JobRetriesCancel JobKind = VerbRetriesCancel
	JobAsideTake     JobKind = VerbAsideTake
	JobBackfill      JobKind = VerbBackfill
	JobFind          JobKind = VerbFindPhone // see AskFind; nobody takes one up but the process that was asked
)

// Kinds of jobs by who may work them off.
var (
	WorkerJobs = []JobKind{JobReplay, JobDrop, JobRetriesNow, JobRetriesCancel}
	IngestJobs = []JobKind{JobAsideTake, JobBackfill}
)

// JobState is how a job stands.
type JobState string

// The states. A job that runs and that nobody works at (Job.Interrupted) goes on by itself, unless it belonged to a command.
const (
	JobQueued  JobState = "queued"
	JobRunning JobState = "running"
	JobStopped JobState = "stopped" // by a person; it can be continued
	JobDone    JobState = "done"
	JobFailed  JobState = "failed" // Problem says why; it can be continued
)

// Job is bulk work that outlives the process that works at it: what to do, for whom and why, and how far it is.
type Job struct {
	ID      string      `json:"id"`
	Kind    JobKind     `json:"kind"`
	State   JobState    `json:"state"`
	Who     string      `json:"who"`
	Role    string      `json:"role,omitempty"`
	By      string      `json:"by"`
	Address string      `json:"address,omitempty"`
	Why     string      `json:"why,omitempty"`
	On      string      `json:"on"`             // what it works at, in words
	Work    Work        `json:"work"`           // the same for the machine
	Asked   time.Time   `json:"asked"`          // what died, began to wait or came after this is not taken
	Began   time.Time   `json:"began,omitzero"` // the first time
	Seen    time.Time   `json:"seen,omitzero"`  // when its numbers were written last
	Ended   time.Time   `json:"ended,omitzero"`
	Found   int         `json:"found"` // how many things it has to do with
	Done    int         `json:"done"`  // through, whatever became of them
	Changed int         `json:"changed"`
	Held    int         `json:"held,omitempty"`    // of a replay: so many wait for their link, and the job for them
	Result  *Result     `json:"result,omitempty"`  // of a replay: of its last run, as soon as that is through
	Taken   *Taken      `json:"taken,omitempty"`   // likewise of an aside take
	Filled  *Backfilled `json:"filled,omitempty"`  // of a backfill, as far as it is
	Problem string      `json:"problem,omitempty"` // why it failed or, while it runs, what it waits for

	Stop        bool `json:"stop,omitempty"`        // a person wants it stopped
	Command     bool `json:"command,omitempty"`     // a command works at it: nobody else goes on with it by himself
	Interrupted bool `json:"interrupted,omitempty"` // it runs, and nobody works at it; of Jobs and JobOf, not stored
}

// Left is how many things it has not come to.
func (j Job) Left() int { return max(j.Found-j.Done, 0) }

// Ends reports whether a job has come to an end.
func (j Job) Ends() bool { return j.State == JobDone || j.State == JobStopped || j.State == JobFailed }

func (j Job) actor() Actor { return Actor{Name: j.Who, Role: j.Role, By: j.By, Address: j.Address} }

// Errors of jobs that the caller can mend.
var (
	// ErrNoJob reports an id of no job.
	ErrNoJob = errors.New("no such job: never asked for, or it ended more than 30 days ago")
	// ErrJobEnded reports that a job that has ended is to be stopped, or one that is done to go on.
	ErrJobEnded = errors.New("the job has ended")
	// ErrNoWhy reports dead letters that are to be dropped without a reason.
	ErrNoWhy = errors.New("say why, it is kept in the history")

	errJobStopped = errors.New("stopped by a person")
)

// jobKept is how long a job is kept that has ended, findKept a look for a number: there are many, and the audit has them. ownJobBegins is
// how soon who puts a job in the list that nobody else takes up is at work.
const (
	jobKept  = 30 * 24 * time.Hour
	findKept = 24 * time.Hour

	ownJobBegins = time.Minute
)

// life is how long the job is kept as it is, 0: until it has ended. A look for a number ends with the console that looks, which may be by
// a kill: nobody else would say that it has.
func (j Job) life() time.Duration {
	switch {
	case j.Kind == JobFind:
		return findKept
	case j.Ends():
		return jobKept
	}
	return 0
}

// AskJob puts a job in the queue, for whoever may work it off (RunJobs), and returns it. It is written into the audit
// first. Asked for again by the same form (Actor.Request) it is the same job. ErrRevision, ErrNotReplayable, ErrNoWhy,
// ErrDays, ErrNoToken, ErrNoSite.
func (a Admin) AskJob(ctx context.Context, kind JobKind, w Work, why string) (Job, error) {
	if err := a.mayAsk(kind, w, why); err != nil {
		return Job{}, err
	}
	job := a.newJob(kind, w, why)
	if there, _, err := a.job(ctx, job.ID); err == nil || !errors.Is(err, ErrNoJob) {
		return there, err
	}
	if err := a.Audit(ctx, AuditEntry{Verb: string(kind), On: job.On, Why: why, Job: job.ID}); err != nil {
		return Job{}, err
	}
	_, err := a.Queue.State().Create(ctx, event.JobKeys.Of(job.ID), job)
	if errors.Is(err, queue.ErrConflict) {
		job, _, err = a.job(ctx, job.ID)
	}
	return job, err
}

func (a Admin) newJob(kind JobKind, w Work, why string) Job {
	return Job{
		ID: a.jobID(kind), Kind: kind, State: JobQueued, Work: w, On: w.text(kind), Why: personText(why), Asked: a.now().UTC(),
		Who: cmp.Or(a.Actor.Name, unknownActor), Role: a.Actor.Role, By: a.Actor.By, Address: a.Actor.Address,
	}
}

// jobIDLetters is how long the id of a job is.
const jobIDLetters = 8

// jobID is the id of a new job: of one that a form asks for, always the same.
func (a Admin) jobID(kind JobKind) string {
	text := rand.Text()
	if a.Actor.Request != "" {
		sum := sha256.Sum256([]byte(a.Actor.Name + "\n" + a.Actor.Request + "\n" + string(kind)))
		text = base32.StdEncoding.EncodeToString(sum[:])
	}
	return strings.ToLower(text[:jobIDLetters])
}

// Jobs lists all jobs, the newest first.
func (a Admin) Jobs(ctx context.Context) ([]Job, error) {
	entries, err := a.Queue.State().List(ctx, string(event.JobKeys))
	if err != nil {
		return nil, err
	}
	held, err := a.heldJobs(ctx)
	if err != nil {
		return nil, err
	}
	jobs := []Job{}
	for _, e := range entries {
		var j Job
		if json.Unmarshal(e.Value, &j) != nil {
			continue // of a newer Touchbox
		}
		jobs = append(jobs, j.seen(held[j.ID], a.now()))
	}
	slices.SortFunc(jobs, func(x, y Job) int { return cmp.Or(y.Asked.Compare(x.Asked), cmp.Compare(x.ID, y.ID)) })
	return jobs, nil
}

// heldJobs are the jobs that somebody works at.
func (a Admin) heldJobs(ctx context.Context) (map[string]bool, error) {
	leases, err := a.Queue.State().List(ctx, event.LeaseKeys.Of(event.LeaseJob("")))
	held := map[string]bool{}
	for _, e := range leases {
		held[strings.TrimPrefix(e.Key, event.LeaseKeys.Of(event.LeaseJob("")))] = true
	}
	return held, err
}

// JobOf is one job. ErrNoJob.
func (a Admin) JobOf(ctx context.Context, id string) (Job, error) {
	j, _, err := a.job(ctx, id)
	if err != nil || j.Ends() {
		return j, err
	}
	held, err := a.Queue.Leased(ctx, event.LeaseJob(id))
	return j.seen(held, a.now()), err
}

// seen is a job as it is told of, by whether somebody works at it.
func (j Job) seen(held bool, now time.Time) Job {
	late := !held && !j.Ends() && now.Sub(j.Asked) > ownJobBegins
	j.Interrupted = !held && (j.State == JobRunning || j.Command && late)
	if j.Kind == JobFind && late {
		j.State, j.Interrupted, j.Problem = JobFailed, false, errFindGone.Error()
	}
	return j
}

// job reads a job as it is stored.
func (a Admin) job(ctx context.Context, id string) (Job, uint64, error) {
	var j Job
	if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789") != "" || id == "" {
		return j, 0, ErrNoJob
	}
	revision, err := a.Queue.State().Get(ctx, event.JobKeys.Of(id), &j)
	if errors.Is(err, queue.ErrNotFound) {
		err = ErrNoJob
	}
	return j, revision, err
}

// StopJob stops a job between two things: at once where nobody works at it, else within two seconds. What it has not
// come to stays as it was. ErrNoJob, ErrJobEnded.
func (a Admin) StopJob(ctx context.Context, id string) error {
	return a.turnJob(ctx, VerbJobStop, id, func(j *Job) error {
		if j.Ends() {
			return ErrJobEnded
		}
		j.Stop = true
		if j.State == JobQueued || j.Interrupted {
			j.State, j.Stop, j.Ended = JobStopped, false, a.now().UTC()
		}
		return nil
	})
}

// ContinueJob lets a job go on that was stopped, failed or was interrupted: what it has done is not done again.
// ErrNoJob, ErrJobEnded.
func (a Admin) ContinueJob(ctx context.Context, id string) error {
	return a.turnJob(ctx, VerbJobContinue, id, func(j *Job) error {
		if j.State == JobDone || j.Kind == JobFind {
			return ErrJobEnded
		}
		if j.State == JobRunning && !j.Interrupted {
			return queue.ErrHeld
		}
		j.State, j.Stop, j.Command, j.Ended, j.Problem = JobQueued, false, false, time.Time{}, ""
		return nil
	})
}

// turnJob writes down what a person does to a job, and does it.
func (a Admin) turnJob(ctx context.Context, verb, id string, turn func(*Job) error) error {
	for written := false; ; written = true {
		j, revision, err := a.job(ctx, id)
		if err != nil {
			return err
		}
		held, err := a.Queue.Leased(ctx, event.LeaseJob(id))
		if err != nil {
			return err
		}
		j = j.seen(held, a.now())
		if err := turn(&j); err != nil {
			return fmt.Errorf("job %s: %w", id, err)
		}
		j.Interrupted = false
		if !written {
			if err := a.Audit(ctx, AuditEntry{Verb: verb, On: "job " + id, Job: id}); err != nil {
				return err
			}
		}
		if err := a.keepJob(ctx, j, revision); !errors.Is(err, queue.ErrConflict) {
			return err
		}
	}
}

// keepJob stores a job over its revision, for as long as it is kept so. queue.ErrConflict.
func (a Admin) keepJob(ctx context.Context, j Job, revision uint64) error {
	_, err := a.Queue.State().UpdateTTL(ctx, event.JobKeys.Of(j.ID), j, revision, j.life())
	return err
}
