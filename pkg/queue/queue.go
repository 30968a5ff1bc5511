// Package queue is Touchbox's store on NATS JetStream: it keeps events, gives them to links, and
// keeps what became of them.
//
// Six streams and a bucket: EVENTS is the log of raw events, one subject per event; each link
// reads it with a durable consumer of its own. RETRIES holds scheduled messages for what is to be
// tried again, DEADLETTERS what was given up, HISTORY one small record per outcome and attempt,
// ASIDE what Calltouch sent that is no event, AUDIT who changed or saw what, and STATE what nothing else knows.
//
// The queue knows nothing of fields, filters or Mindbox: a handler decides (Decision), the queue carries
// the decision out (settle), in an order in which a crash at any line repeats work and never loses an
// event. Publishing, settling, retries, dead letters, history and what is set aside are one transaction,
// so they are one room.
//
// Below it are streams, which says how the streams are to be and what they hold, and jet, which speaks to
// JetStream and knows nothing of events. Above it, each in a package of its own that the queue does not
// know, are keep (retention, a full log, lost retries), erase (a person) and backup; embedded is the server
// inside a process, queuetest what tests need. No package outside of these imports NATS.
package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/defaults"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/streams"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Connection says how to reach the server. Of Servers, Socket and InProcess exactly one is set.
type Connection = jet.Options

// Options say how to reach the server and how the streams are to be.
type Options struct {
	Connection

	Replicas  int // of every stream; 0 means 1
	Limits    Limits
	SyncKnown bool // whoever runs the server has set sync_interval: always; without it Open warns

	// Fingerprint recomputes the fingerprint of a stored event, of any origin. Nil: every second
	// event under a known key is a repeat, none a collision.
	Fingerprint func(event.Event) event.Fingerprint
}

// Limits bound what the streams keep. Zero fields have the values named here.
type Limits struct {
	Disk        int64         // bytes of EVENTS; HISTORY has half of it, DEADLETTERS a tenth, ASIDE and AUDIT another; 10 GB
	DeadLetters time.Duration // how long dead letters stay; 90 days
	Audit       time.Duration // how long entries of the audit stay; 365 days
	NoHistory   bool          // write and ask no history (keep.history: 0d): after a crash more is sent again
}

// Queue is a connection to the streams. Its methods may be called from many goroutines.
type Queue struct {
	*streams.Streams // what they are to be and hold: Provision, Extent, Sizes, Ready, the mark of a restore

	opts  Options
	log   zerolog.Logger
	jet   *jet.Client
	js    jetstream.JetStream // of jet, for consumers
	state *jet.Bucket

	closing     sync.Once
	alarms      alarms // what was logged lately
	publisher   publisher
	samples     sync.Map // of the oldest that waits, by link
	history     historyLog
	registry    registry
	undelivered undelivered
	recents     recents   // the last records of HISTORY
	room        *room     // of what is in flight, over all links
	together    together  // what is decided, of all links
	storing     turnstile // of outcomes under way
}

// Open connects, waiting for the server until ctx ends. A server older than 2.14 is refused at
// once: it has no scheduled messages that can be trusted.
func Open(ctx context.Context, o Options) (*Queue, error) {
	client, err := jet.Dial(ctx, o.Connection)
	if err != nil {
		return nil, err
	}
	q := &Queue{opts: withDefaults(o), log: o.Log, jet: client, js: client.JetStream(), state: client.Bucket(stateOptions),
		room: newRoom(roomMessages, roomBytes), storing: make(turnstile, storingMost)}
	q.publisher = publisher{jet: client, state: q.state, recompute: o.Fingerprint, keys: newKeyCache(keysKept)}
	q.Streams = streams.New(client, streams.Options{
		Replicas: q.opts.Replicas, Disk: q.opts.Limits.Disk, DeadLetters: q.opts.Limits.DeadLetters, Audit: q.opts.Limits.Audit,
	}, o.Log)
	q.history = historyLog{jet: client, headers: &recordHeaders{}, alarms: &q.alarms, log: o.Log}
	q.registry, q.undelivered = registry{client, q.state}, undelivered{client}
	client.OnReconnect(q.publisher.keys.clear) // who was away may have missed that keys were erased, and may meet another store
	if err := q.publisher.listen(); err != nil {
		client.Close()
		return nil, err
	}
	if q.opts.Replicas == 1 {
		q.publisher.committer = jet.NewCommitter(client)
	}
	if !o.Limits.NoHistory {
		q.history.committer = jet.NewCommitter(client)
	}
	if !o.SyncKnown && o.InProcess == nil {
		q.log.Warn().Msg("the sync_interval of this NATS server is not ours to set: unless it is `always`, " +
			"a power failure can lose events that Calltouch was told are stored. Where it is, say so: NATS_SYNCED with the value of NATS_URL")
	}
	return q, nil
}

