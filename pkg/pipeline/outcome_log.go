package pipeline

import (
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// logOutcome writes the one line of an outcome. It holds the words of closed lists, numbers and
// the event's key: never Mindbox's text, which may quote a name.
func logOutcome(log zerolog.Logger, d *queue.Delivery, x queue.Decision) {
	line := log.WithLevel(outcomeLevel(x)).Str("event_id", d.Event.Key.String()).Str("link", d.Link).
		Str("outcome", string(x.Outcome))
	if x.Attempts > 0 {
		line = line.Int("attempt", x.Attempts)
	}
	if x.Reason != "" {
		line = line.Str("reason", x.Reason)
	}
	if x.Status != 0 {
		line = line.Int("status", x.Status)
	}
	if x.Duration > 0 {
		line = line.Dur("took", x.Duration)
	}
	if !x.Until.IsZero() {
		line = line.Time("until", x.Until)
	}
	line.Msg(outcomeText(x))
}

// outcomeLevel: a dead letter waits for a person, an attempt that will be repeated is worth a look.
func outcomeLevel(x queue.Decision) zerolog.Level {
	switch {
	case x.Outcome == event.Dead:
		return zerolog.ErrorLevel
	case x.Outcome == event.Waiting && !x.Parked:
		return zerolog.WarnLevel
	case x.Outcome == event.Untaken:
		return zerolog.DebugLevel
	default:
		return zerolog.InfoLevel
	}
}

func outcomeText(x queue.Decision) string {
	switch x.Outcome {
	case event.Delivered:
		return "delivered"
	case event.Shadow:
		return "would have been sent: the link is in shadow mode"
	case event.Filtered:
		return "filtered: the link's conditions do not hold"
	case event.Undeliverable:
		return "undeliverable: a required field is missing"
	case event.Dead:
		return "dead: see `touchbox deadletters`"
	case event.Untaken:
		return "untaken: from before the link's start"
	}
	if x.Parked {
		return "waiting: parked"
	}
	return "not delivered yet, to be tried again"
}
