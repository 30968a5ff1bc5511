package calltouch

import (
	"encoding/json"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// MaxRecord is the largest record that is taken, in bytes. The queue takes messages of 8 MB; half
// of it leaves room for what is written beside an event on its way.
const MaxRecord = 4 << 20

// MaxHead is how much is kept of a record that cannot be taken.
const MaxHead = 64 << 10

// Listed is one record of an answer of Calltouch's API, with the few of its values that decide
// whether it is stored: an answer lists again and again what is stored already, and reading all of
// it into the vocabulary each time would cost ten times as much.
type Listed struct {
	Raw  json.RawMessage // its own bytes: what is stored
	Kind event.Kind      // event.CallEnded or event.Request
	ID   string          // "" when it has none
	Site string          // "" when it does not say
	Time time.Time       // start of the call, creation of the request; zero when unknown
	End  time.Time       // of a call: start + waiting + duration; of a request Time

	Size       int  // in bytes; Raw is only the beginning where it has fewer
	Unreadable bool // no JSON, or not read to its end

	phase string
	phone string
}

// A call that is not said to be over goes on, but not for ever: overAfter its end where the journal
// names no phase that is known, and dayLong where it says that the call is connected, because a
// long call may be listed with no duration yet.
const (
	overAfter = time.Hour
	dayLong   = 24 * time.Hour
)

// InProgress reports whether the call was still going on when the answer was made: the journal
// lists such calls, too. One whose time is unknown is over, unless its phase says otherwise.
func (r Listed) InProgress(now time.Time) bool {
	switch {
	case r.Kind != event.CallEnded || r.Over():
		return false
	case same(r.phase, phaseStarted):
		return r.End.IsZero() || r.Younger(dayLong, now)
	}
	return r.Younger(overAfter, now)
}

// Over reports whether the journal itself says that the call is over.
func (r Listed) Over() bool { return same(r.phase, phaseEnded) }

// Untakable says why a record cannot be taken whatever the store says; "" when it can.
func (r Listed) Untakable() Reason {
	switch {
	case r.Size > MaxRecord:
		return AsideTooLarge
	case r.Unreadable:
		return AsideUnreadable
	}
	return ""
}

// Younger reports whether r was over less than age before now. A record that lies in the future
// is younger than any age; one whose time is unknown is old.
func (r Listed) Younger(age time.Duration, now time.Time) bool {
	return !r.End.IsZero() && now.Sub(r.End) < age
}

// seed makes the hashes of this process.
var seed = maphash.MakeSeed()

// Hash is equal for the same record in two answers, and another for another call under its id.
func (r Listed) Hash() uint64 {
	return maphash.Comparable(seed, [5]string{r.Site, string(r.Kind), r.ID, r.phone, strconv.FormatInt(r.Time.Unix(), 10)})
}

// rawRecord holds the values of either method that Listed needs. Both call the site siteId and
// the moment date: a local text in the journal, milliseconds in the requests.
type rawRecord struct {
	CallID    loose  `json:"callId"`
	RequestID loose  `json:"requestId"`
	SiteID    loose  `json:"siteId"`
	Phase     loose  `json:"callphase"`
	Caller    loose  `json:"callerNumber"`
	Timestamp loose  `json:"timestamp"`
	Date      loose  `json:"date"`
	DateText  loose  `json:"dateStr"`
	Waiting   loose  `json:"waitingConnect"`
	Duration  loose  `json:"duration"`
	Client    client `json:"client"`
}

// client is who left a request. Where there is nobody it may be a list, as PHP writes an empty object, or anything else.
type client struct {
	phones json.RawMessage
}

// UnmarshalJSON never fails on legal JSON.
func (c *client) UnmarshalJSON(b []byte) error {
	var in map[string]json.RawMessage
	if json.Unmarshal(b, &in) == nil {
		c.phones = in["phones"]
	}
	return nil
}

// ReadListed reads of a record what Listed needs. It fails only on what is no object.
func ReadListed(raw json.RawMessage, kind event.Kind, v View) (Listed, error) {
	var in rawRecord
	if len(raw) == 0 || raw[0] != '{' {
		return Listed{}, ErrUnreadable
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Listed{}, err
	}
	r := Listed{
		Raw: raw, Kind: kind, ID: numberText(string(in.CallID)), Site: numberText(string(in.SiteID)), Time: in.time(v),
		phase: string(in.Phase), phone: string(in.Caller),
	}
	if kind == event.Request {
		r.ID, r.phone = numberText(string(in.RequestID)), string(in.Client.phones)
	}
	if r.End = r.Time; kind == event.CallEnded && !r.Time.IsZero() {
		r.End = r.Time.Add(in.Waiting.seconds() + in.Duration.seconds())
	}
	return r, nil
}

// UnreadListed is a record that cannot be read, so that it can be set aside; id is what was found of one.
func UnreadListed(raw json.RawMessage, kind event.Kind, id string) Listed {
	return Listed{Raw: raw, Kind: kind, ID: id, phase: phaseEnded, phone: string(raw), Unreadable: true}
}

// time is the moment of the record, as the vocabulary has it.
func (in rawRecord) time(v View) time.Time {
	return moment(in.Timestamp.number(), in.Date.number(), v.Zone(), string(in.Date), string(in.DateText))
}

// number is the value as a number; nil when it is none.
func (l loose) number() any {
	n, _ := number(string(l))
	return n
}

func (l loose) seconds() time.Duration {
	n, _ := integral(l.number())
	return span(n)
}

// loose is a value whose type changes from answer to answer: a text, a number or a boolean, as
// text. null, lists and objects are "".
type loose string

// UnmarshalJSON never fails on legal JSON.
func (l *loose) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(l))
	case 'n', '[', '{':
		*l = ""
	default: // digits as they stand: a float64 would lose the last of 19
		*l = loose(b)
	}
	return nil
}
