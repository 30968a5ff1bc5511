package hook

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/web"
)

// MaxBody is the longest body of a hook that is taken. An ended call has about 2.5 KB; what is
// longer is answered 413.
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
)

// Config says whose hooks a Handler takes and where they go.
type Config struct {
	Sites []calltouch.Site
	Store intake.Store

	Allow   []netip.Prefix // networks that may send hooks; none means all
	Proxies []netip.Prefix // networks whose X-Forwarded-For counts; none means no one's

	// Poll says of each hook of a form request whether it waits for its polled record. Nil stores
	// every one as it is.
	Poll RequestPoll
	// Observe is told what became of each request; nil means nobody asks.
	Observe func(intake.Observation)
	// Trouble is told of each request that shows a wrong setting; nil means nobody asks.
	Trouble func(calltouch.Trouble)
	// Unwell says what is known to be wrong with the store, at once; hooks are refused while it is
	// not nil, but for one now and then, unless it is ErrKeepsNothing. Nil means that only the hooks themselves find out.
	Unwell func() error
	// Guesses bounds what wrong addresses may cost; nil means one of its own.
	Guesses *Guesses

	Log     zerolog.Logger   // the zero value writes nothing
	Penalty time.Duration    // how long an answer to a wrong address is held back; zero means 1 s
	Now     func() time.Time // nil means time.Now
}

// RequestPoll is who polls form requests; a *poll.Poller.
type RequestPoll interface {
	// Waits reports whether a hook may wait for its record. If so it is set aside first, as
	// AsideUnpolled, and then handed to Wake.
	Waits(site string) bool
	Wake(e event.Event)
}

// Handler answers GET and POST /calltouch/{site}/{key}.
//
// 200 means that the store has it, as an event, set aside, or waiting for its record; so it is for a
// repeated hook, and for a HEAD, which stores nothing. 404 is one answer for an unknown site, a wrong key and a network that is
// not allowed; only this one is slowed, and the connection is closed instead where too many are asked for. 413 is too long.
// 503 means that Calltouch should come again: whatever could not be stored, for whatever reason.
type Handler struct {
	config  Config
	intake  intake.Intake
	sites   map[string]*siteAuth
	breaker storeBreaker
}

// NewHandler makes the handler of some sites.
func NewHandler(c Config) *Handler {
	if c.Penalty == 0 {
		c.Penalty = defaultPenalty
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Observe == nil {
		c.Observe = func(intake.Observation) {}
	}
	if c.Trouble == nil {
		c.Trouble = func(calltouch.Trouble) {}
	}
	if c.Guesses == nil {
		c.Guesses = NewGuesses(c.Log)
	}
	h := &Handler{config: c, intake: intake.Intake{Store: c.Store}, sites: map[string]*siteAuth{}, breaker: storeBreaker{unwell: c.Unwell}}
	for _, s := range c.Sites {
		h.sites[s.ID] = newSiteAuth(s)
	}
	return h
}

// ServeHTTP answers one hook.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.rescue(w)
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		h.answer(w, "only GET and POST", intake.Observation{Status: http.StatusMethodNotAllowed})
		return
	}
	site, key := splitAddress(r.URL.Path)
	if site == "" {
		h.answer(w, "not found", intake.Observation{Status: http.StatusNotFound, Elsewhere: true})
		return
	}
	auth := h.authenticate(r, site, key)
	if auth == nil {
		h.refuse(w, r)
		return
	}
	connOf(r.Context()).trust()
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	text, o := h.handle(w, r, auth)
	h.answer(w, text, o)
}

// splitAddress takes the site and the key out of a path; the site is "" when it is none of ours.
// Doubled and trailing slashes and blanks around a part do not matter: addresses are put together
// by hand.
func splitAddress(address string) (site, key string) {
	parts := make([]string, 0, 4) // more are none of ours
	for part := range strings.SplitSeq(path.Clean(address), "/") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	switch {
	case len(parts) == 0 || !strings.EqualFold(parts[0], "calltouch"):
		return "", ""
	case len(parts) == 1:
		return "-", "" // no site's
	case len(parts) == 3:
		return parts[1], parts[2]
	}
	return parts[1], "" // with more parts the key is in none of them
}

