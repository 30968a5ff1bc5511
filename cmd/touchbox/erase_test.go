package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// spelled are events of one person: each way to come and to be written. The last one is another's.
func spelled() []event.Event {
	form := func(phone, more string) []byte {
		return []byte("callerphone=" + url.QueryEscape(phone) + "&duration=30" + more)
	}
	bodies := []event.Event{
		{Body: form("79161234567", "")},
		{Body: form("8 (916) 123-45-67", "")},
		{Body: form("+7 916 123 45 67", "")},
		{Body: form("70000000000", "&comment="+url.QueryEscape("перезвоните на 8-916-123-45-67"))},
		{Body: form("70000000000", "&url="+url.QueryEscape("https://clinic.ru/?phone="+url.QueryEscape("+7 (916) 123-45-67")))},
		{Body: []byte(`{"callerphone": "\u002b7(916)1234567", "duration": 30}`), ContentType: "application/json"},
		{Body: []byte("duration=30"), Query: "callerphone=%2B79161234567"},
		{Body: []byte(`{"callId": 7, "callerNumber": 79161234567, "duration": 30}`), Origin: event.Journal},
		{Body: []byte(`{"requestId": 8, "client": {"phones": [{"phoneNumber": "89161234567"}], "contacts": [{"contactType": "EMAIL", "contactValue": "Anna@Clinic.ru"}]}}`), Origin: event.Poll, Key: event.Key{Kind: event.Request}},
		{Body: form("79160000000", "&email=anna@clinic.ru.com")},
	}
	for i := range bodies {
		e := &bodies[i]
		e.Key.Site, e.Key.ID = "10001", fmt.Sprint(i+1)
		if e.Key.Kind == "" {
			e.Key.Kind = event.CallEnded
		}
		if e.Origin == "" {
			e.Origin = event.Webhook
		}
		e.Received, e.Time = time.Now(), time.Now()
	}
	return bodies
}

func TestEraseCommand(t *testing.T) {
	o := newOperator(t)
	events := spelled()
	for _, e := range events {
		if receipt, err := o.queue.Publish(t.Context(), e); err != nil || receipt != event.ReceiptStored {
			t.Fatal(receipt, err)
		}
	}
	for _, body := range []string{"phone=8+916+123+45+67", "phone=79160000000"} {
		err := o.queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Origin: event.Webhook, Body: []byte(body), Received: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop := o.workBy(func(d *queue.Delivery) queue.Decision {
		switch d.Event.Key.ID {
		case "1", "6":
			return died
		case "2", "7":
			return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Attempts: 1}
		}
		return queue.Decision{Outcome: event.Delivered}
	})
	o.until("all are handled", func() bool {
		stats, err := o.queue.LinkStats(t.Context(), "calls")
		return err == nil && stats.Unread == 0 && stats.InHand == 0
	})
	stop()
	if shown := o.shows(events); len(shown) < 5 {
		t.Fatalf("before erasing only %q show the number", shown)
	}

	if _, errs := o.runs(2, "erase", "--phone", "79161234567"); !strings.Contains(errs, "events: 9, set aside: 1, retries: 2, dead letters: 2") || !strings.Contains(errs, "--yes") {
		t.Errorf("without a terminal: %s", errs)
	}
	var result erasedJSON
	o.reads(&result, "erase", "--phone", "8 916 123-45-67", "--yes")
	if n := result.Erased; n != result.Found || n.Events != 9 || n.Aside != 1 || n.Retries != 2 || n.DeadLetters != 2 || !result.Verified {
		t.Errorf("erased %+v", result)
	}
	if shown := o.shows(events); len(shown) > 0 {
		t.Errorf("these still show the number: %q", shown)
	}
	if out, _ := o.runs(0, "event", "1"); !strings.Contains(out, "the person was erased") || !strings.Contains(out, "Link calls (Звонки): erased") {
		t.Errorf("an erased event:\n%s", out)
	}
	var view linksJSON
	if o.reads(&view, "links"); view.Links[0].Outcomes.Erased != 8 || view.Links[0].Outcomes.Delivered != 1 {
		t.Errorf("outcomes %+v", view.Links[0].Outcomes)
	}
	if out, _ := o.runs(0, "erase", "--phone", "79161234567", "--yes"); !strings.Contains(out, "nothing of this person is stored") {
		t.Errorf("again: %s", out)
	}
	for _, e := range events[:9] {
		if receipt, err := o.queue.Publish(t.Context(), e); err != nil || receipt != event.ReceiptErased {
			t.Errorf("%s again: %v, %v", e.Key, receipt, err)
		}
	}
	if out, _ := o.runs(0, "erase", "--email", "anna@clinic.ru", "--yes"); !strings.Contains(out, "nothing") {
		t.Errorf("an address that is part of another's: %s", out)
	}
	if out, _ := o.runs(0, "erase", "--email", "Anna@clinic.ru.com", "--yes"); !strings.Contains(out, "erased: events: 1,") || !strings.Contains(out, "verified") {
		t.Errorf("by address: %s", out)
	}
}

