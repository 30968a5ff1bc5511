package calltouch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// DefaultAPI is where Calltouch serves its API.
const DefaultAPI = "https://api.calltouch.ru"

// Attribution models, as touchbox.yaml names them.
const (
	LastNonDirect = "last-non-direct" // Calltouch's own default
	Last          = "last"
)

// Client asks Calltouch's API for what it knows of one site. It asks once: what to do about an
// error is the caller's affair. It may be used at the same time from several places.
type Client struct {
	Site        string         // Calltouch's site id
	Base        string         // "" = DefaultAPI
	Token       func() string  // asked before each request, so that a token may be changed; required
	HTTP        *http.Client   // nil = one over http.DefaultTransport; redirects are never followed
	Limiter     *Limiter       // share one among all clients; nil = no limit, for tests only
	Location    *time.Location // the cabinet's zone; nil = UTC
	Attribution string         // LastNonDirect or Last; "" = LastNonDirect
	Silence     time.Duration  // an answer that says nothing for so long is given up; 0 = 1 minute
}

// The two methods, as errors and metrics name them.
const (
	methodRequests = "requests"
	methodCalls    = "calls"
)

// Requests hands on every form request that Calltouch lists for one day. An error is an *APIError,
// or the one that each returned; what was handed on before it may come again.
func (c *Client) Requests(ctx context.Context, d Day, each func(Listed) error) error {
	q := url.Values{"siteId": {c.Site}}
	// Month first: this method alone wants it so.
	q.Set("dateFrom", d.Format("01/02/2006"))
	q.Set("dateTo", q.Get("dateFrom"))
	for _, part := range []string{"withAttrs", "withRequestTags", "withMapVisits", "withYandexDirect", "withGoogleAdwords", "withDcm"} {
		q.Set(part, "true")
	}
	_, err := c.ask(ctx, methodRequests, "/calls-service/RestAPI/requests", q, c.reader(event.Request, each))
	return err
}

// Calls hands on every call that Calltouch's journal lists for one day, those in progress, too.
// For its errors see Requests.
func (c *Client) Calls(ctx context.Context, d Day, each func(Listed) error) error {
	q := url.Values{"attribution": {attributionNumber(c.Attribution)}}
	q.Set("dateFrom", d.Format("02/01/2006"))
	q.Set("dateTo", q.Get("dateFrom"))
	for _, part := range []string{"withAttrs", "withCallTags", "withOrders", "withComments", "withText", "withMapVisits", "withYandexDirect", "withGoogleAdwords", "withDcm"} {
		q.Set(part, "true")
	}
	path := "/calls-service/RestAPI/" + url.PathEscape(c.Site) + "/calls-diary/calls"
	// Without page and limit a day is one bare array: one request of the daily budget, and no
	// record that slips from one page to another while we read. Should pages come all the same,
	// the rest of them is read.
	pages, err := c.ask(ctx, methodCalls, path, q, c.reader(event.CallEnded, each))
	for page := 2; err == nil && page <= pages; page++ {
		q.Set("page", strconv.Itoa(page))
		q.Set("limit", "1000")
		_, err = c.ask(ctx, methodCalls, path, q, c.reader(event.CallEnded, each))
	}
	return err
}

// attributionNumber is how the API names a model.
func attributionNumber(model string) string {
	if model == Last {
		return "0"
	}
	return "1"
}

// reader turns raw records into Listed. One that is no object at all is no reason to lose those
// behind it; it goes on as it is, and is set aside.
func (c *Client) reader(kind event.Kind, each func(Listed) error) func(json.RawMessage) error {
	return func(raw json.RawMessage) error {
		r, err := readListed(raw, kind, View{Location: c.Location})
		if err != nil {
			r = Listed{Raw: raw, Kind: kind, phase: phaseEnded, phone: string(raw)}
		}
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
func (c *Client) ask(ctx context.Context, method, path string, q url.Values, each func(json.RawMessage) error) (pages int, err error) {
	token := c.token()
	if token == "" {
		return 0, &APIError{Method: method, Status: http.StatusUnauthorized, Err: errNoToken}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := c.request(ctx, path, q, token)
	if err != nil {
		return 0, &APIError{Method: method, Err: err}
	}
	if c.Limiter != nil {
		if err := c.Limiter.Wait(ctx, req.URL.Host); err != nil {
			return 0, &APIError{Method: method, Err: err}
		}
	}
	watch := time.AfterFunc(c.silence(), func() { cancel(errSilence) })
	defer watch.Stop()
	resp, err := c.http().Do(req)
	if err != nil {
		return 0, transportError(method, 0, cause(ctx, err), token)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		e := statusError(method, resp, body, token)
		if e.RetryAfter > 0 && c.Limiter != nil {
			c.Limiter.Hold(req.URL.Host, min(e.RetryAfter, maxHold))
		}
		return 0, e
	}
	var own error
	pages, err = readRecords(&watched{resp.Body, watch, c.silence()}, func(raw json.RawMessage) error {
		own = each(raw)
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

func (c *Client) token() string {
	if c.Token == nil {
		return ""
	}
	return strings.TrimSpace(c.Token())
}

func (c *Client) request(ctx context.Context, path string, q url.Values, token string) (*http.Request, error) {
	u, err := url.Parse(cmp.Or(c.Base, DefaultAPI))
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

// http is the client to use. A redirect would carry the token to another host.
func (c *Client) http() *http.Client {
	h := http.Client{}
	if c.HTTP != nil {
		h = *c.HTTP
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
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

// watched reads a body and lets its alarm go off when nothing comes. The time between two reads
// does not count: storing what was read may take as long as it takes.
type watched struct {
	r     io.Reader
	alarm *time.Timer
	limit time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	w.alarm.Reset(w.limit)
	n, err := w.r.Read(b)
	w.alarm.Stop()
	return n, err
}
