package console_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func TestEachLineThatNeedsAPersonSaysWhatSinceWhenWhatToDoAndWhere(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b := h.signedIn(seeKey)
	body := ""
	queuetest.Eventually(t, "the letter is seen", func() bool {
		body = b.get("/?lang=en").body
		return strings.Contains(body, "Not delivered over dynamic")
	})
	for _, want := range []string{"Not delivered over dynamic: 1, because of: Mindbox refuses the data", `since <time`, "/causes/" + causeOf(refusal), "Mend the field that the answer names"} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview lacks %q", want)
		}
	}
}

func TestTheOverviewDrawsTheDayOfEachLinkAndItsPageTheMonth(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b := h.signedIn(seeKey)
	body := ""
	drawn := func() bool {
		return strings.Contains(body, "<desc>delivered: 1, not delivered: 1, to be tried again: 1</desc>")
	}
	queuetest.Eventually(t, "the day is drawn", func() bool { body = b.get("/?lang=en").body; return drawn() })
	if strings.Count(body, "<svg") != 2 || !strings.Contains(body, "<title>dynamic, the last 24 hours</title>") {
		t.Errorf("the overview's bars: %s", body)
	}
	month := b.get("/links/dynamic?lang=en").body
	if days := strings.Count(month, `<tr><th scope="row">20`); !strings.Contains(month, "dynamic, the last 30 days") || days < 30 || strings.Contains(month, ">?<") {
		t.Errorf("the link's month has %d days, not known: %v", days, strings.Contains(month, ">?<"))
	}
}

func TestAnErasedPersonIsOnNoPage(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	b := h.signedIn(adminKey)
	found := b.post("/find", url.Values{"what": {person.phone}})
	if !strings.Contains(b.get(found.location).body, `id="e-`+dead.String()) {
		t.Fatal("the search finds nothing")
	}
	gone, err := h.admin.Erase(t.Context(), erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(person.phone)) }})
	if err != nil || gone.Events != 3 {
		t.Fatal(gone, err)
	}
	for _, path := range []string{"/", "/live", "/events", "/events?outcome=dead", "/events?link=dynamic", "/causes", "/deadletters", "/retries", "/aside", "/links/dynamic", found.location} {
		page := b.get(path)
		if page.status != http.StatusOK || strings.Contains(page.body, "/events/10001/") || strings.Contains(page.body, "*67") || strings.Contains(page.body, "area: «") {
			t.Errorf("%s: %d, it still shows them: %s", path, page.status, page.body)
		}
	}
}

// streamsRead are those of which a handler may read no more than it shows.
var streamsRead = []string{event.EventsStream, event.HistoryStream, event.DeadLettersStream, event.RetriesStream, event.AsideStream, event.AuditStream}

