// Package jet is NATS JetStream as Touchbox uses it: one connection that heals by itself, and requests
// that end in time and say exactly what became of them.
//
// A Client reads single messages (Last, Next), a page of them (Page, Count), all that match a filter, page by
// page where they are few and by an ordered consumer where they may be many (Scan, Flow; Forward where as a
// rule the first is enough). It publishes (Publish, Insist, PublishBatch, and a Committer that makes batches
// of what waits), removes (Remove, Wipe, Purge), and knows how the server is (Ready, AskHealth). A Bucket
// holds small JSON values, with leases among them. What the server answers is told apart in errors.go and
// nowhere else: each error is one of this package's, or says what was tried.
//
// It knows nothing of events, links and outcomes: which streams there are, under which subjects, and what
// a message means is pkg/queue's.
package jet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/wait"
)

// Options say how to reach the server. Of Servers, Socket and InProcess exactly one is set.
type Options struct {
	Servers   string                   // NATS_URL: one or several, separated by commas
	Socket    string                   // path of the unix socket of a running `touchbox up`
	InProcess func() (net.Conn, error) // connects to the server inside this process, again after each restart of it

	Creds    string // file with a JWT and its seed; empty: none
	User     string // empty: no user and password
	Password string
	CA       string // file with the authorities to trust; empty: the system's
	Cert     string // file with the client's certificate; empty: none
	Key      string // file with its key

	// Inbox begins the subjects on which answers come, so that a server can keep what one user asks for
	// from another; empty: _INBOX.
	Inbox string

	Name          string        // how the connection shows in the server's lists; empty: touchbox
	AnswerTimeout time.Duration // how long a publish waits for its answer; 0: PublishTimeout

	Log zerolog.Logger
}

// RequestTimeout bounds one request to the server that has no other bound.
const RequestTimeout = 5 * time.Second

// Client is a connection to JetStream. Its methods may be called from many goroutines.
type Client struct {
	opts Options
	log  zerolog.Logger
	nc   *nats.Conn
	js   jetstream.JetStream

	closing atomic.Bool
	gaveUp  chan error    // why the connection was given up
	epoch   epoch         // ends at each reconnect
	answers answers       // to publishes
	stalled stalled       // streams that answer no publish
	denied  denials       // what this user of the server may not do
	told    wait.Throttle // log lines, and moves to another server

	mu          sync.Mutex
	streams     map[string]jetstream.Stream
	reconnected func()
}

// Dial connects, waiting for the server until ctx ends. A server older than 2.14 is refused at once: it
// has no scheduled messages that can be trusted.
func Dial(ctx context.Context, o Options) (*Client, error) {
	c := &Client{opts: withDefaults(o), log: o.Log, gaveUp: make(chan error, 1), streams: map[string]jetstream.Stream{}}
	c.epoch.init()
	if err := c.connect(ctx); err != nil {
		return nil, err
	}
	js, err := jetstream.New(c.nc, jetstream.WithDefaultTimeout(RequestTimeout))
	if err != nil {
		c.nc.Close()
		return nil, err
	}
	c.js = js
	return c, nil
}

func withDefaults(o Options) Options {
	if o.Name == "" {
		o.Name = "touchbox"
	}
	if o.Inbox == "" {
		o.Inbox = nats.InboxPrefix[:len(nats.InboxPrefix)-1]
	}
	if o.AnswerTimeout == 0 {
		o.AnswerTimeout = PublishTimeout
	}
	return o
}

// Close ends the connection. A publish that is not answered by then is undecided. The second call does
// nothing.
func (c *Client) Close() {
	if c.closing.Swap(true) {
		return
	}
	c.nc.Close()
	c.epoch.end()
}

// OnReconnect sets what is called at each reconnect, before what waited on the old connection ends.
func (c *Client) OnReconnect(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reconnected = f
}

// Conn is the connection itself, for who speaks to the server in another way.
func (c *Client) Conn() *nats.Conn { return c.nc }

// JetStream is the library's client, for consumers and for what streams are to be.
func (c *Client) JetStream() jetstream.JetStream { return c.js }

// Version is that of the server.
func (c *Client) Version() string { return c.nc.ConnectedServerVersion() }

// GivenUp returns nil when ctx ends, or why the library has given the connection up for good, which it
// does at a word of the server's that it does not know: nothing but a new process helps then.
func (c *Client) GivenUp(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-c.gaveUp:
		return fmt.Errorf("the connection to NATS at %s was closed for good: %w", c.Where(), err)
	}
}

// Connected waits until there is a connection or ctx ends.
func (c *Client) Connected(ctx context.Context) error {
	for !c.nc.IsConnected() {
		if err := wait.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Epoch is the present connection epoch: its number, and a context that ends at the next reconnect.
func (c *Client) Epoch() (uint64, context.Context) { return c.epoch.now() }

// epoch is the connection epoch: the time between two connects. Whatever was waiting on the server ends with it.
type epoch struct {
	mu  sync.Mutex
	n   uint64
	ctx context.Context
	out context.CancelFunc
}

func (e *epoch) init() { e.ctx, e.out = context.WithCancel(context.Background()) }

func (e *epoch) next() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out()
	e.n++
	e.init()
}

func (e *epoch) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out()
}

func (e *epoch) now() (uint64, context.Context) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.n, e.ctx
}

// Permitted makes a request to a subject of JetStream's API unless this user may not make it, which is
// ErrDenied. One request to a subject at a time.
func (c *Client) Permitted(ctx context.Context, subject string, request func(context.Context) error) error {
	return c.denied.permitted(ctx, subject, request)
}

// denials are the subjects to which the server has refused a publish. It says so beside the request,
// which itself gets no answer: without them each would wait for its time-out.
type denials struct {
	mu       sync.Mutex
	subjects map[string]bool
	waiting  map[string]context.CancelFunc
}

var deniedSubject = regexp.MustCompile(`Permissions Violation for Publish to "([^"]+)"`)

// note remembers what the server's error refuses, and ends the request that waits for it.
func (d *denials) note(err error) {
	m := deniedSubject.FindStringSubmatch(err.Error())
	if !errors.Is(err, nats.ErrPermissionViolation) || m == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if cancel := d.waiting[m[1]]; cancel != nil {
		d.subjects[m[1]] = true
		cancel()
	}
}

// clear forgets everything: the server may have other permissions by now.
func (d *denials) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.subjects)
}

// permitted makes a request to a subject of JetStream's API unless this user may not make it, which is
// ErrDenied. One request to a subject at a time.
func (d *denials) permitted(ctx context.Context, subject string, request func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d.mu.Lock()
	if d.subjects == nil {
		d.subjects, d.waiting = map[string]bool{}, map[string]context.CancelFunc{}
	}
	denied := d.subjects[subject]
	d.waiting[subject] = cancel
	d.mu.Unlock()
	var err error
	if !denied {
		err = request(ctx)
	}
	d.mu.Lock()
	delete(d.waiting, subject)
	denied = d.subjects[subject]
	d.mu.Unlock()
	if denied {
		return fmt.Errorf("%s: %w", subject, ErrDenied)
	}
	return err
}

// logEvery keeps a log line that would repeat with every message down to one a minute.
const logEvery = time.Minute
