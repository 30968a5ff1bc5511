package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/site"
)

// observers are told what comes in.
type observers struct {
	hook   func(calltouch.Observation)
	record recordObserver // may be nil
}

// intake is all that takes events from Calltouch: the webhook address and the poller. A changed
// file is taken up without closing the address.
type intake struct {
	settings Settings
	sole     bool // no other process takes events into this store
	queue    *queue.Queue
	observe  observers
	metrics  *Metrics
	log      zerolog.Logger
	repeats  *repeats

	now     atomic.Pointer[sources] // as the newest file says
	changed chan struct{}           // full when now is another one
}

// sources are the handler and the poller of one version of the file.
type sources struct {
	handler http.Handler
	poller  *calltouch.Poller
}

func newIntake(n *Node, q *queue.Queue, o observers, m *Metrics) *intake {
	s := n.Settings
	if len(s.Allow) > 0 && len(s.TrustedProxies) == 0 && loopback(s.IngestAddr) {
		n.Log.Warn().Msg("INGEST_ALLOW without INGEST_TRUSTED_PROXIES: behind a proxy every hook would seem to come from the proxy")
	}
	return &intake{
		settings: s, sole: n.Sole, queue: q, observe: o, metrics: m, log: n.Log,
		repeats: newRepeats(q, n.current.Load), changed: make(chan struct{}, 1),
	}
}

// use takes up a file. Its links start with the first process that runs with them.
func (in *intake) use(ctx context.Context, file *link.File) error {
	for _, l := range file.Links {
		if _, err := in.queue.Register(ctx, queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: l.Since}); err != nil {
			return fmt.Errorf("register link %s: %w", l.ID, err)
		}
	}
	poller := newPoller(in.queue, file, newState(in.queue, in.sole), in.metrics, in.observe.record, in.log)
	hooks := calltouch.NewHandler(calltouch.HandlerConfig{
		Sites: hookSites(file), Store: in.repeats, Allow: in.settings.Allow, Proxies: in.settings.TrustedProxies,
		OnRequest: func(_ context.Context, e event.Event) bool { return !poller.Wake(e.Key.Site) },
		Observe:   in.observe.hook, Log: in.log,
	})
	in.now.Store(&sources{handler: publicHandler(hooks, file), poller: poller})
	select {
	case in.changed <- struct{}{}:
	default: // run has not seen the last change yet
	}
	return nil
}

// run takes what Calltouch brings until ctx ends. A file must be in use.
func (in *intake) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return in.serve(ctx) })
	group.Go(func() error { return in.poll(ctx) })
	group.Go(func() error { return in.repeats.run(ctx) })
	return group.Wait()
}

// poll runs the newest poller: one at a time, so that they do not fight for the lease.
func (in *intake) poll(ctx context.Context) error {
	for ctx.Err() == nil {
		current, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- in.now.Load().poller.Run(current) }()
		select {
		case <-ctx.Done():
		case <-in.changed:
		}
		stop()
		if err := <-done; err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

func (in *intake) serve(ctx context.Context) error {
	s := in.settings
	listener, err := net.Listen("tcp", s.IngestAddr)
	if err != nil {
		return fmt.Errorf("webhook address: %w", err)
	}
	server := calltouch.NewServer(s.IngestAddr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.now.Load().handler.ServeHTTP(w, r)
	}))
	accept := server.Serve
	if s.TLSCert != "" {
		pair, err := newCertificate(s.TLSCert, s.TLSKey)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		server.TLSConfig = &tls.Config{GetCertificate: pair.get, MinVersion: tls.VersionTLS12}
		accept = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	in.log.Info().Str("addr", listener.Addr().String()).Bool("tls", s.TLSCert != "").Msg("webhook address open")
	return serve(ctx, accept, server, listener)
}

func hookSites(file *link.File) []calltouch.Site {
	sites := make([]calltouch.Site, 0, len(file.Sites))
	for _, one := range file.Sites {
		sites = append(sites, calltouch.Site{ID: one.ID, Keys: one.Keys(), View: one.View(), Attribution: one.Attribution})
	}
	return sites
}

// publicHandler is all that strangers can reach.
func publicHandler(hooks http.Handler, file *link.File) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/calltouch/", hooks)
	mux.Handle("/site/", site.NewHandler(func(id string) (site.Config, bool) { return ScriptConfig(file, id) }))
	return mux
}

// ScriptConfig is what the site script of a site needs; false when the site is not in the file.
func ScriptConfig(file *link.File, id string) (site.Config, bool) {
	for _, one := range file.Sites {
		if one.ID == id {
			return site.Config{Site: one.ID, Counter: one.Counter, Device: one.Device, Consent: one.Script.Consent}, true
		}
	}
	return site.Config{}, false
}
