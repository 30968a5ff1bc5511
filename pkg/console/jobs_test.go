package console_test

import (
	"bufio"
	"context"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

// shown is the number that a page's form says was shown, with the id of the form.
func shown(t *testing.T, page string) url.Values {
	t.Helper()
	values := url.Values{}
	for _, name := range []string{"shown", "request"} {
		_, rest, found := strings.Cut(page, `<input type="hidden" name="`+name+`" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		if !found || value == "" {
			t.Fatalf("no %s in the page: %s", name, page)
		}
		values.Set(name, value)
	}
	return values
}

// with is a form with more in it.
func with(form url.Values, pairs ...string) url.Values {
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// die makes dead letters of calls, all of one cause.
func (h *house) die(ids ...int) {
	h.t.Helper()
	for _, id := range ids {
		h.publish(id, 30)
	}
	refused := queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "Unknown area «A»", Attempts: 1, Version: h.admin.File.Link("dynamic").Version}
	h.work("dynamic", refused, len(ids))
}

// calls are numbers from 1.
func calls(n int) (ids []int) {
	for id := range n {
		ids = append(ids, id+1)
	}
	return ids
}

func TestWhatWaitsIsTriedNowOrGivenUpByAJob(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	h.worker()
	b := h.signedIn(actKey)
	for _, path := range []string{"/retries/now", "/retries/cancel"} { // in this order: what was given up waits no more
		form := with(shown(t, b.get("/retries?link=dynamic").body), "link", "dynamic", "why", "wrong template")
		got := b.post(path, form)
		if got.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		if j := h.ended(got.location); j.State != admin.JobDone || j.Changed != 1 || j.Who != "anna" || j.Work.Link != "dynamic" {
			t.Errorf("%s: %+v", path, j)
		}
		if again := b.post(path, form); path == "/retries/now" && again.location != got.location {
			t.Errorf("%s by the same form leads to %s, not to %s", path, again.location, got.location)
		}
	}
	if got := b.post("/retries/now", url.Values{"link": {"other"}, "shown": {"0"}}); got.location != "/retries?link=other&done=nothing" {
		t.Errorf("nothing of the kind: %s", got.location)
	}
	if got := b.post("/retries/now", url.Values{"link": {"dynamic"}}); got.status != http.StatusBadRequest {
		t.Errorf("a form that says nothing of what was shown: %d", got.status)
	}
}

func TestDeadLettersAreDroppedByTheFilterOrCauseAndNothingElse(t *testing.T) {
	h := newHouse(t, nil)
	h.die(1, 2)
	h.publish(3, 30)
	h.work("dynamic", queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "Unknown city", Attempts: 1}, 1)
	h.worker()
	b := h.signedIn(adminKey)
	if got := b.post("/deadletters/drop", url.Values{"reason": {"expression"}, "why": {"old"}, "shown": {"0"}}); got.location != "/deadletters?reason=expression&done=nothing" {
		t.Errorf("%s", got.location)
	}
	if got := b.post("/deadletters/drop", url.Values{"reason": {"validation_error"}, "why": {"old"}, "shown": {"1"}}); got.location != "/deadletters?reason=validation_error&done=more" {
		t.Errorf("more than were shown: %s", got.location)
	}
	causes, err := h.admin.Causes(t.Context(), queue.Filter{})
	if err != nil || len(causes) != 2 || causes[0].Count != 2 {
		t.Fatalf("%+v, %v", causes, err)
	}
	page := b.get("/deadletters?link=dynamic&cause=" + causes[0].ID).body
	got := b.post("/deadletters/drop", with(shown(t, page), "link", "dynamic", "cause", causes[0].ID, "why", "test calls"))
	if j := h.ended(got.location); j.Changed != 2 || j.Found != 2 {
		t.Errorf("%+v", j)
	}
	if left := queuetest.DeadLetters(t, h.admin.Queue, queue.Filter{}); len(left) != 1 || left[0].Event.Key.ID != "3" {
		t.Errorf("left: %+v", left)
	}
}

func TestAReplayIsSeenBeforeAndFollowedToItsEnd(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	b := h.signedIn(actKey)
	preview := b.get("/replays/new?link=dynamic&outcome=dead")
	wellFormed(t, "the preview", preview.body, "en")
	impersonal(t, "the preview", preview.body)
	if preview.status != http.StatusOK || !strings.Contains(preview.body, "Found: 1.") || !strings.Contains(preview.body, "touchbox replay --outcome dead --link dynamic") {
		t.Fatalf("%d %s", preview.status, preview.body)
	}
	if got := b.post("/jobs", url.Values{"link": {"dynamic"}, "shown": {"0"}}); got.status != http.StatusOK || !strings.Contains(got.body, "look again") {
		t.Errorf("more than was shown: %d", got.status)
	}
	form := with(shown(t, preview.body), "link", "dynamic", "rate", "10", "why", "areas mended, call "+person.phone)
	got := b.post("/jobs", form)
	if got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/jobs/") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	if again := b.post("/jobs", form); again.location != got.location {
		t.Errorf("the same form leads to %s, not to %s", again.location, got.location)
	}
	queued := b.get(got.location).body
	if !strings.Contains(queued, "in the queue") || !strings.Contains(queued, `<noscript><meta http-equiv="refresh"`) {
		t.Errorf("before anybody works: %s", queued)
	}
	h.worker()
	if j := h.ended(got.location); j.State != admin.JobDone || j.Changed != 1 {
		t.Errorf("%+v", j)
	}
	for _, path := range []string{got.location, "/jobs"} {
		for _, language := range []string{"en", "ru"} {
			page := b.get(path + "?lang=" + language).body
			wellFormed(t, path, page, language)
			impersonal(t, path, page)
		}
	}
	page := b.get(got.location + "?lang=en").body
	for _, want := range []string{"done", "anna", "areas mended", "touchbox replay --outcome dead --link dynamic --rate 10/s --why", "--job"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<noscript>") {
		t.Error("what has ended is loaded again and again")
	}
	h.work("dynamic", queue.Decision{Outcome: event.Delivered, Reason: "accepted", Status: 200, Attempts: 1}, 1)
	queuetest.Eventually(t, "it is delivered", func() bool {
		timeline, err := h.admin.Timeline(t.Context(), dead)
		return err == nil && timeline.Links[0].Outcome == event.Delivered
	})
	if audited := h.audited(); !strings.Contains(audited, "anna replay") || !strings.Contains(audited, "areas mended") {
		t.Errorf("the audit lacks it:\n%s", audited)
	}
	if missing := b.get("/jobs/nothing"); missing.status != http.StatusNotFound {
		t.Errorf("a job that is none: %d", missing.status)
	}
}

// A replay goes on from another process when the console and whoever worked are gone, and is stopped and let go on by its page.
func TestAJobIsStoppedAndLetGoOnByItsPage(t *testing.T) {
	h := newHouse(t, nil)
	const n = 12
	h.die(calls(n)...)
	b := h.signedIn(actKey)
	got := b.post("/jobs", url.Values{"shown": {strconv.Itoa(n)}, "rate": {"2"}})
	stop := h.worker()
	queuetest.Eventually(t, "some are through", func() bool { return h.jobAt(got.location).Done > 0 })
	stop()
	h.server.Close()
	h.serve(nil) // the console starts anew
	b = h.signedIn(actKey)
	h.worker()
	began := time.Now()
	if stopped := b.post(got.location+"/stop", nil); stopped.location != got.location {
		t.Fatalf("%d %s", stopped.status, stopped.body)
	}
	j := h.ended(got.location)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s to stop", took)
	}
	left := len(queuetest.DeadLetters(t, h.admin.Queue, queue.Filter{}))
	if j.State != admin.JobStopped || j.Changed+left != n || left == 0 {
		t.Errorf("%d left of %+v", left, j)
	}
	page := b.get(got.location).body
	if !strings.Contains(page, "not come to, and as they were</dt><dd>"+strconv.Itoa(left)) || !strings.Contains(page, "Let it go on") {
		t.Errorf("the page says nothing of what is left: %s", page)
	}
	if again := b.post(got.location+"/stop", nil); again.location != got.location {
		t.Errorf("stopped again: %d", again.status)
	}
	if on := b.post(got.location+"/continue", nil); on.location != got.location {
		t.Fatalf("%d %s", on.status, on.body)
	}
	queuetest.Eventually(t, "all are through", func() bool { return h.jobAt(got.location).Done == n && h.jobAt(got.location).State == admin.JobDone })
	if on := b.post(got.location+"/continue", nil); on.status != http.StatusConflict {
		t.Errorf("what is done goes on: %d", on.status)
	}
}

// Whoever may only act does not let go on what only an admin may ask for.
func TestADropGoesOnByAnAdminOnly(t *testing.T) {
	h := newHouse(t, nil)
	h.die(1)
	got := h.signedIn(adminKey).post("/deadletters/drop", url.Values{"why": {"old"}, "shown": {"1"}})
	b := h.signedIn(actKey)
	b.post(got.location+"/stop", nil)
	if on := b.post(got.location+"/continue", nil); on.status != http.StatusForbidden {
		t.Errorf("%d", on.status)
	}
	if page := b.get(got.location).body; strings.Contains(page, "Let it go on") {
		t.Error("the page offers it")
	}
}

// A job that failed needs a person: the first page says so.
func TestAJobThatFailedStandsOnTheOverview(t *testing.T) {
	h := newHouse(t, nil)
	h.die(1)
	if err := h.admin.Stop(t.Context(), "dynamic", "wait"); err != nil {
		t.Fatal(err)
	}
	b := h.signedIn(actKey)
	got := b.post("/jobs", url.Values{"shown": {"1"}})
	h.worker()
	if j := h.ended(got.location); j.State != admin.JobFailed || j.Result == nil || j.Result.Left != 1 {
		t.Errorf("%+v", j)
	}
	if page := b.get("/").body; !strings.Contains(page, "A job has failed: Send again, 0 of 1.") || !strings.Contains(page, got.location) {
		t.Errorf("the overview says nothing of it: %s", page)
	}
	page := b.get(got.location).body
	if err := h.admin.Start(t.Context(), "dynamic", ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"left, because their link is stopped or paused</dt><dd>1", "Let it go on", "dynamic"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	if on := b.post(got.location+"/continue", nil); on.location != got.location {
		t.Fatalf("%d %s", on.status, on.body)
	}
	queuetest.Eventually(t, "it is done", func() bool { return h.jobAt(got.location).State == admin.JobDone })
	if j := h.jobAt(got.location); j.Found != 1 || j.Done != 1 || j.Changed != 1 || j.Problem != "" {
		t.Errorf("%+v", j)
	}
}

func TestAJobsStreamSaysHowFarItIsAndEndsWithIt(t *testing.T) {
	h := newHouse(t, nil)
	h.die(calls(3)...)
	b := h.signedIn(actKey)
	got := b.post("/jobs", url.Values{"shown": {"3"}, "rate": {"1"}})
	h.worker()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	answer, err := b.client.Do(b.request("GET", got.location+"/stream", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var names []string
	var text strings.Builder
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			names = append(names, name)
		}
		text.WriteString(lines.Text() + "\n")
	}
	if len(names) < 3 || names[len(names)-1] != "end" || !strings.Contains(text.String(), "Done: 3 of 3.") || !strings.Contains(text.String(), "under way") {
		t.Errorf("%v: %s", names, text.String())
	}
	impersonal(t, "the stream", text.String())
}

func TestPastDaysAreLookedAtAndFetched(t *testing.T) {
	bare := config
	bare.Site = "timezone: Europe/Moscow"
	west := time.FixedZone("", 2*3600) // of the console, an hour behind the site's
	h := newHouse(t, func(o *console.Options) { o.Zone = func() *time.Location { return west } })
	h.admin.File = bare.Parse(t)
	var asked []admin.Days
	h.admin.Backfill = func(_ context.Context, d admin.Days, told func(admin.BackfillProgress)) (admin.Backfilled, error) {
		asked = append(asked, d)
		sum := admin.Backfilled{New: 7, Known: 3, Matches: map[string]int{"dynamic": 5}}
		told(admin.BackfillProgress{Done: 4, Total: 4, Sum: sum})
		return sum, nil
	}
	b := h.signedIn(actKey)
	if page := b.get("/sites/10001").body; !strings.Contains(page, "there is no token") || strings.Contains(page, "/backfill") {
		t.Error("a site without a token offers its past")
	}
	if got := b.post("/sites/10001/backfill", url.Values{"from": {"2026-11-01"}, "to": {"2026-11-02"}}); got.status != http.StatusConflict {
		t.Errorf("a site without a token: %d", got.status)
	}
	h.admin.File = config.Parse(t)
	h.worker()
	page := b.get("/sites/10001").body
	wellFormed(t, "the site", page, "en")
	if !strings.Contains(page, `action="/sites/10001/backfill"`) {
		t.Fatal("the page offers nothing")
	}
	if got := b.post("/sites/10001/backfill", url.Values{"from": {"tomorrow"}, "to": {"2026-11-02"}}); got.status != http.StatusConflict || !strings.Contains(got.body, "2026-11-01") {
		t.Errorf("days that are none: %d", got.status)
	}
	looked := b.post("/sites/10001/backfill", url.Values{"from": {"2026-11-01"}, "to": {"2026-11-02"}, "kind": {"request"}, "look": {"1"}})
	if j := h.ended(looked.location); !j.Work.DryRun || j.Changed != 0 || j.Filled == nil || j.Filled.New != 7 {
		t.Errorf("%+v", j)
	}
	page = b.get(looked.location).body
	wellFormed(t, "the look", page, "en")
	for _, want := range []string{"would be stored</dt><dd>7", "would meet the conditions of dynamic</dt><dd>5", "Fetch these 7", "touchbox backfill --site 10001 --kind request --from 2026-11-01 --to 2026-11-02 --dry-run --job"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q: %s", want, page)
		}
	}
	fetched := b.post("/sites/10001/backfill", url.Values{"from": {"2026-11-01"}, "to": {"2026-11-02"}, "kind": {"request"}})
	if j := h.ended(fetched.location); j.Work.DryRun || j.Changed != 7 {
		t.Errorf("%+v", j)
	}
	send := "/replays/new?site=10001&outcome=untaken&since=2026-10-31+23%3A00"
	if page := b.get(fetched.location).body; !strings.Contains(html.UnescapeString(page), send) || b.get(send).status != http.StatusOK {
		t.Errorf("what was fetched is sent by another address: %s", page)
	}
	if len(asked) != 2 || asked[1].DryRun || asked[1].Kind != event.Request || asked[1].Site != "10001" || asked[1].From.String() != "2026-11-01" || asked[1].To.String() != "2026-11-02" {
		t.Errorf("asked: %+v", asked)
	}
	if audited := h.audited(); !strings.Contains(audited, "anna backfill site 10001, 2026-11-01 to 2026-11-02, kind request \n") {
		t.Errorf("the audit lacks it:\n%s", audited)
	}
}

// The page of a job follows it by itself, and without scripts by being loaded again.
func TestAJobsPageFollowsItInABrowser(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			tab := chromium.Tab(t)
			h := newHouse(t, nil)
			h.die(calls(3)...)
			h.enter(tab, "admin")
			if !scripts {
				tab.WithoutScripts()
			}
			tab.Open(h.server.URL + "/replays/new?link=dynamic&outcome=dead&lang=en")
			tab.Click("form.card button.main")
			tab.Wait("location.pathname.startsWith('/jobs/')")
			tab.Wait("document.querySelector('main')?.textContent.includes('in the queue')")
			h.worker()
			tab.Wait("document.querySelector('main')?.textContent.includes('Done: 3 of 3.') && document.querySelector('.lead')?.textContent.includes('done')")
		})
	}
}

func TestPagesOfJobsFitAPhone(t *testing.T) {
	tab := chromium.Tab(t)
	h := newHouse(t, nil)
	h.die(calls(3)...)
	b := h.signedIn(adminKey)
	h.enter(tab, "admin")
	asked := b.post("/jobs", url.Values{"shown": {"3"}, "why": {"the areas are mended, and the table that names them too"}})
	for _, path := range []string{"/replays/new?link=dynamic&outcome=dead", "/jobs", asked.location, "/sites/10001", "/deadletters?link=dynamic"} {
		tab.Look(390, 800, true)
		tab.Open(h.server.URL + path)
		if wide := browsertest.Eval[float64](tab, "document.documentElement.scrollWidth"); wide > 390 {
			t.Errorf("%s is %.0f pixels wide on a phone", path, wide)
		}
	}
}

// What many lose for good is dropped by who has typed their number.
func TestManyAreDroppedByWhoTypesTheirNumber(t *testing.T) {
	h := newHouse(t, nil)
	h.die(calls(101)...)
	b := h.signedIn(adminKey)
	form := url.Values{"link": {"dynamic"}, "why": {"old"}, "shown": {"101"}}
	for _, count := range []string{"", "100"} {
		if got := b.post("/deadletters/drop", with(form, "count", count)); got.location != "/deadletters?link=dynamic&done=more" {
			t.Errorf("with %q: %d %s", count, got.status, got.location)
		}
	}
	h.die(102) // they go on to die while somebody types
	if got := b.post("/deadletters/drop", with(form, "count", "101")); !strings.HasPrefix(got.location, "/jobs/") {
		t.Errorf("%d %s", got.status, got.location)
	}
}

// What Mindbox has executed is sent again by an admin alone, and so is a correction: a form that asks for it by hand is refused.
func TestWhatWasDeliveredIsSentAgainByAnAdminAlone(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	for _, form := range []url.Values{{"outcome": {"delivered"}, "revision": {"fix-1"}}, {"outcome": {"dead"}, "revision": {"fix-1"}}} {
		if got := h.signedIn(actKey).post("/jobs", with(form, "link", "dynamic", "shown", "1")); got.status != http.StatusForbidden {
			t.Errorf("%v: %d %s", form, got.status, got.location)
		}
	}
}
