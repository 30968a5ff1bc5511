package watch

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/wait"
)

// RenewBefore is how long before its end a certificate should have been renewed.
const RenewBefore = 14 * 24 * time.Hour

// certificateEvery is how often the certificate on disk is read.
const certificateEvery = time.Hour

// Certificate is the pair of files whose expiry is watched.
type Certificate struct {
	CertFile, KeyFile string
	Holds             func(until time.Time) // told, with each look, until when the certificate on disk holds
	Log               zerolog.Logger
}

// Watch says when the certificate was not renewed, until ctx ends: a broken pair of files leaves the one
// before in force, and nobody hears of it before all hooks fail.
func (c Certificate) Watch(ctx context.Context) error {
	for {
		c.check()
		if wait.Sleep(ctx, certificateEvery) != nil {
			return nil
		}
	}
}

func (c Certificate) check() {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		c.Log.Error().Str("file", c.CertFile).Err(err).Msg("the certificate on disk and its key are no pair: the one before stays in force until its end, or the next start")
		return
	}
	c.Holds(pair.Leaf.NotAfter)
	if time.Until(pair.Leaf.NotAfter) < RenewBefore {
		c.Log.Error().Str("file", c.CertFile).Time("until", pair.Leaf.NotAfter).Msg("the certificate ends soon and was not renewed: after its end Calltouch cannot deliver hooks")
	}
}
