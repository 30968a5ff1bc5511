package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// The views are what a person or a script sees of events: `--json` of the commands, the pages of the console and
// its API show the same ones. They are promises: they grow, they do not change. Each is made by a method of
// Mask, so that nothing reaches anybody past it.

// RowView is one event of a list.
type RowView struct {
	Key      string                   `json:"key"`
	Site     string                   `json:"site"`
	Kind     string                   `json:"kind"`
	ID       string                   `json:"id"`
	Origin   event.Origin             `json:"origin,omitempty"`
	Time     *time.Time               `json:"time,omitempty"` // of the call or request
	Received *time.Time               `json:"received,omitempty"`
	Outcomes map[string]event.Outcome `json:"outcomes,omitempty"` // by link
}

// Row is an event of a list as it may be shown.
func (m Mask) Row(r Row) RowView {
	e := r.Event
	row := RowView{Key: e.Key.String(), Site: e.Key.Site, Kind: e.Key.Kind.Dotted(), ID: m.ID(e.Key), Origin: e.Origin, Outcomes: r.Outcomes}
	if !e.Received.IsZero() {
		row.Time, row.Received = &e.Time, &e.Received
	}
	return row
}

// EventView is an event with its timeline.
type EventView struct {
	RowView
	Stored   *time.Time     `json:"stored,omitempty"`
	Sequence uint64         `json:"sequence,omitempty"`
	Fields   map[string]any `json:"fields,omitempty"`  // masked, unless revealed
	Problem  string         `json:"problem,omitempty"` // why there are no fields
	Doubts   []Doubt        `json:"doubts,omitempty"`  // what came and could not be read for certain
	Erased   bool           `json:"erased,omitempty"`  // the person was erased
	Damaged  bool           `json:"damaged,omitempty"` // only a part of it can be read
	Links    []LinkView     `json:"links"`
	Notes    []RecordView   `json:"notes,omitempty"`
	Event    *event.Event   `json:"event,omitempty"` // with its raw body; when revealed only
}

// LinkView is what a link made of an event.
type LinkView struct {
	Link       string          `json:"link"`
	Outcome    event.Outcome   `json:"outcome"`
	Until      *time.Time      `json:"until,omitempty"` // it waits, not before this
	Records    []RecordView    `json:"records"`
	DeadLetter *DeadLetterView `json:"deadletter,omitempty"`
}

// EventView is a timeline as it may be shown.
func (a Admin) EventView(t Timeline, m Mask) EventView {
	view := EventView{RowView: m.Row(Row{Event: event.Event{Key: t.Key}}), Notes: m.Records(t.Notes), Erased: t.Erased, Links: []LinkView{}}
	if t.Event != nil {
		view.RowView = m.Row(Row{Event: *t.Event})
		view.Damaged = t.Event.Damaged
		view.Stored, view.Sequence = &t.Event.Stored, t.Event.Sequence
		view.Fields, view.Problem = a.FieldsView(*t.Event, m)
		view.Doubts = a.doubts(*t.Event)
		if m.Reveal {
			view.Event = t.Event
		}
	}
	for _, l := range t.Links {
		view.Links = append(view.Links, m.link(l))
	}
	return view
}

func (m Mask) link(l LinkTimeline) LinkView {
	view := LinkView{Link: l.Link, Outcome: l.Outcome, Records: m.Records(l.Records)}
	if l.Retry != nil && !l.Retry.Until.IsZero() {
		view.Until = &l.Retry.Until
	}
	if l.DeadLetter != nil {
		dead := m.DeadLetter(*l.DeadLetter)
		view.DeadLetter = &dead
	}
	return view
}

// FieldsView are an event's fields as they may be shown, or why they cannot be read. A field that is empty is
// not there.
func (a Admin) FieldsView(e event.Event, m Mask) (fields map[string]any, problem string) {
	fields, err := a.fields(e)
	if err != nil {
		return nil, m.Text(err.Error())
	}
	for name, value := range fields {
		attrs, isAttrs := value.(map[string]string)
		if value == nil || isAttrs && len(attrs) == 0 {
			delete(fields, name)
			continue
		}
		fields[name] = m.Field(name, value)
	}
	return fields, ""
}

// Doubt is what of an event came and could not be read for certain.
type Doubt string

// All doubts.
const (
	DoubtAttrs   Doubt = "attrs_unread"
	DoubtDevice  Doubt = "device_malformed"
	DoubtCharset Doubt = "charset_guessed"
)

// Text says it to a person, in English; pkg/lang has its twin.
func (d Doubt) Text() string {
	switch d {
	case DoubtAttrs:
		return "attributes came and could not be read: links take the event as one without"
	case DoubtDevice:
		return "the attribute with Mindbox's device id holds no UUID: links take the event as one without"
	}
	return "texts were no UTF-8 and named no charset: they were taken for windows-1251"
}

