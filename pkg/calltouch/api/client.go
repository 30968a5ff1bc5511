package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/defaults"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/web"
)

// Client asks Calltouch's API for what it knows of one site. It asks once: what to do about an
// error is the caller's affair. It may be used at the same time from several places.
type Client struct {
	Site        string         // Calltouch's site id
	Base        string         // "" = Calltouch's own
	Token       func() string  // asked before each request, so that a token may be changed; required
	HTTP        *http.Client   // nil = one of this package's own; redirects are never followed
	Limiter     *Limiter       // share one among all clients; nil = no limit, for tests only
	Location    *time.Location // the cabinet's zone; nil = UTC
	Attribution string         // LastNonDirect or Last; "" = LastNonDirect
	Silence     time.Duration  // an answer that says nothing for so long is given up; 0 = 1 minute
}

// The two methods, as errors and metrics name them.
const (
	MethodRequests = "requests"
	MethodCalls    = "calls"
)

// Methods lists both.
var Methods = []string{MethodRequests, MethodCalls}

// Requests hands on every form request that Calltouch lists for one day. An error is an *Error,
// or the one that each returned; what was handed on before it may come again.
func (c *Client) Requests(ctx context.Context, d calltouch.Day, each func(calltouch.Listed) error) error {
	q := url.Values{"siteId": {c.Site}}
	// Month first: this method alone wants it so.
	q.Set("dateFrom", d.Format("01/02/2006"))
	q.Set("dateTo", q.Get("dateFrom"))
	for _, part := range []string{"withAttrs", "withRequestTags", "withMapVisits", "withYandexDirect", "withGoogleAdwords", "withDcm"} {
		q.Set(part, "true")
	}
	_, err := c.ask(ctx, MethodRequests, "/calls-service/RestAPI/requests", q, c.reader(event.Request, each))
	return err
}

// Calls hands on every call that Calltouch's journal lists for one day, those in progress, too.
// For its errors see Requests.
func (c *Client) Calls(ctx context.Context, d calltouch.Day, each func(calltouch.Listed) error) error {
	q := url.Values{"attribution": {calltouch.AttributionNumber(c.Attribution)}}
	q.Set("dateFrom", d.Format("02/01/2006"))
	q.Set("dateTo", q.Get("dateFrom"))
	for _, part := range []string{"withAttrs", "withCallTags", "withOrders", "withComments", "withText", "withCallbackInfo", "withMapVisits", "withYandexDirect", "withGoogleAdwords", "withDcm"} {
		q.Set(part, "true")
	}
	path := "/calls-service/RestAPI/" + url.PathEscape(c.Site) + "/calls-diary/calls"
	// Without page and limit a day is one bare array: one request of the daily budget, and no
	// record that slips from one page to another while we read. Should pages come all the same,
	// the rest of them is read, in pages as long as the first one: else those behind it would begin elsewhere.
	listed := 0
	count := c.reader(event.CallEnded, func(r calltouch.Listed) error {
		listed++
		return each(r)
	})
	pages, err := c.ask(ctx, MethodCalls, path, q, count)
	first, size := listed, min(listed, longestPage)
	for page := 2; err == nil && size > 0 && (page-1)*size < pages*first; page++ {
		if page > maxPages {
			return &Error{Method: MethodCalls, Status: http.StatusOK, Err: fmt.Errorf("a day of %d pages: %d were read", pages, maxPages)}
		}
		q.Set("page", strconv.Itoa(page))
		q.Set("limit", strconv.Itoa(size))
		listed = 0
		if _, err = c.ask(ctx, MethodCalls, path, q, count); listed == 0 {
			break // whatever it says: there is no more
		}
	}
	return err
}

// longestPage is the largest limit that Calltouch takes.
const longestPage = 1000

// maxPages bounds the pages of one day: a million calls.
const maxPages = 1000

// reader turns raw records into Listed. One that cannot be read is no reason to lose those behind
// it; it goes on as it is, and is set aside.
func (c *Client) reader(kind event.Kind, each func(calltouch.Listed) error) func(rawValue) error {
	return func(v rawValue) error {
		r, err := calltouch.ReadListed(v.raw, kind, calltouch.View{Location: c.Location})
		if err != nil || v.broken || v.size > len(v.raw) {
			r = calltouch.UnreadListed(v.raw, kind, idIn(v.raw))
		}
		r.Size = v.size
		return each(r)
	}
}

