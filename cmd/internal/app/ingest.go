package app

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/site"
)

// RunIngest is the process `ingest`:
//
//	webhooks ──────┐
//	requests API ──┼──▶ key, kind, fingerprint ──▶ EVENTS
//	calls journal ─┘                └──▶ ASIDE
func RunIngest(ctx context.Context, s Settings, log zerolog.Logger) error {
	file, problems, err := s.LoadConfig(lang.English)
	if err != nil {
		return err
	}
	warn(log, problems)
	return withQueue(ctx, s.ServiceQueue("touchbox-ingest", file, log), func(ctx context.Context, q *queue.Queue) error {
		metrics := NewMetrics()
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return s.ingest(ctx, q, file, observers{hook: metrics.hook}, metrics, log) })
		group.Go(func() error { return s.admin(s.IngestAdminAddr, q, metrics, log).Serve(ctx) })
		return group.Wait()
	})
}

// observers are told what comes in.
type observers struct {
	hook   func(calltouch.Observation)
	record recordObserver // may be nil
}

// ingest takes what Calltouch brings until ctx ends.
func (s Settings) ingest(ctx context.Context, q *queue.Queue, file *link.File, o observers, m *Metrics, log zerolog.Logger) error {
	if err := register(ctx, q, file); err != nil {
		return err
	}
	if behindProxy(s) && len(s.TrustedProxies) == 0 {
		log.Warn().Msg("INGEST_ALLOW without INGEST_TRUSTED_PROXIES: behind a proxy every hook would seem to come from the proxy")
	}
	poller := newPoller(q, file, m, o.record, log)
	hooks := calltouch.NewHandler(calltouch.HandlerConfig{
		Sites: hookSites(file), Store: store{q}, Allow: s.Allow, Proxies: s.TrustedProxies,
		OnRequest: func(_ context.Context, e event.Event) bool { return !poller.Wake(e.Key.Site) }, Observe: o.hook, Log: log,
	})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.serveHooks(ctx, publicHandler(hooks, file), log) })
	group.Go(func() error { return poller.Run(ctx) })
	return group.Wait()
}

// behindProxy guesses from the address: an allow-list on an address that only this machine can
// reach means that something stands in front.
func behindProxy(s Settings) bool { return len(s.Allow) > 0 && loopback(s.IngestAddr) }

// register writes the start of each link that is seen for the first time: a link takes what comes
// from the moment that ingest or worker, whichever was first, ran with it.
func register(ctx context.Context, q *queue.Queue, file *link.File) error {
	for _, l := range file.Links {
		if _, err := q.Register(ctx, queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: l.Since}); err != nil {
			return fmt.Errorf("register link %s: %w", l.ID, err)
		}
	}
	return nil
}

func hookSites(file *link.File) []calltouch.Site {
	sites := make([]calltouch.Site, 0, len(file.Sites))
	for _, one := range file.Sites {
		sites = append(sites, calltouch.Site{ID: one.ID, Keys: one.Keys(), View: one.View()})
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

func (s Settings) serveHooks(ctx context.Context, handler http.Handler, log zerolog.Logger) error {
	listener, err := net.Listen("tcp", s.IngestAddr)
	if err != nil {
		return fmt.Errorf("webhook address: %w", err)
	}
	server := calltouch.NewServer(s.IngestAddr, handler)
	log.Info().Str("addr", listener.Addr().String()).Bool("tls", s.TLSCert != "").Msg("webhook address open")
	if s.TLSCert == "" {
		return serve(ctx, server.Serve, server, listener)
	}
	return serve(ctx, func(l net.Listener) error { return server.ServeTLS(l, s.TLSCert, s.TLSKey) }, server, listener)
}
