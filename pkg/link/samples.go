package link

import (
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// View says how to read the events of the site into the vocabulary.
func (s *Site) View() calltouch.View {
	return calltouch.View{Location: s.Location, Attrs: s.Attrs, Device: s.Device, TenDigits: s.TenDigits}
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
	known := merged(visit, calltouch.Fields{
		"deviceUUID": device, "attrs": map[string]string{s.Device: device},
	})
	missed := calltouch.Fields{"status": "unsuccessful", "duration": int64(0), "targetcall": "non-target", "uniqtargetcall": "non-uniqtarget"}
	started := merged(call, known, calltouch.Fields{"kind": "call.started", "callphase": "callconnected"})
	for _, name := range []string{"duration", "waiting_time", "status", "targetcall", "uniqtargetcall", "spam"} {
		delete(started, name)
	}
	return []sample{
		{"a started call of a visitor known to Mindbox", event.CallStarted, started},
		{"a call of a visitor known to Mindbox", event.CallEnded, merged(call, known)},
		{"a call of a visitor without Mindbox's device id", event.CallEnded, merged(call, visit)},
		{"a call to a static number", event.CallEnded, call},
		{"a missed call of a visitor known to Mindbox", event.CallEnded, merged(call, known, missed)},
		{"a missed call to a static number", event.CallEnded, merged(call, missed)},
		{"a call from the call-back widget", event.CallEnded, merged(call, calltouch.Fields{"callback": "callback", "pool": nil, "sessionId": "22440011"})},
		{"a form request of a visitor known to Mindbox", event.Request, merged(common, known, request())},
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

// Ticks lists the webhook's parameters that must be ticked in Calltouch for the site: what its
// links read, what keys and tells events apart.
func (f *File) Ticks(s *Site) []string {
	ticks := []string{"id", "callphase", "timestamp", "callerphone", "siteId", "requestId", "requestDate"}
	for _, l := range f.Links {
		if !slices.Contains(l.Sites, s.ID) {
			continue
		}
		for _, name := range l.Reads() {
			ticks = append(ticks, tickedFor(name)...)
		}
	}
	return sorted(ticks)
}

// tickedFor are the parameters from which a field is read.
func tickedFor(name string) []string {
	if len(name) > 5 && name[:6] == "attrs." {
		return []string{"attrs"}
	}
	switch name {
	case "deviceUUID":
		return []string{"attrs"}
	case "lastName", "firstName", "middleName":
		return []string{"fio"}
	case "tags":
		var tags []string
		for _, f := range calltouch.Vocabulary() {
			if !f.Derived && len(f.Name) > 5 && f.Name[:5] == "tags_" {
				tags = append(tags, f.Name)
			}
		}
		return tags
	}
	if f, ok := calltouch.Lookup(name); ok && !f.Derived && f.Origins.Has(calltouch.FromHook) {
		return []string{name}
	}
	return nil
}

// Reads lists the fields of an event that the link reads anywhere: "duration", "attrs.promo".
func (l *Link) Reads() []string {
	var reads []string
	for _, c := range l.variants {
		for _, e := range c.when {
			reads = append(reads, e.reads...)
		}
		c.body.walk(func(n *bodyNode) {
			if n.template != nil {
				reads = append(reads, n.template.reads()...)
			}
		})
		for _, n := range slices.Concat(c.headers, c.query) {
			reads = append(reads, n.template.reads()...)
		}
		if c.device != nil {
			reads = append(reads, c.device.reads()...)
		}
	}
	return sorted(reads)
}
