package calltouch_test

import (
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// A hook and the journal say the same with other words; Parse gives one meaning.
func ExampleParse() {
	moscow := calltouch.View{Location: time.FixedZone("Europe/Moscow", 3*3600)}
	key := event.Key{Site: "10001", Kind: event.CallEnded, ID: "148071"}
	hook := event.Event{Key: key, Origin: event.Webhook,
		Body: []byte("id=148071&status=successful&duration=12&utm_source=%3C%D0%BD%D0%B5+%D1%83%D0%BA%D0%B0%D0%B7%D0%B0%D0%BD%D0%BE%3E&calltime=2026-11-01+10:00:00")}
	journal := event.Event{Key: key, Origin: event.Journal,
		Body: []byte(`{"callId":148071,"successful":true,"duration":"12","utmSource":null,"date":"01/11/2026 10:00:00"}`)}
	for _, e := range []event.Event{hook, journal} {
		f, err := calltouch.Parse(e, moscow)
		fmt.Println(f["id"], f["status"], f["duration"], f["utm_source"], f["calltime"], f["time"], err)
	}
	// Output:
	// 148071 successful 12 <nil> 2026-11-01 10:00:00 2026-11-01 10:00:00 +0300 Europe/Moscow <nil>
	// 148071 successful 12 <nil> 2026-11-01 10:00:00 2026-11-01 10:00:00 +0300 Europe/Moscow <nil>
}

func ExampleIdentify() {
	for _, body := range []string{
		"id=148071&callphase=calldisconnected&callerphone=79161234567",
		"requestId=60321",
		"id={id}&callerphone={callerphone}",
	} {
		e, note := calltouch.Identify(event.Event{Key: event.Key{Site: "10001"}, Body: []byte(body)}, calltouch.View{})
		if note.Aside != "" {
			fmt.Println("aside:", note.Aside)
			continue
		}
		fmt.Println(e.Key)
	}
	// Output:
	// 10001/call-ended/148071
	// 10001/request/60321
	// aside: ping
}
