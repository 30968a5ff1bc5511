package link_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
)

// withBody is a file with one link of the given body, indented by six, and further keys.
func withBody(body, more string) string {
	return `
calltouch:
  - {site: 10001, name: clinic, token: 0123456789abcdef, attrs: [mindboxDeviceUUID, promo]}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website}
tables:
  places: {"78120000005": nevsky, "78120000006": "00123"}
  ranks: {low: 1, high: 2}
links:
  - id: one
    from: clinic
    event: [call.ended, request]
    to: clinic
    operation: CallTouch
` + more + `
    body:` + body
}

func TestRender(t *testing.T) {
	tests := []struct {
		name, body  string
		full, empty string // the body for the full event, and for one where nothing came
	}{
		{"dotted", "\n      a.b.c: x\n      a.d: y", `{"a":{"b":{"c":"x"},"d":"y"}}`, `{"a":{"b":{"c":"x"},"d":"y"}}`},
		{"nested", "\n      a: {b: {c: x}, d: y}", `{"a":{"b":{"c":"x"},"d":"y"}}`, `{"a":{"b":{"c":"x"},"d":"y"}}`},
		{"both merged", "\n      a: {b: x}\n      a.c: y\n      a: {d: z}", "", ""},
		{"merged into nested", "\n      a: {b: x, c.d: z}\n      a.c.e: y", `{"a":{"b":"x","c":{"d":"z","e":"y"}}}`, `{"a":{"b":"x","c":{"d":"z","e":"y"}}}`},
		{"types stay", "\n      n: ${duration}\n      b: ${unique}\n      t: ${city}\n      l: ${tags}\n      a: ${attrs}",
			`{"n":42,"b":true,"t":"Москва","l":["a","b"],"a":{"mindboxDeviceUUID":"6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84","promo":"Весна"}}`, `{}`},
		{"constants keep their spelling", "\n      i: 5\n      f: 7.10\n      b: true\n      t: \"5\"", `{"i":5,"f":7.10,"b":true,"t":"5"}`, `{"i":5,"f":7.10,"b":true,"t":"5"}`},
		{"quotes of pasted JSON make a text", " |\n      {\"n\": ${duration}, \"t\": \"${duration}\", \"b\": \"${unique}\", \"c\": \"5\", \"d\": 5}",
			`{"n":42,"t":"42","b":"true","c":"5","d":5}`, `{"c":"5","d":5}`},
		{"mixed text", "\n      a: Звонок ${id}, ${duration} с, ${unique}\n      b: x", `{"a":"Звонок 148071, 42 с, true","b":"x"}`, `{"b":"x"}`},
		{"nil inside mixed text", "\n      a: ${city}/${utm_content}/${duration}", `{"a":"Москва//42"}`, `{}`},
		{"an object that comes out empty", "\n      a.b.c: ${city}\n      d: x", `{"a":{"b":{"c":"Москва"}},"d":"x"}`, `{"d":"x"}`},
		{"a literal", "\n      a: $${id} ${id}\n      b: $${", `{"a":"${id} 148071","b":"${"}`, `{"b":"${"}`},
		{"braces and texts inside", "\n      a: '${utm_content ?? \"}\"}'\n      b: '${ {x: city}.x }'\n      c: '${`}`}'", `{"a":"}","b":"Москва","c":"}"}`, `{"a":"}","c":"}"}`},
		{"lists by numbers", "\n      subscriptions.0.topic: a\n      subscriptions.0.isSubscribed: true\n      subscriptions.1.topic: ${city}",
			`{"subscriptions":[{"topic":"a","isSubscribed":true},{"topic":"Москва"}]}`, `{"subscriptions":[{"topic":"a","isSubscribed":true}]}`},
		{"lists as lists", "\n      l: [a, \"${city}\", {x: \"${utm_content}\"}]", `{"l":["a","Москва"]}`, `{"l":["a"]}`},
		{"lists merged with numbers", "\n      l: [{a: x}]\n      l.0.b: y", `{"l":[{"a":"x","b":"y"}]}`, `{"l":[{"a":"x","b":"y"}]}`},
		{"tables", "\n      a: ${places[phonenumber] ?? \"other\"}\n      b: ${lookup(places, utm_content, \"none\")}\n      c: ${ranks.high}\n      d: ${places[utm_content]}",
			`{"a":"nevsky","b":"none","c":2}`, `{"a":"other","b":"none","c":2}`},
		{"an empty text of a function is nothing", "\n      a: '${replace(city, \"Москва\", \"\")}'\n      b: ${trim(\" \" + (utm_content ?? \"\"))}\n      c: x", `{"c":"x"}`, `{"c":"x"}`},
		{"an empty list is nothing", "\n      a: '${filter(tags, # == \"z\")}'\n      b: x", `{"b":"x"}`, `{"b":"x"}`},
		{"nil inside a list of an expression", "\n      a: '${[city, utm_content, \"x\"]}'", `{"a":["Москва","x"]}`, `{"a":["x"]}`},
		{"a map of an expression is sorted", "\n      a: '${ {z: city, b: 1, a: utm_content} }'", `{"a":{"b":1,"z":"Москва"}}`, `{"a":{"b":1}}`},
		{"times", "\n      a: ${utc(time)}\n      b: ${local(time)}\n      c: ${date(time)}\n      d: ${utc(timestamp, \"yyyy-MM-dd'T'HH:mm:ssZ\")}\n      e: ${local(calltime, \"d.M.yy H:m\")}",
			`{"a":"2023-10-23 20:29:32.000","b":"2023-10-23 23:29:32.000","c":"2023-10-23","d":"2023-10-23T20:29:32Z","e":"23.10.23 23:29"}`, `{}`},
		{"texts", "\n      a: ${cut(city, 3)}\n      b: ${lower(city)}\n      c: ${city[-2:]}\n      d: ${json(tags)}", `{"a":"Мос","b":"москва","c":"ва","d":"[\"a\",\"b\"]"}`, `{"d":"null"}`},
		{"a phone", "\n      a: ${phone(callerphone)}\n      b: ${phone(\"+7 (916) 123-45-67\")}", `{"a":"79000000001","b":"79161234567"}`, `{"b":"79161234567"}`},
		{"pasted JSON", ` |
      {
        // из ТЗ
        "customer": {
          "mobilePhone": "${phone(callerphone)}", # номер
          "ids": {"websiteID": "${utm_content}",},
        },
        /* действие */
        "customerAction": {"customFields": {"duration": ${duration}, "place": "${places[phonenumber] ?? \"other\"}", 'q': 'a"b',}},
        list: [1, -2.50, true, "x",],
      }`,
			`{"customer":{"mobilePhone":"79000000001"},"customerAction":{"customFields":{"duration":42,"place":"nevsky","q":"a\"b"}},"list":[1,-2.50,true,"x"]}`,
			`{"customerAction":{"customFields":{"place":"other","q":"a\"b"}},"list":[1,-2.50,true,"x"]}`},
		{"pasted JSON with escapes", " |\n      {\"a\\u0431\": \"\\u0416\\n\\\"\\\\\\/\\ud83d\\ude00 <&>\"}", `{"aб":"Ж\n\"\\/😀 <&>"}`, `{"aб":"Ж\n\"\\/😀 <&>"}`},
		{"quotes in YAML", "\n      a: \"x \\u0416 ${city} \\\"q\\\"\"\n      b: 'it''s'", `{"a":"x Ж Москва \"q\"","b":"it's"}`, `{"b":"it's"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, problems, err := link.Parse("touchbox.yaml", []byte(withBody(tt.body, "    require: []")), link.Options{})
			if tt.full == "" {
				if err == nil {
					t.Error("a key that stands twice is taken")
				}
				return
			}
			if err != nil {
				t.Fatal(problems)
			}
			expectBody(t, f.Link("one"), fullEvent(), tt.full)
			expectBody(t, f.Link("one"), calltouch.Fields{}, tt.empty)
			expectBody(t, f.Link("one"), nilEvent(), tt.empty)
		})
	}
}

func expectBody(t *testing.T, l *link.Link, fields calltouch.Fields, want string) {
	t.Helper()
	r, err := l.Render(fields)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(r.Body)); diff != "" {
		t.Error(diff)
	}
}

func TestPastedJSONRefused(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"no JSON", " x", "16:11: the body must be a mapping or JSON that begins with {"},
		{"a list", " |\n      [1]", "17:7: the body must be a mapping or JSON"},
		{"no comma", " |\n      {\"a\": 1\n       \"b\": 2}", "18:8: a comma is missing here"},
		{"no colon", " |\n      {\"a\" 1}", "17:12: a colon belongs between a and its value"},
		{"no end", " |\n      {\"a\": {\"b\": 1}", "the JSON ends before its closing }"},
		{"more after the end", " |\n      {\"a\": 1} x", "17:16: the JSON ends above, and something follows"},
		{"smart quotes", " |\n      {“a”: 1}", `17:8: “ does not belong into JSON here (texts stand in plain quotes: "...")`},
		{"smart quotes around a value", " |\n      {\"a\": «x»}", `17:13: « does not belong into JSON here (texts stand in plain quotes: "...")`},
		{"null", " |\n      {\"a\": null}", "17:13: null means no value (leave the key out"},
		{"leading zero", " |\n      {\"a\": 007}", "17:13: 007 must stand in quotes"},
		{"a word", " |\n      {\"a\": yes}", "17:13: yes must stand in quotes"},
		{"a placeholder", " |\n      {\"customer\":\n        {\"mobilePhone\": \"<Мобильный телефон>\"}}", "18:25: <Мобильный телефон> is a placeholder that nobody filled in"},
		{"a bare placeholder", " |\n      {\"a\": <id>}", "17:13: <id> is a placeholder"},
		{"a text over two lines", " |\n      {\"a\": \"x\n      y\"}", "17:13: the text does not end in its line"},
		{"an escape", ` |
      {"a": "\q"}`, `17:14: \q is no escape of JSON's`},
		{"a key twice", " |\n      {\"a\": 1, \"a\": 2}", "17:16: a stands here a second time, the first time in line 17"},
		{"an expression", " |\n      {\"a\": \"б ${cty}\"}", "17:18: unknown name cty (did you mean city?)"},
		{"a bare expression", " |\n      {\"a\": ${cty}}", "17:15: unknown name cty"},
		{"a comment without end", " |\n      {\"a\": 1} /* x", "17:16: the comment does not end"},
		{"nested too deeply", " |\n      {\"a\": " + strings.Repeat("[", 200) + "}", "the JSON is nested too deeply"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := problemsOf(withBody(tt.body, "    require: []")).String(); !strings.Contains(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestRequire(t *testing.T) {
	const body = "\n      customer.mobilePhone: ${phone(callerphone)}\n      customer.email: ${email(email)}\n      customer.ids.site: ${attrs.promo}\n      x: ${city}"
	some := calltouch.Fields{"email": "a@example.com"}
	tests := []struct {
		name, require string
		fields        calltouch.Fields
		want          []string
	}{
		{"one of the identifiers is enough", "", some, nil},
		{"another one", "", calltouch.Fields{"attrs": map[string]string{"promo": "x"}}, nil},
		{"none came", "", calltouch.Fields{"city": "x"}, []string{"customer.mobilePhone", "customer.email", "customer.ids.site"}},
		{"a hidden number", "", calltouch.Fields{"callerphone": "anonymous"}, []string{"customer.mobilePhone", "customer.email", "customer.ids.site"}},
		{"all that are named", "    require: [customer.mobilePhone, x]", some, []string{"customer.mobilePhone", "x"}},
		{"one of those that are named", "    require: [customer.mobilePhone, customer.email]", some, []string{"customer.mobilePhone"}},
		{"an object", "    require: [customer]", some, nil},
		{"an object that came out empty", "    require: [customer]", calltouch.Fields{"city": "x"}, []string{"customer"}},
		{"nothing", "    require: []", calltouch.Fields{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := load(t, withBody(body, tt.require)).Link("one").Render(tt.fields)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, r.Missing); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeviceUUID(t *testing.T) {
	const good = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	tests := []struct{ name, value, want string }{
		{"well-formed", good, good},
		{"capitals", strings.ToUpper(good), good},
		{"zeros", "00000000-0000-0000-0000-000000000000", ""},
		{"malformed", "abc", ""},
		{"in braces", "{" + good + "}", ""},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := load(t, withBody("\n      x: y", "    require: []\n    deviceUUID: ${attrs.mindboxDeviceUUID}")).Link("one")
			r, err := l.Render(calltouch.Fields{"attrs": map[string]string{"mindboxDeviceUUID": tt.value}})
			if err != nil || r.DeviceUUID != tt.want {
				t.Errorf("got %q, %v; want %q", r.DeviceUUID, err, tt.want)
			}
		})
	}
}

func TestNotes(t *testing.T) {
	l := load(t, withBody("\n      customer.firstName: ${fio}\n      comment: ${comment}\n      n: ${timestamp}\n      ok: ${city}\n      length: ${len(city) * 3000000}", "    require: []")).Link("one")
	r, err := l.Render(calltouch.Fields{
		"fio": strings.Repeat("я", 101), "comment": strings.Repeat("я", 1001), "timestamp": int64(1) << 31, "city": strings.Repeat("я", 1000),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"customer.firstName", "comment", "n", "length"}, r.Notes); diff != "" {
		t.Error(diff)
	}
}

func TestHeadersAndQuery(t *testing.T) {
	text := strings.Replace(withBody("\n      x: y", "    require: []"), "endpoint: clinic.Website}",
		`endpoint: clinic.Website, headers: {x-customer-ip: "${ip}", X-Page: "p ${url}"}, query: {source: "${utm_source}", v: 1}}`, 1)
	r, err := load(t, text).Link("one").Render(calltouch.Fields{"url": "a\r\nInjected: b"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"X-Page": "p a  Injected: b"}, r.Header); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"v": "1"}, r.Query); diff != "" {
		t.Error(diff)
	}
}

// A secret in a header or parameter is told to whoever shows an answer, and ends no line.
func TestSecretsInHeadersAndQueryAreConcealed(t *testing.T) {
	text := strings.Replace(withBody("\n      x: y", "    require: []"), "endpoint: clinic.Website}",
		`endpoint: clinic.Website, headers: {X-Key: {env: A}, X-Page: "${url}"}, query: {key: {env: B}, v: "${utm_source}"}}`, 1)
	f, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: func(name string) string { return "secret-" + name + "\r\nInjected: b" }})
	if err != nil {
		t.Fatal(problems)
	}
	r, err := f.Link("one").Render(calltouch.Fields{})
	if err != nil {
		t.Fatal(err)
	}
	a, b := "secret-A  Injected: b", "secret-B  Injected: b"
	if r.Header["X-Key"] != a || r.Query["key"] != b {
		t.Errorf("%q, %q", r.Header, r.Query)
	}
	if diff := cmp.Diff([]string{a, b}, r.Concealed); diff != "" {
		t.Error(diff)
	}
}

// TestSitesOfOneLink: each event is read by the settings of its own site.
func TestSitesOfOneLink(t *testing.T) {
	text := strings.Replace(withBody("\n      t: ${local(time)}\n      p: ${phone(callerphone)}", "    require: []"),
		"mindbox:", "  - {site: 10002, name: ural, timezone: Asia/Yekaterinburg, tenDigits: 7}\nmindbox:", 1)
	l := load(t, strings.Replace(text, "from: clinic", "from: [clinic, ural]", 1)).Link("one")
	fields := calltouch.Fields{"siteId": "10001", "time": time.Unix(1698092972, 0), "callerphone": "9161234567"}
	expectBody(t, l, fields, `{"t":"2023-10-23 23:29:32.000"}`)
	fields["siteId"] = "10002"
	expectBody(t, l, fields, `{"t":"2023-10-24 01:29:32.000","p":"79161234567"}`)
	want := []string{"touchbox.event.10001.call-ended.*", "touchbox.event.10001.request.*", "touchbox.event.10002.call-ended.*", "touchbox.event.10002.request.*"}
	if diff := cmp.Diff(want, l.Subjects()); diff != "" {
		t.Error(diff)
	}
}

// TestFileValues: what the commands and the pipeline take from the file.
func TestFileValues(t *testing.T) {
	f := design(t)
	s, d, l := f.Site("clinic"), f.Destination("clinic"), f.Link("calls-dynamic")
	if s.ID != "10001" || s.Counter != "abcd1234" || s.API != "https://api.calltouch.ru" || s.Location.String() != "Europe/Moscow" ||
		s.Requests != (calltouch.Requests{From: calltouch.RequestsFromPoll, Every: time.Minute, Sweep: 240 * time.Hour, Grace: 15 * time.Minute}) ||
		s.Journal != (calltouch.Journal{Every: 15 * time.Minute, Sweep: 240 * time.Hour, Grace: 15 * time.Minute}) {
		t.Errorf("site: %+v", s)
	}
	if d.URL != "https://api.mindbox.ru" || d.Endpoint != "clinic.Website" || d.Rate != 100 || d.Timeout != 30*time.Second ||
		d.Retry != (link.Retry{For: 72 * time.Hour, UpTo: 15 * time.Minute}) || d.Authorization != mindbox.AuthorizationMindbox {
		t.Errorf("destination: %+v", d)
	}
	if l.Title != "Звонки, динамический пул" || l.To != d || l.Operation != "CallTouch" || l.Shadow || !l.Since.IsZero() || len(l.Version) != 16 {
		t.Errorf("link: %+v", l)
	}
	if f.Keep != (link.Keep{Events: 720 * time.Hour, History: 720 * time.Hour, DeadLetters: 2160 * time.Hour, Audit: 8760 * time.Hour, Disk: 10e9}) {
		t.Errorf("keep: %+v", f.Keep)
	}
	if got := d.Secret.String(); got != "***" {
		t.Errorf("the secret prints as %q", got)
	}
	want := []string{"attrs", "callerphone", "callphase", "duration", "id", "requestDate", "requestId", "siteId", "timestamp", "utm_source"}
	if diff := cmp.Diff(want, f.Ticks(s)); diff != "" {
		t.Error(diff)
	}
}

func TestSince(t *testing.T) {
	for since, want := range map[string]time.Time{
		`"2026-11-01"`:                time.Date(2026, 10, 31, 21, 0, 0, 0, time.UTC),
		`"2026-11-01T10:00:00+05:00"`: time.Date(2026, 11, 1, 5, 0, 0, 0, time.UTC),
	} {
		l := load(t, withBody("\n      x: y", "    require: []\n    since: "+since)).Link("one")
		if !l.Since.Equal(want) {
			t.Errorf("%s: got %s", since, l.Since)
		}
	}
}
