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
	"sync"
	"sync/atomic"
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

// Queue is a connection to the streams. Its methods may be called from many goroutines.
type Queue struct {
	opts Options
	log  zerolog.Logger
	nc   *nats.Conn
	js   jetstream.JetStream

	closing atomic.Bool
	era     era        // ends at each reconnect
	wedge   wedge      // publishes that nobody answered
	alarms  alarms     // what was logged lately
	known   *memory    // keys that were stored lately
	horizon horizon    // as it was read lately
	history *committer // nil with Limits.NoHistory

	mu      sync.Mutex
	streams map[string]jetstream.Stream
	kv      jetstream.KeyValue
}

// Open connects, waiting for the server until ctx ends. A server older than 2.14 is refused at
// once: it has no scheduled messages that can be trusted.
func Open(ctx context.Context, o Options) (*Queue, error) {
	q := &Queue{opts: withDefaults(o), log: o.Log, known: newMemory(knownKeys), streams: map[string]jetstream.Stream{}}
	q.era.init()
	if err := q.connect(ctx); err != nil {
		return nil, err
	}
	js, err := jetstream.New(q.nc, jetstream.WithDefaultTimeout(requestTimeout))
	if err != nil {
		q.nc.Close()
		return nil, err
	}
	q.js = js
	if err := q.listen(); err != nil {
		q.nc.Close()
		return nil, err
	}
	if !o.Limits.NoHistory {
		q.history = newCommitter(q)
	}
	if !o.SyncKnown && o.InProcess == nil {
		q.log.Warn().Msg("the sync_interval of this NATS server is not ours to set: unless it is `always`, " +
			"a power failure can lose events that Calltouch was told are stored")
	}
	return q, nil
}

// Close ends the connection. A publish that is not answered by then is undecided. The second call
// does nothing.
func (q *Queue) Close() {
	if q.closing.Swap(true) {
		return
	}
	if q.history != nil {
		q.history.close()
	}
	q.nc.Close()
	q.era.end()
}

func withDefaults(o Options) Options {
	if o.Name == "" {
		o.Name = "touchbox"
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Limits.Disk == 0 {
		o.Limits.Disk = 10_000_000_000
	}
	if o.Limits.DeadLetters == 0 {
		o.Limits.DeadLetters = 90 * 24 * time.Hour
	}
	return o
}

// requestTimeout bounds one request to the server that has no other bound.
const requestTimeout = 5 * time.Second

// stream returns a handle on one of the streams. ErrNotFound: Provision has not run.
func (q *Queue) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	q.mu.Lock()
	s, ok := q.streams[name]
	q.mu.Unlock()
	if ok {
		return s, nil
	}
	s, err := q.js.Stream(ctx, name)
	if err != nil {
		return nil, describe("stream "+name, err)
	}
	q.mu.Lock()
	q.streams[name] = s
	q.mu.Unlock()
	return s, nil
}

// lastSequence is the sequence of the newest message that a stream has taken.
func (q *Queue) lastSequence(ctx context.Context, name string) (uint64, error) {
	s, err := q.stream(ctx, name)
	if err != nil {
		return 0, err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return 0, describe("look at "+name, err)
	}
	return info.State.LastSeq, nil
}

// bucket returns STATE. ErrNotFound: Provision has not run.
func (q *Queue) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	q.mu.Lock()
	kv := q.kv
	q.mu.Unlock()
	if kv != nil {
		return kv, nil
	}
	kv, err := q.js.KeyValue(ctx, stateBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, describe("bucket "+stateBucket, ErrNotFound)
	}
	if err != nil {
		return nil, describe("bucket "+stateBucket, err)
	}
	q.mu.Lock()
	q.kv = kv
	q.mu.Unlock()
	return kv, nil
}
