package calltouch_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

const site = "10001"

// moscow is three hours ahead all year, as the cabinets that were seen.
var moscow = time.FixedZone("Europe/Moscow", 3*3600)

var view = calltouch.View{Location: moscow, Attrs: []string{"mindboxDeviceUUID", "area_name"}, Device: "mindboxDeviceUUID"}

// call is one invented call, to be rendered as a hook and as a record of the journal.
type call struct {
	id, session, visitor int64
	phone, city, source  string
	start                time.Time
	duration, waiting    int64
	successful, unique   bool
	target, callback     bool
	utm, tag             string // "" means none
	device               string
	pool                 string
}

func draw(t *rapid.T) call {
	text := rapid.SampledFrom([]string{"", "google", "Санкт-Петербург", "a&b=c", "100% + 1", `"quoted"\`, "комета ☄", "a;b", "<b>"})
	return call{
		id: rapid.Int64Range(1, 1<<40).Draw(t, "id"), session: rapid.Int64Range(1, 1<<40).Draw(t, "session"),
		visitor: rapid.Int64Range(1<<53, 1<<62).Draw(t, "visitor"),
		phone:   "79" + fmt.Sprintf("%09d", rapid.IntRange(0, 999999999).Draw(t, "phone")),
		city:    text.Draw(t, "city"), source: text.Draw(t, "source"),
		start:    time.Unix(rapid.Int64Range(1_500_000_000, 2_000_000_000).Draw(t, "start"), 0),
		duration: rapid.Int64Range(-30, 5000).Draw(t, "duration"), waiting: rapid.Int64Range(0, 90).Draw(t, "waiting"),
		successful: rapid.Bool().Draw(t, "successful"), unique: rapid.Bool().Draw(t, "unique"),
		target: rapid.Bool().Draw(t, "target"), callback: rapid.Bool().Draw(t, "callback"),
		utm: text.Draw(t, "utm"), tag: rapid.SampledFrom([]string{"", "VIP", "стоматология"}).Draw(t, "tag"),
		device: rapid.SampledFrom([]string{"", "0f3bD0ec-5c4b-4c4f-9a5e-0123456789aB", "00000000-0000-0000-0000-000000000000"}).Draw(t, "device"),
		pool:   rapid.SampledFrom([]string{"", "dynamic", "staticOffline"}).Draw(t, "pool"),
	}
}

func either(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func or(s, nothing string) string { return either(s == "", nothing, s) }

// hook is the call as an end hook's parameters.
func (c call) hook() map[string]string {
	return map[string]string{
		"leadtype": "call", "callphase": "calldisconnected", "id": strconv.FormatInt(c.id, 10), "siteId": site,
		"siteName": "clinic.example", "callerphone": c.phone, "phonenumber": "78120000002", "subPoolName": "Остальные",
		"ctCallerId": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "redirectNumber": "undefined", "changedFields": "null",
		"calltime": c.start.In(moscow).Format("2006-01-02 15:04:05"), "timestamp": strconv.FormatInt(c.start.Unix(), 10),
		"sendingTimestamp": strconv.FormatInt(c.start.Unix()+100, 10),
		"duration":         strconv.FormatInt(c.duration, 10), "waiting_time": strconv.FormatInt(c.waiting, 10),
		"status": either(c.successful, "successful", "unsuccessful"), "unique": strconv.FormatBool(c.unique),
		"statusDetails": "Соединение состоялось",
		"targetcall":    either(c.target, "target", "non-target"), "uniqtargetcall": either(c.target && c.unique, "uniqtarget", "non-uniqtarget"),
		"callback": either(c.callback, "callback", "non-callback"), "worktime": "worktime", "pool": or(c.pool, "null"),
		"tags_manual": or(c.tag, "null"), "tags_auto_ct": "null", "tags_api": "B,A", "attribution": "1",
		"source": or(c.source, "null"), "medium": "(none)", "utm_source": or(c.utm, "<не указано>"), "utm_medium": "(not set)",
		"utm_campaign": "<не заполнено>", "yaClientId": "1700000001234567890", "gcid": "2019530414.1741701518",
		"sessionId": strconv.FormatInt(c.session, 10), "ctClientId": strconv.FormatInt(c.visitor, 10), "ctGlobalId": "null",
		"hostname": "clinic.example", "url": "https://clinic.example/?a=1&b=2", "ref": "", "attrs": c.attrs(), "city": c.city,
		"browser": "Chrome", "os": "Mac", "device": "desktop", "ip": "192.0.2.10", "userAgent": "Mozilla/5.0", "orderId": "null",
		"sip_call_id": "5b7d0e1c", "callReferenceNumber": "9e02c4ab", "reclink": "https://rec.example/?jwtkey=secret",
		"manager": "null", "spam": "false",
	}
}

func (c call) attrs() string {
	if c.device == "" {
		return "{}"
	}
	return `{"mindboxdeviceuuid":"` + c.device + `","other":"null"}`
}

func (c call) form() string {
	v := url.Values{}
	for name, value := range c.hook() {
		v.Set(name, value)
	}
	return v.Encode()
}

// journal is the call as the calls journal lists it.
func (c call) journal() map[string]any {
	maybe := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	record := map[string]any{
		"callId": c.id, "callphase": "calldisconnected", "attribution": 1, "siteId": 10001, "siteName": "clinic.example",
		"callTags": []any{map[string]any{"category": "A", "type": "API", "names": []string{"A", "B"}}},
		"date":     c.start.In(moscow).Format("02/01/2006 15:04:05"), "timestamp": c.start.Unix(),
		"sessionDate": "15/09/2023 06:51:33", "duration": c.duration, "waitingConnect": c.waiting,
		"callerNumber": c.phone, "phoneNumber": "78120000002", "redirectNumber": nil, "subPoolName": "Остальные",
		"ctCallerId": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "manager": nil, "successful": c.successful, "uniqueCall": c.unique,
		"targetCall": c.target, "uniqTargetCall": c.target && c.unique, "callbackCall": c.callback, "poolType": maybe(c.pool),
		"city": maybe(c.city), "source": maybe(c.source), "medium": "(none)", "utmSource": or(c.utm, "<не указано>"),
		"utmMedium": nil, "utmCampaign": nil, "keyword": "(not set)", "url": "https://clinic.example/?a=1&b=2", "ref": "",
		"hostname": "clinic.example", "sessionId": c.session, "ctClientId": c.visitor, "ctGlobalId": nil,
		"clientId": "2019530414.1741701518", "yaClientId": "1700000001234567890", "sipCallId": "5b7d0e1c",
		"callReferenceId": "9e02c4ab", "userAgent": "Mozilla/5.0", "device": "desktop", "os": "Mac", "browser": "Chrome",
		"ip": "192.0.2.10/32", "orders": []any{}, "order": nil, "comments": nil, "mapVisits": nil, "attrs": nil,
		"statusDetails": "Connection succeeded",
	}
	if c.tag != "" {
		record["additionalTags"] = []string{c.tag}
	}
	if c.device != "" {
		record["attrs"] = []any{map[string]any{"name": "mindbox_device_uuid", "value": c.device}}
	}
	return record
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hookEvent is a stored event with this body.
func hookEvent(kind event.Kind, body string) event.Event {
	return event.Event{Key: event.Key{Site: site, Kind: kind, ID: "1"}, Origin: event.Webhook, Body: []byte(body)}
}

// mustParse parses, or ends the test.
func mustParse(t interface {
	Helper()
	Fatal(...any)
}, e event.Event) calltouch.Fields {
	t.Helper()
	f, err := calltouch.Parse(e, view)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// record makes an event of one record of the API.
func record(kind event.Kind, origin event.Origin, body []byte) (event.Event, calltouch.Fields, error) {
	e := event.Event{Key: event.Key{Site: site, Kind: kind}, Origin: origin, ContentType: "application/json", Body: body}
	f, err := calltouch.Parse(e, view)
	if err != nil {
		return e, nil, err
	}
	id, _ := f["id"].(string)
	if kind == event.Request {
		id, _ = f["requestId"].(string)
	}
	if e.Key, err = event.NewKey(site, kind, id); err != nil {
		return e, nil, err
	}
	e.Fingerprint = calltouch.Fingerprint(e, view)
	e.Time, _ = f["time"].(time.Time)
	return e, f, nil
}
