package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/spelling"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// hostile signs: escape, delete, C1, direction, nothing to see, a line of its own.
const hostile = "\x1b[2J\x7f\u009b31m\u0085\u202e\u2066\u200f\u061c\u200b\ufeff\u2028\u3164\U000e0041"

// strange are values by which a visitor of the site gives away somebody or attacks the operator.
var strange = []string{
	"https://x.example/?phone=79161234567&email=marker@example.ru&name=Marker+Markerova",
	"https://x.example/u/marker%40example.ru/%2B7%20916%20123-45-67/#fio=%D0%9C%D0%B0%D1%80%D0%BA%D0%B5%D1%80",
	"https%3A%2F%2Fx.example%2F%3Fname%3DMarker%26tel%3D8_916_123_45_67",
	`[{"url":"https:\/\/x.example\/?name=Marker\u0026phone=79161234567"}]`,
	"8&nbsp;916&#49;23/45·67 marker＠example.ru",
	"yandex" + hostile,
}

// strangerConfig writes texts of strangers into every place of a request.
const strangerConfig = `
      n.source: ${utm_source}
      n.page: "page ${url} of ${ref}"
      n.where: ${phonenumber}
`

// visit stores a call every field of which a stranger has written, and returns its key.
func (o *operator) visit(id int, value string) event.Event {
	o.t.Helper()
	form := url.Values{"id": {fmt.Sprint(id)}, "duration": {"30"}, "callphase": {"calldisconnected"}, "phonenumber": {"78120000005"}}
	for _, f := range calltouch.Vocabulary() {
		if !f.Whole && !f.Derived && f.Name != "duration" && f.Name != "callphase" && f.Name != "leadtype" {
			form.Set(f.Name, value)
		}
	}
	form.Set("callerphone", "79161234567")
	form.Set("attrs", fmt.Sprintf(`{%q:%q}`, "promo", value))
	e := queuetest.Call(id)
	e.Body = []byte(form.Encode())
	queuetest.Publish(o.t, o.queue, e)
	return e
}

// visited is a Touchbox to which strangers came; their calls ended in every way, with records as an
// earlier version may have written them.
func visited(t *testing.T) *operator {
	o := newOperator(t)
	config := os.Getenv("TOUCHBOX_CONFIG")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "when: duration > 5", "when: [duration > 5, 'utm_source != \"x\"', 'url != \"x\"']", 1)
	if err := os.WriteFile(config, []byte(changed+strings.Trim(strangerConfig, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, value := range strange {
		o.visit(i+1, value)
		err := o.queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Origin: event.Webhook, Body: []byte("url=" + url.QueryEscape(value)), Received: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
	}
	stop := o.workBy(func(d *queue.Delivery) queue.Decision {
		said := "refused: " + strings.Join(strange, " ")
		detail, _ := json.Marshal(map[string]any{"conditions": []any{map[string]any{"source": "url != nil", "saw": map[string]string{"url": strange[0]}}}})
		switch d.Event.Key.ID {
		case "1", "2", "6":
			return queue.Decision{Outcome: event.Dead, Reason: "protocol_error", Status: 400, Answer: said, Attempts: 1, Detail: json.RawMessage(detail)}
		case "3":
			return queue.Decision{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Reason: "timeout", Answer: said, Attempts: 1, Detail: json.RawMessage(detail)}
		case "4":
			return queue.Decision{Outcome: event.Filtered, Detail: json.RawMessage(detail)}
		}
		return queue.Decision{Outcome: event.Delivered, Answer: said, Attempts: 1}
	})
	o.until("all are handled", func() bool {
		stats, err := o.queue.LinkStats(t.Context(), "calls")
		return err == nil && stats.Unread == 0 && stats.InHand == 0
	})
	stop()
	return o
}

// everyCommand shows events in every way that there is.
func everyCommand() []string {
	commands := []string{
		"events", "deadletters", "deadletters count", "retries", "aside", "links", "fields", "check",
		"replay --dry-run", "replay --dry-run --outcome delivered", "erase --phone 79990000000 --yes",
	}
	for i := range strange {
		n := fmt.Sprint(i + 1)
		commands = append(commands, "event "+n, "deadletters show "+n, "aside show "+n, "explain --link calls "+n)
	}
	var list []string
	for _, command := range commands {
		list = append(list, command, command+" --json")
	}
	return append(list, "event "+hostile, "events --link "+hostile, "deadletters --kind "+hostile, "links stop "+hostile, hostile, "events --"+hostile, "explain --link calls "+hostile)
}

func TestNoStrangerIsShown(t *testing.T) {
	visited(t)
	for _, language := range []string{"en", "ru"} {
		for _, command := range everyCommand() {
			var out, errs waittest.Buffer
			run(t.Context(), append(strings.Fields(command), "--lang", language), strings.NewReader(""), &out, &errs)
			for name, text := range map[string]string{"": out.String(), " on standard error": errs.String()} {
				assertNobody(t, "touchbox "+command+name, text)
				assertObeyed(t, "touchbox "+command+name, text)
			}
		}
	}
}

// assertNobody looks for the person, in every reading of every line.
func assertNobody(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		readings, _ := spelling.Readings(line)
		for _, reading := range readings {
			digits := strings.Map(func(r rune) rune {
				if unicode.IsDigit(r) || unicode.IsLetter(r) {
					return r
				}
				return -1
			}, reading)
			low := strings.ToLower(reading)
			if strings.Contains(digits, "9161234567") || strings.Contains(low, "marker") || strings.Contains(low, "маркер") {
				t.Errorf("%s shows somebody: %s", what, line)
				break
			}
		}
	}
}

// assertObeyed looks for what a terminal would obey.
func assertObeyed(t *testing.T, what, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && (!unicode.IsPrint(r) || r == '\u3164') {
			t.Errorf("%s prints %U", what, r)
			return
		}
	}
}

