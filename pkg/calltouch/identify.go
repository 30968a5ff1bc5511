package calltouch

import (
	"bytes"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// Note is what Identify has to say beside the event.
type Note struct {
	Aside        Reason // why it is no event; "" when it is one
	UnknownPhase bool   // a call without callphase or with an unknown one, taken for an ended call
	Attribution  string // the hook's own model, "0" last or "1" last non-direct; "" when it does not say
	Zone         string // the offset from UTC that its local time has, as UTC+3, where the view's zone is another; "" when they agree
}

// Identify completes an event of which Key.Site, ContentType, Query and Body are those of a
// webhook: with its key, kind, time and fingerprint, or with the reason why it is none.
//
// It reads of the body only what it needs: ingest answers every hook and parses none.
//
//   - requestId without id, or leadtype request: a request.
//   - callphase callconnected: a started call.
//   - Every other hook with an id and one of callerphone, phonenumber, calltime, timestamp,
//     duration (or the callphase calldisconnected): an ended call.
//   - The rest is set aside, as is a hook whose leadtype is of another sort and that has no
//     callphase: deals and chats have ids and phones too.
func Identify(e event.Event, v View) (event.Event, Note) {
	var s facts
	if err := s.read(e); err != nil {
		return e, Note{Aside: AsideUnreadable}
	}
	if reason := s.refusal(e.Key.Site); reason != "" {
		if reason == AsideEmpty && isBinary(e.Body) {
			reason = AsideUnreadable
		}
		return e, Note{Aside: reason}
	}
	kind, id, reason := s.kind()
	if reason != "" {
		return e, Note{Aside: reason}
	}
	key, err := event.NewKey(e.Key.Site, kind, id)
	if err != nil {
		return e, Note{Aside: AsideBadID}
	}
	e.Key = key
	seconds, _ := number(s.timestamp)
	e.Time = moment(seconds, nil, v.Zone(), s.calltime, s.requestDate)
	e.Fingerprint = event.Fingerprint{
		Phone: phone.Normalize(s.callerphone, phone.Options{TenDigits: v.TenDigits}),
		Time:  e.Time,
	}
	whole, _ := integral(seconds)
	return e, Note{
		UnknownPhase: kind == event.CallEnded && !same(s.callphase, phaseEnded), Attribution: s.attribution,
		Zone: wrongZone(whole, s.calltime, v.Zone()),
	}
}

// isBinary reports whether a body is no text: of a compression that is not known here, or no hook at all.
func isBinary(body []byte) bool {
	return bytes.ContainsFunc(body, func(r rune) bool { return r < ' ' && r != '\t' && r != '\r' && r != '\n' })
}

// facts are the few parameters that say what a hook is. "" means nothing.
type facts struct {
	id, requestID, siteID         string
	leadtype, callphase           string
	callerphone, phonenumber      string
	calltime, timestamp           string
	duration, requestDate         string
	attribution                   string
	some, placeholder, ping, deal bool // a value; an unfilled one; an unfilled phone; a deal's or chat's parameter
}

// refusal says why a readable hook is no event of this site, before its kind is asked.
func (s *facts) refusal(site string) Reason {
	switch {
	case s.ping, s.placeholder && s.id == "" && s.requestID == "":
		return AsidePing
	case !s.some:
		return AsideEmpty
	case s.siteID != "" && s.siteID != site:
		return AsideOtherSite
	case s.leadtype != "" && s.callphase == "" && !same(s.leadtype, leadCall) && !same(s.leadtype, leadRequest):
		return AsideOtherLead
	}
	return ""
}

// kind tells the kinds apart, or says why it is none.
func (s *facts) kind() (event.Kind, string, Reason) {
	isRequest := s.requestID != "" && s.id == "" || same(s.leadtype, leadRequest)
	switch {
	case isRequest && s.requestID != "":
		return event.Request, s.requestID, ""
	case isRequest:
		return "", "", AsideNoID
	case s.id == "" && s.deal:
		return "", "", AsideOtherLead
	case s.id == "":
		return "", "", AsideNoID
	case same(s.callphase, phaseStarted):
		return event.CallStarted, s.id, ""
	case s.isCall():
		return event.CallEnded, s.id, ""
	case s.placeholder:
		return "", "", AsidePing
	}
	return "", "", AsideOtherLead
}

func (s *facts) isCall() bool {
	return s.callerphone != "" || s.phonenumber != "" || s.calltime != "" || s.timestamp != "" ||
		s.duration != "" || same(s.callphase, phaseEnded)
}

// read gathers the facts: from the parameters of the URL, then from those of the body, which win.
func (s *facts) read(e event.Event) error {
	body, err := unwrap(e)
	if err != nil {
		return err
	}
	charset := spelling.Charset(e.ContentType)
	s.readForm(e.Query, charset)
	s.readForm(body.form, charset)
	for name, value := range body.object {
		s.set(name, asText(value))
	}
	return nil
}

// readForm decodes what it keeps as Read does: an id that both read, both read alike.
func (s *facts) readForm(encoded, charset string) {
	for name, value := range parameters(encoded) {
		if s.field(name) != nil {
			text, _ := spelling.Decode(unescape(value), charset)
			s.set(name, text)
			continue
		}
		s.note(name, value)
	}
}

// set keeps the value of a parameter that counts and notes the others.
func (s *facts) set(name, value string) {
	p := s.field(name)
	if p == nil {
		s.note(name, value)
		return
	}
	if p == &s.callerphone {
		s.ping = isPlaceholder(value)
	}
	s.note(name, value)
	if *p = ""; !isNothing(value) {
		*p = strings.TrimSpace(printable(value))
	}
}

// note learns from a parameter without keeping it; its value may still be encoded.
func (s *facts) note(name, value string) {
	switch {
	case value == "" || value == "null" || value == "undefined" || value == "%7B%7D":
		return
	case value[0] == '{', strings.HasPrefix(value, "%7B"), strings.HasPrefix(value, "%7b"):
		value = unescape(value)
		s.placeholder = s.placeholder || isPlaceholder(value)
		s.some = s.some || !isNothing(value)
	default:
		s.some = true
	}
	if strings.HasPrefix(name, "deal") || strings.HasPrefix(name, "chat") {
		s.deal = true
	}
}

// field returns where the value of a parameter belongs; nil for those that do not matter here.
func (s *facts) field(name string) *string {
	switch name {
	case "id":
		return &s.id
	case "requestId":
		return &s.requestID
	case "siteId":
		return &s.siteID
	case "leadtype":
		return &s.leadtype
	case "callphase":
		return &s.callphase
	case "callerphone":
		return &s.callerphone
	case "phonenumber":
		return &s.phonenumber
	case "calltime":
		return &s.calltime
	case "timestamp":
		return &s.timestamp
	case "duration":
		return &s.duration
	case "requestDate":
		return &s.requestDate
	case "attribution":
		return &s.attribution
	}
	return nil
}
