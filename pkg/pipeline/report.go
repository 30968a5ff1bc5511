package pipeline

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/wait"
)

// What is told of an event stands here: the detail of its record in HISTORY, the line of its outcome in
// the log, and the warnings that come once a day.

// Detail is what a history record says beyond the words that all records have. It holds no
// personal data: values of personal fields are masked, the last two digits of a phone stay.
type Detail struct {
	Conditions []link.Condition `json:"conditions,omitempty"` // filtered: all of `when`, masked
	Missing    []string         `json:"missing,omitempty"`    // undeliverable: the required fields that came out empty
	Notes      []string         `json:"notes,omitempty"`      // what Mindbox may refuse, by field
	Error      string           `json:"error,omitempty"`      // expression: which one failed, without values
	Pinned     *event.Pin       `json:"pinned,omitempty"`     // sent as an earlier attempt was, other than the file says today
	Again      []string         `json:"again,omitempty"`      // the reasons of requests that failed before the last one, within the same attempt
	ErrorID    string           `json:"error_id,omitempty"`   // Mindbox's own id of its error
	Cut        int              `json:"cut,omitempty"`        // how many conditions, fields and notes did not fit
}

func (d Detail) empty() bool {
	return len(d.Conditions) == 0 && len(d.Missing) == 0 && len(d.Notes) == 0 && d.Error == "" && d.Pinned == nil && len(d.Again) == 0 && d.ErrorID == ""
}

// maxDetail bounds the lists of a detail, in bytes of JSON: a record has 1 MB at most, and one that
// does not fit is never stored.
const maxDetail = 16 << 10

// stored is the detail as JSON, as far as a record holds it.
func (d Detail) stored() any {
	if text, err := d.json(); err == nil && len(text) < maxDetail { // as a rule
		return json.RawMessage(text)
	}
	return d.bounded()
}

// json is json.Marshal of the detail.
func (d Detail) json() ([]byte, error) {
	const usual = 256
	j := event.NewJSON(usual)
	if len(d.Conditions) > 0 {
		j.List("conditions")
		for _, c := range d.Conditions {
			j.Item()
			c.WriteJSON(&j)
			j.Close()
		}
		j.CloseList()
	}
	j.Texts("missing", d.Missing)
	j.Texts("notes", d.Notes)
	j.Some("error", d.Error)
	j.Pin("pinned", d.Pinned)
	j.Texts("again", d.Again)
	j.Some("error_id", d.ErrorID)
	j.Number("cut", d.Cut)
	return j.End()
}

// bounded is the detail as far as a record holds it. What a condition saw goes first: the event
// itself has it.
func (d Detail) bounded() Detail {
	if jsonSize(d) <= maxDetail { // as a rule
		return d
	}
	left := maxDetail
	conditions := d.Conditions
	d.Conditions = nil
	for i, c := range conditions {
		if jsonSize(c) > left {
			c.Saw = nil
		}
		if left -= jsonSize(c); left < 0 {
			d.Cut += len(conditions) - i
			break
		}
		d.Conditions = append(d.Conditions, c)
	}
	left = max(0, left)
	d.Missing = d.fit(d.Missing, &left)
	d.Notes = d.fit(d.Notes, &left)
	return d
}

// fit returns the texts that fit into what is left, and counts the others.
func (d *Detail) fit(texts []string, left *int) []string {
	for i, s := range texts {
		if *left -= jsonSize(s); *left < 0 {
			d.Cut += len(texts) - i
			*left = 0
			return texts[:i]
		}
	}
	return texts
}

// jsonSize is how many bytes a value takes as JSON in a list.
func jsonSize(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return maxDetail + 1
	}
	return len(b) + 1
}

// maxValue bounds a value that a condition saw, in bytes.
const maxValue = 200

// mask makes a verdict's conditions fit to be kept: personal fields are masked by their name,
// and in other texts what looks like a phone or an e-mail address, for people put them anywhere.
func mask(v link.Verdict) {
	v.Mask()
	for _, c := range v.Conditions {
		for name, value := range c.Saw {
			c.Saw[name] = presentable(value)
		}
	}
}

func presentable(value any) any {
	switch v := value.(type) {
	case string:
		if uuid.Validate(v) == nil { // a device: one must see it
			return v
		}
		return show.Line(v, maxValue)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = presentable(s)
		}
		return list
	default:
		return value
	}
}

// logOutcome writes the one line of an outcome. It holds the words of closed lists, numbers and
// the event's key: never Mindbox's text, which may quote a name.
func logOutcome(log zerolog.Logger, d *queue.Delivery, x queue.Decision) {
	line := log.WithLevel(outcomeLevel(x))
	if !line.Enabled() {
		return
	}
	line = line.Str("event_id", d.Event.Key.String()).Str("link", d.Link).
		Str("outcome", string(x.Outcome))
	if x.Attempts > 0 {
		line = line.Int("attempt", x.Attempts)
	}
	if x.Again > 0 {
		line = line.Int("again", x.Again)
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

// warnEvery is how often the same is warned of.
const warnEvery = 24 * time.Hour

// warnings say once a day what a person should look at, and a pause more often. They are apart from each other because strangers
// choose the names of attributes, which must not keep the rest from being said. The zero value logs
// nothing.
type warnings struct {
	log        zerolog.Logger
	attributes wait.Throttle // by site and name
	doubts     wait.Throttle // by site and text
	links      wait.Throttle // by id
	pauses     wait.Throttle // by scope
}

// undeclared names an attribute that comes and that no link can use.
func (w *warnings) undeclared(site string, names []string) {
	for _, name := range names {
		name = show.Line(name, 64)
		if w.attributes.Due(site+"/"+name, warnEvery) {
			w.log.Warn().Str("site", site).Str("attribute", name).
				Msg("this attribute comes and is not among the site's attrs in the file: links cannot use it")
		}
	}
}

// doubtful says what comes with a site's events and cannot be read for certain: a condition on what is
// missing holds without a word, and a call from a dynamic number goes the way of a static one.
func (w *warnings) doubtful(site string, d calltouch.Doubts) {
	for _, one := range []struct {
		is   bool
		text string
	}{
		{d.Attrs, "attributes come and cannot be read: `touchbox event KEY` shows such an event, `touchbox fields` how many there are"},
		{d.Device, "the attribute with Mindbox's device id comes and holds no UUID: look at the site's script"},
		{d.Charset, "texts come that are no UTF-8 and name no charset: they are taken for windows-1251"},
	} {
		if one.is && w.doubts.Due(site+"/"+one.text, warnEvery) {
			w.log.Warn().Str("site", site).Msg(one.text)
		}
	}
}

// pauseSaidEvery is how often it is said that an endpoint is paused: one that names a second and refuses for hours pauses each second.
const pauseSaidEvery = 10 * time.Minute

// paused says that an endpoint is not asked for a while.
func (w *warnings) paused(scope string, until time.Time) {
	if w.pauses.Due(scope, pauseSaidEvery) {
		w.log.Warn().Str("scope", scope).Time("until", until).
			Msg("Mindbox says 429 to everything: nothing is sent until then. Events wait, and go on by themselves")
	}
}

// left names a link that is in no file any more.
func (w *warnings) left(s queue.LinkState) {
	if w.links.Due(s.ID, warnEvery) {
		w.log.Warn().Str("link", s.ID).Time("start", s.Start).
			Msg("this link is not in the file any more: it is paused and keeps its place in the log, " +
				"which cannot be purged beyond it; put it back, or remove it with `touchbox links remove`")
	}
}
