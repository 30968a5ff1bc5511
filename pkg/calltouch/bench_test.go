package calltouch_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// typical is an ended call with everything ticked.
var typical = call{
	id: 148071, session: 22440011, visitor: 2600000000001234567, phone: "79000000001", city: "saint petersburg",
	source: "google", start: time.Unix(1698092972, 0), duration: 12, waiting: 1, successful: true, utm: "осень",
	device: "0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab", pool: "dynamic",
}

func BenchmarkParse(b *testing.B) {
	bodies := map[string]event.Event{
		"form":    hookEvent(event.CallEnded, typical.form()),
		"JSON":    hookEvent(event.CallEnded, string(toJSON(b, typical.hook()))),
		"journal": {Key: event.Key{Kind: event.CallEnded}, Origin: event.Journal, Body: toJSON(b, typical.journal())},
	}
	for name, e := range bodies {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustParse(b, e)
			}
		})
	}
	b.Run("form/a link's fields", func(b *testing.B) {
		e, some := bodies["form"], view.Reading([]string{"deviceUUID", "callerphone", "id", "utm_source", "utm_medium", "utm_campaign", "time"})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := calltouch.Parse(e, some); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	e := hookEvent("", typical.form())
	b.Run("Identify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, note := calltouch.Identify(e, view); note.Aside != "" {
				b.Fatal(note)
			}
		}
	})
	b.Run("url.ParseQuery", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := url.ParseQuery(string(e.Body)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
