package watch

import (
	"encoding/json"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// alert is the state machine of one cause and its subject, as STATE holds it under
// alert.<cause>.<subject in hex>. A value is never deleted: that the cause is over is a value too.
type alert struct {
	Cause   Cause  `json:"cause"`
	Subject string `json:"subject"`

	Stage stage     `json:"stage"`
	Since time.Time `json:"since"`          // when the cause began: it tells one time from the next
	Over  time.Time `json:"over,omitzero"`  // when it was found to be gone
	Text  string    `json:"text,omitempty"` // what is sent next, or was sent last

	// Next is when any process may try to send. Who tries moves it first: it keeps the others off, and
	// is the pause before the next try if nothing comes of this one.
	Next  time.Time `json:"next,omitzero"`
	Tries int       `json:"tries,omitempty"`
}

// stage is how far an alert is. Only what was sent counts: an end is sent where its begin was.
type stage string

const (
	stageBegun  stage = "begun"  // the cause is there, and nobody was told
	stageTold   stage = "told"   // the receiver has the begin
	stageEnding stage = "ending" // told, and the cause is gone: the end is to be sent
	stageOver   stage = "over"   // nothing is to be sent
)

// UnmarshalJSON reads also what was stored before alerts had stages: the moment alone, written
// before anything was sent. Whether somebody was told is not known then, so it is told again.
func (x *alert) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		x.Stage = stageBegun
		return json.Unmarshal(data, &x.Since)
	}
	type plain alert
	return json.Unmarshal(data, (*plain)(x))
}

func alertKey(cause Cause, subject string) string {
	return event.AlertKey(string(cause), subject)
}

// causeOf is the inverse of alertKey, for what was stored without them.
func causeOf(key string) (Cause, string) {
	cause, subject := event.AlertOf(key)
	return Cause(cause), subject
}

// raised reports whether the cause is there as far as STATE knows.
func (x alert) raised() bool { return x.Stage == stageBegun || x.Stage == stageTold }

// unsent reports whether a notice waits to be sent.
func (x alert) unsent() bool { return x.Stage == stageBegun || x.Stage == stageEnding }

// begin is the alert once the cause was seen, and whether that changes it.
func (x alert) begin(text string, now time.Time) (alert, bool) {
	switch x.Stage {
	case stageBegun:
		if x.Text != "" {
			return x, false
		}
		x.Text = text // stored by a version that kept none
	case stageTold:
		return x, false
	case stageEnding: // back before anybody heard of an end
		x.Stage, x.Text, x.Over, x.Next, x.Tries = stageTold, text, time.Time{}, time.Time{}, 0
	default:
		x.Stage, x.Since, x.Text, x.Over, x.Next, x.Tries = stageBegun, now, text, time.Time{}, time.Time{}, 0
	}
	return x, true
}

// end is the alert once the cause was seen to be gone, and whether that changes it. The end is sent
// after calm, so that a cause that comes and goes does not call a person each time.
func (x alert) end(text string, now time.Time, calm time.Duration) (alert, bool) {
	switch x.Stage {
	case stageBegun: // nobody was told: there is no end to tell of, unless the begin is on its way
		x.Stage, x.Over, x.Text, x.Next, x.Tries = stageOver, now, text, time.Time{}, 0
	case stageTold:
		x.Stage, x.Over, x.Text, x.Next, x.Tries = stageEnding, now, text, now.Add(calm), 0
	default:
		return x, false
	}
	return x, true
}

// try is the alert with the next attempt put off by the pause.
func (x alert) try(now time.Time, pause time.Duration) alert {
	x.Tries, x.Next = x.Tries+1, now.Add(pause)
	return x
}

// sent is the alert once the receiver took the notice of was, and whether that changes it. It may
// have changed since the attempt began.
func (x alert) sent(was alert, now time.Time, calm time.Duration) (alert, bool) {
	if !x.Since.Equal(was.Since) {
		return x, false
	}
	x.Next, x.Tries = time.Time{}, 0
	switch told := was.Stage == stageBegun; {
	case told && x.Stage == stageBegun:
		x.Stage = stageTold
	case told && x.Stage == stageOver: // gone while its begin was on the way
		x.Stage, x.Next = stageEnding, now.Add(calm)
	case !told && x.Stage == stageEnding:
		x.Stage = stageOver
	case !told && x.Stage == stageTold: // there again while its end was on the way
		x.Stage = stageBegun
	default:
		return x, false
	}
	return x, true
}

// due is when the next attempt may be made. A moment farther off than any pause comes from a clock that
// was wrong, and does not count.
func (x alert) due(now time.Time, farthest time.Duration) time.Time {
	if x.Next.Sub(now) > farthest {
		return now
	}
	return x.Next
}

// notice is what the receiver gets.
func (x alert) notice() Notice {
	a := Notice{Text: "Touchbox: " + x.Text, Cause: x.Cause, Subject: x.Subject, Over: x.Stage == stageEnding, Time: x.Since}
	if a.Over {
		a.Time = x.Over
	}
	return a
}
