package calltouch_test

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// request is a record in the shape of the requests API.
const request = `{
	"requestId": 60321, "requestNumber": "60321", "date": 1697272759123, "dateStr": "14/10/2023 11:39:19",
	"subject": "Заявка с сайта", "requestUrl": "https://clinic.example/form", "requestType": null, "status": "NOT_SET",
	"manager": null, "uniqueRequest": false, "targetRequest": true, "uniqTargetRequest": false, "siteId": 10001,
	"client": {"clientId": 100001, "fio": "Тестов Тест Тестович",
		"phones": [{"phoneNumber": null}, {"phoneNumber": "79000000006", "phoneType": "MOBILE"}, {"phoneNumber": "79000000007"}],
		"contacts": [{"contactType": "SKYPE", "contactValue": "test"}, {"contactType": "MAIL", "contactValue": " test@mail.example "}]},
	"session": {"sessionId": 4794763832, "keywords": "(not set)", "city": "irkutsk", "ip": "192.0.2.12/32", "source": "google",
		"medium": "cpc", "ref": "", "url": "https://clinic.example/", "utmSource": "<не указано>", "utmCampaign": "осень",
		"guaClientId": "1.2", "sessionDate": "14/10/2023 11:38:22", "attribution": 1, "yaClientId": "1693237496843577594",
		"attrs": "{\"mindboxDeviceUUID\":\"0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab\"}", "additionalTags": ["сайт"],
		"ctGlobalId": "00000000-0000-5000-8000-000000000001", "browser": "Mozilla/5.0 (X11)", "browserName": "Firefox"},
	"ctClientId": 2500000000003012601, "ctGlobalId": null,
	"comments": [{"commentId": 1, "comment": "Перезвоните"}, {"comment": null}, {"comment": "после шести"}],
	"RequestTags": [{"category": "C", "type": "MANUAL", "names": ["VIP", "сайт"]}],
	"orders": [{"orderId": 5, "orderNumber": "A-5", "sum": 1200.5, "status": "new"}], "order": null,
	"customFields": [{"field": "1", "value": "<x>"}], "mapVisits": null, "dcm": {}
}`

func TestRequestRecord(t *testing.T) {
	e, f, err := record(event.Request, event.Poll, []byte(request))
	if err != nil {
		t.Fatal(err)
	}
	created := time.Unix(1697272759, 0)
	want := calltouch.Fields{
		"kind": "request", "origin": "poll", "leadtype": "request", "time": created,
		"requestId": "60321", "requestNumber": "60321", "requestDate": "2023-10-14 11:39:19", "subject": "Заявка с сайта",
		"requestUrl": "https://clinic.example/form", "requestStatus": "NOT_SET", "siteId": "10001",
		"uniquerequest": "false", "targetrequest": "target", "uniqtargetrequest": "non-uniqtarget",
		"clientId": "100001", "fio": "Тестов Тест Тестович", "lastName": "Тестов", "firstName": "Тест", "middleName": "Тестович",
		"callerphone": "79000000006", "phoneType": "MOBILE", "email": "test@mail.example",
		"sessionId": "4794763832", "city": "irkutsk", "ip": "192.0.2.12", "source": "google", "medium": "cpc",
		"url": "https://clinic.example/", "utm_campaign": "осень", "gcid": "1.2", "attribution": "1",
		"yaClientId": "1693237496843577594", "userAgent": "Mozilla/5.0 (X11)", "browser": "Firefox",
		"attrs":      map[string]string{"mindboxDeviceUUID": "0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab"},
		"deviceUUID": "0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab", "ctGlobalId": "00000000-0000-5000-8000-000000000001",
		"ctClientId": "2500000000003012601", "comment": "Перезвоните\nпосле шести", "tags": []string{"VIP", "сайт"},
		"orderId": "5", "orderNumber": "A-5", "orderSum": "1200.5", "orderStatus": "new",
		"customFields": `[{"field":"1","value":"<x>"}]`,
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
	if e.Key.String() != "10001/request/60321" || !e.Time.Equal(created) || e.Fingerprint.Phone != "79000000006" {
		t.Errorf("event %v at %v, %v", e.Key, e.Time, e.Fingerprint)
	}
	for name := range f {
		if field, ok := calltouch.Lookup(name); !ok || !field.Origins.Has(calltouch.FromPoll) {
			t.Errorf("the vocabulary does not say that the requests API brings %s", name)
		}
	}
}

// Types change from answer to answer; the meaning does not.
func TestRecordsAreReadLeniently(t *testing.T) {
	tests := []struct {
		name, field, record string
		kind                event.Kind
		want                any
	}{
		{"id as a text", "id", `{"callId":"205117"}`, event.CallEnded, "205117"},
		{"boolean as the text True", "unique", `{"callId":1,"uniqueCall":"True"}`, event.CallEnded, true},
		{"boolean as a number", "targetcall", `{"callId":1,"targetCall":1}`, event.CallEnded, "target"},
		{"boolean as null", "status", `{"callId":1,"successful":null}`, event.CallEnded, nil},
		{"number as a text", "duration", `{"callId":1,"duration":"72"}`, event.CallEnded, int64(72)},
		{"list instead of an object", "sessionId", `{"requestId":1,"session":[{"sessionId":5}]}`, event.Request, "5"},
		{"object instead of a list", "callerphone", `{"requestId":1,"client":{"phones":{"phoneNumber":79000000006}}}`, event.Request, "79000000006"},
		{"no session", "sessionId", `{"requestId":1,"session":null}`, event.Request, nil},
		{"no client, as PHP writes it", "requestId", `{"requestId":7,"client":[]}`, event.Request, "7"},
		{"text instead of a client", "callerphone", `{"requestId":1,"client":"none"}`, event.Request, nil},
		{"text instead of an object", "sessionId", `{"requestId":1,"session":"none"}`, event.Request, nil},
		{"comment as a text", "comment", `{"requestId":1,"comments":"call me"}`, event.Request, "call me"},
		{"tags as texts", "tags", `{"callId":1,"callTags":["b","a",null]}`, event.CallEnded, []string{"a", "b"}},
		{"one name of tags", "tags", `{"callId":1,"callTags":[{"names":"a"}]}`, event.CallEnded, []string{"a"}},
		{"order itself", "orderId", `{"callId":1,"order":{"orderId":7},"orders":[{"orderId":8}]}`, event.CallEnded, "7"},
		{"browser by its name", "browser", `{"requestId":1,"session":{"browser":"Chrome"}}`, event.Request, "Chrome"},
		{"date as a text", "time", `{"requestId":1,"date":"1697272759000"}`, event.Request, time.Unix(1697272759, 0)},
		{"local date alone", "time", `{"requestId":1,"dateStr":"14/10/2023 11:39:19"}`, event.Request, time.Unix(1697272759, 0)},
		{"control characters inside", "comment", "{\"requestId\":1,\"comments\":[{\"comment\":\"a\x01\nb\"}]}", event.Request, "a\nb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, f, err := record(tt.kind, event.Backfill, []byte(tt.record))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, f[tt.field]); diff != "" {
				t.Error(diff)
			}
			if _, err := calltouch.ReadListed(calltouch.EscapeControls([]byte(tt.record)), tt.kind, view); err != nil {
				t.Errorf("it is listed, and would be set aside: %v", err)
			}
		})
	}
}

