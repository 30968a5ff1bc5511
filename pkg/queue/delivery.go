package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/jet"
)

// Consumption says how a link's events are handled.
type Consumption struct {
	// Turn is asked before events are taken and blocks while the link is parked. It is called
	// often, by one goroutine at a time. Nil: no limits.
	Turn func(ctx context.Context) (Turn, error)
	// Begin, where not nil, is asked before Handle and waits for nothing: one goroutine asks it about all fresh events of
	// the link. It decides, or returns false and leaves in d.Begun what Handle goes on from. Of what comes from RETRIES, or may
	// have been settled before, Handle alone is asked.
	Begin func(ctx context.Context, d *Delivery) (Decision, bool)
	// Handle decides about one event. Its context ends when the time to finish is over.
	Handle func(ctx context.Context, d *Delivery) Decision
	// Settled, where not nil, is told of each event for which a decision was carried out, those of
	// the queue's own included: untaken, damaged, panic. Many goroutines call it.
	Settled func(d *Delivery, x Decision)
	// Finish bounds the work on what is begun, from the end of Consume's context on; 0 means 18 s.
	Finish time.Duration
}

// Turn is a permission to take events.
type Turn struct {
	Max   int  // how many the link may have in flight; 0 means as many as there is room for
	Probe bool // take one event and handle it alone, to see whether the far end is back

	// Done, where not nil, is called when the probe has been made or there was no event for it.
	Done func()
}

// Delivery is an event in flight, with what is known of earlier attempts.
type Delivery struct {
	Event event.Event
	Link  string
	Start time.Time // of the link

	event.Trail      // so far; zero on the first delivery
	Retry       bool // it came from RETRIES
	Probe       bool // it was taken as a probe

	Begun any // what Consumption.Begin has left for Handle
}

// Decision is what a handler makes of a delivery. What it says of the trail is new; the rest of the
// delivery's holds on. An unknown Outcome means Waiting: repeating is better than losing.
type Decision struct {
	Outcome event.Outcome // Waiting, Delivered, Shadow, Filtered, Undeliverable or Dead

	Until    time.Time  // Waiting: not before; zero means at once
	Parked   bool       // Waiting without an attempt: the link is parked
	Attempts int        // counted by now
	Again    int        // requests of this attempt that failed before its last one
	First    time.Time  // first attempt; zero: as in the delivery
	Pin      *event.Pin // nil: as in the delivery

	Reason        string        // closed snake_case words: expired, refused, expression, ...
	Status        int           // of Mindbox's HTTP answer; 0 when there was none
	Answer        string        // Mindbox's words, masked and cut
	Duration      time.Duration // of the attempt
	TransactionID string
	Version       string // hash of the link that decided
	Detail        any    // more for the history record, as JSON; nil: nothing
}

// Reasons of the queue's own decisions.
const (
	ReasonDamaged  = "damaged"   // the message's headers cannot be read; its bytes are kept
	ReasonPanic    = "panic"     // handling the event panicked
	ReasonTooLarge = "too_large" // it is to be tried again, and RETRIES does not take it: the server's max_payload was lowered
)

// carriedOut is the outcome that is carried out: an unknown one means Waiting.
func (x Decision) carriedOut() event.Outcome {
	switch x.Outcome {
	case event.Delivered, event.Shadow, event.Filtered, event.Undeliverable, event.Dead:
		return x.Outcome
	}
	return event.Waiting
}

// label is what goes with the event when it waits or dies: the delivery's, brought up to date.
func (d *Delivery) label(x Decision) event.Label {
	return event.Label{Link: d.Link, Sequence: d.Event.Sequence, Stored: d.Event.Stored, Trail: d.trail(x)}
}

// trail is the delivery's trail as a decision leaves it.
func (d *Delivery) trail(x Decision) event.Trail {
	t := event.Trail{
		Attempts: x.Attempts, First: x.First, Reason: x.Reason, Status: x.Status, Answer: x.Answer, Pin: cmp.Or(x.Pin, d.Pin),
		Revision: d.Revision, As: d.As, Replayed: d.Replayed, Version: x.Version,
	}
	if t.First.IsZero() {
		t.First = d.First
	}
	return t
}

