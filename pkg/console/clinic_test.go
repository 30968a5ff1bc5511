package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// clinicFile is the file of a company with two sites: what the pictures show.
const clinicFile = `calltouch:
  - site: 10001
    name: clinic
    key: QWERTYUIOPASDFGHJKLZ2345
    token: calltouch-token
    attrs: [mindboxDeviceUUID]
    device: mindboxDeviceUUID
  - site: 10002
    name: pharmacy
    key: QWERTYUIOPASDFGHJKLZ6789
mindbox:
  - name: mindbox
    url: https://api.mindbox.ru
    endpoint: clinic.Website
    secret: mindbox-secret
conditions:
  dynamic: filled(deviceUUID)
tables:
  areas: {"saint petersburg": %s, "moscow": MSK, "kazan": KZN}
console:
  people:
    - {name: Анна, role: act, reveal: true, key: {sha256: 3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550}}
    - {name: Олег, role: admin, reveal: true, key: {sha256: 4b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550}}
    - {name: zabbix, role: see, program: true, key: {sha256: 5b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550}}
links:
  # Позвонили с сайта: Mindbox узнаёт посетителя по устройству.
  - id: calls-dynamic
    title: Звонки с сайта
    from: clinic
    since: "2026-01-01"
    event: call.ended
    when: [dynamic, duration > 5]
    to: mindbox
    operation: CallTouch
    deviceUUID: ${deviceUUID}
    body: &call
      customer.mobilePhone: ${phone(callerphone)}
      customer.area.ids.externalId: ${areas[lower(city)]}
      customerAction.customFields.callId: ${id}
      customerAction.customFields.utmSource: ${utm_source}
      customerAction.customFields.utmCampaign: ${utm_campaign}
      executionDateTimeUtc: ${utc(time)}
  # Позвонили по номеру с вывески или визитки.
  - id: calls-static
    title: Звонки по номерам из рекламы
    from: clinic
    since: "2026-01-01"
    event: call.ended
    when: [not dynamic, duration > 5]
    to: mindbox
    operation: CallTouchStatic
    body: *call
  - id: requests
    title: Заявки с сайта
    from: clinic
    since: "2026-01-01"
    event: request
    to: mindbox
    operation: CallTouchRequest
    require: [customer.mobilePhone]
    body:
      customer.mobilePhone: ${phone(callerphone)}
      customer.email: ${email(email)}
      customerAction.customFields.callId: ${requestId}
      customerAction.customFields.subject: ${subject}
      executionDateTimeUtc: ${utc(time)}
  - id: missed-sms
    title: SMS после пропущенного
    from: clinic
    since: "2026-01-01"
    event: call.ended
    when: status == "unsuccessful"
    to: mindbox
    operation: MissedCallSMS
    body: *call
  - id: pharmacy-calls
    title: Аптека, все звонки
    from: pharmacy
    since: "2026-01-01"
    event: call.ended
    to: mindbox
    operation: PharmacyCall
    body: *call
`

// clinic is a house as the pictures show it, on an afternoon like others: calls and requests of two sites with where they came from, two
// causes, a link that waits for Mindbox, a stopped one, a job under way, an event that is tried again, and what was set aside.
type clinic struct {
	*house
	firstOfDead event.Key // that Mindbox refused
	delivered   event.Key
	retried     event.Key // waits for its next attempt
}

// newClinic makes it, with a worker for its jobs.
func newClinic(t testing.TB) *clinic {
	t.Helper()
	server := queuetest.Start(t)
	c := &clinic{house: newHouseOf(t, queuetest.Open(t, server, queue.Options{}), parseClinic(t, "SPB"))}
	c.queue = server
	c.keepOld()
	c.calls()
	c.requests()
	c.asides()
	c.pretendPastHours()
	c.look()
	for i, name := range []string{"Марина", "Анна", "Олег", "zabbix"} {
		c.house.people[i].Name = name
	}
	c.house.people[1].Reveal = true
	c.serve(nil)
	c.hands()
	return c
}

