package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/backup"
)

func (c *cli) backupCommand() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the queue into a new folder, while everything runs",
		Long: "Copy all streams with what the links have read of them into DIR, which must not be there yet. Everything goes on meanwhile; only\n" +
			"replays and `aside take` wait for the end. Without NATS_URL and without a running `touchbox up` it copies the store in TOUCHBOX_DATA.\n\n" +
			"The copy holds personal data, and no secrets: keep touchbox.yaml and its variables beside it. `touchbox restore` brings it back.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withStore(cmd.Context(), besideUp, func(ctx context.Context, q *queue.Queue) error { return c.backup(ctx, q, args[0]) })
		},
	})
}

func (c *cli) restoreCommand() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "restore DIR",
		Short: "Bring a copy made by `touchbox backup` into an empty queue",
		Long: "Check the copy in DIR and restore it into the empty queue of NATS_URL, or into an empty TOUCHBOX_DATA: so it also moves a store from\n" +
			"`touchbox up` to a NATS of one's own and back. ingest, worker and `touchbox up` must be stopped. Interrupted, it leaves the queue empty.\n\n" +
			"What was delivered since the copy was made is delivered again with the same transactionId, which Mindbox executes once. Whom you have\n" +
			"erased since must be erased again.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withStore(cmd.Context(), onlyAlone, func(ctx context.Context, q *queue.Queue) error { return c.restore(ctx, q, args[0]) })
		},
	})
}

// storeUse says whether a command may work beside a running `touchbox up`.
type storeUse bool

const (
	besideUp  storeUse = false
	onlyAlone storeUse = true
)

// withStore runs f over the queue, whether `touchbox up` runs or not.
func (c *cli) withStore(ctx context.Context, use storeUse, f func(context.Context, *queue.Queue) error) error {
	file, problems, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil && use == besideUp { // a backup at night is not to fail by a mistake of the evening
		file = c.runningFile(ctx)
	}
	if file == nil {
		return err
	}
	if err != nil {
		c.broken = err
		c.warnBroken(len(problems.Mistakes()))
	}
	q, done, err := c.settings.OpenAnyway(ctx, file, c.log.Level(zerolog.WarnLevel), bool(use))
	if err != nil {
		return err
	}
	defer done()
	return f(ctx, q)
}

func (c *cli) backup(ctx context.Context, q *queue.Queue, dir string) error {
	if err := c.auditBackup(ctx, q, dir); err != nil {
		return err
	}
	m, err := backup.Save(ctx, q, dir, backup.Options{Version: app.Version, Progress: c.copyBar()})
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New(c.lang.Sprintf("stopped; nothing of the copy is left"))
	case errors.Is(err, backup.ErrExists):
		return app.Mistakef("%s", c.lang.Sprintf("%s is there already: name a folder that is not", dir))
	case errors.Is(err, queue.ErrHeld):
		return errors.New(c.lang.Sprintf("another backup runs: try again when it has ended"))
	case err != nil:
		return err
	}
	return c.copied(m, c.lang.Sprintf("%d messages are in %s", m.Messages(), dir))
}

// auditBackup writes down that all that is stored is copied. A store of a version without an audit is copied all the same.
func (c *cli) auditBackup(ctx context.Context, q *queue.Queue, dir string) error {
	if _, err := q.Extent(ctx, event.AuditStream); errors.Is(err, queue.ErrNotFound) {
		return nil
	}
	return admin.Admin{Queue: q, Actor: app.CommandActor()}.Audit(ctx, admin.AuditEntry{Verb: admin.VerbBackup, On: filepath.Base(dir)})
}

func (c *cli) restore(ctx context.Context, q *queue.Queue, dir string) error {
	if err := c.noWorker(ctx, q); err != nil {
		return err
	}
	m, err := backup.Load(ctx, q, dir, backup.Options{Progress: c.copyBar()})
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New(c.lang.Sprintf("stopped; the queue is empty, the same command begins anew"))
	case errors.Is(err, backup.ErrNotEmpty):
		return errors.New(c.lang.Sprintf("%s: restore only into an empty queue, with another TOUCHBOX_DATA or a new NATS store", err))
	case err != nil:
		return err
	}
	a := admin.Admin{Queue: q, Actor: app.CommandActor()}
	if err := a.Audit(ctx, admin.AuditEntry{Verb: admin.VerbRestore, On: filepath.Base(dir), Done: int(m.Messages())}); err != nil {
		return err
	}
	return c.copied(m, c.lang.Sprintf("%d messages of %s are back", m.Messages(), m.Ended.Local().Format("2006-01-02 15:04 MST")))
}

// noWorker refuses a queue on which a worker works. On one that was restored in part none can.
func (c *cli) noWorker(ctx context.Context, q *queue.Queue) error {
	err := q.Provision(ctx)
	if errors.Is(err, queue.ErrRestoring) {
		return nil
	}
	if err != nil {
		return err
	}
	workers, err := q.State().List(ctx, string(event.WorkerKeys))
	if err != nil {
		return err
	}
	if len(workers) > 0 {
		return app.Mistakef("%s", c.lang.Sprintf("a worker runs, or ended less than half a minute ago: stop ingest and worker first"))
	}
	return nil
}

func (c *cli) copied(m backup.Manifest, text string) error {
	if c.json {
		return c.printJSON(m)
	}
	_, _ = fmt.Fprintln(c.out, text)
	return nil
}

// copyBar draws the progress on a terminal, a bar for each stream; elsewhere it stays silent.
func (c *cli) copyBar() func(backup.Progress) {
	bar := c.newProgress(countsBytes)
	if bar == nil {
		return nil
	}
	return func(p backup.Progress) {
		bar.show(p.Nth, c.lang.Sprintf("%s, %d of %d", p.Stream, p.Nth, p.Of), int(p.Done), int(p.Total))
	}
}
