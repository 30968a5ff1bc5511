package event

import (
	"strconv"
	"time"
)

// Trail is what is known of an event's way through a link so far: the delivery metadata. It is the
// same in a delivery, a retry, a dead letter and a record of the history. The zero Trail is that of an
// event which the link has not seen before.
type Trail struct {
	Attempts int       `json:"attempts,omitempty"` // that counted
	First    time.Time `json:"first,omitzero"`     // the first of them
	Reason   string    `json:"reason,omitempty"`   // why it waits, died or was settled: one word of a closed list
	Status   int       `json:"status,omitempty"`   // of Mindbox's last answer; 0 when there was none
	Answer   string    `json:"answer,omitempty"`   // Mindbox's words, masked and cut
	Pin      *Pin      `json:"pin,omitempty"`      // nil until an attempt that may have been executed
	Revision string    `json:"revision,omitempty"` // of a replay: name of a correction, part of the transaction's id
	As       string    `json:"as,omitempty"`       // of a replay for a renamed link: the id that the transaction keeps
	Replayed bool      `json:"replayed,omitempty"` // a person asked for it
	Version  string    `json:"version,omitempty"`  // hash of the link that decided
}

// WriteJSON writes what encoding/json makes of a trail that is part of an object.
func (t Trail) WriteJSON(j *JSON) {
	j.Number("attempts", t.Attempts)
	j.Moment("first", t.First)
	j.Some("reason", t.Reason)
	j.Number("status", t.Status)
	j.Some("answer", t.Answer)
	j.Pin("pin", t.Pin)
	j.Some("revision", t.Revision)
	j.Some("as", t.As)
	j.Yes("replayed", t.Replayed)
	j.Some("version", t.Version)
}

// Ended is what is recorded of a way that a person or a command has ended for a reason: what the last
// attempt came to is not why.
func (t Trail) Ended(reason string) Trail {
	return Trail{Reason: reason, Attempts: t.Attempts, Revision: t.Revision, As: t.As, Replayed: t.Replayed}
}

// Pin holds what the first attempt that Mindbox may have executed was sent as.
type Pin struct {
	Endpoint  string `json:"endpoint"`
	Operation string `json:"operation"`
	Revision  string `json:"revision,omitempty"`
}

// LastError is the masked words of the last failure; "" when there was none.
func (t Trail) LastError() string {
	if t.Answer != "" {
		return t.Answer
	}
	return t.Reason
}

// Label is what a message of RETRIES or DEADLETTERS says beside the event itself: whose it is, where
// the event lies in the log, and its trail.
type Label struct {
	Link     string
	Sequence uint64    // of the event in EVENTS
	Stored   time.Time // when EVENTS took it
	Trail
}

// labelHeaders is the header form of a label, one row a value. What is not known has no header; what
// cannot be read counts as not known: an event with a damaged count is still an event. The row of
// HeaderPinned comes before those of what is pinned.
var labelHeaders = []struct {
	name  string
	write func(*Label) string
	read  func(*Label, string)
}{
	{HeaderLink, func(l *Label) string { return l.Link }, func(l *Label, s string) { l.Link = s }},
	{headerSequence, func(l *Label) string { return number(l.Sequence) }, func(l *Label, s string) { l.Sequence, _ = strconv.ParseUint(s, 10, 64) }},
	{headerStored, func(l *Label) string { return FormatMoment(l.Stored) }, func(l *Label, s string) { l.Stored = ReadMoment(s) }},
	{headerAttempts, func(l *Label) string { return number(l.Attempts) }, func(l *Label, s string) { l.Attempts, _ = strconv.Atoi(s) }},
	{headerFirst, func(l *Label) string { return FormatMoment(l.First) }, func(l *Label, s string) { l.First = ReadMoment(s) }},
	{headerReason, func(l *Label) string { return l.Reason }, func(l *Label, s string) { l.Reason = s }},
	{headerStatus, func(l *Label) string { return number(l.Status) }, func(l *Label, s string) { l.Status, _ = strconv.Atoi(s) }},
	{headerAnswer, func(l *Label) string { return l.Answer }, func(l *Label, s string) { l.Answer = s }},
	{headerPinned, func(l *Label) string { return flag(l.Pin != nil) }, func(l *Label, _ string) { l.Pin = &Pin{} }},
	{headerPinnedEndpoint, func(l *Label) string { return l.pinned().Endpoint }, func(l *Label, s string) { l.pinned().Endpoint = s }},
	{headerPinnedOperation, func(l *Label) string { return l.pinned().Operation }, func(l *Label, s string) { l.pinned().Operation = s }},
	{headerPinnedRevision, func(l *Label) string { return l.pinned().Revision }, func(l *Label, s string) { l.pinned().Revision = s }},
	{headerRevision, func(l *Label) string { return l.Revision }, func(l *Label, s string) { l.Revision = s }},
	{headerAs, func(l *Label) string { return l.As }, func(l *Label, s string) { l.As = s }},
	{headerReplayed, func(l *Label) string { return flag(l.Replayed) }, func(l *Label, _ string) { l.Replayed = true }},
	{headerVersion, func(l *Label) string { return l.Version }, func(l *Label, s string) { l.Version = s }},
}

// pinned is the pin, one that nobody keeps where there is none.
func (l *Label) pinned() *Pin {
	if l.Pin == nil {
		return &Pin{}
	}
	return l.Pin
}

// Write puts the label into h, over an older one.
func (l Label) Write(h map[string][]string) {
	for _, row := range labelHeaders {
		if value := row.write(&l); value != "" {
			h[row.name] = []string{value}
		} else {
			delete(h, row.name)
		}
	}
}

// ReadLabel is the inverse of Write.
func ReadLabel(h map[string][]string) Label {
	var l Label
	for _, row := range labelHeaders {
		if v := h[row.name]; len(v) > 0 && v[0] != "" {
			row.read(&l, v[0])
		}
	}
	return l
}

// LabelVersion reads the version of a label alone.
func LabelVersion(h map[string][]string) string {
	if v := h[headerVersion]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func number[N int | uint64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

// Yes is how a header says that something holds.
const Yes = "1"

// flag is Yes, or no header where something does not hold.
func flag(b bool) string {
	if b {
		return Yes
	}
	return ""
}

// FormatMoment is how a header writes a time; "" for the zero time.
func FormatMoment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return formatTime(t)
}

// ReadMoment is the inverse of FormatMoment; what cannot be read is the zero time.
func ReadMoment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