func parseClinic(t testing.TB, area string) *link.File {
	t.Helper()
	file, problems, err := link.Parse("touchbox.yaml", fmt.Appendf(nil, clinicFile, area), link.Options{})
	if err != nil {
		t.Fatal(err, problems)
	}
	return file
}

// keepOld leaves the version of before somebody mended a table: what was refused went by that.
func (c *clinic) keepOld() {
	c.t.Helper()
	old := parseClinic(c.t, "Питер")
	for _, l := range old.Links {
		if _, err := c.admin.Queue.State().Put(c.t.Context(), event.VersionKeys.Of(l.Version), rawJSON(l.Document())); err != nil {
			c.t.Fatal(err)
		}
	}
}

// came is an event as a hook brought it, some minutes ago.
func (c *clinic) came(site string, kind event.Kind, id int64, hook string, ago time.Duration) event.Key {
	c.t.Helper()
	at := time.Now().Add(-ago)
	e := event.Event{
		Key: event.Key{Site: site, Kind: kind, ID: strconv.FormatInt(id, 10)}, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded",
		Body: []byte(hook), Received: at, Time: at.Add(-2 * time.Minute),
	}
	queuetest.Publish(c.t, c.admin.Queue, e)
	return e.Key
}

// calls come all day, and each link makes of them what it does.
func (c *clinic) calls() {
	c.t.Helper()
	cabinet := map[string]*calltouchtest.Calltouch{
		"10001": calltouchtest.New(calltouchtest.Config{Seed: 7, Site: "10001", SiteName: "clinic.example"}),
		"10002": calltouchtest.New(calltouchtest.Config{Seed: 8, Site: "10002", SiteName: "pharmacy.example"}),
	}
	sorts := []calltouchtest.Sort{calltouchtest.Dynamic, calltouchtest.Static, calltouchtest.Dynamic, calltouchtest.Missed, calltouchtest.Dynamic, calltouchtest.CallBack, calltouchtest.Static, calltouchtest.Short}
	const calls = 72
	for i := range calls {
		site, id := "10001", int64(148001+i)
		if i%6 == 5 {
			site = "10002"
		}
		ago := time.Duration(calls-i) * 9 * time.Minute
		call := cabinet[site].NewCall(sorts[i%len(sorts)], id, time.Now().Add(-ago-2*time.Minute))
		c.came(site, event.CallEnded, id, cabinet[site].EndHook(call).Encode(), ago)
	}
	queuetest.OpenLink(c.t, c.admin.Queue, queue.LinkSpec{ID: "missed-sms", Subjects: c.admin.File.Link("missed-sms").Subjects()}) // nobody works at it
	refused := 0
	c.settle("calls-dynamic", func(d *queue.Delivery) queue.Decision {
		x := queue.Decision{Attempts: d.Attempts + 1, Duration: 88 * time.Millisecond, Version: parseClinic(c.t, "Питер").Link("calls-dynamic").Version}
		id, _ := strconv.Atoi(d.Event.Key.ID)
		switch {
		case id == 148071 || id == 148067: // tried again in a while
			x.Outcome, x.Reason, x.Status, x.Answer, x.Until = event.Waiting, "server_error", http.StatusServiceUnavailable, "Service Unavailable", time.Now().Add(7*time.Minute)
			c.retried = d.Event.Key
		case id%16 == 3 && d.Attempts == 0:
			x.Outcome, x.Reason, x.Status, x.Answer = event.Waiting, "too_many_requests", http.StatusTooManyRequests, "Too Many Requests"
		case id%5 > 0 && strings.Contains(string(d.Event.Body), "saint"):
			x.Outcome, x.Reason, x.Status, x.Answer = event.Dead, "validation_error", http.StatusBadRequest, "Неизвестное значение поля area: «Питер»"
			if refused++; refused == 3 { // the first is sent again by the job
				c.firstOfDead = d.Event.Key
			}
		default:
			x = accepted(x, d)
			c.delivered = d.Event.Key
		}
		return x
	})
	if c.firstOfDead.ID == "" || c.retried.ID == "" || c.delivered.ID == "" {
		c.t.Fatal("an outcome is missing")
	}
	c.settle("calls-static", func(d *queue.Delivery) queue.Decision {
		return accepted(queue.Decision{Attempts: d.Attempts + 1, Duration: 61 * time.Millisecond}, d)
	})
	c.settle("pharmacy-calls", func(d *queue.Delivery) queue.Decision {
		if d.Event.Key.ID == "148048" {
			return queue.Decision{Outcome: event.Dead, Reason: "expression", Detail: map[string]any{"error": "customer.area.ids.externalId: lower(city): want a text, got nothing"}}
		}
		return accepted(queue.Decision{Attempts: d.Attempts + 1, Duration: 75 * time.Millisecond}, d)
	})
}

