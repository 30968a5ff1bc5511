package link_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

func TestExplain(t *testing.T) {
	f := design(t)
	fields := dynamicCall()
	fields["origin"], fields["kind"] = "webhook", "call.ended"
	delete(fields, "utm_source")
	e := f.Link("calls-dynamic").Explain(fields, false)
	if e.Outcome != event.Delivered || len(e.Conditions) != 2 || !e.Conditions[0].Pass || !e.Conditions[1].Pass {
		t.Errorf("got %+v", e)
	}
	want := []link.Empty{{
		Path: "customerAction.customFields.utmSource", Source: "${utm_source}",
		Saw: map[string]any{"utm_source": nil}, Reason: link.NothingCame,
	}}
	if diff := cmp.Diff(want, e.Empty); diff != "" {
		t.Error(diff)
	}
	const url = "https://api.mindbox.ru/v3/operations/async?deviceUUID=********-****-****-****-**********84&endpointId=clinic.Website&operation=CallTouch"
	if e.Request.URL != url || e.Request.Header["Authorization"] != `Mindbox secretKey="***"` {
		t.Errorf("got %s, %v", e.Request.URL, e.Request.Header)
	}
	if body := string(e.Request.Body); strings.Contains(body, "79000000001") || !strings.Contains(body, `01"`) {
		t.Errorf("the phone is not masked: %s", body)
	}
	if saw := e.Conditions[0].Saw["deviceUUID"]; saw != "***" {
		t.Errorf("the device is not masked: %v", saw)
	}
	revealed := f.Link("calls-dynamic").Explain(fields, true).Request
	if body := string(revealed.Body); !strings.Contains(body, "79000000001") || !strings.Contains(revealed.URL, "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84") {
		t.Errorf("revealed: %s, %s", revealed.URL, body)
	}
}

func TestExplainOutcomes(t *testing.T) {
	const body = "\n      customer.mobilePhone: ${phone(callerphone)}\n      customer.lastName: ${lower(lastName)}\n      worktime: ${worktime}\n      comment: ${comment}\n      n: ${int(utm_term)}"
	l := load(t, strings.Replace(withBody(body, "    when: unique"), "event: [call.ended, request]", "event: [call.ended, call.started, request]", 1)).Link("one")
	reasons := func(e link.Explanation) map[string]link.Reason {
		out := map[string]link.Reason{}
		for _, empty := range e.Empty {
			out[empty.Path] = empty.Reason
		}
		return out
	}
	hidden := calltouch.Fields{"kind": "call.ended", "origin": "journal", "unique": true, "callerphone": "anonymous", "utm_term": "5"}
	tests := []struct {
		name    string
		fields  calltouch.Fields
		outcome event.Outcome
		reasons map[string]link.Reason
	}{
		{"filtered", calltouch.Fields{"kind": "call.ended", "unique": false}, event.Filtered, map[string]link.Reason{
			"customer.mobilePhone": link.NothingCame, "customer.lastName": link.WrongKind, "worktime": link.NothingCame, "comment": link.NothingCame, "n": link.NothingCame,
		}},
		{"undeliverable", hidden, event.Undeliverable, map[string]link.Reason{
			"customer.mobilePhone": link.NothingMade, "customer.lastName": link.WrongKind, "worktime": link.NotThisWay, "comment": link.NothingCame,
		}},
		{"an expression fails", calltouch.Fields{"unique": true, "utm_term": "x"}, event.Dead, map[string]link.Reason{
			"customer.mobilePhone": link.NothingCame, "customer.lastName": link.NothingCame, "worktime": link.NothingCame, "comment": link.NothingCame,
		}},
		{"a condition fails", calltouch.Fields{"unique": "maybe"}, event.Dead, map[string]link.Reason{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := l.Explain(tt.fields, false)
			if e.Outcome != tt.outcome || (e.Error != "") != (tt.outcome == event.Dead) {
				t.Errorf("got %s, %q", e.Outcome, e.Error)
			}
			if diff := cmp.Diff(tt.reasons, reasons(e)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestExplainMasks: no marked value of a personal field comes out, in any of its forms.
func TestExplainMasks(t *testing.T) {
	fields := calltouch.Fields{
		"callerphone": "79001234567", "email": "markedmail@example.com", "comment": "markedcomment", "fio": "markedname",
		"attrs": map[string]string{"promo": "markedattr"}, "ip": "192.0.2.77", "city": "Москва",
	}
	text := strings.Replace(withBody("\n      customer.mobilePhone: ${phone(callerphone)}\n      a: \"x ${email} ${city}\"\n      b: ${lower(comment)}\n      c: ${attrs}\n      d: ${fio ?? city}\n      e: ${city}",
		"    when: [filled(email), 'fio == \"x\"', 'comment contains \"mark\"', filled(attrs.promo)]"), "endpoint: clinic.Website}",
		`endpoint: clinic.Website, secret: markedsecret, headers: {X-Customer-IP: "${ip}"}, query: {mail: "${email}"}}`, 1)
	l := load(t, text).Link("one")
	for _, reveal := range []bool{false, true} {
		e := l.Explain(fields, reveal)
		var out bytes.Buffer
		if err := e.Print(&out, lang.English); err != nil {
			t.Fatal(err)
		}
		if err := json.NewEncoder(&out).Encode(e); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "markedsecret") {
			t.Error("the secret is shown")
		}
		for _, marked := range []string{"markedmail", "markedcomment", "markedattr", "markedname", "192.0.2.77", "7900123"} {
			if strings.Contains(out.String(), marked) != reveal {
				t.Errorf("reveal %v: %s in\n%s", reveal, marked, out.String())
			}
		}
		if !strings.Contains(out.String(), "Москва") {
			t.Error("a value that is not personal is masked")
		}
	}
}

func TestPrint(t *testing.T) {
	f := design(t)
	fields := dynamicCall()
	fields["duration"] = int64(3)
	fields["utm_source"] = "y\x1b[2J\u202e"
	for _, l := range []lang.Language{lang.English, lang.Russian} {
		t.Run(string(l), func(t *testing.T) {
			var out bytes.Buffer
			if err := f.Link("calls-dynamic").Explain(fields, false).Print(&out, l); err != nil {
				t.Fatal(err)
			}
			path := "testdata/explain." + string(l) + ".txt"
			got := strings.ReplaceAll(out.String(), f.Link("calls-dynamic").Version, "VERSION")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s\nUPDATE=1 rewrites %s", diff, path)
			}
		})
	}
}

func TestExplainKnowsWhatTheLinkDoesNotRead(t *testing.T) {
	l := design(t).Links[0]
	tests := []struct {
		name   string
		fields map[string]any
		want   bool // untaken
	}{
		{"its own kind", map[string]any{"kind": "call.ended", "siteId": "10001"}, false},
		{"another kind", map[string]any{"kind": "request", "siteId": "10001"}, true},
		{"another site", map[string]any{"kind": "call.ended", "siteId": "10002"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := l.Explain(tt.fields, false).Outcome; (got == event.Untaken) != tt.want {
				t.Errorf("outcome %s", got)
			}
		})
	}
}
