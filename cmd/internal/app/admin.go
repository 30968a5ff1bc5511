package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"
)

// Admin is the address for operators: /healthz says that the process lives, /readyz that it can
// do its work or what to do about it, /metrics what Prometheus asks.
type Admin struct {
	Addr    string
	Token   string // asked for by /metrics when set; without one /metrics is closed off loopback
	Ready   func(context.Context) error
	Metrics *Metrics
	Log     zerolog.Logger
}

// readyTimeout bounds one question of /readyz.
const readyTimeout = 3 * time.Second

// Handler returns the three addresses.
func (a Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := a.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})
	mux.Handle("GET /metrics", a.guard(a.Metrics.Handler()))
	return mux
}

// guard asks for the token. Hashes are compared, so that neither bytes nor length leak by time.
func (a Admin) guard(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte("Bearer " + a.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		switch {
		case a.Token == "" && !loopback(a.Addr):
			http.Error(w, "set ADMIN_TOKEN to open /metrics on an address that is not loopback", http.StatusForbidden)
		case a.Token != "" && subtle.ConstantTimeCompare(got[:], want[:]) != 1:
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "send Authorization: Bearer ADMIN_TOKEN", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Serve answers until ctx ends.
func (a Admin) Serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return fmt.Errorf("admin address: %w", err)
	}
	a.Log.Info().Str("addr", listener.Addr().String()).Msg("admin address open")
	server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	return serve(ctx, server.Serve, server, listener)
}

// shutdownTimeout bounds how long requests and events in hand may take once a stop was asked for;
// with the worker's own bound it stays below the 25 s that service managers are promised.
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

func loopback(addr string) bool {
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

// CheckHealth asks an admin address for its /healthz, for a container's health check.
func CheckHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Mistake{err}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

// HealthURL is where CheckHealth asks the process that listens at addr.
func HealthURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr + "/healthz"
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz"
}
