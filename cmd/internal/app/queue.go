package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// Socket is where `touchbox up` serves the other commands of its machine.
func (s Settings) Socket() string { return filepath.Join(s.Data, "nats.sock") }

// commandConnectTimeout bounds how long a command waits for the server.
const commandConnectTimeout = 10 * time.Second

// OpenForCommand connects a command to the server of NATS_URL, or else to the socket of a running
// `touchbox up`. The error says what it looked for. The file may be nil where a command needs none.
func (s Settings) OpenForCommand(ctx context.Context, file *link.File, log zerolog.Logger) (*queue.Queue, error) {
	o := s.queueOptions("touchbox", file, log)
	o.Servers, o.SyncKnown = s.NATSURL, s.synced(s.NATSURL)
	if o.Servers == "" {
		if err := reach(s.Socket()); errors.Is(err, fs.ErrPermission) {
			return nil, denied(s.Socket(), err)
		}
		if _, err := os.Stat(s.Socket()); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Socket(), ErrNoQueue)
		}
		o.Socket = s.Socket()
		o.SyncKnown = true
	}
	ctx, cancel := context.WithTimeout(ctx, commandConnectTimeout)
	defer cancel()
	q, err := queue.Open(ctx, o)
	if err != nil {
		where := "the server of NATS_URL"
		if o.Socket != "" {
			where = o.Socket
		}
		return nil, fmt.Errorf("connect to %s: %w", where, err)
	}
	return q, nil
}

// synced reports whether who runs the servers at an address says that they sync every write. It is said of an address, so
// that it is not believed of another one; the servers themselves tell it to their own administrator alone.
func (s Settings) synced(servers string) bool { return servers != "" && s.NATSSynced == servers }

func (s Settings) queueOptions(name string, file *link.File, log zerolog.Logger) queue.Options {
	host, _ := os.Hostname()
	o := queue.Options{
		Connection: queue.Connection{
			Creds: s.NATSCreds, User: s.NATSUser, Password: s.NATSPassword, CA: s.NATSCA, Cert: s.NATSCert, Key: s.NATSKey,
			Name: name + "@" + host, Inbox: "_INBOX." + name, Log: log,
		},
		Replicas: s.Replicas,
	}
	if file != nil {
		o.Limits = queue.Limits{Disk: file.Keep.Disk, DeadLetters: file.Keep.DeadLetters, Audit: file.Keep.Audit, NoHistory: file.Keep.History == 0}
		o.Fingerprint = func(e event.Event) event.Fingerprint { return fingerprint(file, e) }
	}
	return o
}

// fingerprint recomputes a stored event's fingerprint as its site's events are read.
func fingerprint(file *link.File, e event.Event) event.Fingerprint {
	return calltouch.Fingerprint(e, file.View(e.Key.Site))
}

// Errors of OpenAnyway and OpenForCommand, for errors.Is; the folder or the socket stands before them.
var (
	// ErrNoQueue: nobody serves one.
	ErrNoQueue = errors.New("no queue: NATS_URL is not set, and no `touchbox up` serves this address; start `touchbox up`, set TOUCHBOX_DATA to its store, or set NATS_URL")
	// ErrRuns: the command needs the store for itself.
	ErrRuns = errors.New("`touchbox up` runs on this store: stop it first")
	// ErrNoStore: there is nothing to open.
	ErrNoStore = errors.New("no queue: NATS_URL is not set, and the folder holds no store of `touchbox up`")
)

// OpenAnyway opens the queue for a command that needs no running Touchbox: that of NATS_URL, of the running `touchbox up`, or else
// the store in TOUCHBOX_DATA itself, which stays locked until close is called. With stopped, a running `touchbox up` is a Mistake.
func (s Settings) OpenAnyway(ctx context.Context, file *link.File, log zerolog.Logger, stopped bool) (q *queue.Queue, close func(), err error) {
	running := false
	if s.NATSURL == "" {
		err := reach(s.Socket())
		if errors.Is(err, fs.ErrPermission) {
			return nil, nil, denied(s.Socket(), err)
		}
		running = err == nil
	}
	if running && stopped {
		return nil, nil, Mistakef("%s: %w", s.Data, ErrRuns)
	}
	if s.NATSURL != "" || running {
		q, err := s.OpenForCommand(ctx, file, log)
		if err != nil {
			return nil, nil, err
		}
		return q, q.Close, nil
	}
	if _, err := os.Stat(filepath.Join(s.Data, "jetstream")); err != nil && !stopped {
		return nil, nil, fmt.Errorf("%s: %w", s.Data, ErrNoStore)
	}
	return s.openStore(ctx, file, log)
}

// openStore runs the embedded server for this process alone.
func (s Settings) openStore(ctx context.Context, file *link.File, log zerolog.Logger) (*queue.Queue, func(), error) {
	server, err := embedded.Start(embedded.Config{Dir: s.Data, MaxStore: StoreFactor * file.Keep.Disk, Log: log})
	if err != nil {
		return nil, nil, err
	}
	o := s.queueOptions("touchbox", file, log)
	o.InProcess, o.SyncKnown = server.Conn, true
	q, err := queue.Open(ctx, o)
	if err != nil {
		server.Stop()
		return nil, nil, err
	}
	return q, func() {
		q.Close()
		server.Stop()
	}, nil
}

// reach looks whether somebody serves a socket: a file alone may be left from a kill.
func reach(socket string) error {
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}
