package jet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
)

// The oldest server that is taken: 2.14 has the schedules' repairs and atomic batches.
const oldestMajor, oldestMinor = 2, 14

// leastPayload is what a server has to take of one message: a hook of 256 KB with its headers, and an event on its way with
// what is known of it. NATS takes 1 MB if left alone.
const leastPayload = 512 << 10

// localURL stands for a server that is not reached by TCP.
const localURL = "nats://127.0.0.1:4222"

// connect tries until it works, the server is refused, or ctx ends.
func (c *Client) connect(ctx context.Context) error {
	opts, err := c.dialOptions()
	if err != nil {
		return err
	}
	address := c.opts.Servers
	if address == "" {
		address = localURL
	}
	var last error
	try := func() error {
		nc, err := nats.Connect(address, opts...)
		if err != nil {
			last = unquoted(err)
			return last
		}
		if err := checkVersion(nc.ConnectedServerVersion()); err != nil {
			nc.Close()
			return backoff.Permanent(err)
		}
		if largest := nc.MaxPayload(); largest < leastPayload {
			c.log.Warn().Int64("max_payload", largest).Int("at_least", leastPayload).
				Msg("this NATS server takes no larger messages, and what is larger cannot be stored: raise its max_payload, best to 8MB")
		}
		c.nc = nc
		return nil
	}
	tell := func(err error, _ time.Duration) {
		if c.told.Due("connect", logEvery) {
			c.log.Warn().Str("server", c.Where()).Err(err).Msg("NATS is not there yet, trying on")
		}
	}
	err = backoff.RetryNotify(try, backoff.WithContext(NewBackoff(), ctx), tell)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && last != nil {
		err = last // who has stopped the process wants no reason, and a stop is no failure
	}
	if err != nil {
		return fmt.Errorf("connect to NATS at %s: %w", c.Where(), err)
	}
	return nil
}

// unquoted is the error without the server's address in full, which may hold a password. Who reads
// addresses from a person checks them before, so that this stays unseen.
func unquoted(err error) error {
	if _, quotes := errors.AsType[*url.Error](err); quotes {
		return backoff.Permanent(errors.New("a server's address cannot be read: it is of the form nats://HOST:4222"))
	}
	return err
}

// NewBackoff is the backoff for what is tried until it works.
func NewBackoff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond),
		backoff.WithMaxInterval(5*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
}

// syncQueue is room for the answers to one request: a page and its end at most. The library makes it at once
// for each such request, and its own 65,536 are half a megabyte.
const syncQueue = 2 * pageSize

// dialOptions are nats.go's. Without a reconnect buffer a publish during an outage fails at once
// and is not stored behind the caller's back once the server returns.
func (c *Client) dialOptions() ([]nats.Option, error) {
	o := c.opts
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.CustomInboxPrefix(o.Inbox),
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a server whose users are being changed refuses for a while, and not for good
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.Timeout(RequestTimeout),
		nats.SyncQueueLen(syncQueue),
	}
	opts = append(opts, c.handlers()...)
	switch {
	case o.Servers != "":
		opts = append(opts, nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(pingsMissed))
	case o.InProcess != nil:
		opts = append(opts, nats.InProcessServer(inProcess(o.InProcess)))
	case o.Socket != "":
		path, err := SocketPath(o.Socket)
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.SetCustomDialer(socket(path)))
	default:
		return nil, errors.New("no NATS server is named")
	}
	return append(opts, credentials(o)...), nil
}

// handlers are what nats.go calls when something becomes of the connection.
func (c *Client) handlers() []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if c.closing.Load() {
				return
			}
			c.log.Warn().Str("server", c.Where()).AnErr("cause", err).Msg("the connection to NATS is gone")
		}),
		nats.ClosedHandler(func(nc *nats.Conn) {
			if err := nc.LastError(); !c.closing.Load() {
				c.gaveUp <- cmp.Or(err, nats.ErrConnectionClosed)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			c.log.Info().Str("server", c.Where()).Str("version", nc.ConnectedServerVersion()).Msg("connected to NATS again")
			c.stalled.clearAll()
			c.denied.clear()
			c.mu.Lock()
			callback := c.reconnected
			c.mu.Unlock()
			if callback != nil {
				callback()
			}
			c.epoch.next()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			c.denied.note(err)
			if c.told.Due("nats", logEvery) {
				c.log.Warn().Err(err).Msg("NATS reports an error")
			}
		}),
	}
}

