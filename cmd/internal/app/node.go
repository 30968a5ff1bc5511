package app

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Node is a process that runs ingest, worker or both over one queue.
type Node struct {
	Settings Settings
	File     *link.File // to begin with; the file on disk is watched
	Log      zerolog.Logger

	Ingest, Worker bool
	Sole           bool // no other ingest or worker can run on this store
	Fixed          bool // the file is not on disk and never changes

	// Unwell says what is wrong with the server inside this process; nil where there is none.
	Unwell func() error

	// Started is called once everything runs; nil does nothing.
	Started func(*queue.Queue)
	// Hook, Record and Settled are told what happens, beside the metrics; nil means nobody asks.
	Hook    func(calltouch.Observation)
	Record  func(event.Key, event.Origin, event.Receipt)
	Settled func(*queue.Delivery, queue.Decision)

	current atomic.Pointer[link.File]
	seen    string // stamp of the file on disk when File was read
}

// run connects, makes sure of the streams, and works until ctx ends or a part fails.
func (n *Node) run(ctx context.Context, o queue.Options) error {
	n.seen = stamp(n.Settings.Config) // before the queue is waited for: the file may change meanwhile
	n.current.Store(n.File)
	o.Fingerprint = func(e event.Event) event.Fingerprint { return fingerprint(n.current.Load(), e) }
	q, err := queue.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.Provision(ctx); err != nil {
		return err
	}
	metrics := NewMetrics()
	group, ctx := errgroup.WithContext(ctx)
	alerts := newAlerts(n.Settings.AlertURL, q, n.Log)
	group.Go(func() error { return alerts.run(ctx) })
	users, err := n.parts(ctx, group, q, metrics, alerts)
	if err != nil {
		return errors.Join(err, group.Wait())
	}
	if !n.Fixed {
		group.Go(func() error { return n.watchConfig(ctx, metrics, users) })
	}
	if n.Started != nil {
		n.Started(q)
	}
	return group.Wait()
}

// user takes up a file; with an error nothing has changed.
type user func(context.Context, *link.File) error

// parts starts what this node is, and returns what must hear of a changed file.
func (n *Node) parts(ctx context.Context, group *errgroup.Group, q *queue.Queue, m *Metrics, a *alerts) ([]user, error) {
	var users []user
	if n.Ingest {
		quiet := newSilence()
		group.Go(func() error { return quiet.remember(ctx, q) })
		group.Go(func() error { return warnUnticked(ctx, q, n.current.Load, n.Log) })
		group.Go(func() error { return a.watch(ctx, n.current.Load, quiet) })
		hook := both(both(m.hook, quiet.hook), n.Hook)
		in := newIntake(n, q, observers{hook, n.Record}, m)
		if err := n.patiently(ctx, func() error { return in.use(ctx, n.File) }); err != nil {
			return nil, err
		}
		users = append(users, in.use)
		group.Go(func() error { return in.run(ctx) })
		group.Go(func() error { return n.admin(n.Settings.IngestAdminAddr, q, m).Serve(ctx) })
	}
	if n.Worker {
		worker, err := pipeline.New(pipeline.Config{
			Queue: q, File: n.File, Log: n.Log, UserAgent: "Touchbox/" + Version,
			Parked: func(scope string, parked bool) {
				m.park(scope, parked)
				a.park(ctx, scope, parked)
			},
			Settled: func(d *queue.Delivery, x queue.Decision) {
				m.settled(d, x)
				if n.Settled != nil {
					n.Settled(d, x)
				}
			},
		})
		if err != nil {
			return nil, Mistake{err}
		}
		// Before ingest: it refuses without a trace, while ingest's poller would begin anew.
		users = slices.Insert(users, 0, func(_ context.Context, file *link.File) error { return worker.Use(file) })
		group.Go(func() error { return worker.Run(ctx) })
		group.Go(func() error { return q.Retain(ctx, n.retention(ctx, worker, m, a)) })
		group.Go(func() error { return m.watchLinks(ctx, q, n.current.Load) })
		group.Go(func() error { return n.admin(n.Settings.WorkerAdminAddr, q, m).Serve(ctx) })
	}
	return users, nil
}

// patiently tries until the queue answers: on a busy disk a single write may take too long.
func (n *Node) patiently(ctx context.Context, try func() error) error {
	tries := backoff.NewExponentialBackOff(backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	return backoff.RetryNotify(try, backoff.WithContext(tries, ctx), func(err error, _ time.Duration) {
		n.Log.Warn().Err(err).Msg("the queue does not answer yet, trying on")
	})
}

func (n *Node) admin(addr string, q *queue.Queue, m *Metrics) Admin {
	return Admin{Addr: addr, Token: n.Settings.AdminToken, Ready: n.ready(q), Metrics: m, Log: n.Log}
}

// ready reports whether events can be stored. The server inside this process is asked first: it
// knows why.
func (n *Node) ready(q *queue.Queue) func(context.Context) error {
	return func(ctx context.Context) error {
		if n.Unwell != nil {
			if err := n.Unwell(); err != nil {
				return err
			}
		}
		return q.Ready(ctx)
	}
}

// RunIngest is the process `ingest`:
//
//	webhooks ──────┐
//	requests API ──┼──▶ key, kind, fingerprint ──▶ EVENTS
//	calls journal ─┘                └──▶ ASIDE
func RunIngest(ctx context.Context, s Settings, log zerolog.Logger) error {
	return runService(ctx, "touchbox-ingest", &Node{Settings: s, Log: log, Ingest: true})
}

// RunWorker is the process `worker`:
//
//	EVENTS, RETRIES ──▶ filter ▶ render ▶ deliver ──▶ Mindbox
//	     ▲                  └──▶ RETRIES, DEADLETTERS, HISTORY
//	     └── retention: purges what is done and old
func RunWorker(ctx context.Context, s Settings, log zerolog.Logger) error {
	return runService(ctx, "touchbox-worker", &Node{Settings: s, Log: log, Worker: true})
}

func runService(ctx context.Context, name string, n *Node) error {
	file, problems, err := n.Settings.LoadConfig(lang.English)
	if err != nil {
		return err
	}
	warn(n.Log, problems)
	n.File = file
	o := n.Settings.queueOptions(name, file, n.Log)
	if o.Servers = n.Settings.NATSURL; o.Servers == "" {
		o.Servers = DefaultNATS
	}
	return n.run(ctx, o)
}

// warn logs what a person should look at in the configuration.
func warn(log zerolog.Logger, problems link.Problems) {
	for _, p := range problems.Warnings() {
		log.Warn().Str("problem", p.String()).Msg("configuration")
	}
}

// both calls two observers; the second may be nil.
func both[T any](first, second func(T)) func(T) {
	if second == nil {
		return first
	}
	return func(v T) { first(v); second(v) }
}
