package cases_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/cases"
	"github.com/touchbox/touchbox/pkg/phone"
)

var noon = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// demoLinks are the links of `touchbox demo`, with some of their text replaced.
func demoLinks(t *testing.T, replace ...string) *link.File {
	t.Helper()
	text, err := os.ReadFile("../../../cmd/touchbox/templates/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	values := []string{"{{.Key}}", "0123456789abcdef", "{{.Calltouch}}", "http://127.0.0.1:1", "{{.Mindbox}}", "http://127.0.0.1:2", "{{.Since}}", "2026-11-01"}
	plain := strings.NewReplacer(values...).Replace(string(text))
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(plain, replace[i]) {
			t.Fatalf("the demo has no %q", replace[i])
		}
		plain = strings.ReplaceAll(plain, replace[i], replace[i+1])
	}
	f, problems, err := link.Parse("touchbox.yaml", []byte(plain), link.Options{})
	if err != nil {
		t.Fatal(problems)
	}
	return f
}

// demoEvents are events of all sorts that the demo makes: by hooks, by the journal and by the requests API.
func demoEvents(t *testing.T, site *link.Site) (events []event.Event) {
	t.Helper()
	c := calltouchtest.New(calltouchtest.Config{Seed: 7, Now: func() time.Time { return noon.Add(time.Hour) }, Token: "demo"})
	hook := func(h calltouchtest.Hook) {
		e, err := calltouch.Sample(site.ID, []byte(h.Encode()), site.View())
		if err != nil {
			t.Fatalf("%s: %v", h.Sort, err)
		}
		events = append(events, e)
	}
	id := int64(148_071)
	for _, sort := range []calltouchtest.Sort{
		calltouchtest.Dynamic, calltouchtest.Static, calltouchtest.NoCookie, calltouchtest.CallBack, calltouchtest.Missed, calltouchtest.Short,
		calltouchtest.Foreign, calltouchtest.Hidden, calltouchtest.Internal, calltouchtest.Negative, calltouchtest.Long,
	} {
		for range 3 {
			id++
			call := c.NewCall(sort, id, noon)
			c.Add(call)
			hook(c.EndHook(call))
		}
		hook(c.StartHook(c.NewCall(sort, id, noon)))
	}
	for _, sort := range []calltouchtest.Sort{calltouchtest.Form, calltouchtest.Formatted, calltouchtest.Offline} {
		for range 3 {
			id++
			request := c.NewRequest(sort, id, noon)
			request.Name, request.Comment = "Гундерлинг-"+request.Name, "звоните Гундерлингу, "+request.Phone+" или "+request.Email
			request.Subject += " (" + request.Name + ")"
			c.AddRequest(request)
			hook(c.RequestHook(request))
		}
	}
	for path, kind := range map[string]event.Kind{
		"/calls-service/RestAPI/10001/calls-diary/calls?clientApiId=demo&dateFrom=02/11/2026&dateTo=02/11/2026&withAttrs=true&withCallTags=true":  event.CallEnded,
		"/calls-service/RestAPI/requests?siteId=10001&clientApiId=demo&dateFrom=11/02/2026&dateTo=11/02/2026&withAttrs=true&withRequestTags=true": event.Request,
	} {
		w := httptest.NewRecorder()
		c.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		var records []json.RawMessage
		if err := json.Unmarshal(w.Body.Bytes(), &records); err != nil || len(records) < 9 {
			t.Fatalf("%s: %d records, %v", kind, len(records), err)
		}
		for _, record := range records {
			e, err := calltouch.Sample(site.ID, record, site.View())
			if err != nil || e.Key.Kind != kind {
				t.Fatalf("%s: %v", e.Key, err)
			}
			events = append(events, e)
		}
	}
	return events
}

var madeUp = cases.MadeUp{Key: []byte("0123456789abcdef0123456789abcdef")}

func record(t *testing.T, f *link.File, e event.Event, keep ...string) cases.Recorded {
	t.Helper()
	one, err := cases.Record(cases.Recording{Event: e, Site: f.Sites[0], Links: f.Links, Keep: keep, MadeUp: madeUp})
	if err != nil {
		t.Fatalf("%s: %v", e.Key, err)
	}
	return one
}

// failing counts what does not come as expected; the file must be right.
func failing(t *testing.T, text []byte, f *link.File) (failed int, all []cases.Result) {
	t.Helper()
	file, problems := cases.Parse("recorded.yaml", text, f, lang.English)
	if file == nil {
		t.Fatalf("%s\n%s", problems, text)
	}
	all = file.Run()
	for _, r := range all {
		if !r.Passed {
			failed++
		}
	}
	return failed, all
}