// record is the line of history that a carried out decision leaves.
func (d *Delivery) record(x Decision, m *message) (Record, error) {
	r := Record{
		Time: time.Now().UTC(), Link: d.Link, Outcome: x.carriedOut(), Trail: d.trail(x), Parked: x.Parked, Probe: d.Probe,
		DurationMS: float64(x.Duration.Microseconds()) / 1000, TransactionID: x.TransactionID,
		Source: m.source(), Sequence: m.sequence(),
	}
	if r.Outcome == event.Waiting {
		r.Until = x.Until
	}
	switch detail := x.Detail.(type) {
	case nil:
		return r, nil
	case json.RawMessage:
		r.Detail = detail
		return r, nil
	}
	detail, err := json.Marshal(x.Detail)
	r.Detail = detail
	return r, err
}

// fill sets what the label of a message from RETRIES says.
func (d *Delivery) fill(l event.Label) {
	d.Trail = l.Trail
	d.Event.Sequence, d.Event.Stored = l.Sequence, l.Stored
}

// message is a message in flight: delivered to this process and not acknowledged yet.
type message struct {
	msg    jetstream.Msg
	meta   *jetstream.MsgMetadata
	retry  bool   // from RETRIES, else from EVENTS
	probe  bool   // taken as a probe
	check  bool   // among the first of its consumer: look it up in HISTORY
	traces bool   // an earlier delivery may have left a retry or a dead letter of its event
	key    string // the last three tokens of its subject: site, kind, id
	taken  time.Time
	size   int64  // roughly what it takes of memory
	alone  bool   // its record goes alone: whoever handles it waits for that
	free   func() // frees its handler; nil where it has none
}

// handled frees the message's handler, once.
func (m *message) handled() {
	if m.free != nil {
		m.free()
		m.free = nil
	}
}

// newMessage reads where a message comes from.
func newMessage(msg jetstream.Msg, retry bool) (*message, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, err
	}
	key := event.LogSubjects.Rest(msg.Subject())
	if retry {
		_, key, _ = event.DueSubjects.LinkAndRest(msg.Subject())
	}
	return &message{msg: msg, meta: meta, retry: retry, taken: time.Now(), size: sizeOf(msg), key: key}, nil
}

func (m *message) sequence() uint64  { return m.meta.Sequence.Stream }
func (m *message) stored() time.Time { return m.meta.Timestamp }
func (m *message) again() bool       { return m.meta.NumDelivered > 1 }

// suspect reports whether a message may have been settled before and must be looked up.
func (m *message) suspect() bool { return m.check || m.again() }

// sizeOf is roughly what a message takes of memory. Of its headers one alone can be long.
func sizeOf(msg jetstream.Msg) int64 {
	const others = 512
	return int64(len(msg.Subject()) + len(msg.Data()) + others + len(msg.Headers().Get(event.HeaderQuery)))
}

func (m *message) data() []byte        { return m.msg.Data() }
func (m *message) header() nats.Header { return jet.OwnHeader(m.msg.Headers()) }

// source is the word for it in a record.
func (m *message) source() string {
	if m.retry {
		return FromRetries
	}
	return FromEvents
}

// delivery reads the event and its label. The error is event.ErrNewerFormat or event.ErrDamaged; then,
// too, key and body are there, the key as far as its subject says it.
func (m *message) delivery(l *Link) (*Delivery, error) {
	e, err := readEvent(m.key, m.msg.Headers(), m.msg.Data())
	if err != nil {
		e.Body = m.msg.Data()
	}
	e.Sequence, e.Stored = m.sequence(), m.stored()
	d := &Delivery{Event: e, Link: l.spec.ID, Start: l.now.Load().Start, Retry: m.retry, Probe: m.probe}
	if m.retry {
		d.fill(event.ReadLabel(m.msg.Headers()))
	}
	return d, err
}
