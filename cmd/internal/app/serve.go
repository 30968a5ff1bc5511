package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// certificate is a pair of files that somebody renews while the process runs. A broken pair on
// disk leaves the one before in force.
type certificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	stamps  string
	current *tls.Certificate
}

// newCertificate reads the pair once, so that a mistake is found at the start.
func newCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.get(nil); err != nil {
		return nil, Mistake{err}
	}
	return c, nil
}

// get is for tls.Config.GetCertificate. It reads the files again when they have changed.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamps := stamp(c.certFile) + stamp(c.keyFile)
	if stamps == c.stamps {
		return c.current, nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	switch {
	case err == nil:
		c.current, c.stamps = &pair, stamps
	case c.current == nil:
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return c.current, nil
}

// shutdownTimeout bounds how long the requests in hand may take once a stop was asked for. It is shorter
// than partsWithin, which bounds the whole.
const shutdownTimeout = 10 * time.Second

// serve runs server, by its Serve or ServeTLS, until ctx ends, then lets the requests in hand finish.
func serve(ctx context.Context, accept func(net.Listener) error, server *http.Server, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- accept(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(stop); err != nil {
		return errors.Join(err, server.Close())
	}
	return nil
}

// Loopback reports whether only this machine reaches HOST:PORT.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
