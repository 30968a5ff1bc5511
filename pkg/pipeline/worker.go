package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Config of a Worker.
type Config struct {
	Queue *queue.Queue // provisioned
	File  *link.File
	Log   zerolog.Logger

	// Settled, where not nil, is told of each outcome once it is stored; calls are concurrent.
	Settled func(d *queue.Delivery, x queue.Decision)
	// Parked, where not nil, is told when a link ("link/ID") or an endpoint ("endpoint/NAME")
	// parks and when it goes on.
	Parked func(scope string, parked bool)

	UserAgent string        // towards Mindbox; "" is Touchbox
	Workers   int           // events in hand per link; 0 is the queue's default
	Finish    time.Duration // for what is in hand at the end; 0 is the queue's default
	Probing   Probing

	// Backoff is how long an event waits after its attempt-th failure; nil is Backoff.
	Backoff func(attempt int, upTo time.Duration) time.Duration
}

// Worker runs the links of a file. Several workers, in one process or many, share the work.
type Worker struct {
	config  Config
	id      string
	changed chan struct{} // full when the file has changed since lookAfterLinks looked

	mu           sync.Mutex
	file         *link.File
	runners      map[string]*runner
	destinations map[string]*destination
	gates        map[string]*gate // by scope, of links and endpoints
	warned       map[string]time.Time
	live         int // workers, this one included
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
		gates: map[string]*gate{}, warned: map[string]time.Time{}, live: 1, changed: make(chan struct{}, 1),
	}
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
	helpers.Go(func() { w.watchParks(work) })
	if err := w.meet(work); err != nil {
		w.config.Log.Warn().Err(err).Msg("the number of workers could not be read, counting this one alone")
	}
	helpers.Go(func() { w.stayPresent(work) })

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
	w.leave()
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
	for _, l := range file.Links {
		w.use(l)
	}
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
func (w *Worker) use(l *link.Link) {
	s := &setup{link: l, views: views(w.file), to: w.destinations[l.To.Name], retry: w.config.Backoff, undeclared: w.warnUndeclared}
	w.group.Go(func() { w.keepVersion(w.base, l) })
	spec := w.spec(l)
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

func (w *Worker) spec(l *link.Link) queue.LinkSpec {
	return queue.LinkSpec{
		ID: l.ID, Subjects: l.Subjects(), Since: l.Since, Delay: l.Delay, Workers: w.config.Workers,
		Timeout: l.To.Timeout + leaseMargin,
	}
}

// destinationsOf makes the shared parts of a file's destinations; pace and gate of one that is
// known go on.
func (w *Worker) destinationsOf(file *link.File) (map[string]*destination, error) {
	made := map[string]*destination{}
	for _, d := range file.Destinations {
		client, err := Client(d, w.config.UserAgent)
		if err != nil {
			return nil, err
		}
		made[d.Name] = &destination{file: d, client: client, pace: newPace(), gate: w.gate(endpointScope(d.Name))}
		if old := w.destinations[d.Name]; old != nil {
			made[d.Name].pace = old.pace
		}
	}
	return made, nil
}

// gate returns the gate of a scope, the same one each time; the lock is held, or nothing runs yet.
func (w *Worker) gate(scope string) *gate {
	g := w.gates[scope]
	if g == nil {
		g = newGate(scope, w.config.Queue, w.config.Probing, w.config.Log, w.config.Parked)
		w.gates[scope] = g
	}
	return g
}

// watchParks brings what other workers park. A park of a link or endpoint that is not in this
// file is remembered: the file may bring it yet.
func (w *Worker) watchParks(ctx context.Context) {
	for change := range w.config.Queue.WatchParks(ctx) {
		w.mu.Lock()
		g := w.gate(change.Scope)
		w.mu.Unlock()
		g.apply(change)
	}
}

// views are how the events of each site of a file are read.
func views(file *link.File) map[string]calltouch.View {
	m := make(map[string]calltouch.View, len(file.Sites))
	for _, s := range file.Sites {
		m[s.ID] = s.View()
	}
	return m
}

// versionKeys begin the keys of STATE under which each version of a link is kept.
const versionKeys = "version."

// keepVersion stores the link as it is today under its hash, which HISTORY names, so that what was
// sent can be rendered again when the file has long changed.
func (w *Worker) keepVersion(ctx context.Context, l *link.Link) {
	tries := backoff.NewExponentialBackOff(backoff.WithMaxInterval(time.Minute), backoff.WithMaxElapsedTime(0))
	_ = backoff.Retry(func() error {
		_, err := w.config.Queue.State().Create(ctx, versionKeys+l.Version, json.RawMessage(l.Document()))
		if errors.Is(err, queue.ErrConflict) { // it stands there
			return nil
		}
		return err
	}, backoff.WithContext(tries, ctx))
}

// maxWarned bounds how many names of attributes are remembered: strangers can send any.
const maxWarned = 1000

// warnUndeclared names, once a day, an attribute that comes and that no link can use.
func (w *Worker) warnUndeclared(site string, names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		key := site + "/" + name
		if time.Since(w.warned[key]) < warnEvery || len(w.warned) >= maxWarned {
			continue
		}
		w.warned[key] = time.Now()
		w.config.Log.Warn().Str("site", site).Str("attribute", mindbox.Mask(name, 64)).
			Msg("this attribute comes and is not among the site's attrs in the file: links cannot use it")
	}
}
