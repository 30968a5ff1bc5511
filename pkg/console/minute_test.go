package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestThePageOfAnAlertSaysFirstWhatToDo opens on a phone what alerts lead to: what happened and the way on stand on the first screen, and
// what is to be pressed is large enough for a thumb. On a desk the filter of a list is there without a click.
func TestThePageOfAnAlertSaysFirstWhatToDo(t *testing.T) {
	waittest.Slow(t, "a clinic's day, seen in a browser")
	tab := chromium.Tab(t)
	c := newClinic(t)
	c.enter(tab, "admin")
	causes := c.signedIn(adminKey).get("/causes?link=calls-dynamic&lang=ru").body
	cause := regexp.MustCompile(`href="(/causes/[0-9a-f]+)"`).FindStringSubmatch(causes)
	if cause == nil {
		t.Fatal(causes)
	}
	for _, page := range []struct{ path, says, next string }{
		{"/", "не доставлено", ".need .button"},
		{"/causes?link=calls-dynamic", "Mindbox не принимает данные", "tbody th a"},
		{cause[1], "Что делать: Исправьте в теле связки поле", ".button.main"},
		{"/events/" + c.firstOfDead.String(), "Что делать: Исправьте в теле связки поле", ".button.main"},
		{"/links/missed-sms", "Запустите связку, когда причина исчезнет", "main form button.main"},
		{"/links/requests", "секрет точки интеграции", ".need"},
		{"/links/calls-dynamic", "не доставлено", ".need .button"},
		{"/sites/10002", "Проверьте вебхук в Calltouch", ".need"},
	} {
		tab.Look(390, 844, false)
		tab.Open(c.server.URL + page.path)
		if text := strings.Join(strings.Fields(tab.Text("main")), " "); !strings.Contains(text, page.says) {
			t.Errorf("%s does not say %q: %s", page.path, page.says, text)
		}
		if bottom := browsertest.Eval[float64](tab, "document.querySelector('"+page.next+"').getBoundingClientRect().bottom"); bottom > 844 {
			t.Errorf("%s: the way on ends %.0f pixels below the top", page.path, bottom)
		}
		if small := browsertest.Eval[string](tab, smallTargets); small != "" {
			t.Errorf("%s: too small for a thumb: %s", page.path, small)
		}
	}
	for _, path := range []string{"/causes", "/deadletters", "/events", "/retries", "/aside", "/audit"} {
		tab.Look(1200, 900, false)
		tab.Open(c.server.URL + path)
		for width, shown := range map[int]bool{1200: true, 390: false} {
			tab.Look(width, 900, false)
			if got := browsertest.Eval[bool](tab, "document.querySelector('.filter form').checkVisibility({contentVisibilityAuto: true})"); got != shown {
				t.Errorf("%s, %d wide: the filter is shown: %v", path, width, got)
			}
		}
	}
}

// smallTargets are the buttons and fields of a page that are lower than 40 pixels.
const smallTargets = `[...document.querySelectorAll('main button, main .button, main select, main input:not([type=hidden])')]
	.filter((e) => e.checkVisibility() && e.offsetHeight > 0 && e.offsetHeight < 40).map((e) => e.outerHTML.slice(0, 80)).join(' ')`

// TestPagesSayWhatTheyKnowInWordsOfPeople holds what a page says in place of codes and of the forms of machines.
func TestPagesSayWhatTheyKnowInWordsOfPeople(t *testing.T) {
	c := newClinic(t)
	b := c.signedIn(adminKey)
	b.get("/?lang=ru")
	for path, wants := range map[string][]string{
		"/": {"Не хватает данных: 1.", "не прошло условия: 72"},
		// The fields to tick stand beside what Calltouch's settings call them.
		"/sites/10001": {`<code>callerphone</code> <span class="quiet">Номер телефона клиента</span>`},
		// A code is said in words, with the code that conditions compare with; a list has no brackets.
		"/events/" + c.firstOfDead.String(): {"успешный <code>successful</code>", "Уникальный звонок <code>unique</code></dt><dd>да <code>true</code>"},
		// A link whose conditions do not hold makes no body.
		"/events/" + c.delivered.String(): {"Условия не выполнены: эта связка ничего не отправит."},
		// What is selected is said, and that nothing would go.
		"/replays/new?link=calls-static&outcome=filtered": {"Выбрано: Связка: calls-static · Что с ним: не прошло условия.", "не уйдёт ни одно"},
		"/aside?site=10001":      {"Выбрано: Сайт: clinic."},
		"/events?since=yesterdy": {`<a href="/events">Открыть без фильтра</a>`, "01.11.2026"},
		"/audit?since=3d":        {`name="since" value="3d"`},
		"/links/calls-dynamic":   {`<a href="/events?link=calls-dynamic&amp;outcome=filtered">27</a>`, "самый высокий столбик"},
	} {
		body := b.get(path).body
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q: %s", path, want, body)
			}
		}
	}
	if as := machineTime.FindString(b.get("/events/" + c.delivered.String()).body); as != "" {
		t.Errorf("a moment as machines write it: %s", as)
	}
	if body := b.get("/events/" + c.delivered.String()).body; strings.Contains(body, "каким его сделала бы") || strings.Contains(body, `[&#34;`) {
		t.Errorf("it has a body that will never go, or the brackets of a list: %s", body)
	}
	if got := b.get("/events?since=28.11.2026&until=" + url.QueryEscape("29.11.2026 10:00")); got.status != http.StatusOK {
		t.Errorf("a day as pages write it: %d", got.status)
	}
}

