package link_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
)

// recipes are the YAML blocks of a page by the number of their heading: 0 is the head of the
// file, "albato" and "pasted" the two recipes before the needs.
func recipes(t *testing.T, path string) map[string]string {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	names := []string{"head", "albato", "pasted", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14"}
	for i, part := range strings.Split(string(page), "```yaml\n")[1:] {
		block, _, found := strings.Cut(part, "```")
		if !found || i >= len(names) {
			t.Fatalf("%s: block %d has no end or no place in the test", path, i)
		}
		out[names[i]] = block
	}
	if len(out) != len(names) {
		t.Fatalf("%s has %d blocks, want %d", path, len(out), len(names))
	}
	return out
}

// recipe is a loaded block under the page's head.
func recipe(t *testing.T, name string) *link.File {
	t.Helper()
	all := recipes(t, "../../docs/links.md")
	head := all["head"]
	if strings.Contains(all[name], "mindbox:\n") {
		head, _, _ = strings.Cut(head, "mindbox:\n")
	}
	return load(t, head+all[name])
}

func TestPagesHaveTheSameRecipes(t *testing.T) {
	uncommented := func(page string) map[string]string { // comments are in the page's language
		all := recipes(t, page)
		for name, block := range all {
			all[name] = comment.ReplaceAllString(block, "")
		}
		return all
	}
	if diff := cmp.Diff(uncommented("../../docs/links.md"), uncommented("../../docs/links.ru.md")); diff != "" {
		t.Error(diff)
	}
}

var comment = regexp.MustCompile(`(?m)\s+(?:#|//)[^{\n].*$`)

// with is an event with some fields changed.
func with(base calltouch.Fields, changes calltouch.Fields) calltouch.Fields {
	out := calltouch.Fields{}
	for _, fields := range []calltouch.Fields{base, changes} {
		for name, v := range fields {
			out[name] = v
		}
	}
	return out
}

// TestRecipes runs each recipe of docs/links.md on events for which it is made, and on others.
func TestRecipes(t *testing.T) {
	const device = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	const phone, at = `"customer":{"mobilePhone":"79000000001"}`, `"executionDateTimeUtc":"2023-10-23 20:29:32.000"`
	call := calltouch.Fields{
		"id": "148071", "kind": "call.ended", "origin": "webhook", "callerphone": "79000000001", "phonenumber": "78120000005",
		"time": time.Unix(1698092972, 0), "timestamp": int64(1698092972), "duration": int64(42), "waiting_time": int64(5), "status": "successful",
		"unique": true, "targetcall": "target", "worktime": "worktime", "callback": "non-callback", "city": "Saint Petersburg", "hostname": "clinic.example",
		"attrs": map[string]string{},
	}
	visit := with(call, calltouch.Fields{"sessionId": "22440011", "deviceUUID": device, "utm_source": "yandex", "utm_medium": "cpc", "utm_campaign": "brand"})
	form := calltouch.Fields{
		"requestId": "230451", "kind": "request", "origin": "poll", "callerphone": "79000000001", "subject": "Запись онлайн", "fio": "Тестов Тест",
		"firstName": "Тест", "lastName": "Тестов", "email": "Test@Example.com", "comment": "Перезвоните", "time": time.Unix(1698092972, 0), "attrs": map[string]string{},
	}
	requestBody := `{"customer":{"mobilePhone":"79000000001","email":"test@example.com","fullName":"Тестов Тест"},"customerAction":{"customFields":{"requestId":"230451","comment":"Перезвоните"}},` + at + `}`
	tests := []struct {
		recipe, name string
		kind         event.Kind
		fields       calltouch.Fields
		want         map[string]string // link to body; a link that is not named does not pass
	}{
		{"albato", "a visitor known to Mindbox", event.CallEnded, visit, map[string]string{
			"calls-dynamic": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","utmSource":"yandex","utmMedium":"cpc","utmCampaign":"brand"}},` + at + `}`}},
		{"albato", "a static number", event.CallEnded, call, map[string]string{
			"calls-static": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}},` + at + `}`}},
		{"albato", "a session without the cookie", event.CallEnded, with(visit, calltouch.Fields{"deviceUUID": nil}), map[string]string{
			"calls-static": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}},` + at + `}`}},
		{"pasted", "any call", event.CallEnded, visit, map[string]string{
			"calls": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","duration":42,"source":"yandex"}},` + at + `}`}},
		{"1", "a target call", event.CallEnded, call, map[string]string{"target-calls": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}},` + at + `}`}},
		{"1", "another call", event.CallEnded, with(call, calltouch.Fields{"targetcall": "non-target"}), nil},
		{"2", "a first call", event.CallEnded, call, map[string]string{"first-calls": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}}}`}},
		{"2", "a repeated caller", event.CallEnded, with(call, calltouch.Fields{"unique": false}), nil},
		{"3", "missed in working hours", event.CallEnded, with(call, calltouch.Fields{"status": "unsuccessful"}), map[string]string{"missed-calls": `{` + phone + `,"customerAction":{"customFields":{"waited":5}}}`}},
		{"3", "missed at night", event.CallEnded, with(call, calltouch.Fields{"status": "unsuccessful", "worktime": "non-worktime"}), nil},
		{"3", "answered", event.CallEnded, call, nil},
		{"4", "an appointment", event.Request, form, map[string]string{"appointments": requestBody}},
		{"4", "another form", event.Request, with(form, calltouch.Fields{"subject": "Вопрос"}), map[string]string{"other-requests": requestBody}},
		{"4", "a form without a name", event.Request, with(form, calltouch.Fields{"subject": nil}), map[string]string{"other-requests": requestBody}},
		{"5", "any call", event.CallEnded, call, map[string]string{
			"calls-clinic": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}}}`, "calls-pharmacy": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}}}`}},
		{"6", "a started call", event.CallStarted, call, map[string]string{"call-started": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}},` + at + `}`}},
		{"6", "an ended call", event.CallEnded, call, map[string]string{
			"call-ended": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","result":"successful, 42 с"}},"executionDateTimeUtc":"2023-10-23 20:30:19.000"}`}},
		{"6", "a negative duration", event.CallEnded, with(call, calltouch.Fields{"duration": int64(-30)}), map[string]string{
			"call-ended": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","result":"successful, -30 с"}},"executionDateTimeUtc":"2023-10-23 20:29:37.000"}`}},
		{"7", "the widget", event.CallEnded, with(call, calltouch.Fields{"callback": "callback", "callback_request_id": "77", "url": "https://clinic.example/"}), map[string]string{
			"call-back-widget": `{` + phone + `,"customerAction":{"customFields":{"requestId":"77","page":"https://clinic.example/"}}}`}},
		{"7", "another call", event.CallEnded, call, nil},
		{"8", "a billboard", event.CallEnded, with(call, calltouch.Fields{"subPoolName": "Наружная реклама"}), map[string]string{"billboards": `{` + phone + `,"customerAction":{"customFields":{"number":"78120000005"}}}`}},
		{"8", "a map", event.CallEnded, with(call, calltouch.Fields{"subPoolName": "Карты 2ГИС"}), map[string]string{"maps": `{` + phone + `,"customerAction":{"customFields":{"number":"78120000005"}}}`}},
		{"8", "no sub-pool", event.CallEnded, call, map[string]string{"other-static": `{` + phone + `,"customerAction":{"customFields":{"number":"78120000005"}}}`}},
		{"8", "a dynamic number", event.CallEnded, visit, nil},
		{"9", "a tag", event.CallEnded, with(call, calltouch.Fields{"tags": []string{"VIP-1", "Запись"}}), map[string]string{"tagged-calls": `{` + phone + `,"customerAction":{"customFields":{"tags":"VIP-1, Запись","vip":true}}}`}},
		{"9", "no tag", event.CallEnded, call, nil},
		{"10", "a form with an e-mail", event.Request, form, map[string]string{
			"form-emails": `{"customer":{"email":"test@example.com","mobilePhone":"79000000001","firstName":"Тест","lastName":"Тестов"}}`}},
		{"10", "a form without one", event.Request, with(form, calltouch.Fields{"email": nil}), nil},
		{"11", "with an e-mail", event.Request, with(form, calltouch.Fields{"subject": "Подписка на новости"}), map[string]string{
			"subscribe": `{"customer":{"email":"test@example.com","mobilePhone":"79000000001","subscriptions":[{"brand":"clinic","pointOfContact":"Email","isSubscribed":true},{"brand":"clinic","pointOfContact":"SMS","isSubscribed":true}]}}`}},
		{"11", "without one", event.Request, with(form, calltouch.Fields{"subject": "Подписка на новости", "email": nil}), map[string]string{
			"subscribe": `{"customer":{"mobilePhone":"79000000001","subscriptions":[{"brand":"clinic","pointOfContact":"SMS","isSubscribed":true}]}}`}},
		{"12", "a branch", event.CallEnded, call, map[string]string{
			"calls-by-branch": `{"pointOfContact":"nevsky","customer":{"mobilePhone":"79000000001","area":{"ids":{"externalId":"SPB"}}},"customerAction":{"customFields":{"brand":"clinic","callId":"148071"}}}`}},
		{"13", "an outsider", event.CallEnded, call, map[string]string{"outside-calls": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071"}}}`}},
		{"13", "one of ours", event.CallEnded, with(call, calltouch.Fields{"callerphone": "+7 (495) 111-22-33"}), nil},
		{"14", "a long call", event.CallEnded, call, map[string]string{"worth-a-look": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","result":"successful"}}}`}},
		{"14", "a short one", event.CallEnded, with(call, calltouch.Fields{"duration": int64(30)}), nil},
		{"14", "a missed one", event.CallEnded, with(call, calltouch.Fields{"duration": int64(0), "status": "unsuccessful"}), map[string]string{
			"worth-a-look": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","result":"unsuccessful"}}}`}},
		{"14", "one of unknown length that was missed", event.CallEnded, with(call, calltouch.Fields{"duration": nil, "status": "unsuccessful"}), map[string]string{
			"worth-a-look": `{` + phone + `,"customerAction":{"customFields":{"callId":"148071","result":"unsuccessful"}}}`}},
		{"12", "another number", event.CallEnded, with(call, calltouch.Fields{"phonenumber": "78120000099", "city": nil, "hostname": "pharmacy.example"}), map[string]string{
			"calls-by-branch": `{"pointOfContact":"site","customer":{"mobilePhone":"79000000001"},"customerAction":{"customFields":{"brand":"pharmacy","callId":"148071"}}}`}},
	}
	for _, tt := range tests {
		t.Run(tt.recipe+"/"+tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, sent(t, recipe(t, tt.recipe), tt.kind, tt.fields)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sent are the bodies that the links of a file would send; nil when there are none.
func sent(t *testing.T, f *link.File, kind event.Kind, fields calltouch.Fields) map[string]string {
	t.Helper()
	var out map[string]string
	for _, l := range f.Links {
		v, err := l.Filter(fields)
		if err != nil {
			t.Fatal(err)
		}
		if !v.Pass || !strings.Contains(strings.Join(l.Subjects(), " "), "."+string(kind)+".") {
			continue
		}
		r, err := l.Render(fields)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Missing) > 0 {
			t.Errorf("%s misses %v", l.ID, r.Missing)
		}
		if out == nil {
			out = map[string]string{}
		}
		out[l.ID] = string(r.Body)
	}
	return out
}
