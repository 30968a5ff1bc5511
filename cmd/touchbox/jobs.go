package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/show"
)

// jobUsage is what --job says.
const jobUsage = "leave it to a worker or `touchbox up`, as a job that goes on after a restart: see touchbox jobs"

func (c *cli) jobsCommand() *cobra.Command {
	cmd := c.withJSON(&cobra.Command{
		Use:   "jobs",
		Short: "List the jobs: bulk work, how far it is, who asked for it; show, stop or continue one",
		Long: "List what was asked for with --job, and every replay that a command works at: state (queued, running, interrupted, stopped, done,\n" +
			"failed), how many things it has to do with and has come through. A worker or `touchbox up` works jobs off, some at a time, and goes on\n" +
			"with them after a restart; nothing is done twice. A job is kept for 30 days after its end.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.listJobs(ctx) }),
	})
	cmd.AddCommand(
		c.jobsShowCommand(),
		c.jobCommand("stop", "Stop a job between two things: what it has not come to stays as it was", admin.Admin.StopJob),
		c.jobCommand("continue", "Let a job go on that was stopped, interrupted or failed", admin.Admin.ContinueJob),
	)
	return cmd
}

func (c *cli) jobCommand(name, short string, do func(admin.Admin, context.Context, string) error) *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   name + " ID",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: c.onDesk(func(ctx context.Context, d *desk, args []string) error {
			if err := do(d.admin, ctx, args[0]); err != nil {
				return err
			}
			return d.showJob(ctx, args[0])
		}),
	})
}

func (c *cli) jobsShowCommand() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "show ID",
		Short: "Show all that is known of a job",
		Args:  cobra.ExactArgs(1),
		RunE:  c.onDesk(func(ctx context.Context, d *desk, args []string) error { return d.showJob(ctx, args[0]) }),
	})
}

func (d *desk) listJobs(ctx context.Context) error {
	jobs, err := d.admin.Jobs(ctx)
	if err != nil {
		return err
	}
	return listing[admin.Job]{
		header: d.lang.Text("JOB\tKIND\tSTATE\tDONE\tASKED\tBY\tON\tWHY"),
		cells: func(j admin.Job) []string {
			return []string{
				j.ID, d.jobKind(j), d.jobState(j), fmt.Sprintf("%d/%d", j.Done, j.Found), d.when(j.Asked), j.Who, show.Cell(d.words().On(j.On), widest), show.Cell(j.Why, widest),
			}
		},
	}.print(d.cli, jobs, len(jobs))
}

// words says what the audit and jobs store in codes.
func (d *desk) words() admin.Words { return admin.Words{Speaker: d.lang, When: d.when} }

// jobKind and jobState say in words what a job does and how it stands; no command takes them.
func (c *cli) jobKind(j admin.Job) string  { return c.lang.Text(admin.VerbWord(string(j.Kind))) }
func (c *cli) jobState(j admin.Job) string { return c.lang.Text(admin.JobStateWord(j.Stands())) }

func (d *desk) showJob(ctx context.Context, id string) error {
	j, err := d.admin.JobOf(ctx, id)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(j)
	}
	d.say("job %s: %s, %s", j.ID, d.jobKind(j), d.jobState(j))
	d.say("  on %s", show.Printable(d.words().On(j.On)))
	d.say("  asked by %s at %s", show.Printable(j.Who), d.when(j.Asked))
	if j.Why != "" {
		d.say("  why: %s", show.Printable(j.Why))
	}
	d.say("  through: %d of %d, changed: %d", j.Done, j.Found, j.Changed)
	if f := j.Filled; f != nil {
		_, _ = fmt.Fprintln(d.out, "  "+d.lang.Sprintf("new: %d, known: %d, too young to judge: %d, too old: %d, set aside: %d", f.New, f.Known, f.InProgress, f.TooOld, f.Aside))
	}
	for _, one := range []struct {
		text string
		at   time.Time
	}{{d.lang.Text("  began %s"), j.Began}, {d.lang.Text("  ended %s"), j.Ended}} {
		if !one.at.IsZero() {
			_, _ = fmt.Fprintf(d.out, one.text+"\n", d.when(one.at))
		}
	}
	if why := d.words().Problem(j); why != "" {
		d.say("  %s", show.Printable(why))
	}
	if j.Kind != admin.JobFind && (j.Interrupted || j.State == admin.JobStopped || j.State == admin.JobFailed) {
		d.say("  `touchbox jobs continue %s` lets it go on", j.ID)
	}
	return nil
}

// askJob leaves work to whoever works off jobs.
func (d *desk) askJob(ctx context.Context, kind admin.JobKind, work admin.Work, why string) error {
	job, err := d.admin.AskJob(ctx, kind, work, why)
	if err != nil {
		return err
	}
	if d.json {
		return d.printJSON(job)
	}
	d.say("job %s waits for a worker or `touchbox up`; `touchbox jobs show %s` says how far it is", job.ID, job.ID)
	return nil
}
