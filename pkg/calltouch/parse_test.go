package calltouch_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestFormAndJSONOfOneHookAreEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := draw(t)
		form := mustParse(t, hookEvent(event.CallEnded, c.form()))
		body, _ := json.Marshal(c.hook())
		if diff := cmp.Diff(form, mustParse(t, hookEvent(event.CallEnded, string(body)))); diff != "" {
			t.Fatal(diff)
		}
		query := hookEvent(event.CallEnded, "")
		query.Query = c.form()
		if diff := cmp.Diff(form, mustParse(t, query)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// One call, one meaning: all that both sides have is equal, and what they have not in common is
// what the vocabulary says.
func TestHookAndJournalOfOneCallAreEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := draw(t)
		hook := mustParse(t, hookEvent(event.CallEnded, c.form()))
		body, _ := json.Marshal(c.journal())
		e, journal, err := record(event.CallEnded, event.Journal, body)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range journal {
			if f, ok := calltouch.Lookup(name); !ok || value != nil && !f.Origins.Has(calltouch.FromJournal) {
				t.Fatalf("the journal brought %s, which the vocabulary does not know of it", name)
			}
		}
		both := func(name string, _ any) bool {
			f, _ := calltouch.Lookup(name)
			return f.Differs || !f.Origins.Has(calltouch.FromHook|calltouch.FromJournal)
		}
		maps.DeleteFunc(hook, both)
		maps.DeleteFunc(journal, both)
		if diff := cmp.Diff(hook, journal); diff != "" {
			t.Fatal(diff)
		}
		he, note := calltouch.Identify(hookEvent(event.CallEnded, c.form()), view)
		if note.Aside != "" || he.Key != e.Key || !cmp.Equal(he.Fingerprint, e.Fingerprint) || !he.Time.Equal(e.Time) {
			t.Fatalf("hook %v %v %v, journal %v %v %v", he.Key, he.Fingerprint, note, e.Key, e.Fingerprint, e.Time)
		}
	})
}

func TestFingerprintOfStoredEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := draw(t)
		e, _ := calltouch.Identify(hookEvent("", c.form()), view)
		want := event.Fingerprint{Phone: c.phone, Time: c.start}
		e.Fingerprint = event.Fingerprint{}
		body, _ := json.Marshal(c.journal())
		back := event.Event{Key: e.Key, Origin: event.Backfill, Body: body}
		if got := calltouch.Fingerprint(e, view); !cmp.Equal(got, want) {
			t.Fatalf("hook: %v, want %v", got, want)
		}
		if got := calltouch.Fingerprint(back, view); !cmp.Equal(got, want) {
			t.Fatalf("journal: %v, want %v", got, want)
		}
	})
	broken := event.Event{Origin: event.Poll, Body: []byte("{")}
	if got := calltouch.Fingerprint(broken, view); got != (event.Fingerprint{}) {
		t.Errorf("of a broken body: %v", got)
	}
}

func TestNothing(t *testing.T) {
	for _, value := range []string{
		"", " ", "null", "undefined", "{}", "[]", "{callerphone}", "<не указано>", "<не заполнено>", "(not set)", "(not provided)", " null ", "\x00",
	} {
		body := toJSON(t, map[string]string{
			"utm_source": value, "medium": value, "duration": value, "unique": value, "attrs": value, "calltime": value, "ip": value,
			"pool": value, "tags_manual": value, "fio": value, "timestamp": value,
		})
		want := calltouch.Fields{"kind": "request", "origin": "webhook", "leadtype": "request", "siteId": "10001", "attrs": map[string]string{}}
		if diff := cmp.Diff(want, mustParse(t, hookEvent(event.Request, string(body)))); diff != "" {
			t.Errorf("%q: %s", value, diff)
		}
	}
}

