package calltouch

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
)

// ErrUnreadable reports a body that is no hook and no record at all.
var ErrUnreadable = errors.New("body is unreadable")

// usualFields is about how many an ended call has, and derivedMost how many are derived.
const (
	usualFields = 64
	derivedMost = 8
)

// Doubts are what was not read for certain in an event, of that which the view reads. Each is a fact about how Calltouch, or what stands between, writes: a person
// should hear of it, because a condition on what is missing holds without a word.
type Doubts struct {
	Charset bool // a text was no UTF-8 and no charset was named: taken for windows-1251, or bytes were lost
	Attrs   bool // attributes came and could not be read
	Device  bool // the attribute with Mindbox's device id holds no UUID
}

// Parse reads a stored event of any origin into the vocabulary. The only error is ErrUnreadable.
func Parse(e event.Event, v View) (Fields, error) {
	fields, _, err := Read(e, v)
	return fields, err
}

// Read is Parse with what was doubtful.
func Read(e event.Event, v View) (Fields, Doubts, error) {
	size := usualFields
	if v.only != nil && e.Origin == event.Webhook {
		size = len(v.only) + derivedMost
	}
	r := &reader{fields: make(Fields, size), view: v}
	var err error
	switch {
	case e.Origin == event.Poll, e.Origin == event.Backfill && e.Key.Kind == event.Request:
		err = r.readRequest(e.Body)
	case e.Origin == event.Journal, e.Origin == event.Backfill:
		err = r.readCall(e.Body)
	default:
		err = r.readHook(e)
	}
	if err != nil {
		return nil, Doubts{}, err
	}
	r.derive(e)
	return r.fields, r.doubts, nil
}

// Fingerprint recomputes what tells two calls under one id apart, from a stored event of any
// origin. It is zero when the body is unreadable: then it equals every other.
func Fingerprint(e event.Event, v View) event.Fingerprint {
	if e.Origin == event.Webhook {
		e, _ = Identify(e, v)
		return e.Fingerprint
	}
	f, err := Parse(e, v)
	if err != nil {
		return event.Fingerprint{}
	}
	return f.fingerprint(v)
}

// reader gathers the fields of one event.
type reader struct {
	fields Fields
	view   View
	doubts Doubts
	millis any      // creation of a request in Unix milliseconds
	tags   []string // of all sorts
}

// set takes the value of a field as text. A later value of the same field replaces an earlier
// one, also when it is nothing.
func (r *reader) set(f *Field, text string) {
	if f.Type == Attributes {
		r.setAttributes(f, text)
		return
	}
	if value := valueOf(f, text); value != nil {
		r.fields[f.Name] = value
	} else {
		delete(r.fields, f.Name)
	}
}

// setJSON takes the value of a field as JSON.
func (r *reader) setJSON(f *Field, value any) {
	if f.Type == Attributes {
		r.setAttributes(f, value)
		return
	}
	r.set(f, asText(value))
}

func (r *reader) setAttributes(f *Field, raw any) {
	r.fields[f.Name], r.doubts.Attrs = attributes(raw, r.view)
}

// derive computes what no body carries.
func (r *reader) derive(e event.Event) {
	f := r.fields
	f["kind"], f["origin"] = e.Key.Kind.Dotted(), string(e.Origin)
	if f["leadtype"] == nil {
		f["leadtype"] = leadType(e.Key.Kind)
	}
	if f["siteId"] == nil && e.Key.Site != "" {
		f["siteId"] = e.Key.Site
	}
	if t := moment(f["timestamp"], r.millis, r.view.Zone(), f.text("calltime"), f.text("requestDate")); !t.IsZero() {
		f["time"] = t
	}
	r.deriveAttributes()
	r.deriveTags()
	if e.Key.Kind == event.Request {
		r.deriveNames()
	}
}

func leadType(k event.Kind) string {
	if k == event.Request {
		return leadRequest
	}
	return leadCall
}

func (r *reader) deriveAttributes() {
	attrs, ok := r.fields["attrs"].(map[string]string)
	if !ok {
		r.fields["attrs"] = map[string]string{}
		return
	}
	if r.view.Device == "" {
		return
	}
	device := attrs[r.view.Device]
	r.doubts.Device = isNoDevice(device)
	r.derived("deviceUUID", deviceUUID(device))
}

// deriveTags unites all tags; sorted, because hook and API list them in different orders.
func (r *reader) deriveTags() {
	for i := range tagFields {
		for name := range strings.SplitSeq(r.fields.text(tagFields[i].Name), ",") {
			r.addTag(name)
		}
	}
	if len(r.tags) > 0 {
		slices.Sort(r.tags)
		r.fields["tags"] = slices.Compact(r.tags)
	}
}

func (r *reader) addTag(name string) {
	if name = strings.TrimSpace(printable(name)); !isNothing(name) {
		r.tags = append(r.tags, name)
	}
}

func (r *reader) deriveNames() {
	n := splitName(r.fields.text("fio"))
	r.derived("lastName", n.last)
	r.derived("firstName", n.first)
	r.derived("middleName", n.middle)
}

func (r *reader) derived(name, value string) {
	if value != "" {
		r.fields[name] = value
	}
}

// text returns a field's text, "" when it has none.
func (f Fields) text(name string) string {
	s, _ := f[name].(string)
	return s
}

func (f Fields) fingerprint(v View) event.Fingerprint {
	start, _ := f["time"].(time.Time)
	return event.Fingerprint{
		Phone: phone.Normalize(f.text("callerphone"), phone.Options{TenDigits: v.TenDigits}),
		Time:  start,
	}
}

// names are the parts of a person's name; "" means unknown.
type names struct{ last, first, middle string }

// splitName takes a full name apart. Russian forms ask for Фамилия Имя Отчество, in this order;
// people write Имя Отчество Фамилия too, which the patronymic in the second place gives away. One
// word alone is what people give when a form asks for a name: the first name. Of more than three
// words the rest belongs to the patronymic (Алиев Расим Гасан оглы). What has digits or an "@" in
// it is no name.
func splitName(s string) names {
	if strings.ContainsFunc(s, unicode.IsDigit) || strings.Contains(s, "@") || !strings.ContainsFunc(s, unicode.IsLetter) {
		return names{}
	}
	w := strings.Fields(s)
	switch {
	case len(w) == 1:
		return names{first: w[0]}
	case len(w) == 2 && isPatronymic(w[1]):
		return names{first: w[0], middle: w[1]}
	case len(w) == 2:
		return names{last: w[0], first: w[1]}
	case len(w) == 3 && isPatronymic(w[1]) && !isPatronymic(w[2]):
		return names{first: w[0], middle: w[1], last: w[2]}
	}
	return names{last: w[0], first: w[1], middle: strings.Join(w[2:], " ")}
}

// isPatronymic knows Russian patronymics by their endings. Surnames in -ович exist (Абрамович),
// so it is only asked of words that do not come first.
func isPatronymic(word string) bool {
	word = strings.ToLower(word)
	for _, ending := range []string{"ович", "евич", "ьич", "овна", "евна", "ична", "инична"} {
		if strings.HasSuffix(word, ending) {
			return true
		}
	}
	return word == "ильич" || word == "кузьмич" || word == "фомич" || word == "лукич"
}
