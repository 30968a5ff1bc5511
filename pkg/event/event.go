package event

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Origin says which way an event came.
type Origin string

// The four ways.
const (
	Webhook  Origin = "webhook"  // Calltouch called us
	Poll     Origin = "poll"     // we read it from the requests API
	Journal  Origin = "journal"  // we read it from the calls journal
	Backfill Origin = "backfill" // a person asked for past days
)

// Outcome says what became of an event for one link. Exactly one holds at a time: the newest.
type Outcome string

// All outcomes. Every one but Untaken means that the link took the event.
const (
	Waiting       Outcome = "waiting"       // unread, in hand, delayed, in RETRIES, parked or stopped
	Delivered     Outcome = "delivered"     // Mindbox accepted it
	Shadow        Outcome = "shadow"        // rendered, not sent: the link is in shadow mode
	Filtered      Outcome = "filtered"      // the link's conditions do not hold
	Undeliverable Outcome = "undeliverable" // a required field is missing
	Dead          Outcome = "dead"          // given up, in DEADLETTERS
	Untaken       Outcome = "untaken"       // from before the link's start, or from a backfill
	Erased        Outcome = "erased"        // the person was erased
	Abandoned     Outcome = "abandoned"     // removed unread
	Dropped       Outcome = "dropped"       // given up, and removed from DEADLETTERS by a person
)

// Outcomes lists every outcome. The counts kept in STATE know each by its place: a new one goes to the end.
var Outcomes = []Outcome{Waiting, Delivered, Shadow, Filtered, Undeliverable, Dead, Untaken, Erased, Abandoned, Dropped}

// Final reports whether an outcome ends an event's way through a link, so that a redelivery of
// the event must not be sent again.
func (o Outcome) Final() bool { return o != Waiting && o != Untaken && o != "" }

// Fingerprint tells two calls under one id apart: the caller and the moment. The zero value of
// either part means unknown.
type Fingerprint struct {
	Phone string    // digits, as phone.Normalize gives them
	Time  time.Time // start of the call, creation of the request
}

// sameMoment is how far apart two times of one call may lie: Calltouch's own times of one call
// differ by seconds, those of two calls under one id by days.
const sameMoment = 2 * time.Minute

// Other reports whether f and g belong to different calls: both the phone and the time are
// known on both sides and differ. One of the two alone is a repeat of the same call.
func (f Fingerprint) Other(g Fingerprint) bool {
	if f.Phone == "" || g.Phone == "" || f.Phone == g.Phone {
		return false
	}
	if f.Time.IsZero() || g.Time.IsZero() {
		return false
	}
	return f.Time.Sub(g.Time).Abs() > sameMoment
}

// Event is one fact from Calltouch.
type Event struct {
	Key         Key
	Origin      Origin
	ContentType string // of Body, as it came
	Query       string // of a POST's URL, url-encoded; its parameters yield to those of the body
	Body        []byte // the raw bytes, never changed
	Received    time.Time
	Time        time.Time   // start of a call, creation of a request; zero when the body does not say
	Fingerprint Fingerprint // known to the publisher; not stored

	Sequence uint64    // place in EVENTS; 0 before it is stored
	Stored   time.Time // when EVENTS took it; zero before

	Damaged bool // some of its headers could not be read, see Read
}

// Format is the version of the stored form that this build writes and the newest it reads.
const Format = 1

// ErrNewerFormat reports a message written by a newer Touchbox. It is left for a newer worker.
var ErrNewerFormat = errors.New("message of a newer format: upgrade this Touchbox")

// ErrDamaged reports a message whose headers cannot be read.
var ErrDamaged = errors.New("damaged message")

const (
	specVersion = "1.0"
	typePrefix  = "calltouch."
)

// id and source together are unique, as CloudEvents asks.
func (e Event) id() string     { return string(e.Key.Kind) + "/" + encodeID(e.Key.ID) }
func (e Event) source() string { return "/calltouch/" + e.Key.Site }

// occurred is CloudEvents' time: when it happened, or when we heard of it where nothing says, or says what RFC 3339 cannot write.
func (e Event) occurred() time.Time {
	if y := e.Time.UTC().Year(); e.Time.IsZero() || y < 1 || y > 9999 {
		return e.Received
	}
	return e.Time
}

