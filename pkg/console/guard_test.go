package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func TestGuardLetsThroughWhatItShould(t *testing.T) {
	h := newHouse(t, func(o *console.Options) {
		o.URL = &url.URL{Scheme: "https", Host: "touchbox.example.com"}
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	type headers map[string]string
	for name, tt := range map[string]struct {
		method, path, host string
		headers            headers
		cookie             bool
		want               int
	}{
		"a page":                               {"GET", "/", "", nil, true, 200},
		"a page without a session":             {"GET", "/", "", nil, false, 303},
		"a part without a session":             {"GET", "/", "", headers{"X-Part": "part-overview"}, false, 401},
		"no such page":                         {"GET", "/nothing", "", nil, true, 404},
		"no such page, without a session":      {"GET", "/nothing", "", nil, false, 303},
		"health":                               {"GET", "/healthz", "anything.example", nil, false, 200},
		"by another name":                      {"GET", "/", "evil.example", nil, true, 421},
		"by another address":                   {"GET", "/", "10.0.0.1", nil, true, 421},
		"by localhost":                         {"GET", "/sign-in", "localhost:8083", nil, false, 200},
		"by its own name, without TLS":         {"GET", "/sign-in", "touchbox.example.com", nil, false, 403},
		"by its own name, with TLS at a proxy": {"GET", "/sign-in", "touchbox.example.com", headers{"X-Forwarded-Proto": "https"}, false, 200},
		"a form of this site":                  {"POST", "/sign-out", "", headers{"Sec-Fetch-Site": "same-origin"}, true, 303},
		"a form by address bar":                {"POST", "/sign-in", "", headers{"Sec-Fetch-Site": "none"}, false, 403},
		"a form of another site":               {"POST", "/sign-out", "", headers{"Sec-Fetch-Site": "cross-site"}, true, 403},
		"a form of a sister site":              {"POST", "/sign-out", "", headers{"Sec-Fetch-Site": "same-site"}, true, 403},
		"a form of another origin":             {"POST", "/sign-out", "", headers{"Origin": "https://evil.example"}, true, 403},
		"a form of origin null":                {"POST", "/sign-out", "", headers{"Origin": "null"}, true, 403},
		"a form with a cookie and no origin":   {"POST", "/sign-out", "", nil, true, 403},
		"a form without a session":             {"POST", "/sign-out", "", headers{"Sec-Fetch-Site": "same-origin"}, false, 401},
		"signing in, by a program":             {"POST", "/sign-in", "", nil, false, 403},
		"an action by GET":                     {"GET", "/sign-out", "", nil, true, 404},
		"a static file that is not there":      {"GET", "/static/000/app.js", "", nil, false, 404},
	} {
		t.Run(name, func(t *testing.T) {
			b := h.browser()
			r := b.request(tt.method, tt.path, nil)
			r.Header.Del("Sec-Fetch-Site")
			if tt.host != "" {
				r.Host = tt.host
			}
			for name, value := range tt.headers {
				r.Header.Set(name, value)
			}
			if tt.cookie {
				b = h.signedIn(adminKey)
			}
			got := b.do(r)
			if got.status != tt.want {
				t.Errorf("%d %s, want %d", got.status, got.body, tt.want)
			}
			for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cross-Origin-Opener-Policy", "Referrer-Policy"} {
				if got.header.Get(name) == "" {
					t.Errorf("without %s", name)
				}
			}
			if got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("may be kept: %q", got.header.Get("Cache-Control"))
			}
		})
	}
}

func TestPlainHTTPIsForThisMachineAlone(t *testing.T) {
	h := newHouse(t, func(o *console.Options) { o.Addr = "0.0.0.0:8083" })
	b := h.browser()
	r := b.request("GET", "/sign-in", nil)
	r.Host = "192.168.1.5:8083"
	if got := b.do(r); got.status != http.StatusForbidden || !strings.Contains(got.body, "CONSOLE_TLS_CERT") {
		t.Errorf("%d %s", got.status, got.body)
	}
	r.Header.Set("X-Forwarded-Proto", "https") // of nobody that is trusted
	if got := b.do(r); got.status != http.StatusForbidden {
		t.Errorf("a stranger's word for TLS was taken: %d", got.status)
	}
}

