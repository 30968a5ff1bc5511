package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// ConsoleOff is the CONSOLE_ADDR of a process without a console.
const ConsoleOff = "off"

// ConsoleSource is what a console shows: the queue, the file that is in force, and whether the one on disk is refused.
type ConsoleSource struct {
	Queue  *queue.Queue
	File   func() *link.File
	Broken func() bool
	Run    func(func(context.Context) error) // has something run as long as the console does
}

// checkConsole finds settings by which keys and phones would cross a network in the clear.
func (s Settings) checkConsole() error {
	if s.ConsoleAddr == ConsoleOff {
		return nil
	}
	if !isAddress(s.ConsoleAddr) {
		return errors.New("CONSOLE_ADDR: want HOST:PORT, :PORT or off")
	}
	if s.ConsoleURL != "" {
		u, err := url.Parse(s.ConsoleURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("CONSOLE_URL: want the address that people open, as in https://touchbox.example.com")
		}
		if u.Scheme == "http" && !near(u.Hostname()) {
			return errors.New("CONSOLE_URL: want https: keys and phones would cross the network in the clear")
		}
	}
	if Loopback(s.ConsoleAddr) || s.ConsoleTLSCert != "" || s.ConsoleURL != "" && len(s.ConsoleProxies) > 0 {
		return nil
	}
	return fmt.Errorf("CONSOLE_ADDR: others reach %s, and keys and phones would cross the network in the clear: set CONSOLE_TLS_CERT and CONSOLE_TLS_KEY, "+
		"or CONSOLE_URL=https://HOST with the proxy's network in CONSOLE_TRUSTED_PROXIES, or leave it at 127.0.0.1:8083", s.ConsoleAddr)
}

// ConsoleAddress is where people open the console: CONSOLE_URL, or else the address that it listens at.
func (s Settings) ConsoleAddress() string {
	if s.ConsoleURL != "" {
		return strings.TrimRight(s.ConsoleURL, "/")
	}
	scheme := "http"
	if s.ConsoleTLSCert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(s.ConsoleAddr)
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// Limits of the console's server. A stream of the live tail is written for longer than a page.
const (
	consoleHeaderTimeout = 5 * time.Second
	consoleReadTimeout   = 30 * time.Second
	consoleIdleTimeout   = time.Minute
	consoleHeader        = 32 << 10
)

// serveConsole opens the console's address. Beside a bridge one that cannot be opened stops nothing: events matter more
// than who looks at them.
func (n *Node) serveConsole(ctx context.Context, group *errgroup.Group, q *queue.Queue) error {
	s := n.Settings
	if n.Console == nil || s.ConsoleAddr == ConsoleOff {
		return nil
	}
	listener, err := net.Listen("tcp", s.ConsoleAddr)
	if err != nil && (n.Ingest || n.Worker) {
		n.Log.Error().Err(err).Msg("the console is not there: its address cannot be opened; set CONSOLE_ADDR to another one, or to off")
		return nil
	}
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	server := &http.Server{
		ReadHeaderTimeout: consoleHeaderTimeout, ReadTimeout: consoleReadTimeout, IdleTimeout: consoleIdleTimeout,
		MaxHeaderBytes: consoleHeader, ErrorLog: log.New(warnings{n.Log}, "", 0),
	}
	streams, end := context.WithCancel(context.WithoutCancel(ctx))
	server.BaseContext = func(net.Listener) context.Context { return streams }
	context.AfterFunc(ctx, end) // else open streams would hold up the stop
	accept := server.Serve
	if s.ConsoleTLSCert != "" {
		pair, err := newCertificate(s.ConsoleTLSCert, s.ConsoleTLSKey)
		if err != nil {
			return errors.Join(fmt.Errorf("CONSOLE_TLS_CERT, CONSOLE_TLS_KEY: %w", err), listener.Close())
		}
		server.TLSConfig = &tls.Config{GetCertificate: pair.get, MinVersion: tls.VersionTLS12}
		accept = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	run := func(f func(context.Context) error) { group.Go(func() error { return f(ctx) }) }
	server.Handler = n.Console(ConsoleSource{Queue: q, File: n.current.Load, Broken: n.broken.Load, Run: run})
	n.ConsoleOpen = true
	n.Log.Info().Str("addr", listener.Addr().String()).Bool("tls", s.ConsoleTLSCert != "").Msg("console open")
	group.Go(func() error { return serve(ctx, accept, server, listener) })
	return nil
}

// RunConsole is the process `touchbox console`: the console alone, beside ingest and worker, on the queue of NATS_URL or of a
// running `touchbox up`.
func RunConsole(ctx context.Context, s Settings, log zerolog.Logger, n *Node) error {
	n.Settings, n.Log = s, log
	file, problems, err := s.toServe(s.LoadConfigLeniently)
	if err != nil {
		return err
	}
	n.warn(problems)
	n.File = file
	q, err := s.OpenForCommand(ctx, file, log)
	if err != nil {
		return err
	}
	defer q.Close()
	return newStopClock(ctx).within(processWithin, "the console", func() error { return n.look(ctx, q) })
}

// look serves the console over an open queue until ctx ends, by the newest file that has no mistakes.
func (n *Node) look(ctx context.Context, q *queue.Queue) error {
	n.seen = stamp(n.Settings.Config)
	n.current.Store(n.File)
	group, ctx := errgroup.WithContext(ctx)
	if err := n.serveConsole(ctx, group, q); err != nil {
		return err
	}
	group.Go(func() error { return n.followFile(ctx) })
	if n.Started != nil {
		n.Started(q)
	}
	return group.Wait()
}

// followFile takes up a changed file, for who only looks. What it misses stays as it was.
func (n *Node) followFile(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		now := stamp(n.Settings.Config)
		if now == n.seen {
			continue
		}
		n.seen = now
		file, _, err := n.Settings.LoadConfigLeniently(lang.English)
		n.broken.Store(err != nil)
		if err != nil {
			n.Log.Error().Err(err).Msg("the changed configuration is refused, the one before stays in force")
			continue
		}
		n.current.Store(file)
	}
}