// A server that stands still, or is behind a wire that was cut, is left after three pings without an
// answer, early enough for a hook that waits to be stored by way of another one.
const (
	pingEvery   = 2 * time.Second
	pingsMissed = 2
)

// switchEvery is the time between two moves away from a server that stores nothing.
const switchEvery = 5 * time.Second

// SwitchServer connects to another server of the cluster, where there is one: this one answers pings, but
// has lost the others, so that nothing can be stored by way of it.
func (c *Client) SwitchServer() {
	if len(c.nc.Servers()) < 2 || !c.nc.IsConnected() || !c.told.Due("move", switchEvery) {
		return
	}
	c.log.Warn().Str("server", c.nc.ConnectedServerName()).Msg("nothing can be stored by way of this NATS server, trying another one")
	_ = c.nc.ForceReconnect()
}

func credentials(o Options) []nats.Option {
	var opts []nats.Option
	if o.Creds != "" {
		opts = append(opts, nats.UserCredentials(o.Creds))
	}
	if o.User != "" {
		opts = append(opts, nats.UserInfo(o.User, o.Password))
	}
	if o.CA != "" {
		opts = append(opts, nats.RootCAs(o.CA))
	}
	if o.Cert != "" {
		opts = append(opts, nats.ClientCert(o.Cert, o.Key))
	}
	return opts
}

// Where names the server without what a URL may hold besides: users, passwords.
func (c *Client) Where() string {
	switch {
	case c.opts.InProcess != nil:
		return "the embedded server"
	case c.opts.Socket != "":
		return c.opts.Socket
	}
	var hosts []string
	for _, s := range strings.Split(c.opts.Servers, ",") {
		s = strings.TrimSpace(s)
		if u, err := url.Parse(s); err == nil && u.Host != "" {
			s = u.Host
		}
		if i := strings.LastIndex(s, "@"); i >= 0 {
			s = s[i+1:]
		}
		hosts = append(hosts, s)
	}
	return strings.Join(hosts, ", ")
}

// checkVersion refuses a server that is too old.
func checkVersion(v string) error {
	parts := strings.SplitN(v, ".", 3)
	if len(parts) == 3 {
		major, err1 := strconv.Atoi(parts[0])
		minor, err2 := strconv.Atoi(parts[1])
		if err1 == nil && err2 == nil && (major > oldestMajor || major == oldestMajor && minor >= oldestMinor) {
			return nil
		}
	}
	return fmt.Errorf("this NATS server is version %s; Touchbox needs %d.%d or newer: upgrade nats-server",
		v, oldestMajor, oldestMinor)
}

type inProcess func() (net.Conn, error)

// InProcessConn is what nats.go calls at each connect.
func (f inProcess) InProcessConn() (net.Conn, error) { return f() }

type socket string

// Dial is what nats.go calls at each connect; the address is that of localURL.
func (s socket) Dial(_, _ string) (net.Conn, error) {
	return net.DialTimeout("unix", string(s), RequestTimeout)
}

// maxSocketPath is how long the path of a unix socket may be: macOS has 104 bytes with the final
// zero, Linux 108.
const maxSocketPath = 103

// SocketPath returns a spelling of path that fits a unix socket's address: path itself, or the way
// from the working directory where that is shorter.
func SocketPath(path string) (string, error) {
	if len(path) <= maxSocketPath {
		return path, nil
	}
	if dir, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(dir, path); err == nil && len(rel) <= maxSocketPath {
			return rel, nil
		}
	}
	return "", fmt.Errorf("the path of the socket %s has %d bytes, %d are possible: choose a data directory with a shorter path, "+
		"or start from inside it", path, len(path), maxSocketPath)
}
