package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors that callers tell apart.
var (
	// ErrNotFound reports that what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrErased reports an event whose person was erased. It is an ErrNotFound, too.
	ErrErased = fmt.Errorf("the person was erased: %w", ErrNotFound)
	// ErrConflict reports that somebody else was faster: the value has another revision by now.
	ErrConflict = errors.New("changed by somebody else in the meantime")
	// ErrUnderWay reports a replay of an event that waits in RETRIES already.
	ErrUnderWay = errors.New("a retry or replay of this event is under way already")
	// ErrFull reports a stream at its bound.
	ErrFull = errors.New("the stream is full")
	// ErrHeld reports a lease that another process holds.
	ErrHeld = errors.New("held by another process")
)

// Codes of JetStream's answers that nats.go has no name for.
const (
	codeWrongSequence       = jetstream.JSErrCodeStreamWrongLastSequence         // 10071: the guard does not hold
	codeWrongSequenceFlying = jetstream.JSErrCodeStreamWrongLastSequenceConstant // 10164: another proposal is in flight
	codeClusterNotAvailable = jetstream.ErrorCode(10008)                         // no leader yet
	codeStoreFailed         = jetstream.ErrorCode(10077)                         // a bound of the stream
	codeNoSpaceInAccount    = jetstream.ErrorCode(10002)                         // a bound of the account
	codeNoSpaceInServer     = jetstream.ErrorCode(10023)                         // a bound of the server
	codeNoRoomForStream     = jetstream.ErrorCode(10047)                         // MaxBytes is a reservation
	codeSequenceGone        = jetstream.ErrorCode(10057)                         // nothing to delete there
)

// code returns the code of JetStream's answer, or 0 when err is none.
func code(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	var js jetstream.JetStreamError
	if errors.As(err, &js) && js.APIError() != nil {
		return js.APIError().ErrorCode
	}
	return 0
}

// full reports whether a publish was refused because there is no room.
func full(err error) bool {
	switch code(err) {
	case codeStoreFailed, codeNoSpaceInAccount, codeNoSpaceInServer:
		return true
	}
	return false
}

// describe says what was tried and turns the library's errors into this package's.
func describe(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrConsumerNotFound),
		errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("%s: nobody answers: the stream is missing (ingest and worker create it when they start), or JetStream is off: %w", what, err)
	case full(err):
		return fmt.Errorf("%s: %w: %w", what, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// unanswered reports whether a request came to no answer, which leaves it undecided.
func unanswered(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}

// alarms keeps a log line that would repeat with every event down to one a minute.
type alarms struct {
	mu   sync.Mutex
	last map[string]time.Time
}

const alarmEvery = time.Minute

// due reports whether the alarm of this name may be logged now.
func (a *alarms) due(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.last[name]) < alarmEvery {
		return false
	}
	if a.last == nil {
		a.last = map[string]time.Time{}
	}
	a.last[name] = time.Now()
	return true
}
