package queue

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/event"
)

// Headers that the queue adds to an event's own, see pkg/event.
const (
	headerFormat    = "Touchbox-Format"
	headerLink      = "Touchbox-Link"
	headerAttempts  = "Touchbox-Attempts"
	headerFirst     = "Touchbox-First"
	headerReason    = "Touchbox-Reason"
	headerStatus    = "Touchbox-Status"
	headerAnswer    = "Touchbox-Answer"
	headerUntil     = "Touchbox-Until"
	headerRevision  = "Touchbox-Revision"
	headerAs        = "Touchbox-As"
	headerReplayed  = "Touchbox-Replayed"
	headerVersion   = "Touchbox-Version"
	headerDied      = "Touchbox-Died"
	headerErased    = "Touchbox-Erased"
	headerSequence  = "Touchbox-Event-Sequence"
	headerStored    = "Touchbox-Event-Stored"
	headerPinned    = "Touchbox-Pinned"
	headerPinPoint  = "Touchbox-Pinned-Endpoint"
	headerPinOper   = "Touchbox-Pinned-Operation"
	headerPinRevise = "Touchbox-Pinned-Revision"

	headerOrigin   = "Touchbox-Origin"
	headerKey      = "Touchbox-Key"
	headerQuery    = "Touchbox-Query"
	headerReceived = "Touchbox-Received"
	headerOutcome  = "Touchbox-Outcome"
	headerContent  = "content-type"
)

// serverPrefix begins the names of the headers that are the server's.
const serverPrefix = "nats-"

// ownHeader copies what is ours of a message's headers. Nothing of the server's is copied on: a
// retry with the batch headers of its event would be staged as part of a batch and never stored,
// one with its guard would be held to another's sequence.
func ownHeader(h nats.Header) nats.Header {
	own := maps.Clone(h)
	maps.DeleteFunc(own, func(name string, _ []string) bool {
		return strings.HasPrefix(strings.ToLower(name), serverPrefix)
	})
	if own == nil {
		own = nats.Header{}
	}
	return own
}

// trail is what a message says of an event's way through a link so far.
type trail struct {
	Link     string
	Attempts int
	First    time.Time
	Reason   string
	Status   int
	Answer   string
	Pin      *Pin
	Revision string
	As       string
	Replayed bool
	Version  string
	Sequence uint64    // of the event in EVENTS
	Stored   time.Time // when EVENTS took it
}

// write puts the trail into h, over an older one.
func (t trail) write(h nats.Header) {
	set := func(name, value string) {
		if value == "" {
			delete(h, name)
			return
		}
		h[name] = []string{value}
	}
	set(headerLink, t.Link)
	set(headerAttempts, number(t.Attempts))
	set(headerFirst, moment(t.First))
	set(headerReason, t.Reason)
	set(headerStatus, number(t.Status))
	set(headerAnswer, t.Answer)
	set(headerRevision, t.Revision)
	set(headerAs, t.As)
	set(headerVersion, t.Version)
	set(headerSequence, number(t.Sequence))
	set(headerStored, moment(t.Stored))
	set(headerReplayed, flag(t.Replayed))
	pin := Pin{}
	if t.Pin != nil {
		pin = *t.Pin
	}
	set(headerPinned, flag(t.Pin != nil))
	set(headerPinPoint, pin.Endpoint)
	set(headerPinOper, pin.Operation)
	set(headerPinRevise, pin.Revision)
}

// readTrail is the inverse of write. What cannot be read counts as not said: an event with a
// damaged count is still an event.
func readTrail(h nats.Header) trail {
	t := trail{
		Link: h.Get(headerLink), First: readMoment(h.Get(headerFirst)), Reason: h.Get(headerReason),
		Answer: h.Get(headerAnswer), Revision: h.Get(headerRevision), As: h.Get(headerAs),
		Replayed: h.Get(headerReplayed) != "", Version: h.Get(headerVersion), Stored: readMoment(h.Get(headerStored)),
	}
	t.Attempts, _ = strconv.Atoi(h.Get(headerAttempts))
	t.Status, _ = strconv.Atoi(h.Get(headerStatus))
	t.Sequence, _ = strconv.ParseUint(h.Get(headerSequence), 10, 64)
	if h.Get(headerPinned) != "" {
		t.Pin = &Pin{Endpoint: h.Get(headerPinPoint), Operation: h.Get(headerPinOper), Revision: h.Get(headerPinRevise)}
	}
	return t
}

// readEvent reads an event from a message on a subject that ends with key.
func readEvent(key string, h nats.Header, body []byte) (event.Event, error) {
	e, err := event.Read(h, body)
	if err != nil {
		return event.Event{}, err
	}
	if e.Key.Subject() != key {
		return event.Event{}, event.ErrDamaged
	}
	return e, nil
}

func number[N int | uint64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(n), 10)
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return ""
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func readMoment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