func TestWhoSignsInMayWhatTheFileSaysNow(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	if got := b.get("/"); got.status != http.StatusOK || !strings.Contains(got.body, "sara") {
		t.Fatalf("%d %s", got.status, got.body)
	}
	h.people = h.people[1:]
	if got := b.get("/"); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
		t.Errorf("who left the file is signed in still: %d", got.status)
	}
	if got := h.browser().post("/sign-in", url.Values{"key": {seeKey}}); got.status != http.StatusForbidden {
		t.Errorf("a key that left the file opens: %d", got.status)
	}
	if got := h.browser().post("/sign-in", url.Values{"key": {programKey}}); got.status != http.StatusForbidden {
		t.Errorf("the key of a program signs a person in: %d", got.status)
	}
}

func TestSigningOutEndsTheSessionEverywhere(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(adminKey)
	where, err := url.Parse(h.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	held := b.client.Jar.Cookies(where)
	if got := b.post("/sign-out", nil); got.status != http.StatusSeeOther {
		t.Fatal(got.status)
	}
	b.client.Jar.SetCookies(where, held) // a copy of what the browser held
	if got := b.get("/"); got.status != http.StatusSeeOther {
		t.Errorf("the session goes on: %d", got.status)
	}
}

func TestASignInLinkLetsInOnceAndKeepsItsWay(t *testing.T) {
	h := newHouse(t, nil)
	token, err := h.admin.Invite(t.Context(), admin.Session{Name: "root", Role: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	got := b.post("/sign-in", url.Values{"key": {token}, "to": {"/links?x=1"}})
	if got.status != http.StatusSeeOther || got.location != "/links?x=1" {
		t.Fatalf("%d to %q", got.status, got.location)
	}
	if got := b.get("/"); got.status != http.StatusOK {
		t.Error(got.status)
	}
	if got := h.browser().post("/sign-in", url.Values{"key": {token}}); got.status != http.StatusForbidden {
		t.Errorf("a second time: %d", got.status)
	}
	for _, away := range []string{"https://evil.example/", "https:/x", "//evil.example", "//evil.example/x", "////evil.example/x", `/\evil.example`, "javascript:alert(1)", ""} {
		token, _ := h.admin.Invite(t.Context(), admin.Session{Name: "root", Role: "admin"})
		if got := h.browser().post("/sign-in", url.Values{"key": {token}, "to": {away}}); got.location != "/" {
			t.Errorf("%q leads to %q", away, got.location)
		}
	}
}

func TestTheSixthWrongKeyInAMinuteIsNotLookedAt(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *console.Options) {
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
		o.Now = func() time.Time { return now }
	})
	try := func(from, key string) int {
		b := h.browser()
		r := b.request("POST", "/sign-in", url.Values{"key": {key}})
		r.Header.Set("X-Forwarded-For", from)
		return b.do(r).status
	}
	for i := range 5 {
		if got := try("2001:db8::1", "wrong"); got != http.StatusForbidden {
			t.Fatalf("try %d: %d", i, got)
		}
	}
	for from, want := range map[string]int{"2001:db8::1": 429, "2001:db8::ffff": 429, "2001:db8:1::1": 303, "192.0.2.7": 303} {
		if got := try(from, adminKey); got != want {
			t.Errorf("from %s: %d, want %d", from, got, want)
		}
	}
	now = now.Add(time.Minute)
	if got := try("2001:db8::1", adminKey); got != http.StatusSeeOther {
		t.Errorf("a minute later: %d", got)
	}
	if strings.Contains(h.log.String(), adminKey) || strings.Contains(h.log.String(), `"wrong"`) {
		t.Error("the log holds a key")
	}
}

func TestLanguageIsAskedForKeptOrTheBrowsers(t *testing.T) {
	h := newHouse(t, nil)
	b := h.browser()
	is := func(want, path, accept string) {
		t.Helper()
		r := b.request("GET", path, nil)
		r.Header.Set("Accept-Language", accept)
		if got := b.do(r); !strings.Contains(got.body, `<html lang="`+want+`">`) {
			t.Errorf("%s with %s: %s", path, accept, got.body[:60])
		}
	}
	is("en", "/sign-in", "de-DE,ru;q=0.5")
	is("ru", "/sign-in", "ru-RU,ru;q=0.9,en;q=0.8")
	is("en", "/sign-in?lang=en", "ru")
	is("en", "/sign-in", "ru")
	is("ru", "/sign-in?lang=ru", "en")
	is("ru", "/sign-in?lang=xx", "en")
}

// TestGuardAsATable asks for every combination of method, origin, host, who asks and what they want, and knows of each what is to come
// of it by the rules alone.
func TestGuardAsATable(t *testing.T) {
	waittest.Slow(t, "some thousand requests")
	h := newHouse(t, func(o *console.Options) {
		o.URL = &url.URL{Scheme: "https", Host: "touchbox.example.com"}
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	h.fill()
	asked := 0
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"} {
		for _, origin := range guardOrigins {
			for _, host := range guardHosts {
				for _, who := range h.guardPeople() {
					for _, what := range guardRoutes {
						w := h.asked(guardAsk{method, what.path, origin, host, who.cookie, who.bearer, asked})
						asked++
						where := fmt.Sprintf("%s %s at %q by %s, %s", method, what.path, host.name, who.name, origin.name)
						if want := guardWants(method, origin, host, who, what); w.Code != want {
							t.Errorf("%s: %d, want %d", where, w.Code, want)
						}
						for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy", "Referrer-Policy"} {
							if w.Header().Get(name) == "" {
								t.Errorf("%s: without %s", where, name)
							}
						}
						if w.Header().Get("Cache-Control") != "no-store" {
							t.Errorf("%s: may be kept", where)
						}
					}
				}
			}
		}
	}
	if asked < 5000 {
		t.Errorf("%d combinations alone", asked)
	}
}

// guardAsk is one request of the tables of the guard.
type guardAsk struct {
	method, path   string
	origin         guardOrigin
	host           guardHost
	cookie, bearer string // "" for none
	number         int    // of the request
}

// asked asks for it, each from a house of its own: none has used up its wrong keys.
func (h *house) asked(a guardAsk) *httptest.ResponseRecorder {
	r := httptest.NewRequest(a.method, a.path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:4711", a.host.name
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("2001:db8:%x:%x::1", a.number>>12, a.number&0xfff))
	for name, value := range a.origin.headers {
		r.Header.Set(name, value)
	}
	cookie := "touchbox"
	if a.host.encrypted {
		r.Header.Set("X-Forwarded-Proto", "https")
		cookie = "__Host-touchbox"
	}
	if a.cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookie, Value: a.cookie})
	}
	if a.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+a.bearer)
	}
	w := httptest.NewRecorder()
	h.console.ServeHTTP(w, r)
	return w
}

