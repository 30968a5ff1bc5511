package calltouch_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// wrapped is one hook, of the call 148071 from 79161234567 with the subject "Запись на приём", as it may arrive.
type wrapped struct {
	name, contentType, body string
}

var hookForm = url.Values{
	"id": {"148071"}, "callphase": {"calldisconnected"}, "callerphone": {"79161234567"}, "duration": {"12"}, "city": {"Нижний Новгород"},
}

const hookJSON = `{"id":148071,"callphase":"calldisconnected","callerphone":"79161234567","duration":12,"city":"Нижний Новгород"}`

func multipartOf(boundary string) string {
	var b strings.Builder
	for name, values := range hookForm {
		b.WriteString("--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + values[0] + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

func deflated(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func utf16(s string) string {
	out, _ := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(s)
	return out
}

// Whatever is put around a hook on its way, the event is the same.
func TestWrappedHooksAreRead(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	encoded := hookForm.Encode()
	for _, w := range []wrapped{
		{"form", form, encoded},
		{"multipart", "multipart/form-data; boundary=----b0undary", multipartOf("----b0undary")},
		{"multipart, capitals and quotes", `Multipart/Form-Data; boundary="b 1"`, multipartOf("b 1")},
		{"multipart without its boundary", "multipart/form-data", multipartOf("xyz")},
		{"JSON", "application/json", hookJSON},
		{"JSON under the type of a form", form, hookJSON},
		{"a list of one", "application/json", "[" + hookJSON + "]"},
		{"JSON in JSON", "application/json", quoted(hookJSON)},
		{"a form in JSON", "application/json", quoted(encoded)},
		{"an object around it", "application/json", `{"headers":{"host":"x"},"query":{},"body":` + hookJSON + `,"url":"https://relay.example"}`},
		{"a list in an object", "application/json", `{"data":[` + hookJSON + `]}`},
		{"JSON text in an object", "application/json", `{"event":"call","payload":` + quoted(hookJSON) + `}`},
		{"JSON in a parameter", form, "payload=" + url.QueryEscape(hookJSON)},
		{"a list in a parameter", form, "data=" + url.QueryEscape("["+hookJSON+"]")},
		{"escaped JSON as the body", form, url.QueryEscape(hookJSON)},
		{"escaped JSON as the only name", form, url.QueryEscape(hookJSON) + "="},
		{"HTML's ampersands", form, strings.ReplaceAll(encoded, "&", "&amp;")},
		{"semicolons", form, strings.ReplaceAll(encoded, "&", ";")},
		{"semicolons, also at the end", form, strings.ReplaceAll(encoded, "&", "; ") + ";"},
		{"line by line", "text/plain", strings.ReplaceAll(encoded, "&", "\r\n") + "\r\n"},
		{"blanks around the names", form, strings.ReplaceAll(encoded, "&", "&\t") + "&+=+"},
		{"JSON as a file", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"hook.json\"\r\n" +
			"Content-Type: application/json\r\n\r\n" + hookJSON + "\r\n--b--\r\n"},
		{"compressed", form, zipped(encoded)},
		{"compressed JSON", "application/json", zipped(hookJSON)},
		{"compressed by zlib", form, deflated(encoded)},
		{"UTF-16", "application/json; charset=utf-16", utf16(hookJSON)},
		{"a byte order mark", "application/json", "\ufeff" + hookJSON},
	} {
		t.Run(w.name, func(t *testing.T) {
			e := event.Event{Key: event.Key{Site: "10001"}, Origin: event.Webhook, ContentType: w.contentType, Body: []byte(w.body)}
			e, note := calltouch.Identify(e, view)
			if note.Aside != "" || e.Key.String() != "10001/call-ended/148071" || e.Fingerprint.Phone != "79161234567" {
				t.Fatalf("key %v, fingerprint %v, %+v", e.Key, e.Fingerprint, note)
			}
			f := mustParse(t, e)
			if f["duration"] != int64(12) || f["city"] != "Нижний Новгород" {
				t.Errorf("duration %v, city %v", f["duration"], f["city"])
			}
		})
	}
}

// What cannot be read is not called empty, and what is empty is not called unreadable.
func TestUnreadableIsNotEmpty(t *testing.T) {
	bomb := zipped(strings.Repeat("a=b&", 1<<20))
	for _, tt := range []struct {
		name, contentType, body string
		want                    calltouch.Reason
	}{
		{"nothing", "", "", calltouch.AsideEmpty},
		{"blanks", "", " \r\n", calltouch.AsideEmpty},
		{"null", "application/json", "null", calltouch.AsideEmpty},
		{"an empty list", "application/json", "[]", calltouch.AsideEmpty},
		{"an empty object", "application/json", "{}", calltouch.AsideEmpty},
		{"parameters without values", "", "id=&callerphone=", calltouch.AsideEmpty},
		{"two hooks", "application/json", "[" + hookJSON + "," + hookJSON + "]", calltouch.AsideUnreadable},
		{"XML", "text/xml", `<call id="5"/>`, calltouch.AsideUnreadable},
		{"a page", "text/html", "<html>id=5</html>", calltouch.AsideUnreadable},
		{"words", "text/plain", "hello", calltouch.AsideUnreadable},
		{"a number", "application/json", "5", calltouch.AsideUnreadable},
		{"cut JSON", "application/json", `{"id":5,"call`, calltouch.AsideUnreadable},
		{"cut multipart", "multipart/form-data; boundary=x", multipartOf("x")[:60], calltouch.AsideUnreadable},
		{"cut gzip", "", zipped(hookForm.Encode())[:30], calltouch.AsideUnreadable},
		{"a bomb", "", bomb, calltouch.AsideUnreadable},
		{"a bomb of zlib", "", deflated(strings.Repeat("a=b&", 1<<20)), calltouch.AsideUnreadable},
		{"cut zlib", "", deflated(hookForm.Encode())[:30], calltouch.AsideUnreadable},
		{"bytes with a sign of equality", "application/octet-stream", "\x8b\x00\x80\x1babc=", calltouch.AsideUnreadable},
		{"wrapped too often", "", zipped(zipped(zipped(zipped("id=5&duration=1")))), calltouch.AsideUnreadable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{Key: event.Key{Site: "10001"}, Origin: event.Webhook, ContentType: tt.contentType, Body: []byte(tt.body)}
			if _, note := calltouch.Identify(e, view); note.Aside != tt.want {
				t.Errorf("aside %q, want %q", note.Aside, tt.want)
			}
		})
	}
}

// Russian words reach filters and Mindbox as words, whatever they were encoded by.
func TestCharsets(t *testing.T) {
	const subject = "Запись на приём"
	escaped := func(s string) string { return "id=5&duration=1&subject=" + url.QueryEscape(s) }
	cp1251, _ := charmap.Windows1251.NewEncoder().String(subject)
	koi8, _ := charmap.KOI8R.NewEncoder().String(subject)
	dos, _ := charmap.CodePage866.NewEncoder().String(subject)
	script := "id=5&duration=1&subject=%u0417%u0430%u043F%u0438%u0441%u044C%20%u043D%u0430%20%u043F%u0440%u0438%u0451%u043C"
	for _, tt := range []struct {
		name, contentType, body string
		want                    any
		doubtful                bool
	}{
		{"UTF-8", "", escaped(subject), subject, false},
		{"UTF-8 labelled ISO-8859-1", "text/plain; charset=ISO-8859-1", escaped(subject), subject, false},
		{"UTF-8 labelled windows-1251", "text/plain; charset=windows-1251", escaped(subject), subject, false},
		{"windows-1251", "application/x-www-form-urlencoded; charset=windows-1251", escaped(cp1251), subject, false},
		{"windows-1251, quoted and misspelt", `application/x-www-form-urlencoded; charset="CP1251"`, escaped(cp1251), subject, false},
		{"windows-1251, a broken type", "application/x-www-form-urlencoded;; charset=windows-1251;", escaped(cp1251), subject, false},
		{"windows-1251 not labelled", "", escaped(cp1251), subject, true},
		{"windows-1251 labelled UTF-8", "text/plain; charset=utf-8", escaped(cp1251), subject, true},
		{"windows-1251 labelled ISO-8859-1", "text/plain; charset=iso-8859-1", escaped(cp1251), subject, true},
		{"windows-1251, raw bytes", "", "id=5&duration=1&subject=" + strings.ReplaceAll(cp1251, " ", "+"), subject, true},
		{"KOI8-R", "text/plain; charset=koi8-r", escaped(koi8), subject, false},
		{"KOI8-R not labelled", "", escaped(koi8), subject, true},
		{"DOS", "text/plain; charset=cp866", escaped(dos), subject, false},
		{"JavaScript's escape()", "", script, subject, false},
		{"JavaScript's escape() of a pair", "", "id=5&duration=1&subject=%uD83D%uDE00", "😀", false},
		{"windows-1251 JSON", "application/json", `{"id":5,"duration":1,"subject":"` + cp1251 + `"}`, subject, false},
		{"cut UTF-8", "", escaped(subject[:len(subject)-1]), subject[:len(subject)-2], true},
		{"bytes of nothing", "", "id=5&duration=1&subject=a%00%98%FF", "a", true},
		{"U+FFFD itself", "", escaped("a\ufffdb"), "ab", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := event.Event{Key: event.Key{Site: "10001"}, Origin: event.Webhook, ContentType: tt.contentType, Body: []byte(tt.body)}
			e, note := calltouch.Identify(e, view)
			if note.Aside != "" {
				t.Fatalf("%+v", note)
			}
			f, doubts, err := calltouch.Read(e, view)
			if err != nil || f["subject"] != tt.want || doubts.Charset != tt.doubtful {
				t.Errorf("subject %q, %+v, %v; want %q, doubtful %v", f["subject"], doubts, err, tt.want, tt.doubtful)
			}
		})
	}
}

// The attributes of a site decide which operation a call goes to: their spelling must not.
func TestAttributesInForeignSpellings(t *testing.T) {
	const id = "0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab"
	const object = `{"mindboxDeviceUUID":"` + id + `"}`
	for _, tt := range []struct {
		name, attrs string
		device      any
		doubts      calltouch.Doubts
	}{
		{"plain", object, id, calltouch.Doubts{}},
		{"escaped twice", url.QueryEscape(object), id, calltouch.Doubts{}},
		{"escaped three times", url.QueryEscape(url.QueryEscape(object)), id, calltouch.Doubts{}},
		{"HTML entities", `{&quot;mindboxDeviceUUID&quot;:&quot;` + id + `&quot;}`, id, calltouch.Doubts{}},
		{"numeric entities", `{&#34;mindboxDeviceUUID&#34;:&#34;` + id + `&#34;}`, id, calltouch.Doubts{}},
		{"backslashes", `{\"mindboxDeviceUUID\":\"` + id + `\"}`, id, calltouch.Doubts{}},
		{"single quotes", `{'mindboxDeviceUUID':'` + id + `'}`, id, calltouch.Doubts{}},
		{"JSON in JSON", quoted(object), id, calltouch.Doubts{}},
		{"JSON in JSON in JSON", quoted(quoted(object)), id, calltouch.Doubts{}},
		{"a list of texts", `["mindboxDeviceUUID=` + id + `"]`, id, calltouch.Doubts{}},
		{"pairs", `mindboxDeviceUUID=` + id + `; promo=x`, id, calltouch.Doubts{}},
		{"pairs with colons, in braces", `{mindboxDeviceUUID: ` + id + `, promo: x}`, id, calltouch.Doubts{}},
		{"an object of objects", `{"mindboxDeviceUUID":{"value":"` + id + `"}}`, id, calltouch.Doubts{}},
		{"quotes around the id", `{"mindboxDeviceUUID":"\"` + id + `\""}`, id, calltouch.Doubts{}},
		{"braces around the id", `{"mindboxDeviceUUID":"{` + strings.ToUpper(id) + `}"}`, id, calltouch.Doubts{}},
		{"an escaped id", `{"mindboxDeviceUUID":"%22` + id + `%22"}`, id, calltouch.Doubts{}},
		{"no dashes", `{"mindboxDeviceUUID":"` + strings.ReplaceAll(id, "-", "") + `"}`, id, calltouch.Doubts{}},
		{"a nothing", "undefined", nil, calltouch.Doubts{}},
		{"the zero device", `{"mindboxDeviceUUID":"00000000-0000-0000-0000-000000000000"}`, nil, calltouch.Doubts{}},
		{"an id without a name", id, nil, calltouch.Doubts{Attrs: true}},
		{"words", "[object Object]", nil, calltouch.Doubts{Attrs: true}},
		{"cut JSON", object[:30], nil, calltouch.Doubts{Attrs: true}},
		{"a number", "5", nil, calltouch.Doubts{Attrs: true}},
		{"another id", `{"mindboxDeviceUUID":"GA1.2.1234.5678"}`, nil, calltouch.Doubts{Device: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := "id=5&duration=1&attrs=" + url.QueryEscape(tt.attrs)
			f, doubts, err := calltouch.Read(hookEvent(event.CallEnded, body), view)
			if err != nil || f["deviceUUID"] != tt.device || doubts != tt.doubts {
				t.Errorf("device %v, %+v, %v; want %v, %+v", f["deviceUUID"], doubts, err, tt.device, tt.doubts)
			}
		})
	}
}
