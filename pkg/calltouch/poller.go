package calltouch

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
)

// Polled is one site that is read through Calltouch's API.
type Polled struct {
	ID          string        // Calltouch's site id
	View        View          // how its events are read; Location is the cabinet's zone
	Base        string        // of the API; "" = DefaultAPI
	Token       func() string // asked before each request; nil or an empty token: nothing is polled
	Attribution string        // LastNonDirect or Last; "" = LastNonDirect
	Hooks       bool          // webhooks are set up, too: what the journal alone finds is worth a warning
	Requests    RequestsPoll
	Journal     JournalPoll
}

// RequestsPoll says when form requests are read. A zero duration means the default.
type RequestsPoll struct {
	FromHook bool          // requests.from: hook; else poll
	Every    time.Duration // today's; 0 = 1 minute
	Sweep    time.Duration // how far back at start and once a day; 0 = 240 hours
	// Grace is how old a request must be to be stored where FromHook is set, so that its hook
	// comes first; 0 is none. Otherwise it is how old the last good poll may be for a hook to be
	// left to the next; 0 is two rounds.
	Grace time.Duration
}

// JournalPoll says when the calls journal is read. A zero duration means the default.
type JournalPoll struct {
	Every time.Duration // the last hours; 0 = 15 minutes
	Sweep time.Duration // how far back at start and once a day; 0 = 240 hours
	Grace time.Duration // how long ago a call must have ended to be stored, so that its hook comes first; 0 is none
}

// Observer is told what the poller does; a nil function is not called. The functions are called
// from several goroutines.
type Observer struct {
	// Offered: a record was offered to EVENTS for the first time by this process. One that was
	// set aside for another reason than a collision comes as Aside only.
	Offered func(key event.Key, origin event.Origin, receipt event.Receipt)
	// Aside: something was set aside (a collision, too).
	Aside func(site string, reason Reason)
	// Asked: one day of one method ("requests", "calls") was read, or was not.
	Asked func(site, method string, err error)
	// Checked: an ended call of the journal, since this process polls, was (found) or was not
	// brought by the journal alone.
	Checked func(site string, found bool)
	// Attribution: an event's own model is not the one of the file.
	Attribution func(site string)
}

// PollerConfig says what to poll. Sites, Store and State are required.
type PollerConfig struct {
	Sites   []Polled
	Store   Store
	State   State
	HTTP    *http.Client   // nil = one over http.DefaultTransport
	Limiter *Limiter       // nil = one that yields to the commands
	Log     zerolog.Logger // the zero value logs nothing
	Observe Observer
}

// Poller reads, for every site with a token, form requests and the calls journal, so that nothing
// that Calltouch knows is missed. Of all processes that run one, one polls: the holder of a lease.
type Poller struct {
	cfg   PollerConfig
	sites map[string]*site
}

// NewPoller returns a Poller that does nothing until Run.
func NewPoller(cfg PollerConfig) *Poller {
	if cfg.Limiter == nil {
		cfg.Limiter = &Limiter{Allowed: Announced(cfg.State)}
	}
	p := &Poller{cfg: cfg, sites: map[string]*site{}}
	for _, s := range cfg.Sites {
		if s.Token != nil {
			p.sites[s.ID] = newSite(cfg, s)
		}
	}
	return p
}

// Run polls until ctx ends, whenever this process holds the lease. Its error is always nil: what
// fails is tried again, and told to the log and the observer.
func (p *Poller) Run(ctx context.Context) error {
	if len(p.sites) == 0 {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		for _, s := range p.sites {
			s.follow(ctx)
		}
		held, err := p.cfg.State.Lease(ctx, leasePoll, leaseTTL)
		switch {
		case err != nil && ctx.Err() == nil:
			p.cfg.Log.Warn().Err(err).Msg("nothing is polled: the lease cannot be asked for")
		case held:
			p.lead(ctx)
		}
		_ = sleep(ctx, leaseRenewal)
	}
	return nil
}

// lead polls until ctx ends or the lease is lost.
func (p *Poller) lead(ctx context.Context) {
	p.cfg.Log.Info().Int("sites", len(p.sites)).Msg("this process polls Calltouch")
	ctx, lost := context.WithCancel(ctx)
	var all sync.WaitGroup
	all.Go(func() {
		keepLease(ctx, p.cfg.State, leasePoll, func() {
			p.cfg.Log.Warn().Msg("the lease is lost: another process polls Calltouch")
			lost()
		})
	})
	for _, s := range p.sites {
		s.begin()
		all.Go(func() { s.pollRequests(ctx) })
		all.Go(func() { s.sweep(ctx, methodRequests, s.cfg.Requests.Sweep, s.readRequests) })
		all.Go(func() { s.pollJournal(ctx) })
		all.Go(func() { s.sweep(ctx, methodCalls, s.cfg.Journal.Sweep, s.readJournal) })
	}
	all.Wait()
	release(ctx, p.cfg.State, leasePoll)
	lost()
}

// Wake tells the poller that a hook of a form request came. It reports whether the hook may be
// answered and forgotten, because the next poll brings the request with its e-mail and comment.
// It may not where requests come from hooks, where nothing is polled, and while the last good poll
// is older than the grace: then the hook is to be stored.
func (p *Poller) Wake(site string) bool {
	s := p.sites[site]
	if s == nil || s.cfg.Requests.FromHook {
		return false
	}
	select {
	case s.woken <- struct{}{}:
	default: // it is being woken already
	}
	return s.fresh(time.Now())
}

// site is one polled site at work.
type site struct {
	cfg    Polled
	poller PollerConfig
	client *Client
	log    zerolog.Logger
	woken  chan struct{}
	seen   seen
	warned daily
	share  share

	mu     sync.Mutex
	polled time.Time // begin of the last good poll of requests, of any process
	told   time.Time // the one that STATE knows of
}

func newSite(cfg PollerConfig, s Polled) *site {
	s.Requests.Every = cmp.Or(s.Requests.Every, time.Minute)
	s.Requests.Sweep = cmp.Or(s.Requests.Sweep, 10*24*time.Hour)
	s.Journal.Every = cmp.Or(s.Journal.Every, 15*time.Minute)
	s.Journal.Sweep = cmp.Or(s.Journal.Sweep, 10*24*time.Hour)
	return &site{
		cfg: s, poller: cfg, woken: make(chan struct{}, 1),
		log: cfg.Log.With().Str("site", s.ID).Logger(),
		client: &Client{
			Site: s.ID, Base: s.Base, Token: s.Token, HTTP: cfg.HTTP, Limiter: cfg.Limiter,
			Location: s.View.zone(), Attribution: s.Attribution,
		},
	}
}

// begin is called when this process starts to poll: what happened before was nobody's to bring.
func (s *site) begin() { s.share.begin(time.Now()) }

// day is the day of t in the cabinet.
func (s *site) day(t time.Time) Day { return DayOf(t, s.cfg.View.zone()) }
