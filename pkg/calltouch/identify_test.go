package calltouch_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

func TestIdentify(t *testing.T) {
	tests := []struct {
		name, body string
		key        string // "" when it is set aside
		aside      calltouch.Reason
		unknown    bool
	}{
		{"ended call", "leadtype=call&callphase=calldisconnected&id=5&callerphone=79000000001", "10001/call-ended/5", "", false},
		{"started call", "leadtype=call&callphase=callconnected&id=5", "10001/call-started/5", "", false},
		{"ended call in JSON", `{"callphase":"calldisconnected","id":5,"duration":0}`, "10001/call-ended/5", "", false},
		{"phase in capitals", "callphase=CALLCONNECTED&id=5&timestamp=1", "10001/call-started/5", "", false},
		{"no phase", "id=5&callerphone=79000000001", "10001/call-ended/5", "", true},
		{"unknown phase", "id=5&duration=3&callphase=calllost", "10001/call-ended/5", "", true},
		{"phase and id alone", "id=5&callphase=calldisconnected", "10001/call-ended/5", "", false},
		{"a call that came from a request", "leadtype=call&id=5&requestId=6&calltime=2023-10-23+23:29:32&callphase=calldisconnected", "10001/call-ended/5", "", false},
		{"a hidden number", "id=5&callerphone=null&timestamp=1698092972&callphase=calldisconnected", "10001/call-ended/5", "", false},
		{"request", "leadtype=request&requestId=6&callerphone=79000000001", "10001/request/6", "", false},
		{"request by its id alone", "requestId=6", "10001/request/6", "", false},
		{"request with an id", "leadtype=request&id=5&requestId=6", "10001/request/6", "", false},
		{"request whose id is nothing", "leadtype=request&id=null&requestId=6", "10001/request/6", "", false},
		{"odd id", "id=ab.c*&timestamp=1&callphase=calldisconnected", "10001/call-ended/xc5h2sopa", "", false},
		{"one placeholder in a real call", "id=5&callerphone=79000000001&orderId={orderId}&callphase=calldisconnected", "10001/call-ended/5", "", false},
		{"own site", "id=5&duration=3&siteId=10001&callphase=calldisconnected", "10001/call-ended/5", "", false},

		{"ping", "id={id}&callerphone={callerphone}&duration={duration}", "", calltouch.AsidePing, false},
		{"encoded ping", "callerphone=%7Bcallerphone%7D", "", calltouch.AsidePing, false},
		{"ping in JSON", `{"callerphone":"{callerphone}","id":"5"}`, "", calltouch.AsidePing, false},
		{"ping of other fields", "city={city}", "", calltouch.AsidePing, false},
		{"ping with an id", "id=5&duration={duration}", "", calltouch.AsidePing, false},
		{"nothing", "", "", calltouch.AsideEmpty, false},
		{"empty object", "{}", "", calltouch.AsideEmpty, false},
		{"empty values", "id=&callerphone=&attrs=%7B%7D&city=null", "", calltouch.AsideEmpty, false},
		{"deal", "leadtype=deal&id=5&callerphone=79000000001&timestamp=1", "", calltouch.AsideOtherLead, false},
		{"chat without a lead type", "chatId=5&callerphone=79000000001", "", calltouch.AsideOtherLead, false},
		{"id alone", "id=5&city=x", "", calltouch.AsideOtherLead, false},
		{"no id", "callerphone=79000000001&duration=3", "", calltouch.AsideNoID, false},
		{"request without its id", "leadtype=request&id=5&callerphone=79000000001", "", calltouch.AsideNoID, false},
		{"another site", "id=5&duration=3&siteId=10002", "", calltouch.AsideOtherSite, false},
		{"impossible id", "duration=3&id=" + strings.Repeat("1", 65), "", calltouch.AsideBadID, false},
		{"cut JSON", `{"id":"5"`, "", calltouch.AsideUnreadable, false},
		{"compressed", "\x1f\x8b\x08\x00id=5&duration=3", "", calltouch.AsideUnreadable, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, note := calltouch.Identify(hookEvent("", tt.body), view)
			if note.Aside != tt.aside || note.UnknownPhase != tt.unknown {
				t.Fatalf("note %+v, want aside %q, unknown phase %v", note, tt.aside, tt.unknown)
			}
			if tt.aside == "" && e.Key.String() != tt.key {
				t.Errorf("key %v, want %v", e.Key, tt.key)
			}
		})
	}
}

func TestIdentifyReadsTheURLToo(t *testing.T) {
	e := hookEvent("", `{"id":"5","callphase":"callconnected"}`)
	e.Query = "id=6&siteId=10001&callerphone=8+916+123-45-67&requestDate=2023-10-23+23:29:32"
	e, note := calltouch.Identify(e, view)
	if note.Aside != "" || e.Key.String() != "10001/call-started/5" {
		t.Fatalf("%v, %+v", e.Key, note)
	}
	at := time.Date(2023, 10, 23, 20, 29, 32, 0, time.UTC)
	if e.Fingerprint.Phone != "79161234567" || !e.Fingerprint.Time.Equal(at) || !e.Time.Equal(at) {
		t.Errorf("fingerprint %v, time %v", e.Fingerprint, e.Time)
	}
}

// A hook's parameters are read where they stand: its body, which is stored as it came, is in memory once.
func TestIdentifyCopiesNoBody(t *testing.T) {
	const long = 1 << 20
	e := hookEvent("", typical.form()+"&comment="+strings.Repeat("x", long))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	identified, note := calltouch.Identify(e, view)
	runtime.ReadMemStats(&after)
	if note.Aside != "" || identified.Key.ID != "148071" {
		t.Fatalf("%+v, %+v", identified.Key, note)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > long/2 {
		t.Errorf("it took %d bytes", took)
	}
}
