// Package streams says how Touchbox's six streams and its bucket are to be, and how full they are.
//
// Options and what the server has go in; streams that are created or changed come out, and their extents. A
// stream is never deleted, and nothing in one is: where the server does not let a difference go, that is an
// error with what to do. A queue that holds only a part of a backup is marked here, and refused.
//
// What a message in a stream means, and who reads and removes it, is the queue's and the rooms above it.
package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Options say how the streams are to be.
type Options struct {
	Replicas    int           // of every stream
	Disk        int64         // bytes of EVENTS; HISTORY has half of it, DEADLETTERS a tenth, ASIDE and AUDIT together another
	DeadLetters time.Duration // how long dead letters stay
	Audit       time.Duration // how long entries of the audit stay
}

// Streams are the streams and the bucket of one queue. Its methods may be called from many goroutines.
type Streams struct {
	opts Options
	log  zerolog.Logger
	jet  *jet.Client
	js   jetstream.JetStream
	said wait.Throttle // log lines
}

// New returns the streams that a client reaches. Provision brings them to the options.
func New(client *jet.Client, o Options, log zerolog.Logger) *Streams {
	return &Streams{opts: o, log: log, jet: client, js: client.JetStream()}
}

// ErrRestoring is that of a queue that holds only a part of a backup.
var ErrRestoring = errors.New("a restore runs on this queue or was broken off: give the same `touchbox restore DIR` again, which begins anew")

// Restoring reports whether a restore has begun and not ended. An empty stream says so, which exists from
// before the first stream of a restore until behind the last. A process that dies between them leaves it,
// and it tells the queue that holds some streams of a backup from a whole one.
func (s *Streams) Restoring(ctx context.Context) (bool, error) {
	_, err := s.js.Stream(ctx, event.RestoringStream)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err != nil {
		return false, s.refused(ctx, "look for stream "+event.RestoringStream, err)
	}
	return true, nil
}

// BeginRestore marks the queue: from now on Provision refuses it with ErrRestoring.
func (s *Streams) BeginRestore(ctx context.Context) error {
	_, err := s.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: event.RestoringStream, Subjects: []string{event.RestoringSubject}, Storage: jetstream.FileStorage,
		MaxMsgs: 1, MaxBytes: 1 << 10, Replicas: s.opts.Replicas,
	})
	if err != nil {
		return fmt.Errorf("mark the restore: %w", err)
	}
	return nil
}

// EndRestore takes the mark away: the queue is whole, or empty.
func (s *Streams) EndRestore(ctx context.Context) error {
	if err := s.js.DeleteStream(ctx, event.RestoringStream); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("end the restore: %w", err)
	}
	return nil
}