func (a Admin) doubts(e event.Event) []Doubt {
	_, doubts, err := calltouch.Read(e, a.File.View(e.Key.Site))
	if err != nil {
		return nil
	}
	var words []Doubt
	for word, is := range map[Doubt]bool{DoubtAttrs: doubts.Attrs, DoubtDevice: doubts.Device, DoubtCharset: doubts.Charset} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

// RecordView is a record of the history.
type RecordView queue.Record

// MarshalJSON writes the fields in the order in which they have always stood.
func (r RecordView) MarshalJSON() ([]byte, error) {
	return inOrder(queue.Record(r), "time link outcome note by reason attempts first until parked probe status answer duration_ms "+
		"transaction_id version revision as replayed pin detail source sequence")
}

// Records are records of the history as they may be shown.
func (m Mask) Records(list []queue.Record) []RecordView {
	shown := make([]RecordView, len(list))
	for i, r := range list {
		r.Answer = m.Text(r.Answer)
		r.Detail = m.Detail(r.Detail)
		shown[i] = RecordView(r)
	}
	return shown
}

// DeadLetterView is a dead letter.
type DeadLetterView struct {
	Link string `json:"link"`
	Key  string `json:"key"`
	Site string `json:"site"`
	Kind string `json:"kind"`
	ID   string `json:"id"`
	event.Trail
	Reason   string    `json:"reason"`   // of the trail, said in any case
	Attempts int       `json:"attempts"` // likewise
	Died     time.Time `json:"died"`
	Damaged  bool      `json:"damaged,omitempty"`

	Fields  map[string]any `json:"fields,omitempty"`  // of one alone: masked, unless revealed
	Problem string         `json:"problem,omitempty"` // of one alone: why there are no fields
	Event   *event.Event   `json:"event,omitempty"`   // of one alone, when revealed
}

// MarshalJSON writes the fields in the order in which they have always stood.
func (d DeadLetterView) MarshalJSON() ([]byte, error) {
	type plain DeadLetterView
	return inOrder(plain(d), "link key site kind id reason status answer attempts first died pin revision as replayed damaged version "+
		"fields problem event")
}

// DeadLetter is a dead letter of a list as it may be shown.
func (m Mask) DeadLetter(d queue.DeadLetter) DeadLetterView {
	key := d.Event.Key
	d.Answer = m.Text(d.Answer)
	return DeadLetterView{
		Link: d.Link, Key: key.String(), Site: key.Site, Kind: key.Kind.Dotted(), ID: m.ID(key), Trail: d.Trail,
		Reason: d.Reason, Attempts: d.Attempts, Died: d.Died, Damaged: d.Damaged,
	}
}

// DeadLetterView is one dead letter, with the event's fields, as it may be shown.
func (a Admin) DeadLetterView(d queue.DeadLetter, m Mask) DeadLetterView {
	view := m.DeadLetter(d)
	view.Fields, view.Problem = a.FieldsView(d.Event, m)
	if m.Reveal {
		view.Event = &d.Event
	}
	return view
}

// RetryView is an event that waits.
type RetryView struct {
	Link  string    `json:"link"`
	Key   string    `json:"key"`
	Until time.Time `json:"until,omitzero"`
	Due   bool      `json:"due"`
	event.Trail
	Attempts int    `json:"attempts"` // of the trail, said in any case
	Replayed bool   `json:"replayed"` // likewise
	Error    string `json:"error,omitempty"`
}

// MarshalJSON writes the fields in the order in which they have always stood.
func (r RetryView) MarshalJSON() ([]byte, error) {
	type plain RetryView
	return inOrder(plain(r), "link key until due attempts first reason status error pin revision as replayed")
}

// Retry is what waits, as it may be shown.
func (m Mask) Retry(r queue.Retry) RetryView {
	shown := RetryView{
		Link: r.Link, Key: r.Event.Key.String(), Until: r.Until, Due: r.Due, Trail: r.Trail,
		Attempts: r.Attempts, Replayed: r.Replayed, Error: m.Text(r.LastError()),
	}
	shown.Answer, shown.Version = "", "" // the error says it; the version that decides is the next one
	return shown
}

// AsideView is what was set aside.
type AsideView struct {
	Number      uint64         `json:"number"`
	Site        string         `json:"site,omitempty"`
	Reason      string         `json:"reason"`
	Origin      event.Origin   `json:"origin"`
	Received    time.Time      `json:"received"`
	ContentType string         `json:"content_type,omitempty"`
	Bytes       int            `json:"bytes"`             // of the body as it came; of a long one only the beginning is kept
	Fields      map[string]any `json:"fields,omitempty"`  // of one alone: masked, unless revealed
	Problem     string         `json:"problem,omitempty"` // of one alone: why there are no fields
	Query       string         `json:"query,omitempty"`   // of one alone, when revealed
	Body        []byte         `json:"body_base64,omitempty"`
}

// Aside is what was set aside, as a list shows it.
func (m Mask) Aside(s queue.Aside) AsideView {
	return AsideView{
		Number: s.Sequence, Site: s.Site, Reason: s.Reason, Origin: s.Origin, Received: s.Received, ContentType: m.Text(s.ContentType), Bytes: max(len(s.Body), s.Size),
	}
}

// AsideView is one thing that was set aside, with the fields that it has, as it may be shown.
func (a Admin) AsideView(s queue.Aside, m Mask) AsideView {
	view := m.Aside(s)
	view.Fields, view.Problem = a.FieldsView(rawEvent(s, s.Site), m)
	if m.Reveal {
		view.Query, view.Body = s.Query, s.Body
	}
	return view
}

// inOrder writes an object with its keys in this order, and those that it does not name behind them. What
// travels with an event is one type, event.Trail, and stands together where it is embedded; the views
// say it in an order of their own, which people read and scripts may compare.
func inOrder(v any, keys string) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // whoever asks escapes or does not
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(b.Bytes(), &fields); err != nil {
		return nil, err
	}
	b.Reset()
	write := func(key string) {
		value, ok := fields[key]
		if !ok {
			return
		}
		delete(fields, key)
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + key + `":`)
		b.Write(value)
	}
	for key := range strings.FieldsSeq(keys) {
		write(key)
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		write(key)
	}
	return append(append([]byte{'{'}, b.Bytes()...), '}'), nil
}

// Caller is the number from which an event came, as it may be shown; "" where it has none.
func (a Admin) Caller(e event.Event, m Mask) string {
	fields, err := a.fields(e)
	if err != nil || fields["callerphone"] == nil {
		return ""
	}
	return fmt.Sprint(m.Field("callerphone", fields["callerphone"]))
}
