// Package console is the web console: pages on which a person sees what became of an event, why, and mends it.
//
//	request ──▶ guard (host, headers, origin) ──▶ session (who, role) ──▶ a page's handler ──▶ template
//
// It decides nothing about events: everything it shows and does is asked of package admin, whose views hold plain,
// masked values. Pages work without scripts; the one script only refreshes, copies and asks. Each page has a file of
// its own, with its template of the same name.
//
//	console           the routes, with the role that each asks for
//	guard, session    who may ask at all, and who has signed in
//	people, signin    keys of people, sign-in links, the throttle
//	render, words     templates, languages, the words for outcomes and states; attention: what needs a person
//	chart             bars by the hour and the day
//	find              what a person types into the field of every page
package console

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
)

// Options are what a console needs. Admin must be set.
type Options struct {
	Admin func() admin.Admin // by the file as it is now

	People  func() []Person      // who may sign in, by the file as it is now; nil: nobody but by a link
	Session func() time.Duration // how long a session lasts in which nothing is done; nil: twelve hours
	Token   string               // signs in as admin; "" signs in nobody
	Zone    func() *time.Location

	Addr    string         // where it listens, HOST:PORT
	URL     *url.URL       // by which people reach it; nil: by Addr alone
	TLS     bool           // it speaks TLS itself
	Proxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto count

	File    string      // path of touchbox.yaml, as the page of settings names it
	Broken  func() bool // the file on disk has mistakes, the one before it is in force; nil: nobody knows
	Version string
	Log     zerolog.Logger
	Now     func() time.Time // nil: time.Now
}

// Console is the console's handler.
type Console struct {
	Options
	pages    pages
	static   *assets
	guesses  guesses
	origins  *http.CrossOriginProtection
	prefix   string // of every path, from URL
	standing standings
	broken   struct {
		mu    sync.Mutex
		since time.Time // when the file on disk was first seen to have mistakes
	}
	found    handles
	finding  chan struct{} // a place for each look for a number that is under way
	reveals  guesses
	refusals guesses
	streams  streams
	handler  http.Handler
}

// defaultSession is how long a session lasts in which nothing is done, where nobody says otherwise.
const defaultSession = 12 * time.Hour

// New makes a console.
func New(o Options) *Console {
	c := &Console{Options: o, guesses: newGuesses(time.Minute, 5), reveals: newGuesses(time.Hour, mostReveals), refusals: newGuesses(time.Minute, 1), finding: make(chan struct{}, findsAtOnce), origins: http.NewCrossOriginProtection()}
	c.standing = standings{func() *admin.Board { return c.Admin().Board }}
	if o.Now == nil {
		c.Now = time.Now
	}
	if o.People == nil {
		c.People = func() []Person { return nil }
	}
	if o.Session == nil {
		c.Session = func() time.Duration { return defaultSession }
	}
	if o.Zone == nil {
		c.Zone = func() *time.Location { return time.Local }
	}
	if o.Broken == nil {
		c.Broken = func() bool { return false }
	}
	if o.URL != nil {
		c.prefix = strings.TrimRight(o.URL.Path, "/")
		_ = c.origins.AddTrustedOrigin(o.URL.Scheme + "://" + o.URL.Host) // fails for what is no origin, and URL was checked
	}
	c.static = readAssets()
	c.pages = c.parse()
	c.handler = c.guard(c.routes())
	return c
}

// ServeHTTP answers a request of anybody.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// route is an address, who may ask for it, and what answers.
type route struct {
	pattern string // as http.ServeMux takes it
	needs   Role
	page    func(*visit) error
}

// routeTable lists every address that needs a session.
func routeTable() []route {
	return []route{
		{"GET /{$}", See, (*visit).overview},
		{"POST /find", See, (*visit).find},
		{"GET /live", See, (*visit).live},
		{"GET /live/stream", See, (*visit).liveStream},
		{"GET /events", See, (*visit).events},
		{"GET /events/{site}/{kind}/{id}", See, (*visit).event},
		{"GET /causes", See, (*visit).causes},
		{"GET /causes/{cause}", See, (*visit).causePage},
		{"GET /deadletters", See, (*visit).deadLetters},
		{"GET /retries", See, (*visit).retries},
		{"GET /aside", See, (*visit).aside},
		{"GET /links", See, (*visit).links},
		{"GET /links/{id}", See, (*visit).link},
		{"GET /links/{id}/versions/{from}/{to}", See, (*visit).difference},
		{"GET /sites", See, (*visit).sites},
		{"GET /sites/{id}", See, (*visit).site},
		{"GET /settings", See, (*visit).settings},
		{"GET /health", See, (*visit).health},
		{"POST /events/{site}/{kind}/{id}/reveal", See, (*visit).reveal},
		{"POST /links/{id}/stop", Act, (*visit).stopLink},
		{"POST /links/{id}/start", Act, (*visit).startLink},
		{"POST /retries/now", Act, (*visit).retriesNow},
		{"POST /retries/cancel", Act, (*visit).retriesCancel},
		{"POST /deadletters/drop", Admin, (*visit).dropDead},
		{"POST /aside/take", Act, (*visit).takeAside},
		{"GET /replays/new", Act, (*visit).newReplay},
		{"POST /jobs", Act, (*visit).replay},
		{"GET /jobs", See, (*visit).jobs},
		{"GET /jobs/{id}", See, (*visit).job},
		{"GET /jobs/{id}/stream", See, (*visit).jobStream},
		{"POST /jobs/{id}/stop", Act, (*visit).stopJob},
		{"POST /jobs/{id}/continue", Act, (*visit).continueJob},
		{"POST /sites/{id}/backfill", Act, (*visit).backfill},
		{"GET /audit", Admin, (*visit).audit},
		{"GET /people", Admin, (*visit).people},
		{"POST /people/{name}/sign-out", Admin, (*visit).endSessions},
		{"POST /sign-out", See, (*visit).signOut},
	}
}

// routes are all addresses. What needs no session stands here, and nowhere else.
func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /static/{hash}/{name}", c.static.serve)
	mux.HandleFunc("GET /sign-in", func(w http.ResponseWriter, r *http.Request) { c.showSignIn(c.stranger(w, r), "", http.StatusOK) })
	mux.HandleFunc("POST /sign-in", c.signIn)
	c.serveAPI(mux)
	for _, one := range routeTable() {
		mux.HandleFunc(one.pattern, c.visited(one))
	}
	mux.HandleFunc("/", c.visited(route{"/", See, func(*visit) error { return errNoPage }}))
	return mux
}
