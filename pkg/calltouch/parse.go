package calltouch

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
)

// ErrUnreadable reports a body that is no hook and no record at all.
var ErrUnreadable = errors.New("body is unreadable")

// usualFields is about how many an ended call has.
const usualFields = 64

// Parse reads a stored event of any origin into the vocabulary. The only error is ErrUnreadable.
func Parse(e event.Event, v View) (Fields, error) {
	r := &reader{fields: make(Fields, usualFields), view: v}
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
		return nil, err
	}
	r.derive(e)
	return r.fields, nil
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
	millis any      // creation of a request in Unix milliseconds
	tags   []string // of all sorts
}

// set takes the value of a field as text. A later value of the same field replaces an earlier
// one, also when it is nothing.
func (r *reader) set(f *Field, text string) {
	if f.Type == Attributes {
		r.fields[f.Name] = attributes(text, r.view)
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
		r.fields[f.Name] = attributes(value, r.view)
		return
	}
	r.set(f, asText(value))
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
	if t := moment(f["timestamp"], r.millis, r.view.zone(), f.text("calltime"), f.text("requestDate")); !t.IsZero() {
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
	r.derived("deviceUUID", deviceUUID(attrs[r.view.Device]))
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
