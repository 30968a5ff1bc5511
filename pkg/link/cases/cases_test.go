package cases_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/cases"
	"github.com/touchbox/touchbox/pkg/link/linktest"
)

const device = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"

// links are those of a file as people have it: two ways for calls, one for form requests.
func links(t *testing.T) *link.File {
	t.Helper()
	return linktest.File{
		Site: "attrs: [mindboxDeviceUUID, promo]",
		Links: []linktest.Link{
			{ID: "dynamic", More: "when: [filled(deviceUUID), duration > 5]\ndeviceUUID: ${deviceUUID}", Body: "customerAction.customFields.utm: ${utm_source}\ncustomerAction.customFields.seconds: ${duration}"},
			{ID: "static", Operation: "CallTouchStatic", More: "when: empty(deviceUUID)\nexpire: 1h"},
			{ID: "requests", Event: "request", More: "mode: shadow", Body: "customer.email: ${email(email)}"},
		},
	}.Parse(t)
}

// parse reads a file of tests without mistakes.
func parse(t *testing.T, text string) *cases.File {
	t.Helper()
	f, problems := cases.Parse("calls.yaml", []byte(text), links(t), lang.English)
	if f == nil {
		t.Fatal(problems)
	}
	return f
}

// failures are the results that do not come as expected, each as its link and its differences.
func failures(f *cases.File) (out []string) {
	for _, r := range f.Run() {
		for _, d := range r.Differences {
			out = append(out, fmt.Sprintf("%d %s: %s %s -> %s", r.Line, r.Link, d.What, d.Want, d.Got))
		}
	}
	return out
}

const good = `cases:
  - name: a call with a device
    event:
      callerphone: "+7 900 000-00-01"
      id: "148071"
      duration: 42
      utm_source: yandex
      deviceUUID: ` + device + `
    links:
      static: filtered
      requests: untaken
      dynamic:
        outcome: delivered
        operation: CallTouch
        deviceUUID: ` + device + `
        body:
          customer.mobilePhone: "79000000001"
          customerAction: {customFields: {callId: "148071", utm: yandex, seconds: 42}}
  - name: a short one
    event: {callerphone: "+7 900 000-00-01", duration: 5, attrs: {mindboxDeviceUUID: ` + device + `}}
    links:
      dynamic: {outcome: filtered, condition: duration > 5}
  - name: the body of a hook
    event: callphase=calldisconnected&id=5&callerphone=79000000002&calltime=2026-11-01+12%3A00%3A00
    links:
      static: {fields: {customer.mobilePhone: "79000000002"}, without: [customerAction.customFields.utm]}
  - name: a record of the API
    event: |
      {"requestId": 8, "date": 1700000000000, "client": {"phones": [{"phoneNumber": "79000000003"}], "contacts": [{"contactType": "e-mail", "contactValue": "a@b.example"}]}}
    links:
      requests: {outcome: shadow, body: '{"customer": {"mobilePhone": "79000000003", "email": "a@b.example"}}'}
  - name: too late
    clock: "2026-11-01 13:00:01"
    event: {callerphone: "+7 900 000-00-01", calltime: "2026-11-01 12:00:00"}
    links: {static: dead}
  - name: by phone
    event: {duration: 42, attrs: {promo: x}}
    links: {requests: untaken}
    table: |
      callerphone      | attrs.mindboxDeviceUUID              | static        | static.customer.mobilePhone | dynamic
      -----------------|--------------------------------------|---------------|-----------------------------|--------
      +7 900 000-00-01 |                                      | delivered     | 79000000001                 | filtered
      anonymous        |                                      | undeliverable |                             |
      +7 900 000-00-03 | ` + device + ` | filtered      |                             | delivered
`

func TestCasesComeAsExpected(t *testing.T) {
	f := parse(t, good)
	if got := failures(f); got != nil {
		t.Errorf("not as expected:\n%s", strings.Join(got, "\n"))
	}
	if len(f.Cases) != 8 || len(f.Run()) != 16 {
		t.Errorf("%d cases, %d results", len(f.Cases), len(f.Run()))
	}
}

// TestEachExpectationIsLookedAt: whatever is changed in what is expected, or in the event, fails.
func TestEachExpectationIsLookedAt(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"static: filtered\n", "static: delivered\n", "10 static: outcome delivered -> filtered"},
		{"operation: CallTouch\n", "operation: CallTouch2\n", "12 dynamic: operation CallTouch2 -> CallTouch"},
		{"        deviceUUID: " + device, "        deviceUUID: x", "12 dynamic: deviceUUID x -> " + device},
		{"seconds: 42", "seconds: 43", "12 dynamic: customerAction.customFields.seconds 43 -> 42"},
		{"seconds: 42", `seconds: "42"`, `12 dynamic: customerAction.customFields.seconds "42" -> 42`},
		{"utm: yandex, ", "", `12 dynamic: customerAction.customFields.utm  -> "yandex"`},
		{"utm: yandex, ", "utm: yandex, more: 1, ", `12 dynamic: customerAction.customFields.more 1 -> `},
		{"      utm_source: yandex\n", "", `11 dynamic: customerAction.customFields.utm "yandex" -> `},
		{"condition: duration > 5", "condition: filled(deviceUUID)", "22 dynamic: condition filled(deviceUUID) -> duration > 5"},
		{"without: [customerAction.customFields.utm]", "without: [customerAction]", `26 static: customerAction.customFields.callId  -> "5"`},
		{`"email": "a@b.example"}}'`, `"email": "c@b.example"}}'`, `31 requests: customer.email "c@b.example" -> "a@b.example"`},
		{"13:00:01", "13:00:00", "35 static: outcome dead -> delivered"},
		{"| 79000000001  ", "| 79000000009  ", `42 static: customer.mobilePhone 79000000009 -> "79000000001"`},
		{"| undeliverable |                   ", "| undeliverable | 7                 ", `43 static: customer.mobilePhone 7 -> `},
		{"| filtered      |                             | delivered", "| filtered      | 79000000003                 | delivered", `44 static: customer.mobilePhone 79000000003 -> `},
	} {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("nothing to replace: %s", tt.old)
		}
		if got := failures(parse(t, strings.Replace(good, tt.old, tt.new, 1))); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("%s instead of %s:\n got %q\nwant %q", tt.new, tt.old, got, tt.want)
		}
	}
}