// Client is the connection, for the rooms above this one, which speak to the server themselves.
func (q *Queue) Client() *jet.Client { return q.jet }

// Options are what the queue was opened with, and the defaults.
func (q *Queue) Options() Options { return q.opts }

// Close ends the connection. A publish that is not answered by then is undecided. The second call
// does nothing.
func (q *Queue) Close() {
	q.closing.Do(func() {
		q.jet.Close()
		for _, c := range []*jet.Committer{q.publisher.committer, q.history.committer} {
			if c != nil {
				c.Close()
			}
		}
	})
}

func withDefaults(o Options) Options {
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Limits.Disk == 0 {
		o.Limits.Disk = defaults.Disk
	}
	if o.Limits.DeadLetters == 0 {
		o.Limits.DeadLetters = defaults.DeadLetters
	}
	if o.Limits.Audit == 0 {
		o.Limits.Audit = defaults.Audit
	}
	return o
}

// Errors that callers tell apart. What the server answers is told apart in jet.
var (
	// ErrNotFound reports that what was asked for is not there.
	ErrNotFound = jet.ErrNotFound
	// ErrErased reports an event whose person was erased. It is an ErrNotFound, too.
	ErrErased = fmt.Errorf("the person was erased: %w", ErrNotFound)
	// ErrConflict reports that somebody else was faster: the value has another revision by now.
	ErrConflict = jet.ErrConflict
	// ErrUnreadable reports a value of STATE that is none of ours: of another version, or made by hand.
	ErrUnreadable = jet.ErrUnreadable
	// ErrUnderWay reports a replay of an event that waits in RETRIES already.
	ErrUnderWay = errors.New("a retry or replay of this event is under way already")
	// ErrGivenBack reports a replay of a dead letter that the same replay had given back already.
	ErrGivenBack = errors.New("the same replay of this event is under way already")
	// ErrFull reports a stream at its bound.
	ErrFull = jet.ErrFull
	// ErrTooLarge reports a message that this server takes from nobody: no repeat mends it.
	ErrTooLarge = jet.ErrTooLarge
	// ErrAway reports that nobody answers for a stream just now: a leader is elected, or the server
	// restarts. What was to be stored is not, and the same again may be.
	ErrAway = jet.ErrAway
	// ErrHeld reports a lease that another process holds.
	ErrHeld = jet.ErrHeld
)

// Unanswered reports whether a request came to no answer, or nobody was there for it: a server restarts, a leader is elected. The
// same again may come to one.
func Unanswered(err error) bool { return jet.Unanswered(err) || jet.Away(err) }

// describe says what of the source's could not be stored. ErrTooLarge is an event.ErrTooLarge then, the
// word that the source knows.
func describe(what string, err error) error {
	if err = jet.Describe(what, err); errors.Is(err, ErrTooLarge) {
		return tooLarge{err}
	}
	return err
}

// tooLarge is an event.ErrTooLarge, in the words of the error that it is made of.
type tooLarge struct{ error }

func (e tooLarge) Unwrap() error      { return e.error }
func (tooLarge) Is(target error) bool { return target == event.ErrTooLarge }

// alarms keeps a log line that would repeat with every event down to one a minute.
type alarms struct{ wait.Throttle }

// due reports whether the alarm of this name may be logged now.
func (a *alarms) due(name string) bool { return a.Due(name, time.Minute) }
