package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Socket is where `touchbox up` serves the other commands of its machine.
func (s Settings) Socket() string { return filepath.Join(s.Data, "nats.sock") }

// commandConnectTimeout bounds how long a command waits for the server.
const commandConnectTimeout = 10 * time.Second

// OpenForCommand connects a command to the server of NATS_URL, or else to the socket of a running
// `touchbox up`. The error says what it looked for. The file may be nil where a command needs none.
func (s Settings) OpenForCommand(ctx context.Context, file *link.File, log zerolog.Logger) (*queue.Queue, error) {
	o := s.queueOptions("touchbox", file, log)
	if o.Servers = s.NATSURL; o.Servers == "" {
		if _, err := os.Stat(s.Socket()); err != nil {
			return nil, fmt.Errorf("no queue: NATS_URL is not set and no `touchbox up` serves %s; start `touchbox up`, set TOUCHBOX_DATA to its store, or set NATS_URL", s.Socket())
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

func (s Settings) queueOptions(name string, file *link.File, log zerolog.Logger) queue.Options {
	host, _ := os.Hostname()
	o := queue.Options{
		Creds: s.NATSCreds, User: s.NATSUser, Password: s.NATSPassword, CA: s.NATSCA, Cert: s.NATSCert, Key: s.NATSKey,
		Name: name + "@" + host, Replicas: s.Replicas, Log: log,
	}
	if file != nil {
		o.Limits = queue.Limits{Disk: file.Keep.Disk, DeadLetters: file.Keep.DeadLetters, NoHistory: file.Keep.History == 0}
		o.Fingerprint = func(e event.Event) event.Fingerprint { return fingerprint(file, e) }
	}
	return o
}

// fingerprint recomputes a stored event's fingerprint as its site's events are read.
func fingerprint(file *link.File, e event.Event) event.Fingerprint {
	var view calltouch.View
	if site := file.Site(e.Key.Site); site != nil {
		view = site.View()
	}
	return calltouch.Fingerprint(e, view)
}

// store is the queue as the source sees it.
type store struct{ *queue.Queue }

var _ calltouch.Store = store{}

// PutAside keeps what came and is no event.
func (s store) PutAside(ctx context.Context, a calltouch.Aside) error {
	return s.Queue.PutAside(ctx, queue.Aside{
		Site: a.Site, Reason: string(a.Reason), Origin: a.Origin, ContentType: a.ContentType,
		Query: a.Query, Body: a.Body, Received: a.Received,
	})
}

// NewStore is the queue as the source sees it.
func NewStore(q *queue.Queue) calltouch.Store { return store{q} }
