// Package mindbox is the sink: it calls one operation of the Mindbox API v3 and says what the
// answer means.
//
// A rendered Operation goes in, an Answer comes out, and Judge turns the answer into a Verdict:
// the one table of what is delivered, tried again, buried or parked. What a request looks like and
// what its fields can hold is known here alone: Preview shows one, Longest, FitsInteger and
// Identifies are for whoever makes its body. The package makes one
// attempt per call; when to try again is not its business. It knows nothing of events, links or
// Calltouch. Neither errors nor answers hold the secret, a URL or a body, and texts of Mindbox
// pass show.Line first, because Mindbox quotes the phones and e-mail addresses it refuses.
package mindbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/touchbox/touchbox/pkg/defaults"
)

// DefaultTimeout is how long one attempt may take where Config says nothing. Mindbox publishes
// no number; its own clients wait from 5 to 60 s.
const DefaultTimeout = defaults.Timeout

// Config describes one destination.
type Config struct {
	URL           string            // scheme and host, as in the operation's description: https://api.mindbox.ru
	Secret        func() string     // read before each attempt, so that a key can be changed; nil or "" sends no Authorization
	SecondSecret  func() string     // tried once where Mindbox refuses Secret: for the days in which one replaces the other; nil or "": none
	Authorization string            // AuthorizationMindbox, also when empty, or AuthorizationSecretKey
	Timeout       time.Duration     // of one attempt, answer included; 0 is DefaultTimeout
	UserAgent     string            // "" is Touchbox
	Transport     http.RoundTripper // nil is a pool of connections of this client's own
}

// Client calls operations of one destination. It is safe for concurrent use.
type Client struct {
	config    Config
	base      *url.URL
	endpoint  *url.URL // of all calls, without their parameters
	transport http.RoundTripper
	plain     atomic.Pointer[plainHeader]
}

// plainHeader is the header of all calls with a secret that set nothing of their own. Requests share it: nobody changes it, and
// http.RoundTripper must not.
type plainHeader struct {
	secret string
	header http.Header
}

// New checks the configuration. The error names what is wrong without quoting it.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fmt.Errorf("mindbox: the url is not of the form https://host")
	}
	endpoint, err := url.Parse(address(base, ""))
	if err != nil {
		return nil, fmt.Errorf("mindbox: the path of the url is malformed")
	}
	switch config.Authorization {
	case "", AuthorizationMindbox, AuthorizationSecretKey:
	default:
		return nil, fmt.Errorf("mindbox: authorization is neither %s nor %s", AuthorizationMindbox, AuthorizationSecretKey)
	}
	if config.Timeout <= 0 {
		config.Timeout = DefaultTimeout
	}
	if config.UserAgent == "" {
		config.UserAgent = "Touchbox"
	}
	transport := config.Transport
	if transport == nil {
		transport = newTransport(pings)
	}
	return &Client{config: config, base: base, endpoint: endpoint, transport: transport}, nil
}

// Close drops idle connections. Attempts under way are not touched.
func (c *Client) Close() { (&http.Client{Transport: c.transport}).CloseIdleConnections() }

// Deliver makes one attempt. What went wrong is in the Answer: Judge says what follows from it.
func (c *Client) Deliver(ctx context.Context, op Operation) Answer {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	start := time.Now()
	var trip progress
	answer := c.attemptWithKeys(httptrace.WithClientTrace(ctx, trip.trace()), op)
	answer.Duration = time.Since(start)
	answer.Unsent = answer.Err != nil && trip.dialling.Load() && !trip.connected.Load()
	if timedOut(answer.Err) && trip.closeDead(start) {
		c.Close() // what has idled as long may be as dead
	}
	return answer
}

func timedOut(err error) bool {
	e, ok := errors.AsType[*TransportError](err)
	return ok && e.Failure == FailureTimeout
}

// attemptWithKeys tries the second key where Mindbox refuses the first. A request refused for its key
// is not executed, so that the second is no repeat.
func (c *Client) attemptWithKeys(ctx context.Context, op Operation) Answer {
	first, second := read(c.config.Secret), read(c.config.SecondSecret)
	answer := c.attempt(ctx, op, first)
	if Judge(answer).Action == ParkEndpoint && second != "" && second != first {
		return c.attempt(ctx, op, second)
	}
	return answer
}

func read(secret func() string) string {
	if secret == nil {
		return ""
	}
	return secret()
}

// header is that of a call with a secret. It is not to be changed.
func (c *Client) header(op Operation, secret string) http.Header {
	if plain := c.plain.Load(); plain != nil && plain.secret == secret && len(op.Header) == 0 {
		return plain.header
	}
	header := http.Header{"User-Agent": {c.config.UserAgent}}
	setHeader(header, op.Header, c.config.Authorization, secret)
	if len(op.Header) == 0 {
		c.plain.Store(&plainHeader{secret, header})
	}
	return header
}

func (c *Client) attempt(ctx context.Context, op Operation, secret string) Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(op.Body))
	if err != nil {
		return Answer{Err: transportError(err)}
	}
	address := *c.endpoint
	address.RawQuery = parameters(c.base, op, op.TransactionID)
	request.URL, request.Host, request.Header = &address, address.Host, c.header(op, secret)
	// A transport follows no redirect, which would mean a wrong host: that would hand the secret and a person's data to
	// whoever answers there. Nor does a client of net/http do anything else for a single request that is needed here.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return Answer{Err: transportError(err)}
	}
	defer response.Body.Close()
	return readAnswer(response, append(slices.Clone(op.Concealed), secret)...)
}
