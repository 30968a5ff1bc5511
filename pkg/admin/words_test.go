package admin

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

func TestEveryWordHasItsTwin(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]map[string]string{
		"verbs": verbWords, "notes": noteWords, "reasons": reasonWords, "states of jobs": jobStateWords, "whys": whyWords, "selected": onWords, "selected alone": onAlone, "by": byWords,
	} {
		for code, word := range table {
			if _, ok := lang.Twin(word); !ok {
				t.Errorf("%s: no Russian twin of %q (%s)", name, word, code)
			}
		}
	}
}

// said is a Language whose moments are short.
func said() Words {
	return Words{Speaker: lang.Russian, When: func(at time.Time) string { return at.UTC().Format("02.01 15:04") }}
}

func TestWhatWasSelectedIsSaidInWords(t *testing.T) {
	t.Parallel()
	key, _ := event.NewKey("10001", event.CallEnded, "1")
	since := time.Date(2026, 11, 1, 10, 0, 0, 0, time.UTC)
	for on, want := range map[string]string{
		LinkText("calls"): "связка calls",
		Selection{Filter: Filter{Link: "calls", Reason: "validation_error", Since: since}}.Text():                              "не доставлено: связка calls, причина: Mindbox не принимает данные, с 01.11 10:00",
		Selection{Outcome: event.Shadow, Filter: Filter{Site: "10001", Kind: event.Request, Until: since, Status: 400}}.Text(): "пробный режим: сайт 10001, вид: заявка, статус 400, до 01.11 10:00",
		Selection{Keys: []event.Key{key, key, key, key, key, key, key}}.Text():                                                 "",
		Selection{Cause: "3f1c"}.Text():        "не доставлено: причина 3f1c, все",
		AsideQuery{Sequence: 17}.Text():        "номер 17",
		"aside: " + AsideQuery{}.Text():        "отложенное: все",
		"deadletters: link calls":              "не доставленное: связка calls",
		"events: dead link calls, site 10001":  "события: не доставлено, связка calls, сайт 10001",
		"audit: ":                              "журнал действий",
		"audit: sign_in":                       "журнал действий: вход",
		"job abcd1234":                         "работа abcd1234",
		"sessions of Анна":                     "сеансы: Анна",
		aPerson:                                "человек",
		"10001/call-ended/1, " + LinkText("a"): "10001/call-ended/1, связка a",
		"Анна: оператор":                       "Анна: оператор",
		daysText(Work{Site: "10001", From: "2026-11-01", To: "2026-11-02", Kind: event.CallEnded, DryRun: true}): "сайт 10001, с 2026-11-01 по 2026-11-02, вид: звонок закончен, без сохранения",
	} {
		got := said().On(on)
		if want != "" && got != want || regexp.MustCompile(`\b(dead|link|event|site|kind|more|all|since)\b `).MatchString(got) {
			t.Errorf("%q: %q, want %q", on, got, want)
		}
		if got := (Words{Speaker: lang.English}).On("dead: link calls, since 2026-11-01T10:00:00Z"); got != "dead: link calls, since 2026-11-01T10:00:00Z" {
			t.Errorf("English: %q", got)
		}
	}
	if got := said().Who(unknownActor) + said().Who("anna"); got != "неизвестно ктоanna" {
		t.Errorf("%q", got)
	}
	for by, want := range map[string]string{"cli vm": "команда на vm", "console 10.0.0.1": "консоль, 10.0.0.1", "api ": "API", "x y": "x y", " ": ""} {
		by, address, _ := strings.Cut(by, " ")
		if got := said().By(by, address); got != want {
			t.Errorf("%q: %q, want %q", by, got, want)
		}
	}
}

func TestWhyAJobFailedIsSaidInWords(t *testing.T) {
	t.Parallel()
	job := Job{State: JobFailed, Result: &Result{Halted: []Halt{{Link: "calls", State: StateStopped}, {Link: "b", State: StateParked}}}}
	if got := said().Problem(job); got != "осталось на месте, потому что связка стоит: calls (остановлена), b (на паузе: ждём Mindbox)" {
		t.Errorf("%q", got)
	}
	waits := Job{State: JobRunning, Problem: "Calltouch: dial tcp 127.0.0.1:1: connect: connection refused; next try in 15s"}
	if got := said().Problem(waits); got != "Calltouch: нет соединения с 127.0.0.1:1: в соединении отказано; следующая попытка через 15 с" {
		t.Errorf("%q", got)
	}
}