func TestHookValues(t *testing.T) {
	tests := []struct {
		name, field, body string
		want              any
	}{
		{"number", "duration", "duration=12", int64(12)},
		{"negative number", "duration", "duration=-30", int64(-30)},
		{"integral number with a point", "duration", "duration=12.0", int64(12)},
		{"number with a fraction", "rating", "rating=4.5", 4.5},
		{"no number stays what it was", "duration", "duration=soon", "soon"},
		{"infinite number stays text", "duration", "duration=1e999", "1e999"},
		{"infinity stays text", "duration", "duration=Inf", "Inf"},
		{"no number is not a hexadecimal one", "duration", "duration=0x10", "0x10"},
		{"boolean", "unique", "unique=false", false},
		{"boolean in capitals", "unique", "unique=True", true},
		{"no boolean stays text", "unique", "unique=maybe", "maybe"},
		{"id of 19 digits", "ctClientId", "ctClientId=2500000000006214273", "2500000000006214273"},
		{"id of 19 digits in JSON", "ctClientId", `{"ctClientId":2500000000006214273}`, "2500000000006214273"},
		{"id in JSON with an exponent", "id", `{"id":1.48071e5}`, "148071"},
		{"leading zeros", "id", "id=007", "007"},
		{"word as a boolean", "targetcall", `{"targetcall":true}`, "target"},
		{"word as false", "status", "status=False", "unsuccessful"},
		{"word in capitals", "status", "status=SUCCESSFUL", "successful"},
		{"pool in capitals", "pool", "pool=STATIC_OFFLINE", "staticOffline"},
		{"unknown word stays", "pool", "pool=new", "new"},
		{"attribution is no boolean", "attribution", `{"attribution":0}`, "0"},
		{"direct is a source", "source", "source=%28direct%29", "(direct)"},
		{"no medium", "medium", "medium=%28none%29", nil},
		{"none is a word elsewhere", "source", "source=%28none%29", "(none)"},
		{"address with a network", "ip", "ip=192.0.2.1%2F32", "192.0.2.1"},
		{"broken escape stays", "city", "city=100%25+%zz%2", "100% %zz%2"},
		{"control characters go", "city", "city=a%00b%1F%EF%BB%BFc%0Ad", "abc\nd"},
		{"broken UTF-8 is taken out", "city", "city=a%FFb", "ab"},
		{"encoded name", "utm_source", "utm%5Fsource=a", "a"},
		{"the later one of a repeated name", "city", "city=a&city=b", "b"},
		{"a raw line break in JSON", "city", "{\"city\":\"a\nb\x00\"}", "a\nb"},
		{"byte order mark before JSON", "city", "\ufeff {\"city\":\"a\"}", "a"},
		{"list of tags in JSON", "tags", `{"tags_manual":["b","a"]}`, []string{"a", "b"}},
		{"tags are united", "tags", "tags_manual=b,+a&tags_api=b&tags_auto_ct=null", []string{"a", "b"}},
		{"no tags", "tags", "tags_manual=null", nil},
		{"derived names cannot be sent", "deviceUUID", "deviceUUID=0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab", nil},
		{"an e-mail that a hook has", "email", "email=a%40b.example", "a@b.example"},
		{"kind", "kind", "kind=request", "call.ended"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustParse(t, hookEvent(event.CallEnded, tt.body))[tt.field]
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestBodyWinsOverQuery(t *testing.T) {
	for _, body := range []string{"city=body&ref=null", `{"city":"body","ref":null}`} {
		e := hookEvent(event.CallEnded, body)
		e.Query = "city=query&ref=query&os=query"
		f := mustParse(t, e)
		if f["city"] != "body" || f["ref"] != nil || f["os"] != "query" {
			t.Errorf("%s: city %v, ref %v, os %v", body, f["city"], f["ref"], f["os"])
		}
	}
}

func TestTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	utc := func(s string) time.Time { at, _ := time.Parse(time.DateTime, s); return at }
	tests := []struct {
		name, body string
		zone       *time.Location
		want       time.Time
	}{
		{"the timestamp knows no zone", "timestamp=1698092972&calltime=2001-01-01+00:00:00", berlin, utc("2023-10-23 20:29:32")},
		{"local time", "calltime=2023-10-23+23:29:32", moscow, utc("2023-10-23 20:29:32")},
		{"local time in winter", "calltime=2023-12-25+23:29:32", berlin, utc("2023-12-25 22:29:32")},
		{"of a request", "requestDate=2023-10-23+23:29:32", moscow, utc("2023-10-23 20:29:32")},
		{"written the API's way", "calltime=23/10/2023+23:29:32", moscow, utc("2023-10-23 20:29:32")},
		{"written with a T and a fraction", "calltime=2023-10-23T23:29:32", moscow, utc("2023-10-23 20:29:32")},
		{"no zone", "calltime=2023-10-23+23:29:32", nil, utc("2023-10-23 23:29:32")},
		{"no timestamp", "timestamp=soon&calltime=2023-10-23+23:29:32", moscow, utc("2023-10-23 20:29:32")},
		{"a timestamp of milliseconds is none", "timestamp=1698092972000&calltime=2023-10-23+23:29:32", moscow, utc("2023-10-23 20:29:32")},
		{"nothing", "calltime=yesterday&timestamp=0", moscow, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := calltouch.Parse(hookEvent(event.CallEnded, tt.body), calltouch.View{Location: tt.zone})
			if err != nil {
				t.Fatal(err)
			}
			got, _ := f["time"].(time.Time)
			if !got.Equal(tt.want) {
				t.Errorf("time %v, want %v", got, tt.want)
			}
		})
	}
}

func TestEndOfACall(t *testing.T) {
	start := time.Unix(1698092972, 0)
	tests := []struct {
		name, record string
		want         time.Time
	}{
		{"start, waiting and duration", `{"timestamp":1698092972,"waitingConnect":3,"duration":60}`, start.Add(63 * time.Second)},
		{"a negative duration is nothing", `{"timestamp":1698092972,"waitingConnect":3,"duration":-30}`, start.Add(3 * time.Second)},
		{"an absurd duration", `{"timestamp":1698092972,"duration":4611686018427387904}`, start.AddDate(0, 0, 7)},
		{"nothing but a start", `{"timestamp":1698092972}`, start},
		{"no start", `{"duration":5}`, time.Time{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := calltouch.ReadListed([]byte(tt.record), event.CallEnded, view); err != nil || !got.End.Equal(tt.want) {
				t.Errorf("got %v, want %v: %v", got.End, tt.want, err)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	const id = "0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab"
	tests := []struct {
		name, attrs string
		want        map[string]string
		device      any
		undeclared  []string
	}{
		{"object", `{"mindboxDeviceUUID":"` + id + `"}`, map[string]string{"mindboxDeviceUUID": id}, id, nil},
		{"JSON text of an object", `"{\"mindboxDeviceUUID\":\"` + id + `\"}"`, map[string]string{"mindboxDeviceUUID": id}, id, nil},
		{"list of name and value", `[{"name":"mindboxDeviceUUID","value":"` + id + `"}]`, map[string]string{"mindboxDeviceUUID": id}, id, nil},
		{"list of key and value", `[{"key":"AREA-NAME","value":5}]`, map[string]string{"area_name": "5"}, nil, nil},
		{"list of one-key objects", `[{"MindboxDeviceUuid":"` + strings.ToUpper(id) + `"},{"areaName":"x"}]`, map[string]string{"mindboxDeviceUUID": strings.ToUpper(id), "area_name": "x"}, id, nil},
		{"undeclared", `{"other":"x","Zone":true}`, map[string]string{"other": "x", "Zone": "true"}, nil, []string{"Zone", "other"}},
		{"the exact spelling wins", `{"MINDBOXDEVICEUUID":"x","mindboxDeviceUUID":"y","mindbox_device_uuid":"z"}`, map[string]string{"mindboxDeviceUUID": "y"}, nil, nil},
		{"all zeros", `{"mindboxDeviceUUID":"00000000-0000-0000-0000-000000000000"}`, map[string]string{"mindboxDeviceUUID": "00000000-0000-0000-0000-000000000000"}, nil, nil},
		{"malformed", `{"mindboxDeviceUUID":"` + id[1:] + `x"}`, map[string]string{"mindboxDeviceUUID": id[1:] + "x"}, nil, nil},
		{"values that are nothing", `{"mindboxDeviceUUID":"undefined","area_name":null}`, map[string]string{}, nil, nil},
		{"null", `null`, map[string]string{}, nil, nil},
		{"broken", `"{\"a\":"`, map[string]string{}, nil, nil},
		{"text within text without end", `"\"\\\"{}\\\"\""`, map[string]string{}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, e := range []event.Event{
				hookEvent(event.CallEnded, `{"attrs":`+tt.attrs+`}`),
				{Key: event.Key{Kind: event.CallEnded}, Origin: event.Journal, Body: []byte(`{"attrs":` + tt.attrs + `}`)},
				{Key: event.Key{Kind: event.Request}, Origin: event.Poll, Body: []byte(`{"session":{"attrs":` + tt.attrs + `}}`)},
			} {
				f := mustParse(t, e)
				if diff := cmp.Diff(any(tt.want), f["attrs"]); diff != "" {
					t.Errorf("%s: %s", e.Origin, diff)
				}
				if f["deviceUUID"] != tt.device {
					t.Errorf("%s: device %v, want %v", e.Origin, f["deviceUUID"], tt.device)
				}
				if diff := cmp.Diff(tt.undeclared, f.Undeclared(view)); diff != "" {
					t.Errorf("%s: undeclared %s", e.Origin, diff)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	tests := []struct{ fio, last, first, middle string }{
		{"Иванов Иван Иванович", "Иванов", "Иван", "Иванович"},
		{"Иван Иванович Иванов", "Иванов", "Иван", "Иванович"},
		{"Абрамович Роман Аркадьевич", "Абрамович", "Роман", "Аркадьевич"},
		{"  Петрова   Анна ", "Петрова", "Анна", ""},
		{"Анна Петровна", "", "Анна", "Петровна"},
		{"Анна", "", "Анна", ""},
		{"Алиев Расим Гасан оглы", "Алиев", "Расим", "Гасан оглы"},
		{"79161234567", "", "", ""},
		{"a@b.example", "", "", ""},
		{"---", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.fio, func(t *testing.T) {
			f := mustParse(t, hookEvent(event.Request, `{"fio":"`+tt.fio+`"}`))
			text := func(name string) string { s, _ := f[name].(string); return s }
			got := []string{text("lastName"), text("firstName"), text("middleName")}
			if diff := cmp.Diff([]string{tt.last, tt.first, tt.middle}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	tests := []struct {
		name   string
		origin event.Origin
		body   string
	}{
		{"cut JSON", event.Webhook, `{"id":"1","callerphone":"7916`},
		{"two values", event.Webhook, `{"id":"1"} {}`},
		{"list instead of a record", event.Poll, `[]`},
		{"nothing instead of a record", event.Journal, ``},
		{"form instead of a record", event.Backfill, `callId=1`},
		{"endless depth", event.Journal, strings.Repeat(`{"a":`, 200_000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := calltouch.Parse(event.Event{Origin: tt.origin, Body: []byte(tt.body)}, view)
			if !errors.Is(err, calltouch.ErrUnreadable) {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(err.Error(), "7916") {
				t.Errorf("the error %q quotes the body", err)
			}
		})
	}
}

// A view of some fields reads them as the whole view does, whatever came and whichever way.
func TestViewOfSomeFieldsReadsThemAlike(t *testing.T) {
	var all []string
	for _, f := range calltouch.Vocabulary() {
		all = append(all, f.Name)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := draw(t)
		hook, _ := json.Marshal(c.hook())
		journal, _ := json.Marshal(c.journal())
		names := rapid.SliceOfDistinct(rapid.SampledFrom(all), rapid.ID[string]).Draw(t, "names")
		for _, e := range []event.Event{
			hookEvent(event.CallEnded, c.form()), hookEvent(event.CallEnded, string(hook)),
			hookEvent(event.Request, c.form()+"&fio=%D0%98%D0%B2%D0%B0%D0%BD+%D0%9F%D0%B5%D1%82%D1%80%D0%BE%D0%B2%D0%B8%D1%87&tags_api=a,b&email=A@b.ru"),
			{Key: event.Key{Site: "10001", Kind: event.CallEnded}, Origin: event.Journal, Body: journal},
		} {
			whole, err := calltouch.Parse(e, view)
			if err != nil {
				t.Fatal(err)
			}
			some, err := calltouch.Parse(e, view.Reading(names))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range slices.Concat(names, []string{"time", "siteId", "attrs", "kind"}) {
				if diff := cmp.Diff(whole[name], some[name]); diff != "" {
					t.Fatalf("%s of %s by %s: %s", name, e.Key.Kind, e.Origin, diff)
				}
			}
		}
	})
}
