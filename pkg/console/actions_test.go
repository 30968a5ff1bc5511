package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// audited are the verbs that the audit holds, with who.
func (h *house) audited() string {
	h.t.Helper()
	list, _, err := h.admin.AuditEntries(h.t.Context(), admin.AuditQuery{})
	if err != nil {
		h.t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range list {
		b.WriteString(e.Who + " " + e.Verb + " " + e.On + " " + e.Why + "\n")
	}
	impersonal(h.t, "the audit", b.String())
	return b.String()
}

func TestWhatARoleMayNotDoIsRefused(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	form := url.Values{"why": {"test"}, "shown": {"1"}}
	for path, allowed := range map[string]string{
		"/links/dynamic/stop": actKey, "/links/dynamic/start": actKey, "/retries/now": actKey, "/retries/cancel": actKey, "/aside/take": actKey, "/jobs": actKey, "/jobs/none/stop": actKey, "/jobs/none/continue": actKey, "/sites/10001/backfill": actKey,
		"/deadletters/drop": adminKey, "/events/" + dead.String() + "/reveal": adminKey,
	} {
		for _, key := range []string{seeKey, actKey} {
			if key == allowed {
				continue
			}
			if got := h.signedIn(key).post(path, form); got.status != http.StatusForbidden {
				t.Errorf("%s by %s: %d", path, key, got.status)
			}
		}
	}
	for _, path := range []string{"/audit", "/people"} {
		if got := h.signedIn(actKey).get(path); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", path, got.status)
		}
		if got := h.signedIn(adminKey).get(path); got.status != http.StatusOK {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	for _, path := range []string{"/links/dynamic/stop", "/deadletters/drop", "/retries/cancel"} {
		if got := h.signedIn(adminKey).post(path, url.Values{"why": {" "}}); got.status != http.StatusBadRequest {
			t.Errorf("%s without a reason: %d", path, got.status)
		}
	}
}

func TestALinkIsStoppedWithAReasonThatEverybodySees(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(actKey)
	got := b.post("/links/dynamic/stop", url.Values{"why": {"ждём шаблон, звонить " + person.phone}})
	if got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, got.body)
	}
	page := b.get(got.location).body
	for _, want := range []string{"anna", "ждём шаблон", "stopped"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	impersonal(t, "the page", page)
	if got := b.post("/links/dynamic/start", nil); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	if !strings.Contains(b.get("/links/dynamic").body, "running") {
		t.Error("it does not go on")
	}
	if got := b.post("/links/nobody/start", nil); got.status != http.StatusNotFound {
		t.Errorf("a link that is not there: %d", got.status)
	}
	audited := h.audited()
	for _, want := range []string{"anna link_stop link dynamic ждём шаблон", "anna link_start"} {
		if !strings.Contains(audited, want) {
			t.Errorf("the audit lacks %q:\n%s", want, audited)
		}
	}
}

func TestPersonalDataIsShownToWhoMayAfterItIsWrittenDown(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	for range 3 {
		if got := h.signedIn(actKey).post("/events/"+dead.String()+"/reveal", nil); got.status != http.StatusForbidden || strings.Contains(got.body, person.phone) {
			t.Errorf("who may not: %d", got.status)
		}
	}
	if audited := h.audited(); strings.Count(audited, "anna reveal_refused "+dead.String()) != 1 {
		t.Errorf("the audit lacks the refusal:\n%s", audited)
	}
	got := h.signedIn(adminKey).post("/events/"+dead.String()+"/reveal", nil)
	if got.status != http.StatusOK || !strings.Contains(got.body, person.phone) || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d", got.status)
	}
	if audited := h.audited(); !strings.Contains(audited, "oleg reveal "+dead.String()) {
		t.Errorf("the audit lacks it:\n%s", audited)
	}
}

func TestALookForAPhoneIsWrittenDownMasked(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	h.signedIn(seeKey).post("/find", url.Values{"what": {person.phone}})
	if audited := h.audited(); !strings.Contains(audited, "sara find_phone *********67") {
		t.Errorf("the audit lacks it:\n%s", audited)
	}
}

func TestNewEventsComeByTheStreamMasked(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r := b.request("GET", "/live/stream", nil).WithContext(ctx)
	answer, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(answer.Header)
	}
	time.Sleep(300 * time.Millisecond) // the stream begins with what comes after it, and says nothing when it does
	key := h.publish(7, 30)
	var text strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(text.String(), "e-"+key.String()) {
		n, err := answer.Body.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, text.String())
		}
	}
	impersonal(t, "the stream", text.String())
}

func TestALookForAPhoneIsAJobWhoseFindsItsAskerOpens(t *testing.T) {
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	asker := h.signedIn(seeKey)
	got := asker.post("/find", url.Values{"what": {"+7 916 123 45 67"}})
	id, ok := strings.CutPrefix(got.location, "/events?found=")
	if !ok {
		t.Fatalf("%d to %q", got.status, got.location)
	}
	j, err := h.admin.JobOf(t.Context(), id)
	if err != nil || j.State != admin.JobDone || j.Changed != 3 || j.Who != "sara" || j.On != "*********67" {
		t.Errorf("%+v, %v", j, err)
	}
	for key, opens := range map[string]bool{seeKey: true, actKey: false, adminKey: true} {
		b := h.signedIn(key)
		list, page := b.get(got.location), b.get("/jobs/"+id+"?lang=en")
		if found := strings.Contains(list.body, waiting.String()) && strings.Contains(list.body, dead.String()); found != opens || !opens && list.status != http.StatusNotFound {
			t.Errorf("%s: %d", key, list.status)
		}
		if offered := strings.Contains(page.body, `href="/events?found=`+id); page.status != http.StatusOK || offered != opens || !strings.Contains(page.body, "*********67") {
			t.Errorf("%s: the job's page: %d, offers %v", key, page.status, offered)
		}
		for where, body := range map[string]string{"the list": list.body, "the job": page.body, "the jobs": b.get("/jobs").body} {
			impersonal(t, where, body)
		}
	}
}
