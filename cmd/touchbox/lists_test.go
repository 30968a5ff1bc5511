package main

import (
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestEventCommandShowsEverythingMasked(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	for _, name := range []string{"1", "10001/call-ended/1", "10001/call.ended/1"} {
		out, _ := o.runs(0, "event", name)
		for _, want := range []string{"Link calls (Звонки): dead", "protocol_error", "400", "no such operation", "touchbox replay"} {
			if !strings.Contains(out, want) {
				t.Errorf("event %s does not say %q:\n%s", name, want, out)
			}
		}
		if strings.Contains(out, "0000001") || strings.Contains(out, "\x1b") || strings.Contains(out, "\a") {
			t.Errorf("event %s shows the phone, or drives the terminal:\n%q", name, out)
		}
	}
	out, _ := o.runs(0, "event", "1", "--reveal")
	if !strings.Contains(out, "+7 916 0000001") || !strings.Contains(out, "]0;owned") || strings.ContainsAny(out, "\x1b\a") {
		t.Errorf("revealed:\n%s", out)
	}
	if out, _ := o.runs(0, "event", "8 (916) 000-00-01"); !strings.Contains(out, "Event 10001/call-ended/1") {
		t.Errorf("a phone without its flag:\n%s", out)
	}
	var view admin.EventView
	o.reads(&view, "event", "--phone", "8 (916) 000-00-01")
	if view.Key != "10001/call-ended/1" || len(view.Links) != 1 || view.Links[0].Outcome != event.Dead || view.Links[0].DeadLetter == nil || view.Event != nil {
		t.Errorf("--phone --json: %+v", view)
	}
	if phone := view.Fields["callerphone"]; phone != "+* *** *****01" {
		t.Errorf("callerphone is %v", phone)
	}
}

// A withheld number is about nobody: it is shown, and said to be none. What else stands there stays hidden.
func TestWithheldNumbersAreShown(t *testing.T) {
	o := newOperator(t)
	for i, caller := range []string{"anonymous", "Anna"} {
		e := queuetest.Call(i + 1)
		e.Body = []byte("id=" + e.Key.ID + "&callphase=calldisconnected&duration=9&callerphone=" + caller)
		queuetest.Publish(t, o.queue, e)
	}
	out, _ := o.runs(0, "events", "--lang", "ru")
	if !strings.Contains(out, "anonymous (не номер)") || strings.Contains(out, "Anna") {
		t.Errorf("the list:\n%s", out)
	}
	if out, _ = o.runs(0, "event", "1"); !strings.Contains(out, "anonymous (not a number)") {
		t.Errorf("the event:\n%s", out)
	}
	out, _ = o.runs(0, "fields")
	lines := strings.Split(out, "\n")
	if first := strings.Fields(lines[1])[0]; !strings.Contains(" callId callerphone comment deviceUUID duration id phonenumber ", " "+first+" ") {
		t.Errorf("the first field is %s, which no link reads:\n%s", first, out)
	}
}

func TestEventCommandMistakes(t *testing.T) {
	o := newOperator(t)
	for args, code := range map[string]int{
		"event 5": 1, "event 10001/call-ended/5": 1, "event 10001/deal/5": 2, "event": 2, "event 5 --phone 79160000001": 2, "event 79160000009": 1,
		"event --phone anonymous": 2, "event --phone 79160000009": 1, "events --outcome lost": 2, "events --limit -1": 2, "events --until soon": 2,
	} {
		o.runs(code, strings.Fields(args)...)
	}
}

func TestEventsCommandIsFilteredAndBounded(t *testing.T) {
	o := newOperator(t)
	o.hook(1, 2, 3)
	stop := o.work(queue.Decision{Outcome: event.Filtered})
	o.until("all are filtered", func() bool {
		var rows []admin.RowView
		o.reads(&rows, "events", "--outcome", "filtered", "--link", "calls")
		return len(rows) == 3
	})
	stop()
	o.hook(4)
	tests := []struct {
		args string
		want string
	}{
		{"events", "1 2 3 4"},
		{"events --limit 2", "3 4"},
		{"events --outcome waiting", "4"},
		{"events --site clinic --kind call.ended --link calls", "1 2 3 4"},
		{"events --kind request", ""},
		{"events --since 1h --until 2999-01-01", "1 2 3 4"},
		{"events --until 1h", ""},
		{"events --phone +79160000002", "2"},
	}
	for _, tt := range tests {
		var rows []admin.RowView
		o.reads(&rows, strings.Fields(tt.args)...)
		var ids []string
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want {
			t.Errorf("%s lists %q, want %q", tt.args, got, tt.want)
		}
	}
	out, errs := o.runs(0, "events", "--limit", "2")
	if strings.Contains(out, "0000004") || !strings.Contains(errs, "2 of 4") {
		t.Errorf("as a table:\n%s%s", out, errs)
	}
}

func TestRetriesCommand(t *testing.T) {
	o := newOperator(t)
	o.hook(1, 2)
	o.work(queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Reason: "server_error", Status: 500, Answer: "sorry", Attempts: 1})
	var rows []admin.RetryView
	o.until("both wait", func() bool {
		o.reads(&rows, "retries", "--reason", "server_error")
		return len(rows) == 2
	})
	if rows[0].Status != 500 || rows[0].Error != "sorry" || rows[0].Until.IsZero() || rows[0].Due {
		t.Errorf("%+v", rows[0])
	}
	if out, _ := o.runs(0, "retries"); !strings.Contains(out, "(server_error) 500") {
		t.Errorf("as a table:\n%s", out)
	}
	o.runs(2, "retries", "--cancel", "--event", "1")
	o.runs(2, "retries", "--cancel", "--now")
	o.runs(0, "retries", "--cancel", "--event", "1", "--yes")
	o.reads(&rows, "retries")
	if len(rows) != 1 || o.dead() != 1 {
		t.Errorf("after --cancel %d wait and %d are dead", len(rows), o.dead())
	}
	var view admin.EventView
	o.reads(&view, "event", "1")
	if view.Links[0].Outcome != event.Dead {
		t.Errorf("what was cancelled is %s", view.Links[0].Outcome)
	}
	if out, _ := o.runs(0, "retries", "--now"); out != "made due now: 1\n" {
		t.Errorf("--now: %s", out)
	}
}