// accepted is what Mindbox answers as a rule.
func accepted(x queue.Decision, d *queue.Delivery) queue.Decision {
	x.Outcome, x.Reason, x.Status = event.Delivered, "accepted", http.StatusOK
	x.TransactionID = fmt.Sprintf("9b0c5a1e-4d21-4f0a-8c55-%012s", d.Event.Key.ID)
	return x
}

// settle has a link work off all that waits for it: what its conditions let through is decided, the rest is filtered.
func (c *clinic) settle(id string, decide func(*queue.Delivery) queue.Decision) {
	c.t.Helper()
	l := c.admin.File.Link(id)
	open := queuetest.OpenLink(c.t, c.admin.Queue, queue.LinkSpec{ID: id, Subjects: l.Subjects(), Handlers: 1})
	_, stop := queuetest.Consume(c.t, open, func(d *queue.Delivery) queue.Decision {
		fields, err := c.admin.Fields(d.Event)
		if err != nil {
			c.t.Error(err)
		}
		made := l.Explain(fields, false)
		x := queue.Decision{Outcome: made.Outcome, Version: l.Version}
		switch made.Outcome {
		case event.Delivered:
			x = decide(d)
			if x.Version == "" {
				x.Version = l.Version
			}
		case event.Filtered:
			x.Reason, x.Detail = "condition", map[string]any{"conditions": made.Conditions}
		case event.Undeliverable:
			x.Reason, x.Detail = "missing", map[string]any{"missing": made.Missing}
		}
		return x
	})
	queuetest.Eventually(c.t, id+" has settled all", func() bool {
		now := queuetest.Stats(c.t, c.admin.Queue, id)
		return now.Unread == 0 && now.InHand == 0
	})
	stop()
}

