package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// person is whose data stand in every event of these tests: none of it may come out unless it is revealed.
var person = struct{ phone, email, name string }{"79161234567", "ivan.petrov@example.ru", "Иванопетровский"}

// hookBody is the body of an ended call of the person.
func hookBody(id, duration int) []byte {
	return []byte(url.Values{
		"id": {fmt.Sprint(id)}, "callphase": {"calldisconnected"}, "callerphone": {person.phone}, "duration": {fmt.Sprint(duration)}, "email": {person.email},
		"fio": {person.name}, "city": {`<script>alert(1)</script>`}, "siteId": {"10001"}, "url": {"https://clinic.ru/?phone=" + person.phone},
	}.Encode())
}

func (h *house) publish(id, duration int) event.Key {
	h.t.Helper()
	now := time.Now()
	e := event.Event{
		Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(id)}, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: hookBody(id, duration), Received: now, Time: now,
	}
	queuetest.Publish(h.t, h.admin.Queue, e)
	return e.Key
}

// work has a link make the same decision about all that waits for it, until so many are settled.
func (h *house) work(link string, d queue.Decision, events int) {
	h.t.Helper()
	l := h.admin.File.Link(link)
	open := queuetest.OpenLink(h.t, h.admin.Queue, queue.LinkSpec{ID: link, Subjects: l.Subjects(), Handlers: 4})
	handler, stop := queuetest.Consume(h.t, open, func(*queue.Delivery) queue.Decision { return d })
	queuetest.Eventually(h.t, "all are handled", func() bool { return len(handler.Deliveries()) >= events })
	stop()
}

// fill puts some of everything into the queue: delivered, filtered, dead, waiting, aside.
func (h *house) fill() (dead, waiting event.Key) {
	h.t.Helper()
	dead = h.publish(1, 30)
	version := h.admin.File.Link("dynamic").Version
	h.work("dynamic", queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "Неизвестное значение поля area: «Питер»", Attempts: 2, Version: version}, 1)
	h.work("other", queue.Decision{Outcome: event.Filtered, Reason: "condition", Version: h.admin.File.Link("other").Version}, 1)
	waiting = h.publish(2, 40)
	h.work("dynamic", queue.Decision{Outcome: event.Waiting, Reason: "server_error", Status: 503, Answer: "Service Unavailable", Attempts: 1, Until: time.Now().Add(time.Hour), Version: version}, 1)
	h.publish(3, 50)
	h.work("dynamic", queue.Decision{Outcome: event.Delivered, Reason: "accepted", Status: 200, Attempts: 1, Version: version}, 1)
	err := h.admin.Queue.PutAside(h.t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Origin: event.Webhook, Received: time.Now(), Body: []byte("callerphone=" + person.phone)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.admin.Board.Refresh(h.t.Context())
	return dead, waiting
}

// refusal is why the dead letter of a house that was filled died.
var refusal = queue.DeadLetter{Link: "dynamic", Trail: event.Trail{Reason: "validation_error", Status: 400, Answer: "Неизвестное значение поля area: «Питер»"}}

func causeOf(d queue.DeadLetter) string { return admin.CauseOf(d) }

// lookable are the addresses that anybody who has signed in may look at, of a house that was filled.
func lookable(dead, waiting event.Key) []string {
	return []string{
		"/", "/events", "/events?outcome=dead", "/events?link=dynamic&since=3d", "/events/" + dead.String(), "/events/" + waiting.String(), "/causes", "/causes?link=dynamic",
		"/causes/" + causeOf(refusal), "/deadletters", "/deadletters?reason=validation_error&status=400", "/retries", "/aside", "/aside?reason=no_id", "/links", "/links/dynamic", "/links/other",
		"/sites", "/sites/10001", "/jobs", "/settings", "/health", "/sign-in", "/nothing",
	}
}

func TestEveryPageIsWellFormedAndHoldsNoPersonalData(t *testing.T) {
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	for _, key := range []string{seeKey, actKey, adminKey} {
		b := h.signedIn(key)
		for _, language := range []string{"en", "ru"} {
			for _, path := range lookable(dead, waiting) {
				join := "?"
				if strings.Contains(path, "?") {
					join = "&"
				}
				got := b.get(path + join + "lang=" + language)
				if want := map[string]int{"/nothing": 404}[path]; got.status != max(want, http.StatusOK) {
					t.Errorf("%s for %s: %d\n%s", path, key, got.status, h.log.String())
				}
				wellFormed(t, path, got.body, language)
				impersonal(t, path, got.body)
			}
		}
	}
	impersonal(t, "the log", h.log.String())
}

// impersonal reports personal data, also where an address or JSON writes it otherwise, and secrets.
func impersonal(t testing.TB, where, text string) {
	t.Helper()
	for _, secret := range []string{person.phone, person.phone[1:], person.email, person.name} {
		for _, spelt := range []string{secret, url.QueryEscape(secret), strings.Trim(strconv.QuoteToASCII(secret), `"`)} {
			if strings.Contains(text, spelt) {
				t.Errorf("%s holds %q", where, spelt)
				break
			}
		}
	}
	if digits := withoutSigns.Replace(text); strings.Contains(digits, person.phone[1:]) {
		t.Errorf("%s holds the phone in another spelling", where)
	}
	for _, secret := range []string{secrets.hook, secrets.token, secrets.mindbox, secrets.console, seeKey, actKey, adminKey, programKey} {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds the secret %q", where, secret)
		}
	}
}

// withoutSigns takes away what a phone number may be written with.
var withoutSigns = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", "+", "", "%20", "", "%28", "", "%29", "", "%2B", "", "\u00a0", "", "\u202f", "")