// TestMistakesHaveTheirLines: what is wrong with a file is said with its place and advice, and nothing is run.
func TestMistakesHaveTheirLines(t *testing.T) {
	for _, tt := range []struct{ old, new, want string }{
		{"  - name: a short one\n    event:", "  - event:", "calls.yaml:19:5: name is missing in case"},
		{"static: filtered\n", "statik: filtered\n", "calls.yaml:10:7: no link has the id statik (did you mean static?)"},
		{"static: filtered\n", "static: filterd\n", "calls.yaml:10:15: filterd is no outcome that a test can expect: delivered, filtered, undeliverable, shadow, untaken, dead (did you mean filtered?)"},
		{"static: filtered\n", "static: waiting\n", "a test ends before anything is sent"},
		{"duration: 42\n", "durration: 42\n", "calls.yaml:6:7: durration is no field of an event (did you mean duration?)"},
		{"utm_source: yandex\n", "status: succesful\n", "calls.yaml:7:15: status is never succesful: its values are successful, unsuccessful (did you mean successful?)"},
		{"promo: x", "prom: {a: b}", ""},
		{"attrs: {promo: x}", "attrs.prom: x", "the attribute prom is not declared in attrs of the site (did you mean promo?)"},
		{"condition: duration > 5", "condition: duration > 10", "calls.yaml:22:47: link dynamic has no condition duration > 10"},
		{"event: callphase=calldisconnected&id=5&callerphone=79000000002", "event: id={id}&callerphone={callerphone}", "calls.yaml:24:12: this is no event of site 10001: no event: it would be set aside as ping"},
		{"utm: yandex", `utm: "${utm_source}"`, "an expression stands here (write the value that comes out of it)"},
		{"utm: yandex", "utm: <Источник>", "a placeholder that nobody filled in"},
		{"requests: {outcome: shadow", "requests: {outcom: shadow", "unknown key outcom in expectation (did you mean outcome?)"},
		{`"2026-11-01 13:00:01"`, "tomorrow", "calls.yaml:33:12: tomorrow is no moment"},
		{"callerphone      | attrs", "callerfone      | attrs", "calls.yaml:40:7: callerfone is neither a field of an event nor the id of a link (did you mean callerphone?)"},
		{"anonymous        |      ", "anonymous         ", "calls.yaml:43:7: the line has 4 cells, the head has 5"},
		{"| delivered     | 79000000001", "| delivred      | 79000000001", "calls.yaml:42:65: delivred is no outcome"},
		{"    links: {static: dead}\n", "", "calls.yaml:32:5: the case expects nothing (say under links what becomes of the event"},
		{"cases:\n", "site: 5\ncases:\n", "no site has the name 5"},
		{"outcome: delivered\n", "outcome: !delivered\n", "is a YAML tag"},
	} {
		if !strings.Contains(good, tt.old) {
			t.Fatalf("nothing to replace: %s", tt.old)
		}
		_, problems := cases.Parse("calls.yaml", []byte(strings.Replace(good, tt.old, tt.new, 1)), links(t), lang.English)
		if got := problems.String(); !strings.Contains(got, tt.want) || (tt.want == "") != (got == "") {
			t.Errorf("%s instead of %s:\n got %s\nwant %s", tt.new, tt.old, got, tt.want)
		}
	}
	for _, text := range []string{"", "cases: []", "cases: 5", "- a", "cases:\n  - name: a\n    event: {duration: 5}\n    links: [a]"} {
		if f, problems := cases.Parse("calls.yaml", []byte(text), links(t), lang.English); f != nil || len(problems.Mistakes()) == 0 {
			t.Errorf("%q is taken", text)
		}
	}
}

// TestWhatDoesNotComeIsTold: a person reads what differs and why.
func TestWhatDoesNotComeIsTold(t *testing.T) {
	f := parse(t, strings.NewReplacer("duration: 42\n", "duration: 4\n", `utm: yandex`, "utm: yandex", "  - name: too late", "  - name: \"too\\x1b[2J late\"\n    message: nobody calls back after an hour", "13:00:01", "13:00:00").Replace(good))
	var b bytes.Buffer
	cases.Print(&b, f.Run(), false, lang.English)
	want := `calls.yaml:2  a call with a device
  dynamic: delivered expected, filtered came
    does not hold: duration > 5 (duration = 4)
calls.yaml:32  too\x1b[2J late
  static: dead expected, delivered came
    nobody calls back after an hour
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
	b.Reset()
	if err := cases.WriteJUnit(&b, f.Run(), time.Second, lang.Russian); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<testsuites tests="16" failures="2" time="1.000">`, `classname="dynamic" file="calls.yaml" line="12"`, "dynamic: ожидалось delivered, вышло filtered"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in\n%s", want, &b)
		}
	}
}
