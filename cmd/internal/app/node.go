// Package app wires the parts of Touchbox into the processes that the commands start.
//
//	settings (environment), file ──▶ Node: queue, ingest, worker, watch ──▶ log, metrics, admin address
//
// A Node connects the rooms of pkg: what one of them sees, the others, the metrics and the log are told
// of. The package reads the settings, takes up a changed file, serves the admin address, restarts an
// embedded server that is stuck, and ends the process in time with an exit code. It decides nothing about
// events.
package app

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/watch"
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

	// Console makes the console's handler; nil where this process has none.
	Console func(ConsoleSource) http.Handler
	// ConsoleOpen says, once everything runs, that the console can be reached.
	ConsoleOpen bool

	// Started is called once everything runs; nil does nothing.
	Started func(*queue.Queue)
	// Hook, Record and Settled are told what happens, beside the metrics; nil means nobody asks.
	Hook    func(intake.Observation)
	Record  func(event.Key, event.Origin, event.Receipt)
	Settled func(*queue.Delivery, queue.Decision)

	current atomic.Pointer[link.File]
	alerts  *watch.Alerts
	seen    string          // stamp of the file on disk when File was read
	warned  map[string]bool // texts of the warnings of the file in force
	broken  atomic.Bool     // the file on disk is refused
}

// run connects, makes sure of the streams, and works until ctx ends or a part fails.
func (n *Node) run(ctx context.Context, o queue.Options) error {
	n.seen = stamp(n.Settings.Config) // before the queue is waited for: the file may change meanwhile
	n.current.Store(n.File)
	n.warnOfOpenKeys()
	o.Fingerprint = func(e event.Event) event.Fingerprint { return fingerprint(n.current.Load(), e) }
	q, err := queue.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.Provision(ctx); err != nil {
		return err
	}
	if err := q.Client().AnswerHealth(event.HealthSubject, n.ready(q)); err != nil {
		return err
	}
	metrics := NewMetrics()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	n.alerts = watch.NewAlerts(watch.Config{
		Receiver: n.Settings.alertReceiver(), Queue: q, File: n.current.Load, Language: n.Settings.Language(), Log: n.Log,
	})
	ready := withTimeout(readyTimeout, n.ready(q))
	group.Go(func() error { return q.Client().GivenUp(ctx) })
	group.Go(func() error { return metrics.keep(ctx, n, ready) })
	group.Go(func() error { return n.alerts.WatchQueue(ctx, ready) })
	reloaders, err := n.parts(ctx, group, q, metrics)
	if err != nil {
		stop() // what runs already would wait for its own end for ever
		return cause(err, group.Wait())
	}
	if !n.Fixed {
		group.Go(func() error { return n.watchConfig(ctx, metrics, reloaders) })
	}
	if n.Started != nil {
		n.Started(q)
	}
	return group.Wait()
}

// warnOfOpenKeys names the private keys that others on this machine can read.
func (n *Node) warnOfOpenKeys() {
	for name, path := range map[string]string{"INGEST_TLS_KEY": n.Settings.TLSKey, "NATS_KEY": n.Settings.NATSKey, "NATS_CREDS": n.Settings.NATSCreds} {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o007 != 0 {
			n.Log.Warn().Str("variable", name).Str("file", path).Msg("others on this machine can reach this private key: chmod 640 it, or 600")
		}
	}
}

// cause is why the start failed: of a start that was called off, the part that failed meanwhile.
func cause(start, part error) error {
	if part != nil && errors.Is(start, context.Canceled) {
		return part
	}
	return start
}

// reloader has a part take up a changed file; with an error nothing has changed.
type reloader func(context.Context, *link.File) error