// shows runs every command that shows events and returns those that show the number.
func (o *operator) shows(events []event.Event) []string {
	o.t.Helper()
	commands := []string{
		"events --reveal", "events --reveal --json", "deadletters --reveal", "deadletters --reveal --json", "retries --reveal --json", "retries --reveal",
		"aside --reveal", "aside --reveal --json", "aside show 1 --reveal", "aside show 2 --reveal", "links --json", "fields --reveal",
		"replay --dry-run --reveal", "replay --dry-run --reveal --outcome delivered --json", "replay --dry-run --reveal --outcome untaken",
	}
	for _, e := range events {
		commands = append(commands, "event --reveal "+e.Key.String(), "event --reveal --json "+e.Key.String(), "deadletters show --reveal "+e.Key.String(),
			"explain --link calls --reveal "+e.Key.String())
	}
	var shown []string
	for _, command := range commands {
		var out, errs waittest.Buffer
		run(o.t.Context(), strings.Fields(command), strings.NewReader(""), &out, &errs)
		text := out.String() + errs.String()
		for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("\" \n,:", r) }) {
			if raw, err := base64.StdEncoding.DecodeString(word); err == nil && len(raw) > 20 {
				text += string(raw)
			}
		}
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, strings.NewReplacer("%20", "", "%28", "", "%29", "").Replace(text))
		if strings.Contains(digits, "9161234567") {
			shown = append(shown, command)
		}
	}
	return shown
}

func TestEraseMistakes(t *testing.T) {
	o := newOperator(t)
	for args, says := range map[string]string{
		"": "--phone", "--phone anonymous": "no number", "--phone 1234567": "no number", "--email anna": "no address", "--email @clinic.ru": "no address",
		"--phone 79161234567 --email anna": "no address", "79161234567": "",
	} {
		if _, errs := o.runs(2, append([]string{"erase"}, strings.Fields(args)...)...); !strings.Contains(errs, says) {
			t.Errorf("erase %s: %s", args, errs)
		}
	}
	if out, _ := o.runs(0, "erase", "--phone", "79161234567"); !strings.Contains(out, "nothing of this person is stored") {
		t.Errorf("nobody: %s", out)
	}
}

func TestEraseLeavesWhatIsDoubtfulToAPerson(t *testing.T) {
	o := newOperator(t)
	for id, comment := range []string{"8_916_123_45_67", "7 раз по 916, то есть 123, 45 и 67"} {
		e := event.Event{Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(id + 1)}, Origin: event.Webhook, Received: time.Now(), Time: time.Now(),
			Body: []byte("callerphone=79990000000&duration=30&comment=" + url.QueryEscape(comment))}
		if _, err := o.queue.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	out, errs := o.runs(1, "erase", "--phone", "79161234567", "--yes", "--json")
	var result erasedJSON
	if err := json.Unmarshal([]byte(out), &result); err != nil {
		t.Fatal(err)
	}
	if result.Verified || result.Erased.Events != 1 || len(result.Doubtful) != 1 || result.Doubtful[0] != "10001/call-ended/2" || !strings.Contains(errs, "--include-doubtful") {
		t.Errorf("erased %+v, said %s", result, errs)
	}
	if out, errs := o.runs(1, "erase", "--phone", "79161234567", "--yes"); strings.Contains(out, "verified") || !strings.Contains(errs, "not verified") || !strings.Contains(errs, "10001/call-ended/2") {
		t.Errorf("only doubtful: %s%s", out, errs)
	}
	o.reads(&result, "erase", "--phone", "79161234567", "--yes", "--include-doubtful")
	if !result.Verified || result.Erased.Events != 1 {
		t.Errorf("with doubtful: %+v", result)
	}
}

func TestWhomIsReadFromStandardInput(t *testing.T) {
	o := newOperator(t)
	o.hook(1234567)
	reads := func(code int, in string, args ...string) string {
		var out, errs waittest.Buffer
		if got := run(t.Context(), args, strings.NewReader(in), &out, &errs); got != code {
			t.Errorf("%q: exit code %d: %s%s", args, got, &out, &errs)
		}
		return out.String() + errs.String()
	}
	if out := reads(0, "8 916 123-45-67\n", "events", "--phone", "-"); !strings.Contains(out, "10001/call-ended/1234567") {
		t.Errorf("events: %s", out)
	}
	if out := reads(0, "8_916_123_45_67", "event", "--phone", "-"); !strings.Contains(out, "10001/call-ended/1234567") {
		t.Errorf("event: %s", out)
	}
	if out := reads(0, "anna@clinic.ru\n", "erase", "--email", "-", "--yes"); !strings.Contains(out, "nothing") {
		t.Errorf("another: %s", out)
	}
	if out := reads(0, "79161234567\nanna@clinic.ru\n", "erase", "--phone", "-", "--email", "-", "--yes"); !strings.Contains(out, "events: 1") {
		t.Errorf("erased: %s", out)
	}
	for _, in := range []string{"", "nobody\n"} {
		reads(2, in, "erase", "--phone", "-", "--yes")
	}
}
