package mindbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/touchbox/touchbox/pkg/web"
)

// How an attempt travels stands here: the connections it goes over, and what ends it without an answer.

// pings find a connection that died without a word: a firewall or a balancer forgot it, and no reset
// comes. Together they are well below the time-out of an attempt.
var pings = http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 5 * time.Second}

// keepAlive is the same for what HTTP/1.1 leaves open between attempts.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// idleMost is how many connections stay open between attempts: as many as four busy links have attempts under way
// where the far end speaks HTTP/1.1.
const idleMost = 1024

// newTransport keeps connections open between attempts. Mindbox asks for TLS 1.2 or newer.
func newTransport(pings http.HTTP2Config) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAliveConfig: keepAlive}
	t := web.Transport(pings)
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &connection{Conn: c}, nil
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = idleMost, idleMost
	return t
}

// connection knows when the last byte came.
type connection struct {
	net.Conn
	heard atomic.Int64 // unix nanoseconds; 0: nothing came
}

// Read implements net.Conn.
func (c *connection) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

// heardSince reports whether a byte came after t.
func (c *connection) heardSince(t time.Time) bool {
	return c.heard.Load() > t.UnixNano()
}

// progress is how far an attempt has come.
type progress struct {
	dialling, connected atomic.Bool
	conn                atomic.Pointer[net.Conn]
}

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { p.dialling.Store(true) },
		GotConn: func(info httptrace.GotConnInfo) {
			p.connected.Store(true)
			p.conn.Store(&info.Conn)
		},
	}
}

// closeDead closes the attempt's connection, and reports it, when not a byte came over it since the
// attempt began: the next one is to open another. Over a connection that brings answers of other
// attempts, or only pings, the far end is slow and not away.
func (p *progress) closeDead(start time.Time) bool {
	conn := p.conn.Load()
	if conn == nil {
		return false
	}
	c := underneath(*conn)
	if c == nil || c.heardSince(start) {
		return false
	}
	_ = c.Close()
	return true
}

// underneath is our connection below the layers of TLS, of which a proxy adds one; nil when there is
// none.
func underneath(conn net.Conn) *connection {
	for {
		switch c := conn.(type) {
		case *connection:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return nil
		}
	}
}

// Failure says how an attempt ended without an answer.
type Failure string

// All failures. Their words are reasons in logs and records.
const (
	FailureTimeout     Failure = "timeout"     // no whole answer in time
	FailureName        Failure = "name"        // the host's name does not resolve
	FailureConnect     Failure = "connect"     // nobody accepts connections there
	FailureTLS         Failure = "tls"         // no trust in the other side's certificate
	FailureConnection  Failure = "connection"  // reset, cut off, or no HTTP
	FailureInterrupted Failure = "interrupted" // we gave up: this process is stopping
)

// TransportError says why no whole answer came. Its text is fixed per failure: the texts of
// net/http hold URLs and, for a malformed answer, bytes of it.
type TransportError struct {
	Failure Failure
	Detail  string // of a certificate, for the operator; else ""
}

// Error is a short sentence without hosts, URLs or bytes of the answer.
func (e *TransportError) Error() string {
	text := map[Failure]string{
		FailureTimeout:     "no answer in time",
		FailureName:        "the host's name does not resolve",
		FailureConnect:     "no connection to the host",
		FailureTLS:         "the certificate is not trusted",
		FailureConnection:  "the connection broke",
		FailureInterrupted: "interrupted by a stop",
	}[e.Failure]
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

func transportError(err error) *TransportError {
	var timeout interface{ Timeout() bool }
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var op *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return &TransportError{Failure: FailureInterrupted}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &TransportError{Failure: FailureTimeout}
	case errors.As(err, &name):
		return &TransportError{Failure: FailureName}
	case errors.As(err, &certificate):
		return &TransportError{Failure: FailureTLS, Detail: certificateDetail(certificate.Err)}
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return &TransportError{Failure: FailureTLS, Detail: "the host does not speak TLS"}
	case errors.As(err, &op) && op.Op == "dial", errors.Is(err, syscall.ECONNREFUSED):
		return &TransportError{Failure: FailureConnect}
	default:
		return &TransportError{Failure: FailureConnection}
	}
}

func certificateDetail(err error) string {
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired or not yet valid (is the clock right?)"
	case errors.As(err, &host):
		return "it belongs to another host"
	case errors.As(err, &unknown):
		return "its authority is unknown"
	default:
		return ""
	}
}
