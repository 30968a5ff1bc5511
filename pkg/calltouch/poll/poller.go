package poll

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Observer is told what the poller does, from several goroutines.
type Observer interface {
	// Offered: a record was offered to EVENTS for the first time by this process. One that was set
	// aside for another reason than a collision comes as Aside only.
	Offered(key event.Key, origin event.Origin, receipt event.Receipt)
	// Aside: a record was set aside (a collision, too).
	Aside(site string, reason calltouch.Reason)
	// Hook: a request's hook that waited for its record is settled: it became an event, or the
	// record had come and the hook is a repeat. Status is 200 and Settled is set.
	Hook(intake.Observation)
	// Waiting: so many hooks of requests wait for their records, at all sites together.
	Waiting(hooks int)
	// Asked: one day of one method ("requests", "calls") was read, or was not.
	Asked(site, method string, err error)
	// Unread: so many days of a site have failed for an hour and more, whenever that changes, and
	// once at the begin.
	Unread(site string, days int)
	// Checked: an ended call of the journal, since this process polls, was (found) or was not
	// brought by the journal alone.
	Checked(site string, found bool)
	// Attribution: an event's own model is not the one of the file.
	Attribution(site string)
}

// nobody is the Observer of a poller of which nobody asks.
type nobody struct{}

func (nobody) Offered(event.Key, event.Origin, event.Receipt) {}
func (nobody) Aside(string, calltouch.Reason)                 {}
func (nobody) Hook(intake.Observation)                        {}
func (nobody) Waiting(int)                                    {}
func (nobody) Asked(string, string, error)                    {}
func (nobody) Unread(string, int)                             {}
func (nobody) Checked(string, bool)                           {}
func (nobody) Attribution(string)                             {}

// Config says what to poll. Sites, Store and State are required.
type Config struct {
	// Sites are all those of the file. One without a token is not polled; a record of another of them
	// is passed over: a token may open several sites, and each has its own.
	Sites   []calltouch.Site
	Store   intake.Store
	Hooks   WaitingHooks // nil: no hook waits for its record, each is to be stored as it is
	State   State
	HTTP    *http.Client   // nil = one of this package's own
	Limiter *api.Limiter   // nil = one that yields to the commands
	Log     zerolog.Logger // the zero value logs nothing
	Observe Observer       // nil: nobody asks
	Before  *Poller        // what polled so far, and has ended or is about to; nil = nothing did
}

// Poller reads, for every site with a token, form requests and the calls journal, so that nothing
// that Calltouch knows is missed. Of all processes that run one, one polls: the holder of a lease.
type Poller struct {
	cfg    Config
	intake intake.Intake
	inFile siteIDs                   // all sites of the file
	views  map[string]calltouch.View // of all sites
	polled map[string]*site
	hooks  hookState
}

// siteIDs is a set of ids of sites.
type siteIDs map[string]bool

func idsOf(list []calltouch.Site) siteIDs {
	ids := siteIDs{}
	for _, s := range list {
		ids[s.ID] = true
	}
	return ids
}

// New returns a Poller that does nothing until Run. A site that is as it was in the Poller before
// goes on where that was.
func New(cfg Config) *Poller {
	if cfg.Limiter == nil {
		cfg.Limiter = &api.Limiter{Allowed: Announced(cfg.State)}
	}
	if cfg.Observe == nil {
		cfg.Observe = nobody{}
	}
	before := cfg.Before
	cfg.Before = nil // or all that ever polled would be kept
	p := &Poller{
		cfg: cfg, intake: intake.Intake{Store: cfg.Store}, inFile: idsOf(cfg.Sites),
		views: map[string]calltouch.View{}, polled: map[string]*site{},
		hooks: hookState{soon: make(chan struct{}, 1), done: map[uint64]intake.Observation{}},
	}
	for _, s := range cfg.Sites {
		p.views[s.ID] = s.View()
		if s.APIToken != nil {
			p.polled[s.ID] = newSite(p, s, before)
		}
	}
	return p
}

// Run polls until ctx ends, whenever this process holds the lease. Its error is always nil: what
// fails is tried again, and told to the log and the observer.
func (p *Poller) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		for _, s := range p.polled {
			s.follow(ctx)
		}
		// Who does not poll looks, too: to know how many wait, and whether anybody is needed.
		waiting := p.countHooks(ctx)
		if len(p.polled) > 0 || waiting > 0 {
			p.tryToLead(ctx)
		}
		_ = wait.Sleep(ctx, leaseRetry)
	}
	return nil
}

