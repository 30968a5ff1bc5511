package admin_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// person is whom the views must not show.
type person struct{ digits, phone, email, name string }

func drawPerson(t *rapid.T) person {
	rest := rapid.StringMatching(`9[0-9]{9}`).Draw(t, "digits")
	form := rapid.SampledFrom([]string{"7%s%s%s", "+7 (%s) %s-%s", "8 %s %s %s", "+7-%s-%s-%s"}).Draw(t, "form")
	user := rapid.StringMatching(`[a-z]{6,12}`).Draw(t, "user")
	return person{
		digits: rest, phone: fmt.Sprintf(form, rest[:3], rest[3:6], rest[6:]),
		email: user + "@" + rapid.StringMatching(`[a-z]{5,9}\.(ru|com)`).Draw(t, "host"),
		name:  rapid.StringMatching(`[А-Я][а-я]{6,12}`).Draw(t, "name"),
	}
}

// in reports where a text shows the person; "" where it does not.
func (p person) in(text string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		if strings.ContainsRune(" +-()", r) {
			return -1
		}
		return '|'
	}, text)
	user, _, _ := strings.Cut(p.email, "@")
	switch {
	case strings.Contains(digits, p.digits):
		return "the phone"
	case strings.Contains(text, p.email), strings.Contains(text, user):
		return "the e-mail"
	case strings.Contains(text, p.name):
		return "the name"
	}
	return ""
}

// Whatever field of whatever a person's phone or e-mail stands in, and their name in a field that is about a person, no view
// shows it. The key alone stays as it is: it is the address of the event.
func TestNoViewShowsAPerson(t *testing.T) {
	a := admin.Admin{File: config.Parse(t)}
	a.Fields = func(e event.Event) (map[string]any, error) { return calltouch.Parse(e, a.File.View(e.Key.Site)) }
	rapid.Check(t, func(t *rapid.T) {
		p := drawPerson(t)
		for what, view := range viewsOf(a, p, admin.Mask{}) {
			text, err := json.Marshal(view)
			if err != nil {
				t.Fatal(err)
			}
			if found := p.in(string(text)); found != "" {
				t.Errorf("%s shows %s of %+v: %s", what, found, p, text)
			}
		}
	})
}

func TestARevealedViewShowsThePerson(t *testing.T) {
	a := admin.Admin{File: config.Parse(t), Fields: readForm}
	p := person{digits: "9161234567", phone: "79161234567", email: "marker@example.ru", name: "Мария"}
	for what, view := range viewsOf(a, p, admin.Mask{Reveal: true}) {
		text, err := json.Marshal(view)
		if err != nil || p.in(string(text)) == "" {
			t.Errorf("%s: %s, %v", what, text, err)
		}
	}
}

// viewsOf are all views of what a person may stand in.
func viewsOf(a admin.Admin, p person, m admin.Mask) map[string]any {
	said := "refused " + p.phone + " of " + p.email
	form := url.Values{}
	for _, field := range calltouch.Vocabulary() {
		if value := said; field.Personal {
			form.Set(field.Name, value+" "+p.name)
		} else {
			form.Set(field.Name, value)
		}
	}
	form.Set("attrs", fmt.Sprintf(`{"promo":%q,%q:"x"}`, said+p.name, p.email))
	e := event.Event{
		Key: event.Key{Site: "10001", Kind: event.Request, ID: p.email}, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte(form.Encode()), Received: time.Now(), Time: time.Now(),
	}
	detail, _ := json.Marshal(map[string]any{"conditions": []any{map[string]any{"source": said, "saw": map[string]any{"url": said}}}, p.phone: []string{said}})
	trail := event.Trail{Reason: "refused", Status: 400, Answer: said, Attempts: 1}
	record := queue.Record{Link: "other", Outcome: event.Dead, Trail: trail, Detail: detail}
	dead := queue.DeadLetter{Link: "other", Event: e, Trail: trail, Died: time.Now()}
	retry := queue.Retry{Delivery: queue.Delivery{Event: e, Link: "other", Trail: trail}, Until: time.Now()}
	aside := queue.Aside{Sequence: 1, Site: "10001", Reason: "no_id", Origin: event.Webhook, ContentType: e.ContentType, Query: form.Encode(), Body: e.Body, Received: time.Now()}
	return map[string]any{
		"a row":   m.Row(admin.Row{Event: e}),
		"a retry": m.Retry(retry), "a dead letter of a list": m.DeadLetter(dead), "a dead letter": a.DeadLetterView(dead, m), "what is aside": a.AsideView(aside, m),
		"an event": a.EventView(admin.Timeline{Key: e.Key, Event: &e, Notes: []queue.Record{record}, Links: []admin.LinkTimeline{
			{Link: "other", Outcome: event.Dead, Records: []queue.Record{record}, Retry: &retry, DeadLetter: &dead},
		}}, m),
	}
}

// A field that nobody knows may be about a person.
func TestAFieldThatNobodyKnowsIsHidden(t *testing.T) {
	if got := (admin.Mask{}).Field("nobody_knows_it", "Иванова"); got == "Иванова" {
		t.Errorf("it shows %v", got)
	}
	if got := (admin.Mask{Reveal: true}).Field("nobody_knows_it", "Иванова"); got != "Иванова" {
		t.Errorf("revealed it shows %v", got)
	}
}

func TestMomentsAreReadAsPeopleGiveThem(t *testing.T) {
	moscow := time.FixedZone("MSK", 3*3600)
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-01": "2026-10-31T21:00:00Z", "2026-11-01 10:00": "2026-11-01T07:00:00Z", "2026-11-01T10:00:05": "2026-11-01T07:00:05Z",
		"2026-11-01T10:00:00+05:00": "2026-11-01T05:00:00Z", "01.11.2026": "2026-10-31T21:00:00Z", "01.11.2026 10:00": "2026-11-01T07:00:00Z", "2h": "2026-11-20T10:00:00Z", "1.5d": "2026-11-19T00:00:00Z", "": "0001-01-01T00:00:00Z",
	} {
		got, ok := admin.ReadMoment(text, moscow, now)
		if !ok || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q is %s, %v, want %s", text, got.UTC().Format(time.RFC3339), ok, want)
		}
	}
	for _, text := range []string{"soon", "-2h", "-1d", "2026-13-01", "d", "1e300d", "200000d", "Infd", "NaNd"} {
		if got, ok := admin.ReadMoment(text, moscow, now); ok {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}
