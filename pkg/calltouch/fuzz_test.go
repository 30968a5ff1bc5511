package calltouch_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/event"
)

// Whatever strangers send, Identify and Parse agree on what it is, and no value can break JSON.
func FuzzHook(f *testing.F) {
	for _, seed := range []string{
		typical.form(), string(toJSON(f, typical.hook())), "", "{}", "{", "id=%", "id=5&id=&timestamp=1", "&&=&=a&a", "\ufeff{\"id\":1}",
		"id=5&timestamp=99999999999999999999&calltime=2023-10-23 23:29:32", `{"id":{"a":[1]},"attrs":"\"\""}`, "attrs=%7B%22a%22%3A1%7D&id=1&duration=-1",
		"callerphone={callerphone}", "\x00\xff", `{"id":"1","id":"2","callphase":"callconnected"}`, "leadtype=request&requestId=1&fio=a+b+c",
		"leadtype=request&requestId=%CE0", "id=\xce0&timestamp=1",
	} {
		f.Add(seed, "utm_source=x&id=7")
	}
	f.Fuzz(func(t *testing.T, body, query string) {
		e := hookEvent("", body)
		e.Query = query
		e, note := calltouch.Identify(e, view)
		if note.Aside != "" {
			calltouch.Parse(e, view)
			return
		}
		fields, err := calltouch.Parse(e, view)
		if err != nil {
			t.Fatalf("identified as %v and then %v", e.Key, err)
		}
		id := fields["id"]
		if e.Key.Kind == event.Request {
			id = fields["requestId"]
		}
		if id != e.Key.ID {
			t.Fatalf("key %v, id %v", e.Key, id)
		}
		if at, ok := fields["time"]; ok && !cmp.Equal(at, e.Time) || !ok && !e.Time.IsZero() {
			t.Fatalf("time %v and %v", at, e.Time)
		}
		checkTypes(t, fields)
	})
}

// Whatever the API answers, a record is read or refused.
func FuzzRecord(f *testing.F) {
	f.Add(string(toJSON(f, typical.journal())))
	f.Add(request)
	f.Add(`{"callId":1,"order":[[]],"orders":{},"comments":[[1]],"callTags":{"names":{"names":"a"}}}`)
	f.Add(`{"requestId":1,"session":{"ip":"/"}}`)
	f.Add(`{"requestId":"1","client":[{"phones":"1","contacts":[null]}],"session":[1],"date":1e99,"comments":{"comment":{"a":1}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, kind := range []event.Kind{event.CallEnded, event.Request} {
			_, fields, err := record(kind, event.Backfill, []byte(body))
			if err == nil {
				checkTypes(t, fields)
			}
		}
	})
}

// checkTypes holds Fields to what the vocabulary promises.
func checkTypes(t *testing.T, fields calltouch.Fields) {
	t.Helper()
	for name, value := range fields {
		f, ok := calltouch.Lookup(name)
		if !ok {
			t.Fatalf("%s is no word of the vocabulary", name)
		}
		text, isText := value.(string)
		switch f.Type {
		case calltouch.Number, calltouch.Boolean:
			// What cannot be read stays text.
		case calltouch.Text:
			if !isText {
				t.Fatalf("%s is a %T", name, value)
			}
		default:
			if isText {
				t.Fatalf("%s is a text", name)
			}
		}
		if isText && (text == "" || text == "null" || !utf8.ValidString(text)) {
			t.Fatalf("%s is %q", name, text)
		}
	}
}

// The longest hostile bodies cost no more than a moment.
func TestHostileBodies(t *testing.T) {
	fill := func(head, unit, tail string) string {
		return head + strings.Repeat(unit, (hook.MaxBody-len(head)-len(tail))/len(unit)) + tail
	}
	bodies := map[string]string{
		"separators":      fill("", "&", ""),
		"equal signs":     fill("", "=", ""),
		"repeated attrs":  fill("id=1", "&attrs=%5B%7B%7D", ""),
		"repeated phones": fill("id=1&timestamp=1", "&callerphone=%2B375(29)1234567", ""),
		"broken escapes":  fill("city=", "%", ""),
		"control bytes":   fill(`{"city":"`, "\x01", `"}`),
		"deep objects":    fill(`{"a":`, `{"a":`, ""),
		"deep lists":      fill(`{"attrs":`, "[", ""),
		"deep but closed": `{"attrs":{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}}`,
		"many attributes": fill(`{"attrs":{`, `"a_A-`, `":1}}`),
		"JSON in JSON":    `{"attrs":"` + fill(`{`, `\"a\":1,`, `\"b\":1}"}`),
		"wide names":      fill("fio=", "a+", ""),
		"tags":            fill("tags_manual=", "a,", ""),
		"number":          fill("duration=", "9", ""),
		"address":         fill("ip=", "/", ""),
		"phone":           fill("id=1&callerphone=", "7", ""),
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			e, _ := calltouch.Identify(hookEvent(event.Request, body), view)
			calltouch.Parse(e, view)
			e.Origin = event.Poll
			calltouch.Parse(e, view)
			if took := time.Since(start); took > 5*time.Second { // a loaded machine needs a tenth of it

				t.Errorf("took %v", took)
			}
		})
	}
}
