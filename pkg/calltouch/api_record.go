package calltouch

import (
	"encoding/json"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

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

	phase string
	phone string
}

// inProgress reports whether the call was still going on when the answer was made: the journal
// lists such calls, too.
func (r Listed) inProgress() bool { return r.Kind == event.CallEnded && r.phase != phaseEnded }

// younger reports whether r was over less than age before now. A record that lies in the future
// is younger than any age; one whose time is unknown is old.
func (r Listed) younger(age time.Duration, now time.Time) bool {
	return !r.End.IsZero() && now.Sub(r.End) < age
}

// seed makes the hashes of this process.
var seed = maphash.MakeSeed()

// hash is equal for the same record in two answers, and another for another call under its id.
func (r Listed) hash() uint64 {
	return maphash.Comparable(seed, [5]string{r.Site, string(r.Kind), r.ID, r.phone, strconv.FormatInt(r.Time.Unix(), 10)})
}

// rawRecord holds the values of either method that Listed needs. Both call the site siteId and
// the moment date: a local text in the journal, milliseconds in the requests.
type rawRecord struct {
	CallID    loose `json:"callId"`
	RequestID loose `json:"requestId"`
	SiteID    loose `json:"siteId"`
	Phase     loose `json:"callphase"`
	Caller    loose `json:"callerNumber"`
	Timestamp loose `json:"timestamp"`
	Date      loose `json:"date"`
	DateText  loose `json:"dateStr"`
	Waiting   loose `json:"waitingConnect"`
	Duration  loose `json:"duration"`
	Client    struct {
		Phones json.RawMessage `json:"phones"`
	} `json:"client"`
}

// readListed reads what Listed needs. It fails only on what is no object.
func readListed(raw json.RawMessage, kind event.Kind, v View) (Listed, error) {
	var in rawRecord
	if len(raw) == 0 || raw[0] != '{' {
		return Listed{}, errNoList
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Listed{}, err
	}
	r := Listed{
		Raw: raw, Kind: kind, ID: numberText(string(in.CallID)), Site: numberText(string(in.SiteID)), Time: in.time(v),
		phase: string(in.Phase), phone: string(in.Caller),
	}
	if kind == event.Request {
		r.ID, r.phone = numberText(string(in.RequestID)), string(in.Client.Phones)
	}
	if r.End = r.Time; kind == event.CallEnded && !r.Time.IsZero() {
		r.End = r.Time.Add(in.Waiting.seconds() + in.Duration.seconds())
	}
	return r, nil
}

// time is the moment of the record, as the vocabulary has it.
func (in rawRecord) time(v View) time.Time {
	return moment(in.Timestamp.number(), in.Date.number(), v.zone(), string(in.Date), string(in.DateText))
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
