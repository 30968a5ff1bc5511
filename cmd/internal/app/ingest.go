package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"path"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/watch"
)

// ingest is all that takes events from Calltouch: the webhook address and the poller. A changed
// file is taken up without closing the address.
type ingest struct {
	settings Settings
	queue    *queue.Queue
	state    poll.State
	limiter  *api.Limiter // of all versions of the file, as are the next four
	observe  observer
	log      zerolog.Logger
	repeats  *watch.Repeats
	guesses  *hook.Guesses
	troubles *watch.Troubles
	wellness *wellness
	proxied  sync.Once // warned of a proxy that nobody named

	now     atomic.Pointer[sources] // as the newest file says
	changed chan struct{}           // full when now is another one
}

// sources are the handler and the poller of one version of the file.
type sources struct {
	handler http.Handler
	poller  *poll.Poller
}

func newIngest(n *Node, q *queue.Queue, o observer) *ingest {
	s := n.Settings
	if len(s.Allow) > 0 && len(s.TrustedProxies) == 0 && Loopback(s.IngestAddr) {
		n.Log.Warn().Msg(allowHint)
	}
	if s.TLSCert == "" && len(s.TrustedProxies) == 0 && !Loopback(s.IngestAddr) {
		n.Log.Warn().Str("addr", s.IngestAddr).Msg("INGEST_ADDR is plain HTTP on an address that others reach: keys and phones would cross the network in the clear. " +
			"Put a proxy with TLS in front and name its network in INGEST_TRUSTED_PROXIES, or set INGEST_TLS_CERT and INGEST_TLS_KEY")
	}
	shared := state{q: q, sole: n.Sole}
	return &ingest{
		settings: s, queue: q, state: shared, limiter: &api.Limiter{Allowed: poll.Announced(shared)}, observe: o, log: n.Log,
		repeats: watch.NewRepeats(q, n.current.Load), changed: make(chan struct{}, 1),
		guesses: hook.NewGuesses(n.Log), troubles: watch.NewTroubles(q, n.Log), wellness: &wellness{look: n.Unwell},
	}
}

// allowHint is said at the start where a proxy is likely, and else when a request shows one.
const allowHint = "INGEST_ALLOW without INGEST_TRUSTED_PROXIES: behind a proxy every hook seems to come from the proxy, and is refused"

// warnOfProxy says once that hooks seem to come from a proxy that nobody named: in a container its
// address is that of the network's gateway.
func (in *ingest) warnOfProxy(r *http.Request) {
	if len(in.settings.Allow) == 0 || len(in.settings.TrustedProxies) > 0 {
		return
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if address := peer.Addr().Unmap(); err == nil && (address.IsPrivate() || address.IsLoopback()) {
		in.proxied.Do(func() { in.log.Warn().Msg(allowHint) })
	}
}

// use takes up a file. Its links start with the first process that runs with them.
func (in *ingest) use(ctx context.Context, file *link.File) error {
	for _, l := range file.Links {
		if _, err := in.queue.Register(ctx, queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: l.Since}); err != nil {
			return fmt.Errorf("register link %s: %w", l.ID, err)
		}
	}
	var before *poll.Poller
	if now := in.now.Load(); now != nil {
		before = now.poller
	}
	sites := Sites(file)
	poller := poll.New(poll.Config{
		Sites: sites, Store: in.queue, Hooks: waitingHooks{in.queue}, State: in.state, Limiter: in.limiter,
		Log: in.log, Observe: in.observe, Before: before,
	})
	hooks := hook.NewHandler(hook.Config{
		Sites: sites, Store: in.repeats, Allow: in.settings.Allow, Proxies: in.settings.TrustedProxies,
		Poll: poller, Observe: in.observe.Hook, Trouble: in.troubles.Note, Unwell: in.wellness.unwell, Guesses: in.guesses, Log: in.log,
	})
	in.now.Store(&sources{handler: publicHandler(hooks, file), poller: poller})
	select {
	case in.changed <- struct{}{}:
	default: // run has not seen the last change yet
	}
	return nil
}

// run takes what Calltouch brings until ctx ends. A file must be in use.
func (in *ingest) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return in.serve(ctx) })
	group.Go(func() error { return in.poll(ctx) })
	group.Go(func() error { return in.repeats.Run(ctx) })
	group.Go(func() error { return in.troubles.Run(ctx) })
	group.Go(func() error { return in.wellness.watch(ctx) })
	return group.Wait()
}

// poll runs the newest poller: one at a time, so that they do not fight for the lease.
func (in *ingest) poll(ctx context.Context) error {
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

func (in *ingest) serve(ctx context.Context) error {
	s := in.settings
	listener, err := net.Listen("tcp", s.IngestAddr)
	if err != nil {
		return fmt.Errorf("INGEST_ADDR: %w", err)
	}
	listener = hook.Bounded(listener, hook.Bounds{Proxies: s.TrustedProxies, Malformed: in.observe.malformed})
	server := hook.NewServer(s.IngestAddr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.warnOfProxy(r)
		in.now.Load().handler.ServeHTTP(w, r)
	}))
	accept := server.Serve
	if s.TLSCert != "" {
		pair, err := newCertificate(s.TLSCert, s.TLSKey)
		if err != nil {
			return errors.Join(fmt.Errorf("INGEST_TLS_CERT, INGEST_TLS_KEY: %w", err), listener.Close())
		}
		server.TLSConfig = &tls.Config{GetCertificate: pair.get, MinVersion: tls.VersionTLS12}
		accept = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	in.log.Info().Str("addr", listener.Addr().String()).Bool("tls", s.TLSCert != "").Msg("webhook address open")
	return serve(ctx, accept, server, listener)
}

// publicHandler is all that strangers can reach. http.ServeMux would redirect an address that is
// not clean, and a sender of hooks follows no redirect: whatever is no script is for the hooks.
func publicHandler(hooks http.Handler, file *link.File) http.Handler {
	scripts := site.NewHandler(func(id string) (site.Config, bool) { return ScriptConfig(file, id) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if clean := path.Clean(r.URL.Path); strings.HasPrefix(clean, "/site/") {
			r.URL.Path = clean
			scripts.ServeHTTP(w, r)
			return
		}
		hooks.ServeHTTP(w, r)
	})
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
