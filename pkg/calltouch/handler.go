package calltouch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
)

// MaxBody is the longest body, and the longest query, of a hook that is taken. An ended call has
// about 2.5 KB; what is longer is answered 413.
const MaxBody = 256 << 10

// maxQuery is the longest query of a POST that is taken: it is kept in a header, and the store
// takes 64 KB of headers.
const maxQuery = 32 << 10

// maxContentType is the longest Content-Type that is kept.
const maxContentType = 256

const (
	// storeTimeout bounds one hook's wait for the store; longer, and Calltouch gets its 503.
	storeTimeout = 10 * time.Second
	// comeAgain is what a 503 asks for, in seconds.
	comeAgain = "5"
	// defaultPenalty is how long an answer to a wrong key is held back.
	defaultPenalty = time.Second
	// maxSlowed bounds the answers held back at a time, and with them what guessing can cost us.
	maxSlowed = 64
)

// Site is one cabinet of Calltouch that may send hooks.
type Site struct {
	ID   string   // Calltouch's siteId
	Keys []string // secrets of the address, each one good; none means no hooks
	View View

	Attribution string // LastNonDirect or Last, as the file says; "" means that nobody compares
}

// HandlerConfig says whose hooks a Handler takes and where they go.
type HandlerConfig struct {
	Sites []Site
	Store Store

	Allow   []netip.Prefix // networks that may send hooks; none means all
	Proxies []netip.Prefix // networks whose X-Forwarded-For counts; none means no one's

	// OnRequest hears of each hook of a form request before it is stored, and says whether to
	// store it. Nil stores every one; a site whose requests are polled is only woken by them.
	OnRequest func(context.Context, event.Event) (store bool)
	// Observe is told what became of each request; nil means nobody asks.
	Observe func(Observation)

	Log     zerolog.Logger   // the zero value writes nothing
	Penalty time.Duration    // how long an answer to a wrong address is held back; zero means 1 s
	Now     func() time.Time // nil means time.Now
}

// Observation is what became of one HTTP request.
type Observation struct {
	Site         string        // "" when the address was wrong
	Kind         event.Kind    // "" when it is no event
	Receipt      event.Receipt // "" when it was not published
	Aside        Reason        // "" when it was not set aside
	UnknownPhase bool          // stored as an ended call, though nothing said so
	Attribution  bool          // its own attribution is not the one of the file
	Woke         bool          // a form request that only wakes the poller: neither stored nor received
	Status       int           // of the answer
}

// Handler answers GET and POST /calltouch/{site}/{key}.
//
// 200 means that the store has it, as an event or set aside; so does a repeated hook, and a HEAD,
// which stores nothing. 404 is one answer for an unknown site, a wrong key and a network that is
// not allowed; only this one is slowed. 413 is too long. 503 means that Calltouch should come
// again: whatever could not be stored, for whatever reason.
type Handler struct {
	config HandlerConfig
	sites  map[string]*door
	slowed chan struct{}
}

// NewHandler makes the handler of some sites.
func NewHandler(c HandlerConfig) *Handler {
	if c.Penalty == 0 {
		c.Penalty = defaultPenalty
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	h := &Handler{config: c, sites: map[string]*door{}, slowed: make(chan struct{}, maxSlowed)}
	for _, s := range c.Sites {
		h.sites[s.ID] = newDoor(s)
	}
	return h
}

// ServeHTTP answers one hook.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.rescue(w)
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		h.answer(w, "only GET and POST", Observation{Status: http.StatusMethodNotAllowed})
		return
	}
	d := h.admit(r)
	if d == nil {
		h.slow(r.Context())
		h.answer(w, "not found", Observation{Status: http.StatusNotFound})
		return
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	e, err := h.read(w, r, d.site.ID)
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		h.answer(w, "too long", Observation{Site: d.site.ID, Status: http.StatusRequestEntityTooLarge})
		return
	}
	if err != nil {
		h.answer(w, "body is cut", Observation{Site: d.site.ID, Status: http.StatusServiceUnavailable})
		return
	}
	// Calltouch may hang up as soon as it has sent: what came is stored all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), storeTimeout)
	defer cancel()
	text, o := h.take(ctx, d, e)
	h.answer(w, text, o)
}

// read takes the raw bytes of a hook.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, site string) (event.Event, error) {
	e := event.Event{Key: event.Key{Site: site}, Origin: event.Webhook, Received: h.config.Now().UTC()}
	if len(r.URL.RawQuery) > MaxBody {
		return e, &http.MaxBytesError{Limit: MaxBody}
	}
	if r.Method == http.MethodGet {
		e.ContentType, e.Body = formType, []byte(r.URL.RawQuery)
		return e, nil
	}
	if len(r.URL.RawQuery) > maxQuery {
		return e, &http.MaxBytesError{Limit: maxQuery}
	}
	e.ContentType, e.Query = r.Header.Get("Content-Type"), r.URL.RawQuery
	if len(e.ContentType) > maxContentType {
		e.ContentType = "" // no type is that long; the body says what it is
	}
	var err error
	e.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	return e, err
}

const formType = "application/x-www-form-urlencoded"

// answer writes a short text and tells the observer.
func (h *Handler) answer(w http.ResponseWriter, text string, o Observation) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if o.Status == http.StatusServiceUnavailable {
		header.Set("Retry-After", comeAgain)
	}
	w.WriteHeader(o.Status)
	io.WriteString(w, text+"\n")
	h.config.Observe(o)
}

// rescue answers 503 when something strange in a hook has found a mistake of ours: it will come
// again, to a corrected version perhaps.
func (h *Handler) rescue(w http.ResponseWriter) {
	reason := recover()
	if reason == nil {
		return
	}
	if reason == http.ErrAbortHandler {
		panic(reason)
	}
	// The reason may quote the hook, the stack does not.
	h.config.Log.Error().Str("stack", string(debug.Stack())).Msg("a hook could not be handled")
	h.answer(w, "come again", Observation{Status: http.StatusServiceUnavailable})
}

// admit returns the site whose right key the address has; nil when it has not.
func (h *Handler) admit(r *http.Request) *door {
	rest, _ := strings.CutPrefix(r.URL.Path, "/calltouch/")
	site, key, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	d := h.sites[site]
	if !d.opens(key) {
		return nil
	}
	if !allowed(r, h.config.Allow, h.config.Proxies) {
		d.warn(h.config.Log, "a hook with the right key came from a network that is not allowed: check INGEST_ALLOW and INGEST_TRUSTED_PROXIES")
		return nil
	}
	return d
}

// slow holds an answer back, unless too many are held back already.
func (h *Handler) slow(ctx context.Context) {
	select {
	case h.slowed <- struct{}{}:
		defer func() { <-h.slowed }()
	default:
		return
	}
	select {
	case <-time.After(h.config.Penalty):
	case <-ctx.Done():
	}
}
