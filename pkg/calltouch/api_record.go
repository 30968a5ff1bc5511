package calltouch

import (
	"cmp"
	"encoding/json"
	"hash/maphash"
	"strconv"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

// Record is one element of an answer of Calltouch's API, with the few of its values that decide
// whether it is stored. The vocabulary reads the rest from the stored event.
type Record struct {
	Raw  json.RawMessage // its own bytes: what is stored
	Kind event.Kind      // event.CallEnded or event.Request
	ID   string          // "" when it has none
	Site string          // "" when it does not say
	Time time.Time       // start of the call, creation of the request; zero when unknown
	End  time.Time       // of a call: start + waiting + duration; of a request Time

	phase       string
	phone       string
	attribution string // "1" last non-direct, "0" last, "" unknown
}

// inProgress reports whether the call was still going on when the answer was made: the journal
// lists such calls, too.
func (r Record) inProgress() bool { return r.Kind == event.CallEnded && r.phase != phaseEnded }

// younger reports whether r was over less than age before now. A record that lies in the future
// is younger than any age; one whose time is unknown is old.
func (r Record) younger(age time.Duration, now time.Time) bool {
	return !r.End.IsZero() && now.Sub(r.End) < age
}

// seed makes the hashes of this process.
var seed = maphash.MakeSeed()

// hash is equal for the same record in two answers, and another for another call under its id.
func (r Record) hash() uint64 {
	return maphash.Comparable(seed, [5]string{r.Site, string(r.Kind), r.ID, r.phone, strconv.FormatInt(r.Time.Unix(), 10)})
}

// event is the record as it is stored.
func (r Record) event(site string, origin event.Origin, now time.Time, v View) (event.Event, error) {
	key, err := event.NewKey(site, r.Kind, r.ID)
	if err != nil {
		return event.Event{}, err
	}
	e := event.Event{Key: key, Origin: origin, ContentType: "application/json", Body: r.Raw, Received: now, Time: r.Time}
	if e.Fingerprint = Fingerprint(e, v); !e.Fingerprint.Time.IsZero() {
		e.Time = e.Fingerprint.Time
	}
	return e, nil
}

// rawRecord holds the values of either method that Record needs. Both call the site siteId and
// the moment date: a local text in the journal, milliseconds in the requests.
type rawRecord struct {
	CallID      loose `json:"callId"`
	RequestID   loose `json:"requestId"`
	SiteID      loose `json:"siteId"`
	Phase       loose `json:"callphase"`
	Caller      loose `json:"callerNumber"`
	Timestamp   loose `json:"timestamp"`
	Date        loose `json:"date"`
	DateText    loose `json:"dateStr"`
	Waiting     loose `json:"waitingConnect"`
	Duration    loose `json:"duration"`
	Attribution loose `json:"attribution"`
	Client      struct {
		Phones json.RawMessage `json:"phones"`
	} `json:"client"`
	Session struct {
		Attribution loose `json:"attribution"`
	} `json:"session"`
}

// readRecord reads what Record needs. It fails only on what is no object.
func readRecord(raw json.RawMessage, kind event.Kind, l *time.Location) (Record, error) {
	var in rawRecord
	if len(raw) == 0 || raw[0] != '{' {
		return Record{}, errNoList
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Record{}, err
	}
	r := Record{
		Raw: raw, Kind: kind, ID: string(in.CallID), Site: string(in.SiteID), Time: in.time(l),
		phase: string(in.Phase), phone: string(in.Caller), attribution: string(cmp.Or(in.Attribution, in.Session.Attribution)),
	}
	if kind == event.Request {
		r.ID, r.phone = string(in.RequestID), string(in.Client.Phones)
	}
	if r.End = r.Time; kind == event.CallEnded && !r.Time.IsZero() {
		r.End = r.Time.Add(in.Waiting.seconds() + in.Duration.seconds())
	}
	return r, nil
}

// localText is how both methods write the cabinet's clock.
const localText = "02/01/2006 15:04:05"

// time is the moment of the record: Unix time where it is given, else the cabinet's clock.
func (in rawRecord) time(l *time.Location) time.Time {
	if n, err := strconv.ParseInt(string(in.Timestamp), 10, 64); err == nil && n > 0 {
		return time.Unix(n, 0).UTC()
	}
	if n, err := strconv.ParseInt(string(in.Date), 10, 64); err == nil && n > 0 {
		return time.UnixMilli(n).UTC().Truncate(time.Second)
	}
	for _, text := range []loose{in.Date, in.DateText} {
		if t, err := time.ParseInLocation(localText, string(text), l); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// seconds reads a number of seconds; a negative one, as was seen, and none are 0.
func (l loose) seconds() time.Duration {
	n, err := strconv.ParseFloat(string(l), 64)
	if err != nil || n < 0 || n > secondsPerDay {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}
