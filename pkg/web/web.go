// Package web holds what HTTP clients and servers of the rooms above have in common: a transport that finds dead
// connections, a client that keeps a secret address to itself, the reading of Retry-After, a value
// that is safe as a header, and who sent a request that came by a proxy. Requests and answers are made and judged by those who use it; it knows
// nothing of events, Calltouch or Mindbox.
package web

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Pings are the HTTP/2 pings for an address that is asked now and then: a connection over which nothing
// came for 15 s is asked for a sign of life, and given up when none comes within 10 s.
var Pings = http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second}

// maxHeader bounds the header of an answer, in bytes.
const maxHeader = 64 << 10

// Transport is Go's default one with a pool of connections of its own, HTTP/2 pings and a bound on the
// header of an answer. Without pings a connection that a firewall has forgotten without a word would be
// used until the kernel gives it up, some 15 minutes later: HTTP/2 sends everything over one.
func Transport(pings http.HTTP2Config) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.HTTP2 = &pings
	t.MaxResponseHeaderBytes = maxHeader
	return t
}

// Client makes a client for addresses that hold a secret: it follows no redirect, which would carry the
// address to another host as Referer and lose the body on the way.
func Client(timeout time.Duration) *http.Client {
	return &http.Client{Transport: Transport(Pings), Timeout: timeout, CheckRedirect: NoRedirect}
}

// NoRedirect is a CheckRedirect that follows none: the redirect itself is the answer.
func NoRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RetryAfter reads the header Retry-After in both its forms, seconds and a date: how long the answer asks
// to wait, at most as long as given; 0 when it asks for nothing. A date is taken against the answer's own
// Date, so that a wrong clock on either side does no harm.
func RetryAfter(h http.Header, most time.Duration) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && !math.IsNaN(seconds) {
		return time.Duration(min(max(math.Ceil(seconds), 0), most.Seconds())) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		from = time.Now()
	}
	return min(max(at.Sub(from), 0), most)
}

// HeaderValue is a text that may stand as a header: it may be rendered from what a stranger sent, and
// net/http refuses the whole request for one control character.
func HeaderValue(s string) string { return strings.TrimSpace(WithoutControls(s)) }

// WithoutControls is a text with blanks in place of its control characters.
func WithoutControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
