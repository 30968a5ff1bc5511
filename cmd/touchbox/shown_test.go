package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// A person reads what a field is beside its name, and nothing that only JSON says.
func TestFieldsAreShownWithWhatTheyAre(t *testing.T) {
	o := newOperator(t)
	o.hook(1)
	detail, err := json.Marshal(map[string]any{"conditions": []any{map[string]any{"source": "filled(deviceUUID)", "saw": map[string]any{"deviceUUID": nil, "tags": []string{"VIP"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	stop := o.work(queue.Decision{Outcome: event.Filtered, Reason: "condition", Detail: json.RawMessage(detail)})
	o.until("it is filtered", func() bool {
		out, _ := o.runs(0, "events")
		return strings.Contains(out, "filtered")
	})
	stop()
	for command, wants := range map[string][]string{
		"event 1":                {"Событие 10001/call-ended/1: звонок закончен", "deviceUUID (DeviceUUID Mindbox", ") = пусто", `= ["VIP"]`, "duration             Длительность разговора, с"},
		"explain --link calls 1": {"duration (Длительность разговора, с) = 30"},
		"events":                 {"ЧТО ЭТО", "звонок закончен"},
		"fields":                 {"ПОЛЕ", "callerphone", "Номер телефона клиента"},
	} {
		out, _ := o.runs(0, append(strings.Fields(command), "--lang", "ru")...)
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("touchbox %s: no %q in\n%s", command, want, out)
			}
		}
		if strings.Contains(out, "null") {
			t.Errorf("touchbox %s says null:\n%s", command, out)
		}
	}
}

// What the audit and jobs store in English words and codes is said in Russian ones.
func TestTheAuditAndJobsAreSaidInRussian(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2)
	o.runs(0, "links", "stop", "calls", "--why", "шаблон")
	o.runs(0, "deadletters", "--reveal", "--link", "calls")
	o.runs(0, "replay", "--link", "calls", "--since", "2d", "--job", "--yes")
	o.runs(0, "deadletters", "drop", "--event", "1", "--why", "проба", "--yes")
	audit, _ := o.runs(0, "audit", "--lang", "ru")
	jobs, _ := o.runs(0, "jobs", "--lang", "ru")
	for _, want := range []string{"команда на ", "связка calls", "не доставленное: связка calls", "не доставлено: связка calls, с " + time.Now().AddDate(0, 0, -2).Format("02.01 15:")[:5], "событие 10001/call-ended/1"} {
		if !strings.Contains(audit+jobs, want) {
			t.Errorf("no %q in\n%s%s", want, audit, jobs)
		}
	}
	if found := regexp.MustCompile(`\b(cli|dead:|link|since|event|site)\b ?\S*`).FindString(audit + jobs); found != "" {
		t.Errorf("%q in\n%s%s", found, audit, jobs)
	}
}
