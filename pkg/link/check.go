package link

import (
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Check warns of what a loaded file says without being wrong: links that would send one event
// twice to one operation, and usual sorts of events that no link of a site takes.
func (f *File) Check(l lang.Language) Problems {
	r := &strictyaml.Reader{Name: f.Path, Language: l}
	twice := map[[2]*Link]bool{}
	for i, a := range f.Links {
		for _, b := range f.Links[i+1:] {
			if overlap(a, b) && a.sameConditions(b) {
				warnTwice(r, a, b, "", twice)
			}
		}
	}
	for _, s := range f.Sites {
		for _, one := range samples(s) {
			f.checkSample(r, s, one, twice)
		}
	}
	return r.Problems()
}

func (f *File) checkSample(r *strictyaml.Reader, s *Site, one sample, twice map[[2]*Link]bool) {
	var asked, taking []*Link
	for _, l := range f.Links {
		if !slices.Contains(l.Sites, s.ID) || !slices.Contains(l.Kinds, one.kind) {
			continue
		}
		asked = append(asked, l)
		if v, err := l.Filter(one.fields); err == nil && v.Pass {
			taking = append(taking, l)
		}
	}
	if len(asked) > 0 && len(taking) == 0 {
		r.Warn(asked[0].pos, "no link of %s takes %s", s.Name, r.Language.Text(one.about)).
			Hint("if that is meant, nothing is wrong")
	}
	for i, a := range taking {
		for _, b := range taking[i+1:] {
			if overlap(a, b) {
				warnTwice(r, a, b, one.about, twice)
			}
		}
	}
}

// overlap reports whether two links could send one event to one operation.
func overlap(a, b *Link) bool {
	return a.To == b.To && a.Operation == b.Operation && !a.Shadow && !b.Shadow &&
		slices.ContainsFunc(a.Sites, func(s string) bool { return slices.Contains(b.Sites, s) }) &&
		slices.ContainsFunc(a.Kinds, func(k event.Kind) bool { return slices.Contains(b.Kinds, k) })
}

// sameConditions reports whether all conditions of one link are conditions of the other: then
// what the other passes, it passes too.
func (l *Link) sameConditions(other *Link) bool {
	a, b := l.variants[0].when, other.variants[0].when
	if len(a) > len(b) {
		a, b = b, a
	}
	return !slices.ContainsFunc(a, func(one *expression.Expression) bool {
		return !slices.ContainsFunc(b, func(other *expression.Expression) bool { return other.Source() == one.Source() })
	})
}

func warnTwice(r *strictyaml.Reader, a, b *Link, about string, said map[[2]*Link]bool) {
	if said[[2]*Link{a, b}] {
		return
	}
	said[[2]*Link{a, b}] = true
	if about == "" {
		r.Warn(b.pos, "the links %s and %s would send one event twice to %s", a.ID, b.ID, a.Operation)
		return
	}
	r.Warn(b.pos, "the links %s and %s would send one event twice to %s: %s", a.ID, b.ID, a.Operation, r.Language.Text(about))
}

// sample is an invented event of a usual sort, for what can be known before the first event.
type sample struct {
	about  string // for people, in English
	kind   event.Kind
	fields calltouch.Fields
}

// samples are the usual sorts of events at a site.
func samples(s *Site) []sample {
	const device = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	common := calltouch.Fields{
		"siteId": s.ID, "callerphone": "79000000001", "attrs": map[string]string{},
		"time": time.Date(2026, 11, 2, 12, 0, 0, 0, s.Location),
	}
	call := merged(common, calltouch.Fields{
		"kind": "call.ended", "leadtype": "call", "callphase": "calldisconnected", "id": "148071", "origin": "webhook",
		"phonenumber": "78120000005", "duration": int64(42), "waiting_time": int64(5), "status": "successful",
		"unique": true, "targetcall": "target", "uniqtargetcall": "uniqtarget", "callback": "non-callback",
		"worktime": "worktime", "pool": "staticOffline", "spam": false,
	})
	visit := calltouch.Fields{
		"sessionId": "22440011", "pool": "dynamic", "source": "yandex", "medium": "cpc", "utm_source": "yandex",
		"utm_medium": "cpc", "utm_campaign": "brand", "hostname": "clinic.example", "city": "Москва",
	}
	visitor := merged(visit, calltouch.Fields{
		"deviceUUID": device, "attrs": map[string]string{s.Device: device},
	})
	missed := calltouch.Fields{"status": "unsuccessful", "duration": int64(0), "targetcall": "non-target", "uniqtargetcall": "non-uniqtarget"}
	started := merged(call, visitor, calltouch.Fields{"kind": "call.started", "callphase": "callconnected"})
	for _, name := range []string{"duration", "waiting_time", "status", "targetcall", "uniqtargetcall", "spam"} {
		delete(started, name)
	}
	return []sample{
		{"a started call of a visitor known to Mindbox", event.CallStarted, started},
		{"a call of a visitor known to Mindbox", event.CallEnded, merged(call, visitor)},
		{"a call of a visitor without Mindbox's device id", event.CallEnded, merged(call, visit)},
		{"a call to a static number", event.CallEnded, call},
		{"a missed call of a visitor known to Mindbox", event.CallEnded, merged(call, visitor, missed)},
		{"a missed call to a static number", event.CallEnded, merged(call, missed)},
		{"a call from the call-back widget", event.CallEnded, merged(call, calltouch.Fields{"callback": "callback", "pool": nil, "sessionId": "22440011"})},
		{"a form request of a visitor known to Mindbox", event.Request, merged(common, visitor, request())},
		{"a form request without a visit", event.Request, merged(common, request())},
	}
}

func request() calltouch.Fields {
	return calltouch.Fields{
		"kind": "request", "leadtype": "request", "requestId": "230451", "requestNumber": "230451", "origin": "poll",
		"subject": "Запись на приём", "fio": "Тестов Тест", "lastName": "Тестов", "firstName": "Тест",
		"email": "test@clinic.example", "comment": "Перезвоните", "uniquerequest": "true",
		"targetrequest": "target", "uniqtargetrequest": "uniqtarget",
	}
}

func merged(all ...calltouch.Fields) calltouch.Fields {
	out := calltouch.Fields{}
	for _, fields := range all {
		for name, v := range fields {
			out[name] = v
		}
	}
	return out
}