// guardOrigin is what a browser, or a program, says of where a request comes from.
type guardOrigin struct {
	name    string
	headers map[string]string
	ours    bool // the console's own page, or the person by themselves
	silent  bool // nothing is said: no browser
}

var guardOrigins = []guardOrigin{
	{"silent", nil, false, true},
	{"same-origin", map[string]string{"Sec-Fetch-Site": "same-origin"}, true, false},
	{"by the person", map[string]string{"Sec-Fetch-Site": "none"}, true, false},
	{"same-site", map[string]string{"Sec-Fetch-Site": "same-site"}, false, false},
	{"cross-site", map[string]string{"Sec-Fetch-Site": "cross-site"}, false, false},
	{"cross-site with an origin", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, false, false},
	{"the console's address as the origin", map[string]string{"Origin": "https://touchbox.example.com"}, true, false},
	{"another origin", map[string]string{"Origin": "https://evil.example"}, false, false},
	{"no origin that has a name", map[string]string{"Origin": "null"}, false, false},
}

type guardHost struct {
	name      string
	encrypted bool // a trusted proxy says so
	known     bool
}

var guardHosts = []guardHost{
	{"127.0.0.1:8083", false, true}, {"localhost", false, true}, {"[::1]:8083", false, true}, {"touchbox.example.com", true, true}, {"touchbox.example.com", false, true},
	{"evil.example", true, false}, {"10.0.0.1:8083", false, false},
}

