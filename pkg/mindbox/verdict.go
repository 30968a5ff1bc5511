package mindbox

import (
	"errors"
	"net/http"
	"strings"
)

// Action is what follows from an answer.
type Action string

// All actions.
const (
	Success      Action = "success"       // accepted; for an asynchronous call that means queued at Mindbox
	Retry        Action = "retry"         // later, with the same transaction id
	RetryFew     Action = "retry_few"     // a few times, then as Refused
	Slow         Action = "slow"          // later, and slower: too many requests
	Refused      Action = "refused"       // never again unchanged: bury
	ParkLink     Action = "park_link"     // every event of this link would fail alike
	ParkEndpoint Action = "park_endpoint" // every event of this endpoint would fail alike
)

// Reason names the row of the table that an answer met: one of a closed list of words, fit for
// logs, metrics and filters. Besides these, every Failure is a reason.
type Reason string

// All reasons of Judge.
const (
	ReasonAccepted         Reason = "accepted"
	ReasonAlreadyProcessed Reason = "already_processed" // a repeat that Mindbox knows
	ReasonValidation       Reason = "validation_error"
	ReasonProtocol         Reason = "protocol_error"      // 400, or ProtocolError inside a 2xx
	ReasonUnclear          Reason = "unclear_answer"      // a 2xx that says nothing
	ReasonUnknownState     Reason = "unknown_status"      // a 2xx with a status word that nobody knows
	ReasonRedirect         Reason = "redirect"            // 3xx: wrong host
	ReasonCredentials      Reason = "credentials_missing" // 401
	ReasonForbidden        Reason = "credentials_refused" // 403
	ReasonNotFound         Reason = "not_found"           // 404: wrong URL
	ReasonRequestTimeout   Reason = "request_timeout"     // 408
	ReasonConflict         Reason = "conflict"            // 409
	ReasonClientError      Reason = "client_error"        // every other 4xx
	ReasonTooMany          Reason = "too_many_requests"   // 429
	ReasonServerError      Reason = "server_error"        // 5xx, or InternalServerError inside a 2xx
	ReasonUnknownCode      Reason = "unknown_code"        // no HTTP class that an answer can have
)

// Reasons lists every reason of Judge, the failures included.
var Reasons = []Reason{
	ReasonAccepted, ReasonAlreadyProcessed, ReasonValidation, ReasonProtocol, ReasonUnclear, ReasonUnknownState,
	ReasonRedirect, ReasonCredentials, ReasonForbidden, ReasonNotFound, ReasonRequestTimeout, ReasonConflict,
	ReasonClientError, ReasonTooMany, ReasonServerError, ReasonUnknownCode,
	Reason(FailureTimeout), Reason(FailureName), Reason(FailureConnect), Reason(FailureTLS),
	Reason(FailureConnection), Reason(FailureInterrupted),
}

// Status words of the body that Mindbox documents.
const (
	StateSuccess          = "Success"
	StateAlreadyProcessed = "TransactionAlreadyProcessed"
	StateValidation       = "ValidationError"
	StateProtocol         = "ProtocolError"
	StateInternal         = "InternalServerError"
)

// Verdict is what Judge says of an answer. The zero value is no verdict.
type Verdict struct {
	Action Action
	Reason Reason
	// Pins: Mindbox may have executed the operation without saying so. Endpoint and operation
	// must stay the same from now on, because the transaction id depends on them.
	Pins bool
	// Failure: a temporary failure of the endpoint as a whole (5xx, time-out, reset). Many of
	// them in a row are an outage.
	Failure bool
}

// Judge is the table of what an answer means, after Mindbox's "error processing" page and its
// SDKs. The order of checks: transport, then HTTP class, then the status in the body; the HTTP
// class wins when the two disagree. What the table does not name is tried again: a repeat with
// the same transaction id does no harm, a loss does.
func Judge(a Answer) Verdict {
	if a.Err != nil {
		return judgeTransport(a)
	}
	switch a.Status / 100 {
	case 2:
		return judgeState(a.State)
	case 3:
		return Verdict{Action: Refused, Reason: ReasonRedirect}
	case 4:
		return judgeClientError(a.Status)
	case 5:
		return serverError
	default:
		return Verdict{Action: Retry, Reason: ReasonUnknownCode, Pins: true}
	}
}

var serverError = Verdict{Action: Retry, Reason: ReasonServerError, Pins: true, Failure: true}

func judgeTransport(a Answer) Verdict {
	failure := FailureConnection
	if e, ok := errors.AsType[*TransportError](a.Err); ok {
		failure = e.Failure
	}
	return Verdict{
		Action: Retry, Reason: Reason(failure), Pins: !a.Unsent,
		Failure: failure != FailureInterrupted, // our own stop says nothing about Mindbox
	}
}

// judgeState reads a 2xx: a refusal inside it is no success.
func judgeState(state string) Verdict {
	switch {
	case strings.EqualFold(state, StateSuccess):
		return Verdict{Action: Success, Reason: ReasonAccepted}
	case strings.EqualFold(state, StateAlreadyProcessed):
		return Verdict{Action: Success, Reason: ReasonAlreadyProcessed}
	case strings.EqualFold(state, StateValidation):
		return Verdict{Action: Refused, Reason: ReasonValidation}
	case strings.EqualFold(state, StateProtocol):
		return Verdict{Action: Refused, Reason: ReasonProtocol}
	case strings.EqualFold(state, StateInternal):
		return serverError
	case state == "":
		// Mindbox's PHP client throws here, its iOS client takes it for a success.
		return Verdict{Action: RetryFew, Reason: ReasonUnclear, Pins: true}
	default:
		return Verdict{Action: Refused, Reason: ReasonUnknownState}
	}
}

func judgeClientError(status int) Verdict {
	switch status {
	case http.StatusBadRequest:
		return Verdict{Action: Refused, Reason: ReasonProtocol}
	case http.StatusUnauthorized:
		return Verdict{Action: ParkEndpoint, Reason: ReasonCredentials}
	case http.StatusForbidden:
		return Verdict{Action: ParkEndpoint, Reason: ReasonForbidden}
	case http.StatusNotFound:
		// Many 404s get the sender's address blocked for a minute, so this one stops quickly.
		return Verdict{Action: ParkLink, Reason: ReasonNotFound}
	case http.StatusRequestTimeout:
		return Verdict{Action: Retry, Reason: ReasonRequestTimeout, Pins: true, Failure: true}
	case http.StatusConflict:
		return Verdict{Action: Refused, Reason: ReasonConflict}
	case http.StatusTooManyRequests:
		// Data of a request refused for its rate are not stored: the transaction id is unburnt.
		return Verdict{Action: Slow, Reason: ReasonTooMany}
	default:
		return Verdict{Action: Refused, Reason: ReasonClientError}
	}
}