// requests wait: Mindbox does not take their key just now.
func (c *clinic) requests() {
	c.t.Helper()
	cabinet := calltouchtest.New(calltouchtest.Config{Seed: 7, Site: "10001", SiteName: "clinic.example"})
	send := func(from, to int64, ago time.Duration) {
		for id := from; id < to; id++ {
			r := cabinet.NewRequest(calltouchtest.Form, id, time.Now().Add(-ago))
			if id%5 == 4 {
				r.Phone = ""
			}
			c.came("10001", event.Request, id, cabinet.RequestHook(r).Encode(), ago)
			ago -= time.Minute
		}
	}
	send(70201, 70209, 70*time.Minute)
	c.settle("requests", func(d *queue.Delivery) queue.Decision {
		return accepted(queue.Decision{Attempts: 1, Duration: 93 * time.Millisecond}, d)
	})
	send(70209, 70213, 5*time.Minute)
	if _, err := c.admin.Queue.PutPark(c.t.Context(), queue.Park{
		Scope: "link/requests", Since: time.Now().Add(-5 * time.Minute), Reason: "credentials_refused", Status: http.StatusUnauthorized, Text: "Unauthorized", Next: time.Now().Add(40 * time.Second), Step: time.Minute,
	}); err != nil {
		c.t.Fatal(err)
	}
	silence := map[string]any{"cause": "silence", "subject": "10002", "stage": "told", "since": time.Now().Add(-74 * time.Minute)}
	if _, err := c.admin.Queue.State().Put(c.t.Context(), event.AlertKey("silence", "10002"), silence); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clinic) asides() {
	c.t.Helper()
	for i, reason := range []string{"ping", "empty", "no_id", "no_id", "other_lead"} {
		err := c.admin.Queue.PutAside(c.t.Context(), queue.Aside{
			Site: "10001", Reason: reason, Origin: event.Webhook, Received: time.Now().Add(-time.Duration(i*47) * time.Minute), Body: []byte(strings.Repeat("callerphone=x&", i+1)),
		})
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// pretendPastHours gives the charts thirty days: what a test has just done all stands in this hour.
func (c *clinic) pretendPastHours() {
	c.t.Helper()
	state, now := c.admin.Queue.State(), time.Now().UTC().Truncate(time.Hour)
	if err := c.admin.KeepOnce(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	const days = 30
	hour := func(start time.Time) map[string]any {
		busy := []int{0, 0, 0, 0, 0, 1, 3, 6, 9, 11, 12, 10, 9, 8, 9, 10, 8, 6, 4, 3, 2, 1, 0, 0}[(start.Hour()+3)%24]
		busy += start.Day() * 7 % 4 * min(busy, 1)
		links := map[string]map[event.Outcome]int{
			"calls-dynamic": {event.Delivered: busy, event.Filtered: busy / 2}, "calls-static": {event.Delivered: busy / 2, event.Filtered: busy}, "requests": {event.Delivered: (busy + 1) / 3},
			"pharmacy-calls": {event.Delivered: busy / 3},
		}
		if start.After(now.Add(-6*time.Hour)) && busy > 0 {
			links["calls-dynamic"][event.Dead] = 2
			links["calls-dynamic"][event.Waiting] = 1
		}
		return map[string]any{"start": start, "links": links}
	}
	for i := 1; i < days*24; i++ {
		start := now.Add(-time.Duration(i) * time.Hour)
		key := event.HourKeys.Of(fmt.Sprintf("%03d", start.Unix()/3600%(31*24)))
		if _, err := state.Put(c.t.Context(), key, hour(start)); err != nil {
			c.t.Fatal(err)
		}
	}
	var mark map[string]any
	if _, err := state.Get(c.t.Context(), event.CountedKey, &mark); err != nil {
		c.t.Fatal(err)
	}
	mark["hour"], mark["hours"] = hour(now), now.Add(-days*24*time.Hour)
	if _, err := state.Put(c.t.Context(), event.CountedKey, mark); err != nil {
		c.t.Fatal(err)
	}
}

// hands are what people have done: a link stopped, a replay under way, one that is over, letters dropped, personal data seen.
func (c *clinic) hands() {
	c.t.Helper()
	c.worker()
	anna, oleg := c.signedIn(actKey), c.signedIn(adminKey)
	do := func(b *browser, path string, form url.Values) string {
		c.t.Helper()
		got := b.post(path, form)
		if got.status != http.StatusSeeOther && got.status != http.StatusOK {
			c.t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		return got.location
	}
	do(oleg, "/links/missed-sms/stop", url.Values{"why": {"ждём текст SMS от маркетинга"}})
	do(anna, "/events/"+c.firstOfDead.String()+"/reveal", nil)
	c.ended(do(anna, "/aside/take", url.Values{"reason": {"no_id"}, "shown": {"2"}}))
	running := do(anna, "/jobs", url.Values{"link": {"calls-dynamic"}, "reason": {"validation_error"}, "shown": {"40"}, "rate": {"0.02"}, "why": {"исправили таблицу городов"}})
	queuetest.Eventually(c.t, "a job is under way", func() bool { return c.jobAt(running).Done > 0 })
	do(anna, "/find", url.Values{"what": {"+7 900 000-00-00"}})
	c.admin.Board.Refresh(c.t.Context())
}