// maxHold bounds for how long one site's answer keeps the other sites of the host from asking: it
// may be that site's own budget that is spent.
const maxHold = time.Minute

// maxErrorBody bounds what is read of an answer that is not 200.
const maxErrorBody = 64 << 10

var (
	errSilence = errors.New("no byte came for too long")
	errNoToken = errors.New("the API token is empty")
)

// ask sends one request and hands on the records of its answer. It returns how many pages there
// are, 0 when the answer does not say.
func (c *Client) ask(ctx context.Context, method, path string, q url.Values, each func(rawValue) error) (pages int, err error) {
	token := c.token()
	if token == "" {
		return 0, &Error{Method: method, Status: http.StatusUnauthorized, Err: errNoToken}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := c.request(ctx, path, q, token)
	if err != nil {
		return 0, &Error{Method: method, Err: err}
	}
	if c.Limiter != nil {
		if err := c.Limiter.Wait(ctx, req.URL.Host); err != nil {
			return 0, &Error{Method: method, Err: err}
		}
	}
	var over connection
	req = req.WithContext(over.traced(ctx))
	alarm := time.AfterFunc(c.silence(), func() {
		cancel(errSilence)
		over.close()
	})
	defer alarm.Stop()
	resp, err := c.http().Do(req)
	if err != nil {
		return 0, transportError(method, 0, cause(ctx, err), token)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, c.refusal(method, resp, token)
	}
	var own error
	body := &timedBody{r: resp.Body, alarm: alarm, limit: c.silence(), left: longestAnswer}
	pages, err = readRecords(body, func(v rawValue) error {
		own = each(v)
		return own
	})
	switch {
	case own != nil:
		return 0, own
	case err != nil:
		return 0, transportError(method, http.StatusOK, cause(ctx, err), token)
	}
	return pages, nil
}

// refusal reads an answer that is not 200, and holds the requests to its host back where it asks for that.
func (c *Client) refusal(method string, resp *http.Response, token string) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	e := statusError(method, resp, body, token)
	if e.RetryAfter > 0 && c.Limiter != nil {
		c.Limiter.Hold(resp.Request.URL.Host, min(e.RetryAfter, maxHold))
	}
	return e
}

func (c *Client) token() string {
	if c.Token == nil {
		return ""
	}
	return strings.TrimSpace(c.Token())
}

func (c *Client) request(ctx context.Context, path string, q url.Values, token string) (*http.Request, error) {
	u, err := url.Parse(cmp.Or(c.Base, defaults.API))
	if err != nil || u.Host == "" {
		return nil, errors.New("the address of the API is malformed")
	}
	u = u.JoinPath(path)
	q.Set("clientApiId", token)
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the address of the API is malformed") // its text holds the token
	}
	req.Header.Set("Accept", "application/json")
	return req, nil
}

// http is the HTTP client to use. A redirect would carry the token to another host.
func (c *Client) http() *http.Client {
	h := http.Client{Transport: sharedTransport()}
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.CheckRedirect = web.NoRedirect
	return &h
}

func (c *Client) silence() time.Duration { return cmp.Or(c.Silence, time.Minute) }

// cause is why ctx was cancelled, where that is why err happened.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// longestAnswer bounds how long an answer may be waited for in all: one that trickles must not hold
// a loop for a day.
const longestAnswer = 15 * time.Minute

// timedBody is a body whose alarm goes off when nothing comes for the limit, or when all the time that is
// left is spent. The time between two reads does not count: storing what was read may take as long as it
// takes.
type timedBody struct {
	r     io.Reader
	alarm *time.Timer
	limit time.Duration
	left  time.Duration
}

func (t *timedBody) Read(b []byte) (int, error) {
	t.alarm.Reset(max(0, min(t.limit, t.left)))
	began := time.Now()
	n, err := t.r.Read(b)
	t.left -= time.Since(began)
	t.alarm.Stop()
	return n, err
}

// sharedTransport is the transport of all clients of a process that are given no HTTP client.
var sharedTransport = sync.OnceValue(func() http.RoundTripper { return web.Transport(web.Pings) })

// connection is the connection that a request went over.
type connection struct {
	mu   sync.Mutex
	conn net.Conn
}

// traced returns a context under which a request says over which connection it goes.
func (c *connection) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conn = info.Conn
	}})
}

// close gives the connection up: no later request is to go over one that fell silent.
func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.Close()
	}
}