func TestRetriesRestore(t *testing.T) {
	o := newOperator(t)
	o.hook(1, 2)
	until := time.Now().Add(time.Hour)
	o.work(queue.Decision{Outcome: event.Waiting, Until: until, Reason: "server_error", Status: 500, Answer: "sorry", Attempts: 4})
	var rows []admin.RetryView
	o.until("both wait", func() bool { o.reads(&rows, "retries"); return len(rows) == 2 })
	var changed admin.Restored
	if o.reads(&changed, "retries", "--restore"); changed.Restored != 0 {
		t.Errorf("restored what was there: %+v", changed)
	}
	queuetest.Purge(t, o.server, "TOUCHBOX_RETRIES")
	o.runs(2, "retries", "--restore", "--now")
	if out, _ := o.runs(0, "retries", "--restore", "--event", "1"); !strings.HasPrefix(out, "put back: 1") {
		t.Errorf("--restore: %s", out)
	}
	if o.reads(&changed, "retries", "--restore"); changed.Restored != 1 {
		t.Errorf("restored the rest: %+v", changed)
	}
	if o.reads(&rows, "retries"); len(rows) != 2 || rows[0].Attempts != 4 || rows[0].Reason != "server_error" || rows[0].Until.IsZero() {
		t.Errorf("after it %+v wait", rows)
	}
}