// An id that is an address stands encoded in the key, and is masked beside it.
func TestIDsAreMasked(t *testing.T) {
	o := newOperator(t)
	e := o.visit(1, "x")
	e.Key.ID = "marker@example.ru"
	if _, err := o.queue.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	stop := o.workBy(func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "protocol_error", Status: 400, Attempts: 1}
	})
	o.until("both are dead", func() bool {
		stats, err := o.queue.LinkStats(t.Context(), "calls")
		return err == nil && stats.DeadLetters == 2
	})
	stop()
	for _, command := range []string{"events --json", "deadletters --json", "event --json " + e.Key.String(), "deadletters show " + e.Key.String()} {
		out, _ := o.runs(0, strings.Fields(command)...)
		if strings.Contains(out, "marker") || !strings.Contains(out, e.Key.String()) {
			t.Errorf("touchbox %s: %s", command, out)
		}
	}
}

func TestRevealShowsTheSame(t *testing.T) {
	o := visited(t)
	var view admin.EventView
	o.reads(&view, "event", "6", "--reveal")
	if got := view.Fields["utm_campaign"]; got != "yandex[2J31m\u202e\u2066\u200f\u061c\u200b\u2028\u3164\U000e0041" {
		t.Errorf("revealed: %q", got)
	}
	if out, _ := o.runs(0, "event", "6", "--reveal", "--json"); strings.ContainsAny(out, "\u202e\u2028\u009b") || !strings.Contains(out, `\u202e`) {
		t.Errorf("not escaped: %s", out)
	}
}

func TestMaskedIsStillOfUse(t *testing.T) {
	o := visited(t)
	out, _ := o.runs(0, "event", "1")
	for _, word := range []string{"78120000005", "https://x.example/?phone=", "protocol_error"} {
		if !strings.Contains(out, word) {
			t.Errorf("no %q in\n%s", word, out)
		}
	}
	if out, _ = o.runs(0, "explain", "--link", "calls", "6"); !strings.Contains(out, `"78120000005"`) || !strings.Contains(out, "yandex") {
		t.Errorf("explained:\n%s", out)
	}
}