// The same request by hook means what it means by poll, in all that both of them carry.
func TestHookAndPollOfOneRequestAreEqual(t *testing.T) {
	hook := toJSON(t, map[string]string{
		"leadtype": "request", "changedFields": "null", "requestId": "60321", "requestNumber": "60321", "siteId": "10001",
		"requestDate": "2023-10-14 11:39:19", "subject": "Заявка с сайта", "fio": "Тестов Тест Тестович", "callerphone": "79000000006",
		"uniquerequest": "false", "targetrequest": "target", "uniqtargetrequest": "non-uniqtarget", "manager": "null",
		"tags_request": "сайт", "tags_manual": "VIP", "attribution": "1", "source": "google", "medium": "cpc", "orderId": "5",
		"utm_source": "<не указано>", "utm_campaign": "осень", "yaClientId": "1693237496843577594", "gcid": "1.2",
		"sessionId": "4794763832", "ctClientId": "2500000000003012601", "ctGlobalId": "00000000-0000-5000-8000-000000000001",
		"hostname": "null", "url": "https://clinic.example/", "ref": "", "city": "irkutsk", "ip": "192.0.2.12",
		"attrs":   `{"mindboxDeviceUUID":"0f3bd0ec-5c4b-4c4f-9a5e-0123456789ab"}`,
		"browser": "Firefox", "userAgent": "Mozilla/5.0 (X11)", "sendingTimestamp": "1694853560",
	})
	e, note := calltouch.Identify(hookEvent("", string(hook)), view)
	polled, fromPoll, err := record(event.Request, event.Poll, []byte(request))
	if err != nil || note.Aside != "" || e.Key != polled.Key || !cmp.Equal(e.Fingerprint, polled.Fingerprint) {
		t.Fatalf("hook %v %v, poll %v %v: %v, %v", e.Key, e.Fingerprint, polled.Key, polled.Fingerprint, note, err)
	}
	fromHook := mustParse(t, e)
	oneSided := func(name string, _ any) bool {
		f, _ := calltouch.Lookup(name)
		return f.Differs || !f.Origins.Has(calltouch.FromHook|calltouch.FromPoll)
	}
	maps.DeleteFunc(fromHook, oneSided)
	maps.DeleteFunc(fromPoll, oneSided)
	if diff := cmp.Diff(fromHook, fromPoll); diff != "" {
		t.Error(diff)
	}
}
