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
	ReasonUnclear          Reason = "unclear_answer"      // a 2xx without Mindbox's JSON: empty, or a page of something in front of it
	ReasonUnknownState     Reason = "unknown_status"      // an error of Mindbox inside a 2xx, with a status word that nobody knows
	ReasonRedirect         Reason = "redirect"            // 3xx: another host, or the login of a network
	ReasonForeign          Reason = "not_mindbox"         // a 4xx without Mindbox's JSON: something in front of it refuses
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
	ReasonRedirect, ReasonForeign, ReasonCredentials, ReasonForbidden, ReasonNotFound, ReasonRequestTimeout, ReasonConflict,
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

var states = []string{StateSuccess, StateAlreadyProcessed, StateValidation, StateProtocol, StateInternal}

// Verdict is what Judge says of an answer. The zero value is no verdict.
type Verdict struct {
	Action Action
	Reason Reason
	// Pins: Mindbox may have executed the operation without saying so. Endpoint and operation
	// must stay the same from now on, because the transaction id depends on them.
	Pins bool
	// Failure: a temporary failure of the endpoint as a whole (5xx, time-out, reset, an answer that
	// is not Mindbox's). Many of them in a row are an outage.
	Failure bool
}

// verdicts is the table of what an answer means: what follows from each reason. Pins and Failure of a
// transport failure hold unless judgeTransport knows better.
var verdicts = map[Reason]Verdict{
	ReasonAccepted:         {Action: Success},
	ReasonAlreadyProcessed: {Action: Success},

	ReasonValidation:   {Action: Refused},
	ReasonProtocol:     {Action: Refused},
	ReasonConflict:     {Action: Refused},
	ReasonClientError:  {Action: Refused},
	ReasonUnknownState: {Action: Refused},

	ReasonUnclear:        {Action: Retry, Pins: true, Failure: true},
	ReasonServerError:    {Action: Retry, Pins: true, Failure: true},
	ReasonRequestTimeout: {Action: Retry, Pins: true, Failure: true},
	ReasonUnknownCode:    {Action: Retry, Pins: true},
	ReasonRedirect:       {Action: Retry, Failure: true},
	ReasonForeign:        {Action: Retry, Failure: true},
	// Data of a request refused for its rate are not stored: the transaction id is unburnt.
	ReasonTooMany: {Action: Slow},

	ReasonCredentials: {Action: ParkEndpoint},
	ReasonForbidden:   {Action: ParkEndpoint},
	// Many 404s get the sender's address blocked for a minute, so this one stops quickly.
	ReasonNotFound: {Action: ParkLink},

	Reason(FailureTimeout):     {Action: Retry, Pins: true, Failure: true},
	Reason(FailureName):        {Action: Retry, Pins: true, Failure: true},
	Reason(FailureConnect):     {Action: Retry, Pins: true, Failure: true},
	Reason(FailureTLS):         {Action: Retry, Pins: true, Failure: true},
	Reason(FailureConnection):  {Action: Retry, Pins: true, Failure: true},
	Reason(FailureInterrupted): {Action: Retry, Pins: true}, // our own stop says nothing about Mindbox
}

// MayHaveRun reports whether Mindbox may have executed an operation whose attempt ended for this
// reason, as far as the reason alone tells. Of a reason that the table does not name it may.
func (r Reason) MayHaveRun() bool {
	v, ok := verdicts[r]
	return v.Pins || !ok
}

// verdict is a reason's row of the table.
func (r Reason) verdict() Verdict {
	v := verdicts[r]
	v.Reason = r
	return v
}

// Judge says what an answer means, after Mindbox's "error processing" page and its SDKs. It finds the
// reason, from which the rest follows. The order of checks: transport, then HTTP class, then the status
// in the body; the HTTP class wins when the two disagree. What is not named is tried again: a repeat
// with the same transaction id does no harm, a loss does. Only Mindbox itself can refuse an event: what a
// proxy, a guard or a captive portal says in its place is an outage, whatever its status.
func Judge(a Answer) Verdict {
	if a.Err != nil {
		return judgeTransport(a)
	}
	switch a.Status / 100 {
	case 2:
		return reasonInside(a).verdict()
	case 3:
		return ReasonRedirect.verdict()
	case 4:
		return reasonOfClientError(a).verdict()
	case 5:
		return ReasonServerError.verdict()
	default:
		return ReasonUnknownCode.verdict()
	}
}

func judgeTransport(a Answer) Verdict {
	failure := FailureConnection
	if e, ok := errors.AsType[*TransportError](a.Err); ok {
		failure = e.Failure
	}
	v := Reason(failure).verdict()
	v.Pins = v.Pins && !a.Unsent
	return v
}

// foreign reports whether a 4xx comes from something in front of Mindbox. 408 and 429 mean the same
// from anybody. The three that park need no body: nothing dies of them.
func foreign(a Answer) bool {
	switch a.Status {
	case http.StatusProxyAuthRequired:
		return true
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return a.Foreign && a.Message != ""
	}
	return a.Foreign
}

// reasonInside reads a 2xx: a refusal inside it is no success.
func reasonInside(a Answer) Reason {
	state := a.State
	switch {
	case a.Foreign, state == "":
		// Mindbox's PHP client throws here, its iOS client takes it for a success.
		return ReasonUnclear
	case strings.EqualFold(state, StateSuccess):
		return ReasonAccepted
	case strings.EqualFold(state, StateAlreadyProcessed):
		return ReasonAlreadyProcessed
	case strings.EqualFold(state, StateValidation):
		return ReasonValidation
	case strings.EqualFold(state, StateProtocol):
		return ReasonProtocol
	case strings.EqualFold(state, StateInternal):
		return ReasonServerError
	default:
		return ReasonUnknownState
	}
}

// reasonOfClientError reads a 4xx.
func reasonOfClientError(a Answer) Reason {
	if foreign(a) {
		return ReasonForeign
	}
	switch a.Status {
	case http.StatusBadRequest:
		return ReasonProtocol
	case http.StatusUnauthorized:
		return ReasonCredentials
	case http.StatusForbidden:
		return ReasonForbidden
	case http.StatusNotFound:
		return ReasonNotFound
	case http.StatusRequestTimeout:
		return ReasonRequestTimeout
	case http.StatusConflict:
		return ReasonConflict
	case http.StatusTooManyRequests:
		return ReasonTooMany
	default:
		return ReasonClientError
	}
}

// FailureOfOthers reports whether a temporary failure with this HTTP status was answered by something in
// Mindbox's place: Mindbox itself fails with 408 and 5xx. 0 is no answer, and so nobody's.
func FailureOfOthers(status int) bool {
	return status != 0 && status < http.StatusInternalServerError && status != http.StatusRequestTimeout
}
