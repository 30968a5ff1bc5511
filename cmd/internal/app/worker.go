package app

import (
	"context"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
)

// commandConnectTimeout bounds how long a command waits for the server.
const commandConnectTimeout = 10 * time.Second

// RunWorker is the process `worker`:
//
//	EVENTS, RETRIES ──▶ filter ▶ render ▶ deliver ──▶ Mindbox
//	                        └──▶ RETRIES, DEADLETTERS, HISTORY
func RunWorker(ctx context.Context, s Settings, log zerolog.Logger) error {
	file, problems, err := s.LoadConfig(lang.English)
	if err != nil {
		return err
	}
	warn(log, problems)
	return withQueue(ctx, s.ServiceQueue("touchbox-worker", file, log), func(ctx context.Context, q *queue.Queue) error {
		metrics := NewMetrics()
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return work(ctx, q, file, nil, metrics, log) })
		group.Go(func() error { return s.admin(s.WorkerAdminAddr, q, metrics, log).Serve(ctx) })
		return group.Wait()
	})
}

// withQueue connects, makes sure of the streams, and runs f.
func withQueue(ctx context.Context, o queue.Options, f func(context.Context, *queue.Queue) error) error {
	q, err := queue.Open(ctx, o)
	if err != nil {
		return err
	}
	defer q.Close()
	if err := q.Provision(ctx); err != nil {
		return err
	}
	return f(ctx, q)
}

func (s Settings) admin(addr string, q *queue.Queue, m *Metrics, log zerolog.Logger) Admin {
	return Admin{Addr: addr, Token: s.AdminToken, Ready: q.Ready, Metrics: m, Log: log}
}

// work runs all links until ctx ends, with their metrics beside it. Settled, where not nil, is
// told of each outcome.
func work(ctx context.Context, q *queue.Queue, file *link.File, settled func(*queue.Delivery, queue.Decision), m *Metrics, log zerolog.Logger) error {
	worker, err := pipeline.New(pipeline.Config{
		Queue: q, File: file, Log: log, UserAgent: "Touchbox/" + Version, Parked: m.park,
		Settled: func(d *queue.Delivery, x queue.Decision) {
			m.settled(d, x)
			if settled != nil {
				settled(d, x)
			}
		},
	})
	if err != nil {
		return Mistake{err}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return m.watchLinks(ctx, q, file) })
	group.Go(func() error { return worker.Run(ctx) })
	return group.Wait()
}

// warn logs what a person should look at in the configuration.
func warn(log zerolog.Logger, problems link.Problems) {
	for _, p := range problems.Warnings() {
		log.Warn().Str("problem", p.String()).Msg("configuration")
	}
}
