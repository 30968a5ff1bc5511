package bridge_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// callRecord is one record of the calls journal, by itself, as a person would save it in a file.
// Its time is twice told, in the cabinet's zone and as a timestamp.
const callRecord = `{
  "callId": 771001, "callphase": "calldisconnected", "attribution": 1, "callTags": null, "date": "14/08/2024 12:40:07",
  "timestamp": 1723628407, "duration": 64, "waitingConnect": 3, "callerNumber": "79161237001", "phoneNumber": "78120000009",
  "redirectNumber": "78120000031", "manager": null, "successful": true, "uniqueCall": true, "targetCall": false,
  "callbackCall": false, "city": "tver", "source": "yandex", "medium": "cpc", "keyword": "(not set)",
  "url": "https://clinic.example/", "ref": "", "hostname": "clinic.example", "utmSource": "yandex", "utmMedium": "cpc",
  "utmCampaign": "<не указано>", "utmContent": "<не указано>", "utmTerm": "<не указано>", "sessionId": 9040001,
  "ctCallerId": "5f8e1c7a6b5d4c3e2f1a0b9c8d7e6f5a", "yaClientId": "1723628000000000001", "ip": "192.0.2.44", "attrs": null,
  "orders": [], "siteId": 10001, "siteName": "clinic.example", "ctClientId": 2500000000009646399, "subPoolName": "Остальные"
}`

// requestRecords is an answer of the requests method with one record.
const requestRecords = `[{
  "requestId": 78901, "requestNumber": "78901", "date": 1723711877000, "dateStr": "15/08/2024 11:51:17", "requestType": null,
  "subject": "Запись на приём", "uniqueRequest": true, "targetRequest": true, "uniqTargetRequest": true, "siteId": 10001,
  "comments": [{"commentId": 1, "comment": "после шести"}], "manager": null, "status": "NOT_SET", "orders": [], "RequestTags": null,
  "client": {"clientId": 100900, "fio": "Пробная Анна", "phones": [{"phoneNumber": "8 (916) 123-70-02", "phoneType": "OTHER"}],
    "contacts": [{"contactType": "MAIL", "contactValue": "anna@mail.example"}]},
  "session": {"sessionId": 9040002, "keywords": "(not set)", "city": "tver", "ip": "192.0.2.45/32", "source": "vk", "medium": "social",
    "ref": "", "url": "https://clinic.example/", "utmSource": "vk", "utmMedium": "social", "utmCampaign": "autumn",
    "utmContent": "<не указано>", "utmTerm": "<не указано>", "attribution": 1, "sessionDate": "15/08/2024 11:49:01", "attrs": null,
    "additionalTags": [], "browser": "Mozilla/5.0"},
  "ctClientId": 2500000000003012699, "requestUrl": "https://clinic.example/"
}]`

const fileConfig = `calltouch:
  - site: 10001
    name: clinic
    token: api-token
    api: CALLTOUCH
    requests: {from: poll, every: 1s, sweep: 1d, grace: 1s}
    journal: {every: 1s, sweep: 1d, grace: 1s}
mindbox:
  - {name: clinic, url: MINDBOX, endpoint: clinic.Website, secret: mindbox-secret}
links:
  - id: calls
    from: clinic
    since: "2024-01-01"
    event: call.ended
    to: clinic
    operation: CallTouch
    body: &body
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id ?? requestId}
      customerAction.customFields.utmSource: ${utm_source}
      customerAction.customFields.utmMedium: ${utm_medium}
      customerAction.customFields.utmCampaign: ${utm_campaign}
      customerAction.customFields.duration: ${duration}
      executionDateTimeUtc: ${utc(time)}
  - id: requests
    from: clinic
    since: "2024-01-01"
    event: request
    to: clinic
    operation: CallTouchRequest
    body:
      <<: *body
      customer.email: ${email(email)}
      customer.fullName: ${fio}
      customerAction.customFields.comment: ${comment}
`

// TestAPIFromFiles reads records from a file server that knows nothing of days or tokens, on a site
// without webhooks, and compares what arrives at Mindbox.
func TestAPIFromFiles(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a poll and its file, again and again")
	files := t.TempDir()
	for name, text := range map[string]string{"requests": requestRecords, "10001/calls-diary/calls": callRecord} {
		path := filepath.Join(files, "calls-service/RestAPI", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	box := newMindbox(t, mindboxtest.Config{})
	s := newStack(t)
	s.configure(strings.NewReplacer("CALLTOUCH", here(t, http.FileServer(http.Dir(files))), "MINDBOX", box.url).Replace(fileConfig))
	s.up()
	eventually(t, 30*time.Second, "both records are executed", func() bool { return box.times("771001") == 1 && box.times("78901") == 1 })

	type object = map[string]any
	want := map[string]object{
		"771001": {
			"customer":             object{"mobilePhone": "79161237001"},
			"customerAction":       object{"customFields": object{"callId": "771001", "utmSource": "yandex", "utmMedium": "cpc", "duration": 64.0}},
			"executionDateTimeUtc": "2024-08-14 09:40:07.000",
		},
		"78901": {
			"customer": object{"mobilePhone": "79161237002", "email": "anna@mail.example", "fullName": "Пробная Анна"},
			"customerAction": object{"customFields": object{
				"callId": "78901", "utmSource": "vk", "utmMedium": "social", "utmCampaign": "autumn", "comment": "после шести",
			}},
			"executionDateTimeUtc": "2024-08-15 08:51:17.000",
		},
	}
	for id, want := range want {
		var got object
		if err := json.Unmarshal(box.Executed(mindboxtest.Query{CallID: id})[0].Body, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	call, err := s.queue().GetEvent(t.Context(), event.Key{Site: "10001", Kind: event.CallEnded, ID: "771001"})
	if err != nil || call.Origin != event.Journal || string(call.Body) != callRecord {
		t.Errorf("%v, origin %s, stored as %s", err, call.Origin, call.Body)
	}
}