// tryToLead polls until ctx ends or the lease is lost, unless another process holds it.
func (p *Poller) tryToLead(ctx context.Context) {
	err := whileHeld(ctx, p.cfg.State, event.LeasePoll, func(ctx context.Context) error {
		p.lead(ctx)
		return nil
	})
	switch {
	case err == nil, errors.Is(err, ErrHeld), ctx.Err() != nil:
	case errors.Is(err, errLeaseLost):
		p.cfg.Log.Warn().Msg("the lease is lost: another process polls Calltouch")
	default:
		p.cfg.Log.Warn().Err(err).Msg("nothing is polled: the lease cannot be asked for")
	}
}

// lead polls until ctx ends.
func (p *Poller) lead(ctx context.Context) {
	p.cfg.Log.Info().Int("sites", len(p.polled)).Msg("this process polls Calltouch")
	var all sync.WaitGroup
	all.Go(func() { p.settleHooks(ctx) })
	for _, s := range p.polled {
		again := s.startPolling()
		all.Go(func() { s.pollRequests(ctx) })
		all.Go(func() { s.sweep(ctx, sweeping{api.MethodRequests, s.cfg.Requests.Sweep, s.readRequests}, again) })
		all.Go(func() { s.pollJournal(ctx) })
		all.Go(func() { s.sweep(ctx, sweeping{api.MethodCalls, s.cfg.Journal.Sweep, s.readJournal}, again) })
	}
	all.Wait()
}

// site is one polled site at work.
type site struct {
	cfg     calltouch.Site // with its defaults
	inFile  siteIDs        // all sites of the file
	intake  intake.Intake
	state   State
	observe Observer
	client  *api.Client
	log     zerolog.Logger
	woken   chan struct{}
	settle  chan<- struct{} // has the waiting hooks settled soon
	days    hookDays
	memory  *memory
}

// memory is what a process knows of a site for as long as it runs, also under a new file.
type memory struct {
	of     siteIdentity // the site as it was
	since  time.Time    // when this process began with it
	seen   seen
	warned wait.Throttle
	share  share
	unread unread

	mu       sync.Mutex
	polledAt time.Time            // begin of the last good poll of requests, of any process
	toldAt   time.Time            // the one that STATE knows of
	led      bool                 // this process has polled it
	regular  map[string]time.Time // by method: begin of the last regular round of this process
}

func newSite(p *Poller, s calltouch.Site, before *Poller) *site {
	cfg := p.cfg
	w := &site{
		cfg: s.WithDefaults(), inFile: p.inFile, intake: p.intake, state: cfg.State, observe: cfg.Observe,
		woken: make(chan struct{}, 1), settle: p.hooks.soon, log: cfg.Log.With().Str("site", s.ID).Logger(),
	}
	w.client = clientOf(&w.cfg, cfg.HTTP, cfg.Limiter)
	w.memory = remembered(w.cfg, before)
	return w
}

func clientOf(s *calltouch.Site, h *http.Client, l *api.Limiter) *api.Client {
	return &api.Client{
		Site: s.ID, Base: s.API, Token: s.APIToken, HTTP: h, Limiter: l, Location: s.View().Zone(), Attribution: s.Attribution,
	}
}

// remembered is the memory of an unchanged site, or a new one. The token and the keys may change: they
// are others to the same cabinet.
func remembered(s calltouch.Site, before *Poller) *memory {
	is := siteIdentity{site: s, hooks: s.HasHooks()}
	is.site.APIToken, is.site.HookKeys = nil, nil
	if before != nil {
		if old := before.polled[s.ID]; old != nil && reflect.DeepEqual(old.memory.of, is) {
			return old.memory
		}
	}
	return &memory{of: is, since: time.Now(), regular: map[string]time.Time{}}
}

// siteIdentity is what of a site must be as it was for its memory to hold.
type siteIdentity struct {
	site  calltouch.Site // without its secrets
	hooks bool
}

// startPolling is called when this process takes the lease: calls from before that do not count as missed by
// the webhook. It returns how old the last sweep may be to be left at that: where this process has kept the
// time so far, a new file is no reason to sweep.
func (s *site) startPolling() (again time.Duration) {
	s.memory.share.begin(time.Now())
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	again = sweepAgain
	if s.memory.led {
		again = sweepEvery
	}
	s.memory.led = true
	return again
}

// noteRound notes that a regular round of a method begins.
func (s *site) noteRound(method string, now time.Time) {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	s.memory.regular[method] = now
}

// due is when the next regular round of a method is due: at once where this process has had none.
func (s *site) due(method string, every time.Duration) time.Time {
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	if last, ok := s.memory.regular[method]; ok {
		return last.Add(every)
	}
	return time.Now()
}

// day is the day of t in the cabinet.
func (s *site) day(t time.Time) calltouch.Day { return s.cfg.Day(t) }

// fromHooks reports whether form requests come from hooks, and the poll only fills the holes.
func (s *site) fromHooks() bool { return s.cfg.Requests.From == calltouch.RequestsFromHook }