// TestNoHandlerReadsAStreamFromItsBeginning counts what every page, form and route of the API asks the server for. A look for a phone is
// a job, and a table is the whole list, which is read from its newest end: these two are not asked for here.
func TestNoHandlerReadsAStreamFromItsBeginning(t *testing.T) {
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	for id := range 40 {
		h.publish(100+id, 30)
	}
	for id := range 600 { // more than the newest end of a list
		if err := h.admin.Queue.WriteAudit(t.Context(), queue.AuditEntry{Who: "oleg", By: admin.ByCLI, Verb: admin.VerbSend, On: strconv.Itoa(id)}); err != nil {
			t.Fatal(err)
		}
		if err := h.admin.Queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "ping", Origin: event.Webhook, Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h.admin.Board.Refresh(t.Context())
	b, d := h.signedIn(adminKey), readDescription(t)
	paths := append(lookable(dead, waiting), "/audit", "/audit?who=oleg", "/audit?verb=send&since=1h", "/people", "/live", "/retries?reason=server_error", "/retries?link=dynamic&status=503&since=1h", "/aside?reason=ping",
		"/aside?site=10001&since=1h", "/deadletters?link=dynamic&since=1h", "/causes?reason=validation_error", "/replays/new?link=dynamic&outcome=dead", "/replays/new?link=dynamic&reason=validation_error",
		"/replays/new?link=other&outcome=filtered", "/events?site=10001&kind=call.ended&since=1h", "/events?outcome=waiting", "/events?before=20")
	posts := map[string]url.Values{
		"/find": {"what": {dead.ID}}, "/retries/now": {"reason": {"server_error"}, "shown": {"1"}}, "/retries/cancel": {"reason": {"server_error"}, "shown": {"1"}, "why": {"x"}},
		"/deadletters/drop": {"reason": {"validation_error"}, "shown": {"1"}, "why": {"x"}}, "/aside/take": {"reason": {"ping"}, "shown": {"600"}}, "/jobs": {"link": {"dynamic"}, "shown": {"1"}},
		"/events/" + dead.String() + "/reveal": nil, "/links/dynamic/stop": {"why": {"x"}}, "/links/dynamic/start": nil, "/sites/10001/backfill": {"from": {"2026-11-01"}, "to": {"2026-11-01"}},
	}
	find, asked := routing(t), map[string]bool{}
	ask := func() {
		for _, path := range paths {
			asked[find("GET", path)] = true
			b.get(path)
		}
		for path, form := range posts {
			asked[find("POST", path)] = true
			location := b.post(path, form).location
			if id, ok := strings.CutPrefix(location, "/jobs/"); ok {
				for _, turn := range []string{"/stop", "/continue"} {
					asked["POST /jobs/{id}"+turn] = true
					b.post("/jobs/"+id+turn, nil)
				}
				asked["GET /jobs/{id}"] = true
				b.get(location)
			}
		}
		for _, one := range d.operations(dead, "none") {
			asked[find(one[0], one[1])] = true
			h.caller(d, adminKey).asksRaw(one[0], one[1], one[2])
		}
		h.caller(d, adminKey).asksRaw("GET", "/api/v1/events?link=nobody", "")
	}
	var reads *queuetest.Reads
	queuetest.Eventually(t, "once the board has filled its ring, nobody reads from the beginning", func() bool {
		if reads != nil {
			t.Logf("read from the beginning: %.400s", fmt.Sprint(reads.FromBeginning()))
		}
		reads = queuetest.CountReads(t, h.queue, streamsRead...)
		ask()
		return len(reads.FromBeginning()) == 0
	})
	elsewhere := []string{"GET /healthz", "GET /sign-in", "POST /sign-in", "POST /sign-out", "GET /static/{hash}/{name}", "GET /live/stream", "GET /jobs/{id}/stream", "GET /links/{id}/versions/{from}/{to}", "POST /people/{name}/sign-out"}
	for _, p := range patterns(t) {
		if !asked[p] && !slices.Contains(elsewhere, p) { // these know no stream but STATE, or the board alone
			t.Errorf("nobody has asked for %s", p)
		}
	}
	if _, err := (admin.Admin{Queue: h.admin.Queue, File: h.admin.File}).Causes(t.Context(), admin.Filter{}); err != nil { // it does, and is seen
		t.Fatal(err)
	}
	for range (admin.Admin{Queue: h.admin.Queue, File: h.admin.File}).Queue.Asides(t.Context(), "", "") {
		break
	}
	queuetest.Eventually(t, "a reading from the beginning is counted", func() bool { return len(reads.FromBeginning()) > 1 })
}

func TestAQueueThatIsAwayIsSaidOnEveryPageWithinTwoSecondsAndComesBackByItself(t *testing.T) {
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	b := h.signedIn(adminKey)
	h.away()
	for _, path := range lookable(dead, waiting) {
		if path == "/sign-in" {
			continue
		}
		began := time.Now()
		got := b.get(path + "?lang=en")
		const within = 2 * time.Second
		if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "The queue does not answer") || time.Since(began) > within {
			t.Errorf("%s: %d after %s: %s", path, got.status, time.Since(began), got.body)
		}
	}
	h.back()
	for _, path := range lookable(dead, waiting) {
		want := map[string]int{"/nothing": http.StatusNotFound}[path]
		queuetest.Eventually(t, path+" is shown again", func() bool { return b.get(path).status == max(want, http.StatusOK) })
	}
}

