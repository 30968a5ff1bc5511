package mindbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"syscall"
)

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
