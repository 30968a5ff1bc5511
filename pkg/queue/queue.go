// Package queue is Touchbox's store on NATS JetStream: it keeps events, gives them to links, and
// keeps what became of them.
//
// Five streams and a bucket: EVENTS is the log of raw events, one subject per event; each link
// reads it with a durable consumer of its own. RETRIES holds scheduled messages for what is to be
// tried again, DEADLETTERS what was given up, HISTORY one small record per outcome and attempt,
// ASIDE what Calltouch sent that is no event, and STATE what nothing else knows.
//
// Every publish to these streams and every acknowledgement stands in this package, and no other
// package imports NATS. The queue knows nothing of fields, filters or Mindbox: a handler decides
// (Decision), the queue carries the decision out, in an order in which a crash at any line
// repeats work and never loses an event.
package queue

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
)

// Options say how to reach the server and how the streams are to be. Of Servers, Socket and
// InProcess exactly one is set.
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

	Name      string // how the connection shows in the server's lists; empty: touchbox
	Replicas  int    // of every stream; 0 means 1
	Limits    Limits
	SyncKnown bool // whoever runs the server has set sync_interval: always; without it Open warns

	// Fingerprint recomputes the fingerprint of a stored event, of any origin. Nil: every second
	// event under a known key is a repeat, none a collision.
	Fingerprint func(event.Event) event.Fingerprint

	Log zerolog.Logger
}

// Limits bound what the streams keep. Zero fields have the values named here.
type Limits struct {
	Disk        int64         // bytes of EVENTS; HISTORY has half of it, DEADLETTERS and ASIDE a tenth; 10 GB
	DeadLetters time.Duration // how long dead letters stay; 90 days
	NoHistory   bool          // write and ask no history: for measuring only
}

// Errors that callers tell apart.
var (
	// ErrNotFound reports that what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict reports that somebody else was faster: the value has another revision by now.
	ErrConflict = errors.New("changed by somebody else in the meantime")
	// ErrUnderWay reports a replay of an event that waits in RETRIES already.
	ErrUnderWay = errors.New("a retry or replay of this event is under way already")
	// ErrFull reports a stream at its bound.
	ErrFull = errors.New("the stream is full")
	// ErrHeld reports a lease that another process holds.
	ErrHeld = errors.New("held by another process")
)

// Queue is a connection to the streams. Its methods may be called from many goroutines.
type Queue struct {
	opts Options
	log  zerolog.Logger
	nc   *nats.Conn
	js   jetstream.JetStream

	known   *memory     // keys that were stored lately
	history *committer  // nil with Limits.NoHistory
	wedge   wedge       // publishes that nobody answers
}

// Close ends the connection. What Publish has not answered by then is undecided.
func (q *Queue) Close() { q.nc.Close() }

var errTodo = errors.ErrUnsupported

// Ready reports nil when events can be stored, or an error that says what is wrong and what to do.
func (q *Queue) Ready(ctx context.Context) error { return errTodo }
