package pipeline

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/touchbox/touchbox/pkg/queue"
)

// runner runs one link in this process.
type runner struct {
	worker *Worker
	spec   queue.LinkSpec
	gate   *gate
	setup  atomic.Pointer[setup]

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

func (w *Worker) newRunner(s *setup, spec queue.LinkSpec) *runner {
	r := &runner{worker: w, spec: spec, gate: w.gate(linkScope(s.link.ID)), done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(w.base)
	r.setup.Store(s)
	return r
}

// fits reports whether the link can go on under a new setup without being opened anew.
func (r *runner) fits(spec queue.LinkSpec, s *setup) bool {
	return slices.Equal(r.spec.Subjects, spec.Subjects) && r.spec.Since.Equal(spec.Since) && r.spec.Delay == spec.Delay &&
		r.spec.Timeout == spec.Timeout && r.setup.Load().to.gate == s.to.gate
}

// run opens the link and consumes until its context ends. before, where not nil, is the end of
// the runner that it replaces.
func (r *runner) run(before <-chan struct{}) {
	defer close(r.done)
	if before != nil {
		<-before
	}
	opened, err := r.open()
	if err != nil {
		return // the context has ended
	}
	err = opened.Consume(r.ctx, queue.Consumption{
		Turn: r.turn, Handle: r.handle, Settled: r.settled, Finish: r.worker.config.Finish,
	})
	if err != nil {
		r.worker.config.Log.Warn().Str("link", r.spec.ID).Err(err).Msg("stopped before all that was in hand was finished")
	}
}

// open opens the link on the server, trying until it works: a worker may start before its server.
func (r *runner) open() (*queue.Link, error) {
	var opened *queue.Link
	tries := backoff.NewExponentialBackOff(backoff.WithMaxInterval(15*time.Second), backoff.WithMaxElapsedTime(0))
	err := backoff.RetryNotify(func() (err error) {
		opened, err = r.worker.config.Queue.OpenLink(r.ctx, r.spec)
		return err
	}, backoff.WithContext(tries, r.ctx), func(err error, wait time.Duration) {
		r.worker.config.Log.Warn().Str("link", r.spec.ID).Err(err).Dur("again_in", wait).Msg("the link could not be opened")
	})
	if err == nil && opened.Differs != "" {
		r.worker.config.Log.Warn().Str("link", r.spec.ID).Msg(opened.Differs)
	}
	return opened, err
}

func (r *runner) gates() gates { return gates{endpoint: r.setup.Load().to.gate, link: r.gate} }

func (r *runner) turn(ctx context.Context) (queue.Turn, error) {
	return r.gates().turn(ctx, func() int { return r.setup.Load().to.pace.inHand() })
}

func (r *runner) handle(ctx context.Context, d *queue.Delivery) queue.Decision {
	return process(ctx, r.setup.Load(), r.gates(), d)
}

func (r *runner) settled(d *queue.Delivery, x queue.Decision) {
	logOutcome(r.worker.config.Log, d, x)
	if r.worker.config.Settled != nil {
		r.worker.config.Settled(d, x)
	}
}