// Header returns the headers under which Body is stored.
func (e Event) Header() map[string][]string {
	h := make(map[string][]string, usualHeaders)
	values := make([]string, 0, usualHeaders) // of all headers, each of which has a part of its own
	set := func(name, value string) {
		values = append(values, value)
		h[name] = values[len(values)-1 : len(values) : len(values)]
	}
	set(headerSpec, specVersion)
	set(headerID, e.id())
	set(headerSource, e.source())
	set(headerType, typePrefix+e.Key.Kind.Dotted())
	set(headerTime, formatTime(e.occurred()))
	set(HeaderFormat, strconv.Itoa(Format))
	set(HeaderKey, e.Key.String())
	set(HeaderOrigin, string(e.Origin))
	set(HeaderReceived, formatTime(e.Received))
	if e.ContentType != "" {
		set(HeaderContent, e.ContentType)
	}
	if e.Query != "" {
		set(HeaderQuery, e.Query)
	}
	return h
}

// usualHeaders is room for those of an event, and for a publisher's guard beside them.
const usualHeaders = 12

// Read is the inverse of Header. Sequence, Stored and Fingerprint stay zero; Time is the
// occurrence, or the receipt where that was unknown. The error is ErrNewerFormat or ErrDamaged; with
// ErrDamaged comes what can be read, and what cannot is zero.
func Read(header map[string][]string, body []byte) (Event, error) {
	get := func(name string) string {
		if v := header[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	damage := CheckFormat(get(HeaderFormat))
	if errors.Is(damage, ErrNewerFormat) {
		return Event{}, damage
	}
	key, err := ParseKey(get(HeaderKey))
	if err != nil && damage == nil {
		damage = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	moment := func(name string, parse func(string) (time.Time, error)) time.Time {
		t, err := parse(get(name))
		if err != nil && damage == nil {
			damage = fmt.Errorf("%w: %s is no time", ErrDamaged, name)
		}
		return t
	}
	received := moment(HeaderReceived, func(s string) (time.Time, error) { return time.Parse(time.RFC3339Nano, s) })
	occurred := moment(headerTime, func(s string) (time.Time, error) { return parseTime(s, received) })
	return Event{
		Key: key, Origin: Origin(get(HeaderOrigin)), ContentType: get(HeaderContent),
		Query: get(HeaderQuery), Body: body, Received: received, Time: occurred, Damaged: damage != nil,
	}, damage
}

// CheckFormat reads a Touchbox-Format header. The error is ErrNewerFormat or ErrDamaged.
func CheckFormat(value string) error {
	n, err := strconv.Atoi(value)
	switch {
	case err != nil || n < 1:
		return fmt.Errorf("%w: no %s", ErrDamaged, HeaderFormat)
	case n > Format:
		return ErrNewerFormat
	}
	return nil
}

// parseTime reads what formatTime wrote. Years that RFC 3339 does not have were stored once, of calls dated 0000-01-01: they count as
// unknown.
func parseTime(text string, unknown time.Time) (time.Time, error) {
	if strings.HasPrefix(text, "-") || strings.IndexByte(text, '-') > len("2006") {
		return unknown, nil
	}
	return time.Parse(time.RFC3339Nano, text)
}

func formatTime(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Receipt is the answer to publishing an event.
type Receipt string

// All receipts. Each one means that the event needs no second try.
const (
	ReceiptStored    Receipt = "stored"    // new, and now in EVENTS
	ReceiptRepeated  Receipt = "repeated"  // the same call or request is there already
	ReceiptCollision Receipt = "collision" // another call is there under this id; set aside by the caller
	ReceiptErased    Receipt = "erased"    // the person was erased; kept nowhere
	ReceiptTooOld    Receipt = "too_old"   // happened before the horizon; kept nowhere
)

// Receipts lists every receipt.
var Receipts = []Receipt{ReceiptStored, ReceiptRepeated, ReceiptCollision, ReceiptErased, ReceiptTooOld}

// Taken reports whether a link that started at start takes e by itself: hooks that arrived since
// then, polled and journal records of what happened since then, nothing of a backfill. What it
// does not take is untaken until a person replays it.
func Taken(e Event, start time.Time) bool {
	switch e.Origin {
	case Backfill:
		return false
	case Poll, Journal:
		return !e.Time.Before(start)
	default:
		return !e.Received.Before(start)
	}
}

// Aside is something that came from Calltouch and is no event, or none that may be stored: kept for a
// while, so that a person can see it and take it back.
type Aside struct {
	Site        string // as in the address; empty: unknown
	Reason      string // one word: letters, digits, "_" and "-"
	Key         string // of the event that it would have been, as Key.String writes it; empty: none
	Origin      Origin
	ContentType string
	Query       string // of a POST's URL
	Body        []byte
	Size        int // of the whole, where Body is only its beginning; 0: Body is all
	Received    time.Time

	Sequence uint64    // place where it is kept; set when read
	Stored   time.Time // when it was kept; set when read
}

// ErrTooLarge reports what the queue takes from nobody for its size: no repeat mends it.
var ErrTooLarge = errors.New("larger than the queue takes")
