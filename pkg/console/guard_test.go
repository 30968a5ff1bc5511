package console_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/console"
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
	for _, away := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", ""} {
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
