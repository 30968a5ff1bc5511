package jet

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Errors that callers tell apart.
var (
	// ErrNotFound reports that what was asked for is not there.
	ErrNotFound = errors.New("not found")
	// ErrConflict reports that somebody else was faster: the value has another revision by now.
	ErrConflict = errors.New("changed by somebody else in the meantime")
	// ErrUnreadable reports a value of STATE that is none of ours: of another version, or made by hand.
	ErrUnreadable = errors.New("cannot be read")
	// ErrFull reports a stream at its bound.
	ErrFull = errors.New("the stream is full")
	// ErrTooLarge reports a message that this server takes from nobody: no repeat mends it.
	ErrTooLarge = errors.New("larger than the NATS server takes")
	// ErrAway reports that nobody answers for a stream just now: a leader is elected, or the server
	// restarts. What was to be stored is not, and the same again may be.
	ErrAway = errors.New("nobody answers for the stream now")
	// ErrHeld reports a lease that another process holds.
	ErrHeld = errors.New("held by another process")
	// ErrDenied reports a request that this user of the NATS server may not make.
	ErrDenied = errors.New("this NATS user may not do that")
	// ErrClosed reports a publish that the closing of the client has ended.
	ErrClosed = errors.New("the queue is closed")
)

// Codes of JetStream's answers that nats.go has no name for.
const (
	codeWrongSequence       = jetstream.JSErrCodeStreamWrongLastSequence         // 10071: the guard does not hold
	codeWrongSequenceFlying = jetstream.JSErrCodeStreamWrongLastSequenceConstant // 10164: another proposal is in flight
	codeClusterNotAvailable = jetstream.ErrorCode(10008)                         // no leader yet
	codeClusterNotLeader    = jetstream.ErrorCode(10009)                         // no leader any more
	codeStreamOffline       = jetstream.ErrorCode(10118)                         // its servers are away
	codeNotReady            = jetstream.ErrorCode(10163)                         // a new leader has not caught up
	codeHeaderTooLarge      = jetstream.ErrorCode(10097)                         // 64 KB of headers
	codeStoreFailed         = jetstream.ErrorCode(10077)                         // a bound of the stream
	codeNoSpaceInAccount    = jetstream.ErrorCode(10002)                         // a bound of the account
	codeNoSpaceInServer     = jetstream.ErrorCode(10023)                         // a bound of the server
	codeNoRoomForStream     = jetstream.ErrorCode(10047)                         // MaxBytes is a reservation
	codeNoMessageFound      = jetstream.ErrorCode(10037)                         // nothing there
	codeSequenceNotFound    = jetstream.ErrorCode(10043)                         // nothing to delete there any more
	codeConsumerCreate      = jetstream.ErrorCode(10012)                         // the disk's error, when a consumer is made
	codeConsumerStore       = jetstream.ErrorCode(10104)                         // the same, at another line
	codeDeleteFailed        = jetstream.ErrorCode(10057)                         // the store's error, that nothing is there among others
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

// GuardFailed reports whether a publish was refused because its guard does not hold: the subject's newest
// message is another one than was expected.
func GuardFailed(err error) bool { return code(err) == codeWrongSequence }

// InFlight reports whether a publish was refused because another one to the same subject is being decided.
// It says nothing about which of them will be stored.
func InFlight(err error) bool { return code(err) == codeWrongSequenceFlying }

// NoLeader reports whether a request was refused because a leader is still to be elected.
func NoLeader(err error) bool { return code(err) == codeClusterNotAvailable }

// NoRoomForStream reports whether a stream was refused because its bound does not fit the server's store.
func NoRoomForStream(err error) bool { return code(err) == codeNoRoomForStream }

// consumerStoreFailed reports whether a consumer was not made because of the disk's error.
func consumerStoreFailed(err error) bool {
	switch code(err) {
	case codeConsumerCreate, codeConsumerStore:
		return true
	}
	return false
}

// full reports whether a publish was refused because there is no room.
func full(err error) bool {
	switch code(err) {
	case codeStoreFailed, codeNoSpaceInAccount, codeNoSpaceInServer:
		return true
	}
	return false
}

// TooLarge reports whether a publish was refused for its size: by the client, which knows the
// server's max_payload, or by the server.
func TooLarge(err error) bool {
	switch code(err) {
	case jetstream.JSErrCodeStreamMessageExceedsMaximum, codeHeaderTooLarge:
		return true
	}
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, ErrTooLarge)
}

// Away reports whether a publish is surely not stored because nobody was there to store it.
func Away(err error) bool {
	switch code(err) {
	case codeClusterNotAvailable, codeClusterNotLeader, codeStreamOffline, codeNotReady:
		return true
	}
	for _, one := range []error{
		nats.ErrNoResponders, jetstream.ErrNoStreamResponse, nats.ErrReconnectBufExceeded,
		nats.ErrDisconnected, nats.ErrConnectionReconnecting, ErrAway,
	} {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}

// hopeless reports whether the same publish again cannot succeed within seconds: the stream is full,
// the message is too large or malformed, or there is no connection any more. What is not known to be
// hopeless is tried again.
func hopeless(err error) bool {
	switch {
	case full(err), TooLarge(err), errors.Is(err, ErrClosed), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrBadSubject):
		return true
	case InFlight(err):
		return false
	}
	var api *jetstream.APIError
	return errors.As(err, &api) && api.Code >= 400 && api.Code < 500
}

// Describe says what was tried and turns the library's errors into this package's.
func Describe(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrStreamNotFound), errors.Is(err, jetstream.ErrConsumerNotFound),
		errors.Is(err, jetstream.ErrMsgNotFound), errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("%s: %w", what, ErrNotFound)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse):
		return fmt.Errorf("%s: %w: the stream is missing (ingest and worker create it when they start), it has no leader, or JetStream is off: %w", what, ErrAway, err)
	case Away(err):
		return fmt.Errorf("%s: %w: %w", what, ErrAway, err)
	case full(err):
		return fmt.Errorf("%s: %w: %w", what, ErrFull, err)
	case TooLarge(err):
		return fmt.Errorf("%s: %w (max_payload, or 64 KB of headers): %w", what, ErrTooLarge, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// errCut reports a request whose answer was lost with the connection.
var errCut = fmt.Errorf("the connection was lost before the answer came: %w", nats.ErrTimeout)

// Unanswered reports whether a request came to no answer, which leaves it undecided.
func Unanswered(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
}

// Ignore returns nil for an error of the kind.
func Ignore(err, kind error) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}
