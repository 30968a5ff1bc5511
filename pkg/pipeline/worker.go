package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Config of a Worker.
type Config struct {
	Queue *queue.Queue // provisioned
	File  *link.File
	Log   zerolog.Logger

	// Settled, where not nil, is told of each outcome once it is stored; calls are concurrent.
	Settled func(d *queue.Delivery, x queue.Decision)
	// Parked and Unparked, where not nil, are told when a link ("link/ID") or an endpoint
	// ("endpoint/NAME") parks and when it goes on.
	Parked, Unparked func(scope string)
	// Paused, where not nil, is told when an endpoint has said 429 to everything, and is not asked for a while.
	Paused func(scope string)

	UserAgent string        // towards Mindbox; "" is Touchbox
	Finish    time.Duration // for what is in hand at the end; 0 is the queue's default
	Probing   breaker.Probing

	// Backoff is how long an event waits after its attempt-th failure; nil is Backoff.
	Backoff func(attempt int, upTo time.Duration) time.Duration
}

// Worker runs the links of a file. Several workers, in one process or many, share the work.
type Worker struct {
	config   Config
	id       string
	breakers *breaker.Set
	crashes  *crashes
	warnings *warnings
	changed  chan struct{} // full when the file has changed since lookAfterLinks looked

	mu           sync.Mutex
	file         *link.File
	runners      map[string]*runner
	destinations map[string]*destination
	versions     map[string]bool // of links: stored in STATE, or, false, on the way there
	present      int             // workers, this one included
	stopped      bool
	group        sync.WaitGroup
	base         context.Context // of the runners; nil before Run
}

// New prepares a worker. Nothing runs before Run.
func New(config Config) (*Worker, error) {
	if config.Backoff == nil {
		config.Backoff = Backoff
	}
	w := &Worker{
		config: config, id: uuid.NewString(), runners: map[string]*runner{}, destinations: map[string]*destination{},
		versions: map[string]bool{}, present: 1, changed: make(chan struct{}, 1), warnings: &warnings{log: config.Log},
	}
	w.breakers = breaker.NewSet(breaker.Config{
		Store: config.Queue, Probing: config.Probing, Log: config.Log, Parked: config.Parked, Unparked: config.Unparked,
	})
	w.crashes = newCrashes(config.Queue.State(), config.Log)
	if _, err := w.destinationsOf(config.File); err != nil {
		return nil, err
	}
	return w, nil
}

// Run works until ctx ends and what is in hand is finished, or the time for that is over: what was
// still in hand is delivered again. The error is of the file's destinations.
func (w *Worker) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	var helpers sync.WaitGroup
	helpers.Go(func() { w.breakers.Follow(w.config.Queue.WatchParks(work)) })
	if err := w.announce(work); err != nil && ctx.Err() == nil {
		w.config.Log.Warn().Err(err).Msg("the number of workers could not be read, counting this one alone")
	}
	helpers.Go(func() { w.stayPresent(work) })
	begun := w.crashes.begin(work) == nil
	helpers.Go(func() { w.crashes.live(work, begun) })

	w.mu.Lock()
	w.base = work
	w.mu.Unlock()
	err := w.Use(w.config.File)
	if err == nil {
		helpers.Go(func() { w.lookAfterLinks(work) })
		<-ctx.Done()
	}
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	cancel()
	w.group.Wait()
	helpers.Wait()
	helpers.Go(w.leave)
	helpers.Go(w.crashes.end)
	helpers.Wait()
	return err
}

// Use takes up a file: new links start, those that are gone stop and are paused, the others go on
// as the file says now. It may be called at any time while Run runs; with an error nothing has
// changed.
func (w *Worker) Use(file *link.File) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.base == nil || w.stopped {
		return errors.New("the worker does not run")
	}
	destinations, err := w.destinationsOf(file)
	if err != nil {
		return err
	}
	old := w.destinations
	w.file, w.destinations = file, destinations
	w.shareRates()
	for id, r := range w.runners {
		if file.Link(id) == nil {
			r.cancel()
			delete(w.runners, id)
		}
	}
	reads := newReadings(file)
	for _, l := range file.Links {
		w.use(l, reads)
	}
	w.forgetVersions()
	for _, d := range old { // attempts under way keep their connections
		d.client.Close()
	}
	select {
	case w.changed <- struct{}{}:
	default: // it will look anyway
	}
	return nil
}

