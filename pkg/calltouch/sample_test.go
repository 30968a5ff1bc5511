package calltouch_test

import (
	"maps"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestSampleKnowsWhatAFileHolds(t *testing.T) {
	tests := []struct {
		name, body string
		want       string // key, "" when it is no event
		origin     event.Origin
	}{
		{"form hook", "callphase=calldisconnected&id=5&callerphone=79991112233\n", "10001/call-ended/5", event.Webhook},
		{"JSON hook", `{"leadtype":"request","requestId":"6","callerphone":"79991112233"}`, "10001/request/6", event.Webhook},
		{"journal record", `{"callId":7,"callphase":"calldisconnected","timestamp":1700000000}`, "10001/call-ended/7", event.Journal},
		{"request record", `{"requestId":8,"date":1700000000000,"client":{"fio":"A"}}`, "10001/request/8", event.Poll},
		{"test ping", "id={id}&callerphone={callerphone}", "", ""},
		{"nothing", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := calltouch.Sample("10001", []byte(tt.body), calltouch.View{})
			if tt.want == "" {
				if err == nil {
					t.Fatalf("made an event %s of it", e.Key)
				}
				return
			}
			if err != nil || e.Key.String() != tt.want || e.Origin != tt.origin {
				t.Errorf("got %s by %s, %v; want %s by %s", e.Key, e.Origin, err, tt.want, tt.origin)
			}
		})
	}
}

// TestGivenIsWhatAHookWouldBe: names and values come to the fields of the hook that has them.
func TestGivenIsWhatAHookWouldBe(t *testing.T) {
	const device = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	view := calltouch.View{Location: time.FixedZone("", 3*3600), Attrs: []string{"mindboxDeviceUUID", "promo"}, Device: "mindboxDeviceUUID"}
	hook := url.Values{
		"id": {"5"}, "callphase": {"calldisconnected"}, "callerphone": {"79000000001"}, "duration": {"12"}, "unique": {"true"}, "status": {"1"},
		"calltime": {"2026-11-01 12:00:00"}, "utm_source": {"<не указано>"}, "tags_manual": {"б,а"},
		"attrs": {`{"mindboxDeviceUUID":"` + device + `","promo":"x"}`},
	}
	e, err := calltouch.Sample("10001", []byte(hook.Encode()), view)
	if err != nil {
		t.Fatal(err)
	}
	want, err := calltouch.Parse(e, view)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]any{"attrs": map[string]any{"promo": "x"}, "deviceUUID": device, "tags_manual": []any{"б", "а"}}
	for name, values := range hook {
		if named[name] == nil {
			named[name] = values[0]
		}
	}
	if diff := cmp.Diff(want, calltouch.Given(e.Key, event.Webhook, named, view)); diff != "" {
		t.Error(diff)
	}

	// What is derived may be named itself.
	more := maps.Clone(named)
	more["time"], more["tags"], more["email"], more["lastName"] = "2026-11-02T10:00:00+03:00", []any{"в"}, "a@b.example", "Орлов"
	got := calltouch.Given(e.Key, event.Journal, more, view)
	if at, _ := got["time"].(time.Time); at.Unix() != time.Date(2026, 11, 2, 7, 0, 0, 0, time.UTC).Unix() {
		t.Errorf("time: %v", got["time"])
	}
	if got["email"] != "a@b.example" || got["lastName"] != "Орлов" || got["origin"] != "journal" || !cmp.Equal(got["tags"], []string{"а", "б", "в"}) {
		t.Errorf("%v", got)
	}
}