// TestRecordedCasesPassAndFail: a case of each sort of event that the demo makes passes at once, and fails when the links are broken.
func TestRecordedCasesPassAndFail(t *testing.T) {
	f := demoLinks(t)
	broken := demoLinks(t, "dynamic: filled(deviceUUID)", "dynamic: empty(deviceUUID)", "event: request", "event: [request, call.started]",
		"event: call.ended", "event: [call.ended, call.started]", "customer.email: ${email(email)}", "customer.email: ${email(comment)}", "subject: ${subject}", "form: ${subject}")
	var together []byte
	outcomes := map[event.Outcome]int{}
	for _, e := range demoEvents(t, f.Sites[0]) {
		one := record(t, f, e)
		text := cases.Append(nil, lang.Russian, one)
		failed, results := failing(t, text, f)
		if failed > 0 || len(results) != len(f.Links) || one.Other != nil {
			t.Errorf("%s by %s: %d of %d fail, other: %v\n%s", e.Key, e.Origin, failed, len(results), one.Other, text)
		}
		for _, r := range results {
			outcomes[r.Outcome]++
		}
		if failed, _ := failing(t, text, broken); failed == 0 {
			t.Errorf("%s by %s: passes with broken links\n%s", e.Key, e.Origin, text)
		}
		together = cases.Append(together, lang.English, one)
	}
	for _, o := range []event.Outcome{event.Delivered, event.Filtered, event.Undeliverable, event.Untaken} {
		if outcomes[o] < 3 {
			t.Errorf("only %d results are %s: the demo's events show little", outcomes[o], o)
		}
	}
	if failed, all := failing(t, together, f); failed > 0 || len(all) < 250 {
		t.Errorf("together: %d of %d fail", failed, len(all))
	}
}

// TestRecordedCasesHoldNoPersonalData looks for all that an event says of a person in the case that was made of it.
func TestRecordedCasesHoldNoPersonalData(t *testing.T) {
	f := demoLinks(t)
	site := f.Sites[0]
	looked := map[string]int{}
	for _, e := range demoEvents(t, site) {
		fields, err := calltouch.Parse(e, site.View())
		if err != nil {
			t.Fatal(err)
		}
		text := string(cases.Append(nil, lang.English, record(t, f, e)))
		lower := strings.ToLower(text)
		absent := func(what, value string) {
			if n := len([]rune(value)); n < 4 || n < 6 && strings.Trim(value, "0123456789") == "" { // such digits stand in longer ids by chance
				return
			}
			if looked[what]++; strings.Contains(lower, strings.ToLower(value)) {
				t.Errorf("%s by %s: %s %q stays\n%s", e.Key, e.Origin, what, value, text)
			}
		}
		for name, value := range fields {
			s, _ := value.(string)
			field, _ := calltouch.Lookup(name)
			if field.Personal || field.Whole && !slices.Contains([]string{"siteId", "phonenumber", "calltime", "requestDate"}, name) ||
				slices.Contains([]string{"url", "ref", "requestUrl", "callUrl", "sip_call_id", "callReferenceNumber", "deviceUUID"}, name) {
				absent(name, s)
			}
			for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(" -(),", r) }) {
				if name == "fio" || name == "comment" || name == "manager" {
					absent("a word of "+name, word)
				}
			}
		}
		for _, value := range fields["attrs"].(map[string]string) {
			absent("attribute", value)
		}
		number := phone.Normalize(fmt.Sprint(fields["callerphone"]), phone.Options{})
		address, _ := fields["email"].(string)
		if number != "" || address != "" {
			if trace := admin.NewPerson(number, address, nil).InText(text); trace != admin.NoTrace {
				t.Errorf("%s by %s: a trace of the person (%d) in\n%s", e.Key, e.Origin, trace, text)
			}
		}
	}
	for _, what := range []string{"callerphone", "fio", "email", "comment", "ip", "url", "ref", "reclink", "deviceUUID", "id", "requestId", "sessionId", "ctClientId", "a word of fio", "attribute", "manager"} {
		if looked[what] == 0 {
			t.Errorf("no event had %s", what)
		}
	}
}