// plain reports whether keys would cross the network in the clear.
func (g guardHost) plain() bool { return !g.encrypted && g.name == "touchbox.example.com" }

type guardPerson struct {
	name, cookie, bearer string
	role                 int // 0: nobody
}

// guardPeople are those who ask. Keys as bearers open the API alone.
func (h *house) guardPeople() []guardPerson {
	people := []guardPerson{{name: "nobody"}, {name: "a cookie of nobody's", cookie: "x"}, {name: "a program's key", bearer: programKey}, {name: "a person's key", bearer: adminKey}}
	for i, role := range []string{"see", "act", "admin"} {
		token, err := h.admin.Open(h.t.Context(), admin.Session{Name: role, Role: role}, time.Hour)
		if err != nil {
			h.t.Fatal(err)
		}
		people = append(people, guardPerson{name: role, cookie: token, role: i + 1})
	}
	return people
}

// guardRoute is an address: what answers GET, and what POST; 0 is nothing.
type guardRoute struct {
	path      string
	get, post int
	needs     int // 0: no session
}

var guardRoutes = []guardRoute{
	{"/", 200, 0, 1}, {"/find", 0, 400, 1}, {"/replays/new?link=other", 200, 0, 2}, {"/retries/cancel", 0, 400, 2}, {"/audit", 200, 0, 3}, {"/deadletters/drop", 0, 400, 3},
	{"/nothing", 0, 0, 1}, {"/sign-in", 200, 403, 0}, {"/healthz", 200, 0, 0},
}

// guardWants is the status that the rules ask for.
func guardWants(method string, origin guardOrigin, host guardHost, who guardPerson, what guardRoute) int {
	reads := method == "GET" || method == "HEAD"
	if what.path != "/healthz" {
		switch {
		case !host.known:
			return http.StatusMisdirectedRequest
		case host.plain():
			return http.StatusForbidden
		case !reads && who.cookie != "" && origin.silent:
			return http.StatusForbidden
		case !reads && method != "OPTIONS" && !origin.ours && !origin.silent:
			return http.StatusForbidden
		}
	}
	answer := map[bool]int{true: what.get, false: what.post}[reads]
	if method != "GET" && method != "HEAD" && method != "POST" {
		answer = 0
	}
	switch {
	case what.needs == 0 && answer != 0 && !(what.path == "/sign-in" && method == "POST"):
		return answer
	case what.path == "/sign-in" && method == "POST":
		return http.StatusForbidden // an empty key opens nothing
	case who.role == 0 && method == "GET":
		return http.StatusSeeOther
	case who.role == 0:
		return http.StatusUnauthorized
	case answer == 0:
		return http.StatusNotFound
	case who.role < what.needs:
		return http.StatusForbidden
	}
	return answer
}

// TestNothingAnswersWithoutASession asks for every route that the source names.
func TestNothingAnswersWithoutASession(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	for _, p := range patterns(t) {
		method, path, _ := strings.Cut(p, " ")
		path = strings.NewReplacer("{$}", "", "{site}/{kind}/{id}", dead.String(), "{id}", "dynamic").Replace(path)
		r := h.browser().request(method, path, nil)
		got := h.browser().do(r)
		switch {
		case p == "GET /healthz", p == "GET /sign-in", p == "POST /sign-in", strings.HasPrefix(p, "GET /static/"): // these alone are for everybody
		case got.status == http.StatusSeeOther && strings.HasPrefix(got.location, "/sign-in"), got.status == http.StatusUnauthorized:
		default:
			t.Errorf("%s answers %d", p, got.status)
		}
	}
}

