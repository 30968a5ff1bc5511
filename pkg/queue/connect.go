package queue

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go"
)

// The oldest server that is taken: 2.14 has the schedules' repairs and atomic batches.
const oldestMajor, oldestMinor = 2, 14

// localURL stands for a server that is not reached by TCP.
const localURL = "nats://127.0.0.1:4222"

// connect dials until it works, the server is refused, or ctx ends.
func (q *Queue) connect(ctx context.Context) error {
	opts, err := q.dialOptions()
	if err != nil {
		return err
	}
	address := q.opts.Servers
	if address == "" {
		address = localURL
	}
	var last error
	try := func() error {
		nc, err := nats.Connect(address, opts...)
		if err != nil {
			last = err
			return err
		}
		if err := checkVersion(nc.ConnectedServerVersion()); err != nil {
			nc.Close()
			return backoff.Permanent(err)
		}
		q.nc = nc
		return nil
	}
	tell := func(err error, wait time.Duration) {
		if q.alarms.due("connect") {
			q.log.Warn().Str("server", q.where()).Err(err).Msg("NATS is not there yet, trying on")
		}
	}
	err = backoff.RetryNotify(try, backoff.WithContext(patient(), ctx), tell)
	if err != nil && ctx.Err() != nil && last != nil {
		err = last
	}
	if err != nil {
		return fmt.Errorf("connect to NATS at %s: %w", q.where(), err)
	}
	return nil
}

// patient is the backoff for what is tried until it works.
func patient() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(100*time.Millisecond),
		backoff.WithMaxInterval(5*time.Second),
		backoff.WithMaxElapsedTime(0),
	)
}

// dialOptions are nats.go's. Without a reconnect buffer a publish during an outage fails at once
// and is not stored behind the caller's back once the server returns.
func (q *Queue) dialOptions() ([]nats.Option, error) {
	o := q.opts
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.ReconnectBufSize(-1),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.Timeout(requestTimeout),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if q.closing.Load() {
				return
			}
			q.log.Warn().Str("server", q.where()).AnErr("cause", err).Msg("the connection to NATS is gone")
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			q.log.Info().Str("server", q.where()).Str("version", nc.ConnectedServerVersion()).Msg("connected to NATS again")
			q.wedge.clearAll()
			q.known.clear()
			q.era.next()
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if q.alarms.due("nats") {
				q.log.Warn().Err(err).Msg("NATS reports an error")
			}
		}),
	}
	switch {
	case o.InProcess != nil:
		opts = append(opts, nats.InProcessServer(inProcess(o.InProcess)))
	case o.Socket != "":
		path, err := SocketPath(o.Socket)
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.SetCustomDialer(socket(path)))
	case o.Servers == "":
		return nil, errors.New("no NATS server is named")
	}
	return append(opts, credentials(o)...), nil
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

// where names the server without what a URL may hold besides: users, passwords.
func (q *Queue) where() string {
	switch {
	case q.opts.InProcess != nil:
		return "the embedded server"
	case q.opts.Socket != "":
		return q.opts.Socket
	}
	var hosts []string
	for _, s := range strings.Split(q.opts.Servers, ",") {
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
	return net.DialTimeout("unix", string(s), requestTimeout)
}

// era is the time between two connects. Whatever was waiting on the server ends with it.
type era struct {
	mu  sync.Mutex
	n   uint64
	ctx context.Context
	out context.CancelFunc
}

func (e *era) init() { e.ctx, e.out = context.WithCancel(context.Background()) }

func (e *era) next() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out()
	e.n++
	e.init()
}

func (e *era) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out()
}

// now returns the number of the era and a context that ends with it.
func (e *era) now() (uint64, context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n, e.ctx
}

// connected waits until there is a connection or ctx ends.
func (q *Queue) connected(ctx context.Context) error {
	for !q.nc.IsConnected() {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
