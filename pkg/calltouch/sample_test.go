package calltouch_test

import (
	"testing"

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