// wellFormed reports what a page may not have.
func wellFormed(t testing.TB, path, body, language string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	headings, labels, inputs, ids := 0, map[string]bool{}, []string{}, map[string]bool{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attributes := map[string]string{}
		for _, a := range n.Attr {
			attributes[a.Key] = a.Val
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key != "value" && a.Key != "class" && strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
				t.Errorf("%s: <%s %s=%q>", path, n.Data, a.Key, a.Val)
			}
		}
		if id := attributes["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: the id %s twice", path, id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "html":
			if attributes["lang"] != language {
				t.Errorf("%s is in %s", path, attributes["lang"])
			}
		case "h1":
			headings++
		case "label":
			labels[attributes["for"]] = true
		case "input", "select", "textarea":
			if attributes["type"] != "hidden" && n.Parent.Data != "label" {
				inputs = append(inputs, attributes["id"])
			}
		case "script":
			if attributes["src"] == "" {
				t.Errorf("%s: a script stands in the page", path)
			}
		}
	}
	if headings != 1 {
		t.Errorf("%s has %d h1", path, headings)
	}
	for _, id := range inputs {
		if !labels[id] {
			t.Errorf("%s: the input %q has no label", path, id)
		}
	}
	if strings.Contains(body, "%!") || strings.Contains(body, "ZgotmplZ") {
		t.Errorf("%s: a format went wrong", path)
	}
}

func TestAnEventIsFoundByIDKeyAndPhoneAndNoAddressHoldsThePhone(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	b := h.signedIn(seeKey)
	for _, what := range []string{"1", " 10001/call-ended/1 "} {
		if got := b.post("/find", url.Values{"what": {what}}); got.status != http.StatusSeeOther || got.location != "/events/"+dead.String() {
			t.Errorf("%q: %d %s", what, got.status, got.location)
		}
	}
	for _, what := range []string{"+7 (916) 123-45-67", "8 916 123 45 67", person.phone} {
		got := b.post("/find", url.Values{"what": {what}})
		impersonal(t, "the address", got.location)
		if !strings.HasPrefix(got.location, "/events?found=") {
			t.Errorf("%q: %d %s", what, got.status, got.location)
			continue
		}
		if list := b.get(got.location); strings.Count(list.body, `<tr id="e-`) != 3 {
			t.Errorf("%q finds %d", what, strings.Count(list.body, `<tr id="e-`))
		}
	}
	for _, what := range []string{"4711", "+7 999 000 00 00", "no such thing"} {
		if got := b.post("/find", url.Values{"what": {what}}); got.status != http.StatusOK || !strings.Contains(got.body, "touchbox gaps") {
			t.Errorf("%q: %d", what, got.status)
		}
	}
}

func TestTheTimelineSaysWhyEachLinkDidWhatItDid(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	body := h.signedIn(seeKey).get("/events/" + dead.String() + "?lang=ru").body
	for _, want := range []string{
		"✖</span>&nbsp;не доставлено", "Неизвестное значение поля area", "duration &gt; 5", "duration = 30", "duration &gt; 1000", "не прошло условия",
		"*********67", "&lt;script&gt;alert(1)&lt;/script&gt;", "попытка 2", "customer.mobilePhone",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// A person who looks for a call that has not arrived reads at the call itself why its link sends nothing.
func TestAWaitingEventSaysWhatItsLinkWaitsFor(t *testing.T) {
	h := newHouse(t, nil)
	h.work("other", queue.Decision{Outcome: event.Filtered, Reason: "condition"}, 0) // it is there
	if err := h.admin.Stop(t.Context(), "other", "ждём текст"); err != nil {
		t.Fatal(err)
	}
	key := h.publish(1, 30)
	h.admin.Board.Refresh(t.Context())
	queuetest.Eventually(t, "the event's page says so", func() bool {
		body := h.signedIn(seeKey).get("/events/" + key.String() + "?lang=ru").body
		return strings.Contains(body, "остановлена") && strings.Contains(body, "ждём текст") && strings.Contains(body, "не потеряется")
	})
}

func TestCausesAreTheSameButForValues(t *testing.T) {
	h := newHouse(t, nil)
	for i, answer := range []string{"Unknown area «A»", "Unknown area «B»", "Unknown area 17", "Unknown city «A»"} {
		h.publish(i+1, 30)
		h.work("dynamic", queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: answer, Attempts: 1}, 1)
	}
	causes, err := h.admin.Causes(t.Context(), queue.Filter{})
	if err != nil || len(causes) != 2 || causes[0].Count != 3 || causes[1].Count != 1 {
		t.Fatalf("%+v, %v", causes, err)
	}
	b := h.signedIn(seeKey)
	page := b.get("/causes/" + causes[0].ID)
	if page.status != http.StatusOK || strings.Count(page.body, `<th scope="row">`) != 3 || !strings.Contains(page.body, "touchbox deadletters --cause "+causes[0].ID) || !strings.Contains(page.body, "<svg") {
		t.Errorf("the page of the cause: %d %s", page.status, page.body)
	}
	if gone := b.get("/causes/000000000000"); gone.status != http.StatusNotFound {
		t.Errorf("a cause of none: %d", gone.status)
	}
	list := b.get("/deadletters?link=dynamic&cause=" + causes[0].ID)
	if got := strings.Count(list.body, `<th scope="row">`); got != 3 {
		t.Errorf("the cause's list has %d rows", got)
	}
}

func TestAPartIsGivenAloneAndOnceUntilItChanges(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	r := b.request("GET", "/", nil)
	r.Header.Set("X-Part", "part-overview")
	got := b.do(r)
	if got.status != http.StatusOK || strings.Contains(got.body, "<html") || !strings.Contains(got.body, "dynamic") {
		t.Fatalf("%d %s", got.status, got.body)
	}
}