// use starts a link or brings a running one up to date; the lock is held.
func (w *Worker) use(l *link.Link, reads *readings) {
	s := &setup{link: l, views: views(w.file, l), reads: reads, to: w.destinations[l.To.Name], retry: w.config.Backoff, crashes: w.crashes,
		warnings: w.warnings}
	w.storeVersion(l)
	spec := specOf(l)
	r := w.runners[l.ID]
	if r != nil && r.fits(spec, s) {
		r.setup.Store(s)
		return
	}
	var before <-chan struct{}
	if r != nil { // opened anew, after what is in hand
		r.cancel()
		before = r.done
	}
	r = w.newRunner(s, spec)
	w.runners[l.ID] = r
	w.group.Go(func() { r.run(before) })
}

func specOf(l *link.Link) queue.LinkSpec {
	return queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: l.Since, Delay: l.Delay}
}

// destinationsOf makes the shared parts of a file's destinations; pace and breaker of one that is
// known go on.
func (w *Worker) destinationsOf(file *link.File) (map[string]*destination, error) {
	made := map[string]*destination{}
	for _, d := range file.Destinations {
		client, err := Client(d, w.config.UserAgent)
		if err != nil {
			return nil, err
		}
		scope := event.EndpointScope(d.Name)
		made[d.Name] = &destination{file: d, client: client, pace: newPace(), breaker: w.breakers.Of(scope), paused: func(until time.Time) {
			w.warnings.paused(scope, until)
			if w.config.Paused != nil {
				w.config.Paused(scope)
			}
		}}
		if old := w.destinations[d.Name]; old != nil {
			made[d.Name].pace = old.pace
		}
	}
	return made, nil
}

// runner runs one link in this process.
type runner struct {
	worker  *Worker
	spec    queue.LinkSpec
	breaker *breaker.Breaker
	setup   atomic.Pointer[setup]

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

func (w *Worker) newRunner(s *setup, spec queue.LinkSpec) *runner {
	r := &runner{worker: w, spec: spec, breaker: w.breakers.Of(event.LinkScope(s.link.ID)), done: make(chan struct{})}
	r.ctx, r.cancel = context.WithCancel(w.base)
	r.setup.Store(s)
	return r
}

// fits reports whether the link can go on under a new setup without being opened anew.
func (r *runner) fits(spec queue.LinkSpec, s *setup) bool {
	return slices.Equal(r.spec.Subjects, spec.Subjects) && r.spec.Since.Equal(spec.Since) && r.spec.Delay == spec.Delay &&
		r.setup.Load().to.breaker == s.to.breaker
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
		Turn: r.turn, Begin: r.begin, Handle: r.handle, Settled: r.settled, Finish: r.worker.config.Finish,
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

// breakers are the two that stand before the link.
func (r *runner) breakers() breaker.Pair {
	to := r.setup.Load().to
	return breaker.Pair{Endpoint: to.breaker, Link: r.breaker, Lease: to.lease()}
}

func (r *runner) turn(ctx context.Context) (queue.Turn, error) {
	if err := r.setup.Load().to.pace.resumed(ctx); err != nil {
		return queue.Turn{}, err
	}
	return r.breakers().Turn(ctx, func() int { return r.setup.Load().to.pace.inHand() })
}

// begin takes an event through the stages inside this process, and leaves the rest to handle.
func (r *runner) begin(ctx context.Context, d *queue.Delivery) (queue.Decision, bool) {
	h := newHandling(r.setup.Load(), r.breakers(), d)
	if h.inside(ctx) {
		return h.decided(), true
	}
	d.Begun = h
	return queue.Decision{}, false
}

// begunFor is how long what begin has left is good: there may be another file by then, or the event may be expired.
const begunFor = time.Second

func (r *runner) handle(ctx context.Context, d *queue.Delivery) queue.Decision {
	s := r.setup.Load()
	if h, begun := d.Begun.(*handling); begun && h.setup == s && time.Since(h.now) < begunFor {
		deliver(ctx, h)
		return h.decided()
	}
	return process(ctx, s, r.breakers(), d)
}

func (r *runner) settled(d *queue.Delivery, x queue.Decision) {
	logOutcome(r.worker.config.Log, d, x)
	if r.worker.config.Settled != nil {
		r.worker.config.Settled(d, x)
	}
}