// TestMadeUpValuesAreStable: the same value is the same made-up one, however it is spelt, in all cases and by no other key.
func TestMadeUpValuesAreStable(t *testing.T) {
	one := madeUp.Phone("+7 916 123-45-67")
	if !regexp.MustCompile(`^\+7 100 \d{3}-\d\d-\d\d$`).MatchString(one) {
		t.Errorf("%s is spelt otherwise", one)
	}
	plain := phone.Normalize(one, phone.Options{})
	for _, spelling := range []string{"79161234567", "89161234567", "8 (916) 123-45-67", "8 916 123 45 67 доб. 12", "+79161234567"} {
		if got := phone.Normalize(madeUp.Phone(spelling), phone.Options{}); got != plain {
			t.Errorf("%s became %s, want %s", spelling, got, plain)
		}
	}
	otherKey := cases.MadeUp{Key: []byte("another key")}
	if otherKey.Phone("79161234567") == madeUp.Phone("79161234567") || otherKey.Email("a@b.example") == madeUp.Email("a@b.example") {
		t.Error("the key does not matter")
	}
	for _, raw := range []string{"375291234567", "998901234567", "+4915112345678", "4915112345678"} {
		got := madeUp.Phone(raw)
		n := phone.Normalize(got, phone.Options{})
		if n == "" || n == phone.Normalize(raw, phone.Options{}) || len(n) != len(strings.TrimPrefix(raw, "+")) {
			t.Errorf("%s became %s", raw, got)
		}
	}
	for _, none := range []string{"101", "anonymous", "79xx", ""} {
		if got := madeUp.Phone(none); phone.Normalize(got, phone.Options{}) != "" || len(got) != len(none) {
			t.Errorf("%q, which is no number, became %q", none, got)
		}
	}
	ten := cases.MadeUp{Key: madeUp.Key, TenDigits: "7"}
	if got := ten.Phone("9161234567"); len(got) != 10 || phone.Normalize(got, phone.Options{TenDigits: "7"}) != plain {
		t.Errorf("ten digits became %s", got)
	}
	if a, b := madeUp.Text("Соколов Пётр Ильич"), madeUp.Text("соколов ПЁТР"); !strings.EqualFold(strings.Join(strings.Fields(a)[:2], " "), b) || !strings.HasSuffix(a, "ьич") {
		t.Errorf("%s, %s", a, b)
	}
	if got := madeUp.ID("6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"); !regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(got) {
		t.Errorf("a UUID became %s", got)
	}
	if got, ok := madeUp.JSON(`{"phone": 79161234567, "texts": ["Соколов", true]}`); !ok || strings.Contains(got, "79161234567") || !strings.HasPrefix(got, `{"phone":`) || !strings.Contains(got, "true") {
		t.Errorf("JSON became %s", got)
	}
	for _, ip := range []string{"192.0.2.17", "10.1.2.3", "2001:db8::1", "::ffff:10.1.2.3"} {
		if got := madeUp.IP(ip); got == ip || got != madeUp.IP(ip) {
			t.Errorf("%s became %s", ip, got)
		}
	}
}

// TestKeptFieldsDecideAsBefore: a made-up value that changes what a link makes of an event is told of, and can be kept.
func TestKeptFieldsDecideAsBefore(t *testing.T) {
	f := demoLinks(t, "attrs: [mindboxDeviceUUID]", "attrs: [mindboxDeviceUUID, promo]", "when: not dynamic", `when: attrs.promo == "autumn"`)
	e, err := calltouch.Sample("10001", []byte(`id=5&callphase=calldisconnected&callerphone=79161234567&duration=9&attrs={"promo":"autumn","other":"Гундерлинг"}`), f.Sites[0].View())
	if err != nil {
		t.Fatal(err)
	}
	if one := record(t, f, e); !slices.Equal(one.Other, []string{"calls-static"}) || strings.Contains(one.Text, "promo: autumn") {
		t.Errorf("other: %v\n%s", one.Other, one.Text)
	}
	if one := record(t, f, e, "attrs.promo"); one.Other != nil || !strings.Contains(one.Text, "promo: autumn") || strings.Contains(one.Text, "Гундерлинг") {
		t.Errorf("other: %v\n%s", one.Other, one.Text)
	}
}

// TestAppendChangesNothingElse: what stands in a file stays, to the byte.
func TestAppendChangesNothingElse(t *testing.T) {
	f := demoLinks(t)
	e := demoEvents(t, f.Sites[0])[0]
	const before = "# mine\ncases:\n  - name: a   # odd\n    event: {duration: 5}\n    links: {calls-static: undeliverable}"
	text := cases.Append([]byte(before), lang.English, record(t, f, e))
	if !strings.HasPrefix(string(text), before+"\n\n  - name: ") {
		t.Errorf("got\n%s", text)
	}
	if failed, all := failing(t, text, f); failed > 0 || len(all) != 4 {
		t.Errorf("%d of %d fail", failed, len(all))
	}
}
