package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Admin is the address for operators: /healthz says that the process lives, /readyz that it can
// do its work or what to do about it, /metrics what Prometheus asks, /debug/pprof/ where its time and
// memory go. All but the first answer only to names that cannot be a stranger's.
type Admin struct {
	Addr    string
	Setting string   // the variable that Addr comes from: an address that cannot be opened is changed there
	Token   string   // asked for by /metrics and /debug/pprof/ when set; without one both are closed off loopback
	Hosts   []string // further names by which it may be called
	Ready   func(context.Context) error
	Metrics *Metrics
	Log     zerolog.Logger
}

// readyTimeout bounds one question of /readyz.
const readyTimeout = 3 * time.Second

// withTimeout gives a question so long for its answer.
func withTimeout(limit time.Duration, ask func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return ask(ctx)
	}
}

// Handler returns the four addresses.
func (a Admin) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.Handle("GET /readyz", a.named(http.HandlerFunc(a.ready)))
	mux.Handle("GET /metrics", a.named(a.guard(a.Metrics.Handler())))
	mux.Handle("GET /debug/pprof/", a.named(a.guard(profiles())))
	return mux
}

// profiles are Go's own: functions and counts, no value of an event. The command line is not among them.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// ready says what is wrong to those who may know: it names folders and servers.
func (a Admin) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	err := a.Ready(ctx)
	switch {
	case err == nil:
		_, _ = io.WriteString(w, "ready\n")
	case Loopback(a.Addr) || a.Token != "" && a.trusts(r):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		http.Error(w, "not ready: `touchbox links` and the log say why, and this address to who sends Authorization: Bearer ADMIN_TOKEN", http.StatusServiceUnavailable)
	}
}

// named refuses names of somebody else's, by which a web page could have a browser ask this address
// (DNS rebinding). Addresses are no names, and one without a dot is nobody's on the internet.
func (a Admin) named(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.answersTo(r.Host) {
			http.Error(w, "this address is not called so: use its IP address, or list the name in ADMIN_HOSTS", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a Admin) answersTo(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(hostname(host)), ".")
	if _, err := netip.ParseAddr(name); err == nil || !strings.Contains(name, ".") {
		return true
	}
	if strings.HasSuffix(name, ".localhost") || name == strings.ToLower(hostname(a.Addr)) {
		return true
	}
	return slices.ContainsFunc(a.Hosts, func(h string) bool { return strings.EqualFold(h, name) })
}

// hostname is the host of HOST:PORT or of HOST alone.
func hostname(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return strings.Trim(addr, "[]")
}

// trusts compares the token. Hashes are compared, so that neither bytes nor length leak by time.
func (a Admin) trusts(r *http.Request) bool {
	want, got := sha256.Sum256([]byte("Bearer "+a.Token)), sha256.Sum256([]byte(r.Header.Get("Authorization")))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// guard asks for the token.
func (a Admin) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case a.Token == "" && !Loopback(a.Addr):
			http.Error(w, "set ADMIN_TOKEN to open this on an address that is not loopback", http.StatusForbidden)
		case a.Token != "" && !a.trusts(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "send Authorization: Bearer ADMIN_TOKEN", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Limits of the admin address: its questions have no body, and its answers take a moment.
const (
	adminReadTimeout  = 5 * time.Second
	adminWriteTimeout = 30 * time.Second
	adminHeader       = 16 << 10
)

// warnings takes the lines of net/http's own log.
type warnings struct{ log zerolog.Logger }

func (w warnings) Write(line []byte) (int, error) {
	w.log.Warn().Str("part", "admin address").Msg(strings.TrimSpace(string(line)))
	return len(line), nil
}

// Serve answers until ctx ends.
func (a Admin) Serve(ctx context.Context) error {
	listener, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return fmt.Errorf("%s: %w", a.Setting, err)
	}
	a.Log.Info().Str("addr", listener.Addr().String()).Msg("admin address open")
	server := a.server()
	return serve(ctx, server.Serve, server, listener)
}

func (a Admin) server() *http.Server {
	return &http.Server{
		Handler:     a.Handler(),
		ReadTimeout: adminReadTimeout, WriteTimeout: adminWriteTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: adminHeader,
		ErrorLog:       log.New(warnings{a.Log}, "", 0),
	}
}

// CheckHealth asks an admin address for its /healthz, for a container's health check. Its error does
// not hold the address.
func CheckHealth(ctx context.Context, address string) error {
	return askHealth(ctx, http.DefaultClient, address)
}

func askHealth(ctx context.Context, client *http.Client, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Mistakef("the address is malformed") // it may hold a key, and the error repeats it
	}
	answer, err := client.Do(request)
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err // without the address
	}
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

// CheckConsole asks the console of these settings for its health, by TLS where it has a certificate. That one is for the name by
// which people come, and not looked at: nothing is told to who answers.
func CheckConsole(ctx context.Context, s Settings) error {
	if s.ConsoleTLSCert == "" {
		return CheckHealth(ctx, HealthURL(s.ConsoleAddr))
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
	return askHealth(ctx, client, strings.Replace(HealthURL(s.ConsoleAddr), "http:", "https:", 1))
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
