package earlier_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
)

// TestMake makes testdata anew, see README.md. What it does to the store it does by the earlier version's binaries alone, and what comes out is
// what they say of it.
func TestMake(t *testing.T) {
	if *earlier == "" {
		t.Skip("without -make")
	}
	w := newWriter(t)
	w.firstHalf()
	w.secondHalf()
	w.bridge.stop(t)
	data := filepath.Join(w.dir, "data")
	for _, left := range []string{"nats.sock", "touchbox.lock"} {
		_ = os.Remove(filepath.Join(data, left))
	}
	for _, d := range w.api { // the one too large is aside by now
		d.Requests = slices.DeleteFunc(d.Requests, func(r json.RawMessage) bool { return len(r) > 1<<20 })
	}
	api, _ := json.MarshalIndent(w.api, "", " ")
	if err := errors.Join(postpone(data), pack(data, "testdata/store.tar.gz"), os.WriteFile("testdata/calltouch.json", append(api, '\n'), 0o600)); err != nil {
		t.Fatal(err)
	}
	commands := w.commands()
	shown := strings.Join(readAll(t, w.binary, commands), "")
	sent, after := settle(t, w.binary)
	for name, text := range map[string]string{"commands.txt": shown, "sent.txt": sent, "after.txt": after} {
		if err := os.WriteFile(filepath.Join("testdata", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Addresses in testdata/*.yaml. The store is made with them; a test puts its own in their place.
const (
	mindboxAddress   = "127.0.0.1:28391"
	calltouchAddress = "127.0.0.1:28392"
	ingestAddress    = "127.0.0.1:28393"
)

// writer writes a store.
type writer struct {
	*installation
	api      calltouch
	bridge   *bridge
	clinic   *calltouchtest.Calltouch
	pharmacy *calltouchtest.Calltouch
	now      time.Time
}

func newWriter(t *testing.T) *writer {
	path, err := filepath.Abs(filepath.Join(*earlier, "touchbox"))
	if err != nil {
		t.Fatal(err)
	}
	w := &writer{
		installation: &installation{t: t, dir: t.TempDir(), binary: path}, api: calltouch{}, now: time.Now(),
		clinic:   calltouchtest.New(calltouchtest.Config{Seed: 11}),
		pharmacy: calltouchtest.New(calltouchtest.Config{Seed: 12, Site: "10002", SiteName: "pharmacy.example"}),
	}
	alerts := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w.env = []string{"INGEST_ADDR=" + ingestAddress, "INGEST_ADMIN_ADDR=127.0.0.1:28394", "WORKER_ADMIN_ADDR=127.0.0.1:28395", "CONSOLE_ADDR=off", "ALERT_URL=" + alerts}
	w.serveAt(mindboxAddress, newMindbox(moody))
	w.list()
	w.serveAt(calltouchAddress, w.api)
	return w
}

func (w *writer) serveAt(address string, h http.Handler) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = s.Serve(l) }()
	w.t.Cleanup(func() { _ = s.Close() })
}

// moody is a Mindbox that answers by the operation and by utm_campaign, which the links send along.
func moody(operation, mode string, nth int) (status int, retryAfter, body string) {
	refuse := func(status int, state string) (int, string, string) {
		return status, "", fmt.Sprintf(`{"status":%q,"errorMessage":"the %s of the fixture","errorId":"00000000-0000-4000-8000-000000000000"}`, state, mode)
	}
	wait := func() (int, string, string) {
		return http.StatusInternalServerError, "86400", `{"status":"InternalServerError","errorMessage":"later"}`
	}
	switch operation {
	case "NotThere":
		return refuse(http.StatusNotFound, "ProtocolError")
	case "Closed":
		return refuse(http.StatusForbidden, "ProtocolError")
	case "Removed":
		switch mode {
		case "waits":
			return wait()
		case "removed":
			return refuse(http.StatusBadRequest, "ProtocolError")
		}
		return kind(operation, mode, nth)
	case "CallTouch", "CallTouchNew", "Strict", "Request":
	default:
		return kind(operation, mode, nth)
	}
	switch mode {
	case "400", "removed":
		if operation == "CallTouch" || operation == "Request" || mode == "400" {
			return refuse(http.StatusBadRequest, "ProtocolError")
		}
	case "409":
		return refuse(http.StatusConflict, "ProtocolError")
	case "validation":
		return http.StatusOK, "", `{"status":"ValidationError","validationMessages":[{"message":"Номер указан некорректно.","location":"/customer/mobilePhone"}]}`
	case "later", "cancel":
		if mode == "later" || operation == "CallTouch" && nth == 1 {
			return wait()
		}
	case "500":
		return http.StatusInternalServerError, "", `{"status":"InternalServerError","errorMessage":"always"}`
	case "hang":
		if nth == 1 {
			return 0, "", ""
		}
		return wait()
	case "revised":
		if nth > 1 || operation == "CallTouchNew" {
			return wait()
		}
		return refuse(http.StatusBadRequest, "ProtocolError")
	}
	return kind(operation, mode, nth)
}

// call invents an ended call of the clinic. The id decides of the person.
func (w *writer) call(id int64, source, medium, campaign string) calltouchtest.Call {
	c := w.clinic.NewCall(calltouchtest.Dynamic, id, w.now.Add(-10*time.Minute))
	c.Session.UTM = [5]string{source, medium, campaign, "", ""}
	return c
}

// past is behind what a sweep reads.
func (w *writer) past() time.Time { return w.now.AddDate(0, 0, -8) }

// list fills the pharmacy's API: what no hook brings, of today and of a day that a backfill brings.
func (w *writer) list() {
	record := func(id int64, at time.Time) {
		c := w.pharmacy.NewCall(calltouchtest.Dynamic, id, at)
		d := w.api.day(at)
		d.Calls = append(d.Calls, w.pharmacy.Record(c, w.now, calltouchtest.AllParts))
	}
	request := func(id int64, at time.Time) {
		r := w.pharmacy.NewRequest(calltouchtest.Formatted, id, at)
		d := w.api.day(at)
		d.Requests = append(d.Requests, w.pharmacy.RequestRecord(r, w.now, calltouchtest.AllParts))
	}
	record(3003, w.now.Add(-30*time.Minute))
	request(2102, w.now.Add(-20*time.Minute))
	request(2103, w.now.Add(-25*time.Minute))
	today := w.api.day(w.now)
	today.Requests = append(today.Requests, json.RawMessage(`{"requestId":2104,"date":"?","subject":"`+strings.Repeat("x", 4_300_000)+`"}`), json.RawMessage(`{"requestId":"не число"}`))
	record(3101, w.past())
	record(3102, w.past())
	request(2201, w.past())
}

const (
	clinicHook   = "http://" + ingestAddress + "/calltouch/10001/key-of-the-clinic"
	pharmacyHook = "http://" + ingestAddress + "/calltouch/10002/key-of-the-pharmacy"
)

// hook posts a body as Calltouch would.
func (w *writer) hook(url, contentType, body string) {
	w.t.Helper()
	answer, err := http.Post(url, contentType, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
}

const form = "application/x-www-form-urlencoded"

func (w *writer) ended(id int64, source, medium, campaign string) {
	w.t.Helper()
	w.hook(clinicHook, form, w.clinic.EndHook(w.call(id, source, medium, campaign)).Encode())
}

func key(id int) string { return fmt.Sprintf("10001/call-ended/%d", id) }

// outcomes waits until an event has these outcomes, given as link, outcome, link, outcome.
func (w *writer) outcomes(event string, want ...string) {
	w.t.Helper()
	last := ""
	defer func() {
		if w.t.Failed() {
			w.t.Log(last)
		}
	}()
	eventually(w.t, event+" "+strings.Join(want, " "), func() bool {
		var e struct {
			Links []struct{ Link, Outcome string }
		}
		s := w.run("event", event, "--json")
		last = s.out + s.errs
		if s.code != 0 || json.Unmarshal([]byte(s.out), &e) != nil {
			return false
		}
		have := map[string]string{}
		for _, l := range e.Links {
			have[l.Link] = l.Outcome
		}
		for i := 0; i < len(want); i += 2 {
			if have[want[i]] != want[i+1] {
				return false
			}
		}
		return true
	})
}

// firstHalf is the life of the store under first.yaml.
func (w *writer) firstHalf() {
	w.configure("first.yaml")
	w.bridge = w.up()
	w.must("links", "stop", "stopped")
	for _, id := range []int64{1001, 1002} {
		w.hook(clinicHook, form, w.clinic.StartHook(w.call(id, "", "", "")).Encode())
	}
	w.ended(1001, "yandex", "cpc", "brand")
	w.ended(1001, "yandex", "cpc", "brand") // a repeat
	w.hook(clinicHook, form, w.clinic.EndHook(w.clinic.NewCall(calltouchtest.Static, 1002, w.now.Add(-time.Minute))).Encode())
	w.hook(clinicHook, form, w.clinic.EndHook(w.clinic.NewCall(calltouchtest.Short, 1003, w.now.Add(-time.Minute))).Encode())
	w.hook(clinicHook, form, w.clinic.EndHook(w.clinic.NewCall(calltouchtest.Hidden, 1004, w.now.Add(-time.Minute))).Encode())
	w.hook(clinicHook, "application/json", string(w.clinic.EndHook(w.call(1021, "google", "cpc", "json")).JSON()))
	if answer, err := http.Get(clinicHook + "?" + w.clinic.EndHook(w.clinic.NewCall(calltouchtest.Foreign, 1022, w.now.Add(-time.Minute))).Encode()); err == nil {
		_ = answer.Body.Close()
	}
	for id, mode := range map[int64]string{
		1005: "400", 1006: "validation", 1007: "409", 1008: "later", 1009: "hang", 1010: "cancel", 1014: "400", 1015: "revised",
		1016: "removed", 1017: "waits", 1019: "400", 1023: "later", 1024: "cancel", 1025: "removed", 1026: "removed",
	} {
		w.ended(id, "yandex", "cpc", mode)
	}
	w.ended(1011, "strict", "", "500")
	w.ended(1012, "expr", "abc", "")
	old := w.call(1013, "old", "", "")
	old.Start = w.now.Add(-48 * time.Hour)
	w.hook(clinicHook, form, w.clinic.EndHook(old).Encode())
	collides := w.call(1001, "", "", "")
	collides.Caller, collides.Start = "79009998877", w.now.Add(-5*time.Hour)
	w.hook(clinicHook, form, w.clinic.EndHook(collides).Encode())
	w.asides()
	request := w.clinic.NewRequest(calltouchtest.Form, 2001, w.now.Add(-time.Minute))
	w.hook(clinicHook, form, w.clinic.RequestHook(request).Encode())
	request = w.clinic.NewRequest(calltouchtest.Form, 2002, w.now.Add(-time.Minute))
	request.Session.UTM[2] = "400"
	w.hook(clinicHook, form, w.clinic.RequestHook(request).Encode())
	for _, id := range []int64{2101, 2102} { // 2101 is not listed: it waits aside
		w.hook(pharmacyHook, form, w.pharmacy.RequestHook(w.pharmacy.NewRequest(calltouchtest.Formatted, id, w.now.Add(-20*time.Minute))).Encode())
	}
	for _, id := range []int64{3001, 3002} {
		c := w.pharmacy.NewCall(calltouchtest.Dynamic, id, w.now.Add(-20*time.Minute))
		w.hook(pharmacyHook, form, w.pharmacy.StartHook(c).Encode())
		w.hook(pharmacyHook, form, w.pharmacy.EndHook(c).Encode())
	}
	w.outcomes(key(1001), "ended", "delivered", "shadow", "shadow")
	w.outcomes(key(1003), "ended", "filtered")
	w.outcomes(key(1004), "ended", "undeliverable")
	w.outcomes(key(1011), "strict", "dead")
	w.outcomes(key(1012), "numbers", "dead")
	w.outcomes(key(1013), "expires", "dead")
	w.outcomes(key(1016), "ended", "dead", "removed", "dead")
	w.outcomes(key(1017), "removed", "waiting")
	w.outcomes(key(1024), "ended", "waiting")
	w.outcomes("10002/request/2103", "requests", "delivered")
	w.outcomes("10002/call-ended/3003", "shadow", "shadow")
	w.must("retries", "--cancel", "--yes", "--event", key(1010), "--event", key(1024))
	w.must("backfill", "--site", "pharmacy", "--from", cabinetDay(w.past()), "--to", cabinetDay(w.past()))
	w.must("links", "stop", "removed")
	w.ended(1018, "yandex", "cpc", "unread")
	w.outcomes(key(1018), "ended", "delivered")
	w.must("erase", "--phone", w.call(1019, "", "", "").Caller, "--yes")
	w.bridge.kill() // a life that ended without a stop
}

// asides are hooks that are no events, and requests that show what is set wrong.
func (w *writer) asides() {
	w.hook(clinicHook, form, calltouchtest.PingHook().Encode())
	w.hook(clinicHook, form, calltouchtest.EmptyHook().Encode())
	w.hook(clinicHook, form, "leadtype=deal&id=5&callerphone=79000000001")
	w.hook(clinicHook, form, "leadtype=call&callphase=calldisconnected&callerphone=79000000002&timestamp=1790000000&duration=12")
	w.hook(clinicHook, form, "leadtype=call&callphase=calldisconnected&id="+strings.Repeat("7", 2000)+"&callerphone=79000000003")
	w.hook(clinicHook, form, "leadtype=call&callphase=calldisconnected&id=77&siteId=10009&callerphone=79000000004")
	w.hook(clinicHook, "application/json", `{"leadtype":"call",`)
	w.hook("http://"+ingestAddress+"/calltouch/10001/another-key", form, "id=1")
	w.hook("http://"+ingestAddress+"/calltouch/10077/another-key", form, "id=1")
}

// secondHalf is its life under touchbox.yaml: an operation has another name, two links have left the file, one is new.
func (w *writer) secondHalf() {
	w.configure("touchbox.yaml")
	w.bridge = w.up()
	eventually(w.t, "the killed worker is forgotten", func() bool { return w.run("links", "remove", "removed", "--yes").code == 0 })
	w.outcomes(key(1018), "removed", "abandoned")
	w.must("replay", "--event", key(1014), "--link", "ended")
	w.outcomes(key(1014), "ended", "dead")
	w.must("replay", "--event", key(1015), "--link", "ended", "--revision", "fix1")
	w.outcomes(key(1015), "ended", "waiting")
	w.must("replay", "--event", key(1024), "--link", "ended")
	w.outcomes(key(1024), "ended", "delivered")
	w.must("replay", "--event", key(1025), "--link", "removed", "--as", "ended")
	w.must("replay", "--event", key(1001), "--link", "ended", "--outcome", "delivered", "--revision", "again")
	w.ended(1030, "yandex", "cpc", "brand")
	w.ended(1031, "yandex", "cpc", "later")
	w.outcomes(key(1030), "ended", "delivered")
	w.outcomes(key(1031), "ended", "waiting")
	w.outcomes("10001/request/2001", "fresh", "delivered")
	w.outcomes(key(1025), "ended", "delivered")
	w.outcomes(key(1009), "ended", "waiting")
	w.idle()
}

// idle waits until the running links have read all, and what is in hand is put down.
func (i *installation) idle() {
	i.t.Helper()
	quiet := 0
	last := ""
	defer func() {
		if i.t.Failed() {
			i.t.Log(last)
		}
	}()
	eventually(i.t, "the links are idle", func() bool {
		var view struct {
			Links []struct {
				ID, State      string
				Unread, InHand uint64
			}
		}
		s := i.run("links", "--fast", "--json")
		last = s.out
		if s.code != 0 || json.Unmarshal([]byte(s.out), &view) != nil {
			return false
		}
		quiet++
		for _, l := range view.Links {
			if (l.State == "running" || l.State == "shadow") && l.Unread+l.InHand > 0 {
				quiet = 0
			}
		}
		return quiet > 5
	})
}