// TestACauseWithoutAnAnswerNamesWhatFailed: which expression it was, and at what.
func TestACauseWithoutAnAnswerNamesWhatFailed(t *testing.T) {
	c := newClinic(t)
	causes, err := c.admin.Causes(t.Context(), queue.Filter{Link: "pharmacy-calls"})
	if err != nil || len(causes) != 1 {
		t.Fatal(causes, err)
	}
	if body := c.signedIn(seeKey).get("/causes/" + causes[0].ID).body; !strings.Contains(body, "want a text, got nothing") {
		t.Error(body)
	}
}

// TestPersonalDataGoesFromTheScreenByItself holds that a browser leaves the page within a minute, without the script too.
func TestPersonalDataGoesFromTheScreenByItself(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	b := h.signedIn(adminKey)
	if got := b.post("/events/"+dead.String()+"/reveal", nil).header.Get("Refresh"); got != "60; url=/events/"+dead.String() {
		t.Errorf("Refresh: %q", got)
	}
	if got := b.get("/events/" + dead.String()).header.Get("Refresh"); got != "" {
		t.Errorf("of a page that is masked: %q", got)
	}
}

// TestInANewHouseNothingWaits: to know that nothing has ever waited is to know it.
func TestInANewHouseNothingWaits(t *testing.T) {
	h := newHouse(t, nil)
	if got := h.signedIn(seeKey).get("/retries"); got.status != http.StatusOK || !strings.Contains(got.body, "Nothing waits.") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestAMarketerSendsAgainWhatWasMended goes the way from the overview of an alert to the end of the job on a phone, with scripts and without.
func TestAMarketerSendsAgainWhatWasMended(t *testing.T) {
	waittest.Slow(t, "a clinic's day, twice, seen in a browser")
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			tab := chromium.Tab(t)
			c := newClinic(t)
			c.enter(tab, "act")
			if !scripts {
				tab.WithoutScripts()
			}
			tab.Look(390, 844, false)
			tab.Open(c.server.URL + "/?lang=ru")
			tab.Run("[...document.querySelectorAll('.need')].find((e) => e.textContent.includes('pharmacy-calls')).querySelector('.button').id = 'why'")
			tab.Click("#why")
			tab.Wait("location.pathname.startsWith('/causes/')")
			tab.Click("main .button.main")
			tab.Wait("location.pathname === '/replays/new'")
			if text := tab.Text("main"); !strings.Contains(text, "Выбрано: Связка: pharmacy-calls · Что с ним: не доставлено · Причина: выражение связки не вычислилось") {
				t.Errorf("the preview does not say what of: %s", text)
			}
			tab.Click("main form button")
			tab.Wait("location.pathname.startsWith('/jobs/')")
			c.ended(browsertest.Eval[string](tab, "location.pathname"))
			if !scripts {
				tab.Open(browsertest.Eval[string](tab, "location.href"))
			}
			tab.Wait("document.querySelector('main')?.textContent.includes('готово')")
			tab.Click("main a.button")
			tab.Wait("location.pathname === '/causes' && document.querySelector('main')?.textContent.includes('исправлять нечего')")
		})
	}
}

// TestHealthIsShownWhereNothingIsKnownOfTheLinks: it is looked at when something is wrong.
func TestHealthIsShownWhereNothingIsKnownOfTheLinks(t *testing.T) {
	h := newHouseOf(t, queuetest.Open(t, queuetest.Start(t), queue.Options{}), config.Parse(t))
	h.admin.Board = admin.NewBoard(func() admin.Admin { return h.admin }, zerolog.Nop()) // nobody runs it
	h.serve(nil)
	b := h.signedIn(seeKey)
	if got := b.get("/health?lang=en"); got.status != http.StatusOK || !strings.Contains(got.body, "How full the queue is") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := b.get("/"); got.status != http.StatusServiceUnavailable {
		t.Errorf("the overview is shown: %d", got.status)
	}
}