// TestLookingChangesNothing has an admin look at everything, and a program ask by GET for what is done by POST.
func TestLookingChangesNothing(t *testing.T) {
	h := newHouse(t, nil)
	h.fillMore()
	b := h.signedIn(adminKey)
	streams := []string{event.EventsStream, event.RetriesStream, event.DeadLettersStream, event.HistoryStream, event.AsideStream}
	before := h.stored(t, streams...)
	w := walkAll(b, "en")
	for _, f := range w.forms {
		if got := b.get(f.action + "?" + f.filled().Encode()); got.status == http.StatusOK && routing(t)("GET", f.action) == "" {
			t.Errorf("%s answers GET", f.action)
		}
	}
	if diff := cmp.Diff(before, h.stored(t, streams...)); diff != "" {
		t.Error(diff)
	}
}

func TestASessionEndsByItselfAndOnEveryConsole(t *testing.T) {
	h := newHouse(t, nil)
	idle := 12 * time.Hour
	other := console.New(console.Options{
		Admin: func() admin.Admin { return h.admin }, People: func() []console.Person { return h.people }, Session: func() time.Duration { return idle }, Addr: "127.0.0.1:8083", Log: zerolog.Nop(),
	})
	b := h.signedIn(seeKey)
	where, err := url.Parse(h.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	there := func() int {
		r := httptest.NewRequest("GET", "/settings", nil)
		r.Host, r.RemoteAddr = "127.0.0.1:8083", "127.0.0.1:1"
		for _, c := range b.client.Jar.Cookies(where) {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		other.ServeHTTP(w, r)
		return w.Code
	}
	if got := there(); got != http.StatusOK {
		t.Fatalf("the other console: %d", got)
	}
	idle = time.Nanosecond
	if got := there(); got != http.StatusSeeOther {
		t.Errorf("a session in which nothing was done goes on: %d", got)
	}
	idle = 12 * time.Hour
	b = h.signedIn(seeKey)
	held := b.client.Jar.Cookies(where)
	b.post("/sign-out", nil)
	b.client.Jar.SetCookies(where, held)
	if got := there(); got != http.StatusSeeOther {
		t.Errorf("signed out here, and not there: %d", got)
	}
}

// TestAFullAuditShowsNothing holds that what cannot be written down is not shown.
func TestAFullAuditShowsNothing(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	b := h.signedIn(adminKey)
	queuetest.Fill(t, h.queue, event.AuditStream)
	got := b.post("/events/"+dead.String()+"/reveal", nil)
	if got.status != http.StatusServiceUnavailable {
		t.Errorf("%d", got.status)
	}
	impersonal(t, "the page", got.body)
	if got := h.browser().post("/sign-in", url.Values{"key": {actKey}}); got.status != http.StatusServiceUnavailable {
		t.Errorf("signing in without an audit: %d", got.status)
	}
}

// TestAHeaderThatNamesAUserSignsNobodyIn holds that nobody is taken for who a header says, whoever sends it.
func TestAHeaderThatNamesAUserSignsNobodyIn(t *testing.T) {
	for name, proxies := range map[string][]netip.Prefix{"a stranger": nil, "a trusted proxy": {netip.MustParsePrefix("127.0.0.0/8")}} {
		h := newHouse(t, func(o *console.Options) { o.Proxies = proxies })
		for _, header := range []string{"X-Remote-User", "Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-User", "X-WEBAUTH-USER", "Authorization"} {
			b := h.browser()
			r := b.request("GET", "/", nil)
			r.Header.Set(header, "oleg")
			if got := b.do(r); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
				t.Errorf("%s with %s: %d", name, header, got.status)
			}
		}
	}
}

// TestAConsoleThatHasReadNothingSaysSoAndShowsNoNumber holds that what is not known is not shown as none.
func TestAConsoleThatHasReadNothingSaysSoAndShowsNoNumber(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b := h.signedIn(seeKey)
	h.admin.Board = admin.NewBoard(func() admin.Admin { return h.admin }, zerolog.Nop()) // that nobody keeps
	for _, path := range []string{"/", "/events", "/causes", "/deadletters", "/retries", "/links"} {
		began := time.Now()
		got := b.get(path + "?lang=en")
		if got.status != http.StatusServiceUnavailable || !strings.Contains(got.body, "still being read: 0 %") || strings.Contains(got.body, ">0<") || time.Since(began) > 5*time.Second {
			t.Errorf("%s: %d after %s: %s", path, got.status, time.Since(began), got.body)
		}
	}
}