// TestASlowQueueIsWaitedFor holds up every answer of the queue for longer than a busy disk does: no page is an error, and nobody has to sign
// in again.
func TestASlowQueueIsWaitedFor(t *testing.T) {
	waittest.Slow(t, "the queue answers after three seconds")
	h := newHouse(t, nil)
	dead, waiting := h.fill()
	b := h.signedIn(adminKey)
	const slow = 3 * time.Second
	let := h.hold()
	defer let()
	time.AfterFunc(slow, let)
	var pages sync.WaitGroup
	for _, path := range lookable(dead, waiting) {
		pages.Go(func() {
			if got, want := b.get(path), map[string]int{"/nothing": http.StatusNotFound}[path]; got.status != max(want, http.StatusOK) {
				t.Errorf("%s: %d, leads to %q: %s", path, got.status, got.location, got.body)
			}
		})
	}
	pages.Go(func() {
		if got := h.browser().post("/sign-in", url.Values{"key": {seeKey}}); got.status != http.StatusSeeOther {
			t.Errorf("sign in: %d %s", got.status, got.body)
		}
	})
	pages.Wait()
}

// outcomesOfFixture are outcomes of every kind that a worker may write.
var outcomesOfFixture = []queue.Decision{
	{Outcome: event.Delivered, Reason: "accepted", Status: 200, Attempts: 1}, {Outcome: event.Filtered, Reason: "condition"},
	{Outcome: event.Undeliverable, Reason: "missing"}, {Outcome: event.Shadow},
	{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "Unknown area «SPB» 17", Attempts: 2},
	{Outcome: event.Waiting, Reason: "server_error", Status: 503, Answer: "Service Unavailable", Attempts: 1, Until: time.Now().Add(time.Hour)},
}

