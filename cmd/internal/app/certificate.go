package app

import (
	"crypto/tls"
	"fmt"
	"sync"
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
		return nil, Mistakef("INGEST_TLS_CERT, INGEST_TLS_KEY: %w", err)
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
