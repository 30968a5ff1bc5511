// Package mindbox is the sink: it calls one operation of the Mindbox API v3 and says what the
// answer means.
//
// A rendered Operation goes in, an Answer comes out, and Judge turns the answer into a Verdict:
// the one table of what is delivered, tried again, buried or parked. The package makes one
// attempt per call; when to try again is not its business. It knows nothing of events, links or
// Calltouch. Neither errors nor answers hold the secret, a URL or a body, and texts of Mindbox
// pass Mask first, because Mindbox quotes the phones and e-mail addresses it refuses.
package mindbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// DefaultTimeout is how long one attempt may take where Config says nothing. Mindbox publishes
// no number; its own clients wait from 5 to 60 s.
const DefaultTimeout = 30 * time.Second

// operationsPath is the asynchronous call: accepted at once, executed by Mindbox later.
const operationsPath = "/v3/operations/async"

// The two spellings of the Authorization header that Mindbox publishes.
const (
	AuthorizationMindbox   = "mindbox"   // Mindbox secretKey="..."
	AuthorizationSecretKey = "secretkey" // SecretKey ...
)

// Config describes one destination.
type Config struct {
	URL           string            // scheme and host, as in the operation's description: https://api.mindbox.ru
	Secret        func() string     // read before each attempt, so that a key can be changed; nil or "" sends no Authorization
	Other         func() string     // another key, tried once where Mindbox refuses Secret: for the days in which one replaces the other; nil or "": none
	Authorization string            // AuthorizationMindbox, also when empty, or AuthorizationSecretKey
	Timeout       time.Duration     // of one attempt, answer included; 0 is DefaultTimeout
	UserAgent     string            // "" is Touchbox
	Transport     http.RoundTripper // nil is a pool of connections of this client's own
}

// Operation is one call, rendered.
type Operation struct {
	Endpoint      string // endpointId, the integration point's system name
	Name          string // the operation's system name
	DeviceUUID    string // "" leaves the parameter out: Mindbox reports an error when an operation without devices gets one
	TransactionID string // a GUID; Mindbox executes each once
	Body          []byte // JSON
	Header, Query map[string]string
}

// Client calls operations of one destination. It is safe for concurrent use.
type Client struct {
	config Config
	base   *url.URL
	http   *http.Client
}

// New checks the configuration. The error names what is wrong without quoting it.
func New(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || base.Host == "" || (base.Scheme != "https" && base.Scheme != "http") {
		return nil, fmt.Errorf("mindbox: the url is not of the form https://host")
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
		transport = newTransport()
	}
	return &Client{config: config, base: base, http: &http.Client{
		Transport: transport,
		// A redirect means a wrong host: following it would hand the secret and a person's
		// data to whoever answers there.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// newTransport keeps connections open between attempts: as many idle ones as a busy worker
// has attempts under way. Mindbox asks for TLS 1.2 or newer.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Close drops idle connections. Attempts under way are not touched.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Deliver makes one attempt. What went wrong is in the Answer: Judge says what follows from it.
func (c *Client) Deliver(ctx context.Context, op Operation) Answer {
	ctx, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	start := time.Now()
	var dialling, connected atomic.Bool
	trace := &httptrace.ClientTrace{
		GetConn: func(string) { dialling.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
	answer := c.attemptWithKeys(httptrace.WithClientTrace(ctx, trace), op)
	answer.Duration = time.Since(start)
	answer.Unsent = answer.Err != nil && dialling.Load() && !connected.Load()
	return answer
}

// attemptWithKeys tries the other key where the first is refused. A request refused for its key is
// not executed, so that the second is no repeat.
func (c *Client) attemptWithKeys(ctx context.Context, op Operation) Answer {
	first, other := read(c.config.Secret), read(c.config.Other)
	answer := c.attempt(ctx, op, first)
	refused := answer.Err == nil && (answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden)
	if refused && other != "" && other != first {
		return c.attempt(ctx, op, other)
	}
	return answer
}

func read(secret func() string) string {
	if secret == nil {
		return ""
	}
	return secret()
}

func (c *Client) attempt(ctx context.Context, op Operation, secret string) Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address(op), bytes.NewReader(op.Body))
	if err != nil {
		return Answer{Err: transportError(err)}
	}
	c.setHeader(request.Header, op.Header, secret)
	response, err := c.http.Do(request)
	if err != nil {
		return Answer{Err: transportError(err)}
	}
	defer response.Body.Close()
	return readAnswer(response, secret)
}

// address adds the parameters; the operation's own win over configured ones.
func (c *Client) address(op Operation) string {
	query := c.base.Query()
	for name, value := range op.Query {
		query.Set(name, value)
	}
	query.Set("endpointId", op.Endpoint)
	query.Set("operation", op.Name)
	query.Set("transactionId", op.TransactionID)
	if op.DeviceUUID != "" {
		query.Set("deviceUUID", op.DeviceUUID)
	}
	address := c.base.JoinPath(operationsPath)
	address.RawQuery = query.Encode()
	return address.String()
}

// setHeader sets the configured headers first: none of them can change what the API asks for.
func (c *Client) setHeader(h http.Header, configured map[string]string, secret string) {
	h.Set("User-Agent", c.config.UserAgent)
	for name, value := range configured {
		h.Set(name, headerValue(value))
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Accept", "application/json")
	switch {
	case secret == "":
	case c.config.Authorization == AuthorizationSecretKey:
		h.Set("Authorization", "SecretKey "+headerValue(secret))
	default:
		h.Set("Authorization", `Mindbox secretKey="`+headerValue(secret)+`"`)
	}
}

// headerValue takes control characters out: a value may be rendered from what a stranger sent,
// and net/http refuses the whole attempt for one of them.
func headerValue(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s))
}