// authenticate returns the site whose right key the address has; nil when it has not.
func (h *Handler) authenticate(r *http.Request, site, key string) *siteAuth {
	auth := h.sites[site]
	if !auth.accepts(key) {
		h.config.Trouble(auth.trouble(site))
		return nil
	}
	if !allowed(r, h.config.Allow, h.config.Proxies) {
		h.config.Trouble(calltouch.Trouble{Site: auth.site.ID, Reason: calltouch.TroubleNetwork})
		return nil
	}
	return auth
}

// refuse answers 404 after a while, or closes the connection when that would be too much to ask.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request) {
	from, ctx := web.Sender(r, h.config.Proxies), r.Context()
	if !connOf(ctx).large() && h.config.Guesses.hold(ctx, from, h.config.Penalty) {
		h.answer(w, "not found", intake.Observation{Status: http.StatusNotFound})
		return
	}
	h.config.Observe(intake.Observation{Status: http.StatusTooManyRequests})
	panic(http.ErrAbortHandler)
}

// handle reads a hook and stores it.
func (h *Handler) handle(w http.ResponseWriter, r *http.Request, auth *siteAuth) (string, intake.Observation) {
	e, err := h.read(w, r, auth.site.ID)
	if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
		return "too long", intake.Observation{Site: auth.site.ID, Status: http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return "body is cut", intake.Observation{Site: auth.site.ID, Status: http.StatusServiceUnavailable}
	}
	return h.store(r.Context(), auth, e)
}

// read makes of a request the raw event of its hook, whose key has only the site.
func (h *Handler) read(w http.ResponseWriter, r *http.Request, site string) (event.Event, error) {
	e := event.Event{Key: event.Key{Site: site}, Origin: event.Webhook, Received: h.config.Now().UTC()}
	if len(r.URL.RawQuery) > MaxHeader {
		return e, &http.MaxBytesError{Limit: MaxHeader}
	}
	if r.Method == http.MethodGet {
		e.ContentType, e.Body = calltouch.FormType, []byte(r.URL.RawQuery)
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
	e.Body, err = readBody(w, r)
	return e, err
}

// usualBody is longer than nearly all hooks are.
const usualBody = 16 << 10

// readBody reads a body whole. One of a usual length takes as much memory as it announces; whoever announces more
// gets it as he sends it.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > usualBody {
		return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	return body, err
}

// store brings a hook where it belongs, within the time that the circuit breaker allows.
func (h *Handler) store(ctx context.Context, auth *siteAuth, e event.Event) (text string, o intake.Observation) {
	began := time.Now()
	limit := h.breaker.allow(began)
	if limit == 0 {
		return h.undecided(auth, intake.Observation{Site: auth.site.ID}, errUnwell)
	}
	defer func() { // a panic is no success
		h.breaker.done(limit, time.Since(began), o.Status == http.StatusOK)
	}()
	// Calltouch may hang up as soon as it has sent: what came is stored all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return h.offer(ctx, auth, e)
}

// everyAnswer are headers of every answer. Nobody changes a value in place.
var everyAnswer = http.Header{
	"Content-Type":           {"text/plain; charset=utf-8"},
	"Cache-Control":          {"no-store"},
	"X-Content-Type-Options": {"nosniff"},
}

// answer writes a short text and tells the observer.
func (h *Handler) answer(w http.ResponseWriter, text string, o intake.Observation) {
	header := w.Header()
	maps.Copy(header, everyAnswer)
	switch o.Status {
	case http.StatusOK:
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", comeAgain)
	default: // so that the rest of a body need not be read before the answer, and a guess costs a connection
		header.Set("Connection", "close")
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
	h.answer(w, "come again", intake.Observation{Status: http.StatusServiceUnavailable})
}