// parts starts what this node is, and returns what must hear of a changed file.
func (n *Node) parts(ctx context.Context, group *errgroup.Group, q *queue.Queue, m *Metrics) ([]reloader, error) {
	var reloaders []reloader
	if n.Ingest {
		n.watchCertificate(ctx, group, m)
		in := newIngest(n, q, observer{m, n, func(site string, days int) { n.alerts.UnreadDays(ctx, site, days) }})
		if err := n.patiently(ctx, func() error { return in.use(ctx, n.File) }); err != nil {
			return nil, err
		}
		reloaders = append(reloaders, in.use)
		group.Go(func() error { return in.run(ctx) })
		group.Go(func() error { return n.admin("INGEST_ADMIN_ADDR", n.Settings.IngestAdminAddr, q, m).Serve(ctx) })
	}
	if n.Worker {
		worker, err := pipeline.New(pipeline.Config{
			Queue: q, File: n.File, Log: n.Log, UserAgent: "Touchbox/" + Version,
			Paused: m.pause,
			Parked: func(scope string) {
				m.park(scope)
				n.alerts.Parked(ctx, scope)
			},
			Unparked: func(scope string) {
				m.unpark(scope)
				n.alerts.Unparked(ctx, scope)
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
		// The worker is asked before ingest: it takes a file or changes nothing, while ingest would have
		// replaced its poller by then.
		reloaders = slices.Insert(reloaders, 0, func(_ context.Context, file *link.File) error { return worker.Use(file) })
		group.Go(func() error { return worker.Run(ctx) })
		group.Go(func() error { return keep.Run(ctx, q, n.retention(ctx, worker, m)) })
		group.Go(func() error { return admin.KeepCounts(ctx, q, n.current.Load, n.Log) })
		group.Go(func() error { return m.watchLinks(ctx, q, n.current.Load) })
		group.Go(func() error { return n.admin("WORKER_ADMIN_ADDR", n.Settings.WorkerAdminAddr, q, m).Serve(ctx) })
		n.watchLog(ctx, group, q, m)
	}
	if err := n.serveConsole(ctx, group, q); err != nil {
		return nil, err
	}
	desk := func() admin.Admin {
		a := NewAdmin(q, n.current.Load())
		a.Backfill = Backfill(q, a.File)
		return a
	}
	group.Go(func() error { return admin.RunJobs(ctx, desk, n.jobs(), n.Log) })
	return reloaders, nil
}

// jobs are the kinds of jobs that this node may work off: a worker may store no events, ingest may change nothing else.
func (n *Node) jobs() (kinds []admin.JobKind) {
	if n.Worker {
		kinds = append(kinds, admin.WorkerJobs...)
	}
	if n.Ingest {
		kinds = append(kinds, admin.IngestJobs...)
	}
	return kinds
}

// watchLog starts what learns from the log, and calls a person. It is the worker's, which reads the log
// anyway: ingest, which strangers reach, may not.
func (n *Node) watchLog(ctx context.Context, group *errgroup.Group, q *queue.Queue, m *Metrics) {
	group.Go(func() error { return n.alerts.Run(ctx) })
	quiet := watch.NewSilence(q, n.current.Load, m.heard)
	group.Go(func() error { return quiet.Run(ctx) })
	group.Go(func() error { return watch.WarnUnticked(ctx, q, n.current.Load, n.Log) })
	group.Go(func() error { return n.alerts.Watch(ctx, quiet) })
}

// watchCertificate starts what says that the certificate of the webhook address was not renewed.
func (n *Node) watchCertificate(ctx context.Context, group *errgroup.Group, m *Metrics) {
	if n.Settings.TLSCert == "" {
		return
	}
	pair := watch.Certificate{CertFile: n.Settings.TLSCert, KeyFile: n.Settings.TLSKey, Holds: m.certificateHolds, Log: n.Log}
	group.Go(func() error { return pair.Watch(ctx) })
}

// retention is how long what is kept, and who hears of it. It holds until the process ends, as the
// bounds of the streams do.
func (n *Node) retention(ctx context.Context, w *pipeline.Worker, m *Metrics) keep.Config {
	c := keep.Config{
		Events: n.File.Keep.Events, History: n.File.Keep.History, Versions: w.Versions,
		Observe: keep.Observer{
			Looked: func(l keep.Look) {
				m.streams(l)
				n.alerts.Streams(ctx, l.Streams)
			},
			Abandoned: func(link string, events int) {
				m.abandon(link, events)
				n.alerts.Abandoned(ctx, link, events)
			},
			Lost: func(link string, events int) {
				m.lose(link, events)
				n.alerts.LostRetries(ctx, link, events)
			},
		},
	}
	if len(n.File.Sites) > 0 {
		c.Location = n.File.Sites[0].Location
	}
	return c
}

// patiently tries until the queue answers: on a busy disk a single write may take too long.
func (n *Node) patiently(ctx context.Context, try func() error) error {
	tries := backoff.NewExponentialBackOff(backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	return backoff.RetryNotify(try, backoff.WithContext(tries, ctx), func(err error, _ time.Duration) {
		n.Log.Warn().Err(err).Msg("the queue does not answer yet, trying on")
	})
}

func (n *Node) admin(setting, addr string, q *queue.Queue, m *Metrics) Admin {
	return Admin{Addr: addr, Setting: setting, Token: n.Settings.AdminToken, Hosts: n.Settings.AdminHosts, Ready: n.ready(q), Metrics: m, Log: n.Log}
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
	collectSeldom()
	return runService(ctx, "touchbox-ingest", &Node{Settings: s, Log: log, Ingest: true})
}

// RunWorker is the process `worker`:
//
//	EVENTS, RETRIES ──▶ filter ▶ render ▶ deliver ──▶ Mindbox
//	     ▲                  └──▶ RETRIES, DEADLETTERS, HISTORY
//	     └── retention: purges what is done and old
func RunWorker(ctx context.Context, s Settings, log zerolog.Logger) error {
	collectSeldom()
	return runService(ctx, "touchbox-worker", &Node{Settings: s, Log: log, Worker: true})
}

// beginService is what a process that serves does first.
func beginService(log zerolog.Logger) {
	// A SIGHUP is a request to read the file anew (watchConfig). Before that is listened to, and once it is no more, a
	// reload of the service manager would end the process: in the middle of reading a large store, or of what is in hand.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	limitMemory(log)
	for name, near := range misspelt() {
		log.Warn().Str("variable", name).Str("read_is", near).Msg("this variable of the environment looks like a misspelt one, and is not read")
	}
}

func runService(ctx context.Context, name string, n *Node) error {
	beginService(n.Log)
	file, problems, err := n.Settings.toServe(func(l lang.Language) (*link.File, link.Problems, error) { return n.Settings.LoadConfig(l, n.without()) })
	if err != nil {
		return err
	}
	n.warn(problems)
	n.File = file
	o := n.Settings.queueOptions(name, file, n.Log)
	if o.Servers = n.Settings.NATSURL; o.Servers == "" {
		o.Servers = DefaultNATS
	}
	o.SyncKnown = n.Settings.synced(o.Servers)
	defer tellStop(ctx, n.Log)()
	return newStopClock(ctx).within(processWithin, name, func() error { return n.run(ctx, o) })
}

// without is the side whose secrets this process has no use for: ingest sends nothing to Mindbox, a
// worker asks nothing of Calltouch. What is not there cannot be stolen from it.
func (n *Node) without() link.Side {
	switch {
	case n.Ingest && !n.Worker:
		return link.MindboxSide
	case n.Worker && !n.Ingest:
		return link.CalltouchSide
	}
	return link.Neither
}

// warn logs what a person should look at in the configuration, but for what was said of the one before, wherever it
// stood there: a file is edited many times, and its warnings stay.
func (n *Node) warn(problems link.Problems) {
	said := n.warned
	n.warned = map[string]bool{}
	for _, p := range problems.Warnings() {
		n.warned[p.Text] = true
		if !said[p.Text] {
			n.Log.Warn().Str("problem", p.String()).Msg("configuration")
		}
	}
}