// TestTheTimelineOfEachOutcomeIsWhatTheCommandSays holds 500 events of every outcome to the view that `event --json` prints.
func TestTheTimelineOfEachOutcomeIsWhatTheCommandSays(t *testing.T) {
	waittest.Slow(t, "500 events are handled and shown")
	h := newHouse(t, nil)
	const events = 500
	for id := range events {
		h.publish(id+1, id%100)
	}
	version := h.admin.File.Link("dynamic").Version
	l := h.admin.File.Link("dynamic")
	open := queuetest.OpenLink(t, h.admin.Queue, queue.LinkSpec{ID: "dynamic", Subjects: l.Subjects(), Handlers: 16})
	handler, stop := queuetest.Consume(t, open, func(d *queue.Delivery) queue.Decision {
		id, _ := strconv.Atoi(d.Event.Key.ID)
		x := outcomesOfFixture[id%len(outcomesOfFixture)]
		x.Version = version
		return x
	})
	queuetest.Eventually(t, "all are handled", func() bool { return len(handler.Deliveries()) >= events })
	stop()
	if _, err := h.admin.Drop(t.Context(), admin.Selection{Filter: admin.Filter{Link: "dynamic", Until: time.Now().Add(-time.Hour)}}, "none"); err != nil {
		t.Fatal(err)
	}
	b := h.signedIn(seeKey)
	seen := map[event.Outcome]bool{}
	for id := range events {
		key := event.Key{Site: "10001", Kind: event.CallEnded, ID: strconv.Itoa(id + 1)}
		timeline, err := h.admin.Timeline(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		said := h.admin.EventView(timeline, admin.Mask{})
		data, err := json.Marshal(said) // as the command prints it
		var view struct {
			Links []struct {
				Link    string
				Outcome event.Outcome
				Records []struct {
					Outcome  event.Outcome
					Attempts int
					Reason   string
					Status   int
				}
			}
		}
		if err := errors.Join(err, json.Unmarshal(data, &view)); err != nil {
			t.Fatal(err)
		}
		body := b.get("/events/" + key.String() + "?lang=en").body
		for _, link := range view.Links {
			seen[link.Outcome] = true
			part := sectionOf(body, link.Link)
			if part == "" || !strings.Contains(part, wordOf(link.Outcome)) {
				t.Errorf("%s of %s: the page does not say %s: %s", key, link.Link, link.Outcome, part)
			}
			for _, r := range link.Records {
				if r.Attempts > 0 && !strings.Contains(part, fmt.Sprintf("attempt %d", r.Attempts)) || r.Status > 0 && !strings.Contains(part, strconv.Itoa(r.Status)) {
					t.Errorf("%s of %s: the page lacks attempt %d, %d: %s", key, link.Link, r.Attempts, r.Status, part)
				}
			}
		}
		story, err := h.admin.Story(t.Context(), key, admin.Mask{})
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range story.Stories {
			part := sectionOf(body, one.Link)
			for _, c := range one.Conditions {
				if !strings.Contains(part, map[bool]string{true: "✓", false: "✖"}[c.Pass]) {
					t.Errorf("%s of %s: the verdict %v of %s is not shown", key, one.Link, c.Pass, c.Source)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	for _, x := range outcomesOfFixture {
		if !seen[x.Outcome] {
			t.Errorf("no event is %s", x.Outcome)
		}
	}
}

// wordOf is the console's English word for an outcome.
func wordOf(o event.Outcome) string {
	return map[event.Outcome]string{
		event.Delivered: "delivered", event.Filtered: "did not meet the conditions", event.Undeliverable: "data is missing", event.Waiting: "waiting",
		event.Dead: "not delivered", event.Shadow: "trial mode", event.Untaken: "not taken",
	}[o]
}

// sectionOf is the part of an event's page that is about a link.
func sectionOf(body, link string) string {
	parts := strings.Split(body, `<details class="link"`)
	i := slices.IndexFunc(parts, func(part string) bool {
		head, _, _ := strings.Cut(part, "</summary>")
		return strings.Contains(head, link)
	})
	if i < 1 {
		return ""
	}
	return parts[i]
}

func TestCausesSumToWhatTheCommandCounts(t *testing.T) {
	h := newHouse(t, nil)
	answers := []string{
		"Unknown area «A» of 17", "Unknown area «B» of 4", `Unknown area "C" of 9`, "Unknown area 'D' of 12", "Unknown city «A»",
		"No customer 3f1c0000-1111-2222-3333-444455556666", "No customer 00000000-aaaa-bbbb-cccc-dddddddddddd", "No customer at all",
	}
	for i := range 24 {
		h.publish(i+1, 30)
	}
	l := h.admin.File.Link("dynamic")
	open := queuetest.OpenLink(t, h.admin.Queue, queue.LinkSpec{ID: "dynamic", Subjects: l.Subjects(), Handlers: 1})
	handler, stop := queuetest.Consume(t, open, func(d *queue.Delivery) queue.Decision {
		id, _ := strconv.Atoi(d.Event.Key.ID)
		return queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: answers[id%len(answers)], Attempts: 1}
	})
	queuetest.Eventually(t, "all are handled", func() bool { return len(handler.Deliveries()) >= 24 })
	stop()
	causes, err := h.admin.Causes(t.Context(), admin.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	counted, err := h.admin.CountDead(t.Context(), admin.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	sum, want := 0, 0
	for _, c := range causes {
		sum += c.Count
	}
	for _, c := range counted {
		want += c.Count
	}
	if sum != want || want != 24 || len(causes) != 4 {
		t.Errorf("%d in %d causes, the command counts %d: %+v", sum, len(causes), want, causes)
	}
	if got := h.signedIn(seeKey).get("/causes?lang=en").body; !strings.Contains(got, "Not delivered: 24, causes: 4.") {
		t.Errorf("the page: %s", got)
	}
}

// TestThePagesAreQuick measures pages at a hundred links; HOUSE_EVENTS says of how many events.
func TestThePagesAreQuick(t *testing.T) {
	events, _ := strconv.Atoi(os.Getenv("HOUSE_EVENTS"))
	if events == 0 {
		t.Skip("SKIPPED: HOUSE_EVENTS says of how many events; it takes minutes")
	}
	measurePages(t, events)
}
