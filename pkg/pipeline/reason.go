package pipeline

import "github.com/touchbox/touchbox/pkg/mindbox"

// Reasons of a decision are words of a closed list: those of mindbox.Reason and mindbox.Failure
// for what an answer meant, and these for what this package decided itself.
const (
	ReasonUnreadable = "unreadable" // dead: the body is no hook and no record
	ReasonExpression = "expression" // dead: a condition or template met a value that it cannot use
	ReasonCondition  = "condition"  // filtered: a condition of `when` does not hold
	ReasonMissing    = "missing"    // undeliverable: a required field came out empty
	ReasonExpired    = "expired"    // dead: older than the link's `expire`
	ReasonTooOld     = "too_old"    // dead: tried for longer than `retry.for`
	ReasonParked     = "parked"     // waiting: not sent, the link or its endpoint is parked
	ReasonUnknown    = "unknown"    // dead: the event's site or its link is not in the file
)

// Reasons of a park that no single answer gives; the others are mindbox reasons.
const (
	ParkOutage   = "outage"   // the endpoint's last answers were all temporary failures
	ParkRefusals = "refusals" // the link's last answers were all the same refusal
)

// Reasons lists every word that Decision.Reason can hold, those of the queue's own decisions
// aside.
func Reasons() []string {
	reasons := []string{
		ReasonUnreadable, ReasonExpression, ReasonCondition, ReasonMissing, ReasonExpired, ReasonTooOld,
		ReasonParked, ReasonUnknown,
	}
	for _, r := range mindbox.Reasons {
		reasons = append(reasons, string(r))
	}
	return reasons
}