func TestDeadLettersCommand(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2)
	var rows []admin.DeadLetterView
	o.reads(&rows, "deadletters", "--limit", "1")
	if len(rows) != 1 || rows[0].Reason != "protocol_error" || rows[0].Link != "calls" || rows[0].Kind != "call.ended" {
		t.Errorf("%+v", rows)
	}
	if out, _ := o.runs(0, "deadletters", "show", "1"); strings.Contains(out, "0000001") || !strings.Contains(out, "callerphone") || strings.Contains(out, "{") {
		t.Errorf("show:\n%s", out)
	}
	o.runs(1, "deadletters", "show", "9")
	o.runs(2, "deadletters", "drop", "--event", "1")
	o.runs(2, "deadletters", "drop", "--event", "1", "--why", "a test call") // nobody can be asked
	o.runs(0, "deadletters", "drop", "--event", "1", "--why", "a test call", "--yes")
	if n := o.dead(); n != 1 {
		t.Errorf("%d dead letters are left, want 1", n)
	}
	if out, _ := o.runs(0, "event", "1"); !strings.Contains(out, "dropped") || !strings.Contains(out, "a test call") {
		t.Errorf("the history does not say why:\n%s", out)
	}
}

func TestLinksCommand(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	var view linksJSON
	o.reads(&view, "links")
	if len(view.Links) != 1 || view.Links[0].State != "running" || view.Links[0].DeadLetters != 1 || view.Links[0].Outcomes.Dead != 1 || len(view.Sources) != 1 {
		t.Errorf("%+v", view)
	}
	if _, err := o.queue.PutPark(t.Context(), queue.Park{Scope: "endpoint/clinic", Reason: "credentials_refused", Status: 403, Text: "wrong\x1b[2J", Next: time.Now()}); err != nil {
		t.Fatal(err)
	}
	out, _ := o.runs(0, "links", "--fast")
	if !strings.Contains(out, "parked") || !strings.Contains(out, "credentials_refused") || strings.Contains(out, "\x1b") {
		t.Errorf("parked:\n%q", out)
	}
	o.runs(0, "links", "stop", "calls")
	o.reads(&view, "links", "--fast")
	if view.Links[0].State != "stopped" {
		t.Errorf("after stop: %s", view.Links[0].State)
	}
	o.runs(2, "links", "stop", "nope")
	o.runs(2, "links", "start", "nope")
}

func TestAsideCommand(t *testing.T) {
	o := newOperator(t)
	put := func(site, reason, body string) {
		t.Helper()
		err := o.queue.PutAside(t.Context(), queue.Aside{Site: site, Reason: reason, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded", Body: []byte(body), Received: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
	}
	o.hook(1)
	put("10001", "no_id", "callerphone=79160000009&duration=9")
	put("10002", "other_site", "id=7&siteId=10001&callerphone=79160000007&duration=9") // 10002 stood in the file by mistake
	put("10001", "other_site", "id=8&siteId=10009&callerphone=79160000007&duration=9")
	var rows []admin.AsideView
	o.reads(&rows, "aside")
	if len(rows) != 3 || rows[0].Reason != "no_id" {
		t.Fatalf("%+v", rows)
	}
	if out, _ := o.runs(0, "aside", "show", "1"); strings.Contains(out, "0000009") || strings.Contains(out, "{") || !strings.Contains(out, "(no_id)") {
		t.Errorf("show:\n%s", out)
	}
	o.runs(2, "aside", "take")
	o.runs(2, "aside", "show", "first")
	o.runs(1, "aside", "show", "99")
	var taken struct {
		Stored, Repeated, Refused int
		Reasons                   map[string]int
	}
	o.reads(&taken, "aside", "take", "--reason", "other_site")
	if taken.Stored != 1 || taken.Refused != 1 || taken.Reasons["other_site"] != 1 {
		t.Errorf("other_site: %+v", taken)
	}
	o.runs(0, "event", "10001/call-ended/7")
	o.reads(&taken, "aside", "take", "1")
	if taken.Stored != 0 {
		t.Errorf("without an id: %+v", taken)
	}
	o.reads(&taken, "aside", "take", "1", "--kind", "call.ended")
	if taken.Stored != 1 {
		t.Errorf("forced: %+v", taken)
	}
	if o.reads(&rows, "aside"); len(rows) != 1 {
		t.Errorf("%d are still aside, want 1", len(rows))
	}
}
