package console_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// from asks the house's console as a request that came from an address under a name.
func (h *house) from(remote, host, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = remote, host
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.console.ServeHTTP(w, r)
	return w
}

// Every answer allows a page what the console itself serves, and nothing else: each part of the policy stands for one way in.
func TestThePolicyLetsNothingInButTheConsolesOwn(t *testing.T) {
	h := newHouse(t, nil)
	want := map[string]string{
		"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self'", "connect-src": "'self'", "form-action": "'self'",
		"base-uri": "'none'", "frame-ancestors": "'none'", "require-trusted-types-for": "'script'", "trusted-types": "touchbox",
	}
	others := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	}
	for _, path := range []string{"/sign-in", "/", "/nothing", "/healthz", "/static/0/app.js", "/api/v1/status", "/api/nothing"} {
		for _, host := range []string{"localhost", "evil.example"} {
			for _, method := range []string{"GET", "POST", "DELETE"} {
				w := h.from("127.0.0.1:1", host, method, path)
				got := map[string]string{}
				for part := range strings.SplitSeq(w.Header().Get("Content-Security-Policy"), ";") {
					name, sources, _ := strings.Cut(strings.TrimSpace(part), " ")
					got[name] = sources
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("%s %s at %s: %s", method, path, host, diff)
				}
				for name, value := range others {
					if got := w.Header().Get(name); got != value {
						t.Errorf("%s %s at %s: %s is %q", method, path, host, name, got)
					}
				}
			}
		}
	}
}

// A session's cookie is for this host, for requests alone, and over TLS for TLS alone, under the name that browsers hold to that.
func TestTheCookieOfASessionIsForThisHostAlone(t *testing.T) {
	h := newHouse(t, func(o *console.Options) {
		o.URL = &url.URL{Scheme: "https", Host: "touchbox.example.com"}
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	key := strings.NewReplacer("{key}", adminKey).Replace("/sign-in?key={key}")
	for _, tt := range []struct {
		remote, host, proto, name string
		secure                    bool
	}{
		{"127.0.0.1:1", "localhost:8083", "", "touchbox", false},
		{"10.1.2.3:1", "touchbox.example.com", "https", "__Host-touchbox", true},
	} {
		w := h.from(tt.remote, tt.host, "POST", key, "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", tt.proto)
		cookies := w.Result().Cookies()
		if w.Code != http.StatusSeeOther || len(cookies) != 1 {
			t.Fatalf("%s: %d, %v", tt.host, w.Code, cookies)
		}
		c := cookies[0]
		if c.Name != tt.name || c.Secure != tt.secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || len(c.Value) < 40 {
			t.Errorf("%s: %s", tt.host, c.Raw)
		}
		out := h.from(tt.remote, tt.host, "POST", "/sign-out", "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", tt.proto, "Cookie", c.Name+"="+c.Value)
		gone := out.Result().Cookies()
		if len(gone) != 1 || gone[0].Name != tt.name || gone[0].Value != "" || gone[0].MaxAge >= 0 {
			t.Errorf("%s: signing out leaves %v", tt.host, gone)
		}
		// What was held before signing in is not what is held after it, whoever put it there.
		again := h.from(tt.remote, tt.host, "POST", key, "Sec-Fetch-Site", "same-origin", "X-Forwarded-Proto", tt.proto, "Cookie", c.Name+"="+c.Value)
		if kept := again.Result().Cookies(); len(kept) != 1 || kept[0].Value == c.Value || kept[0].Value == "" {
			t.Errorf("%s: the session that was brought along goes on: %v", tt.host, kept)
		}
	}
	// The cookie of plain HTTP opens nothing over TLS: anybody on the way could have set it.
	token, err := h.admin.Open(t.Context(), admin.Session{Name: "x", Role: "admin"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if w := h.from("10.1.2.3:1", "touchbox.example.com", "GET", "/links", "X-Forwarded-Proto", "https", "Cookie", "touchbox="+token); w.Code != http.StatusSeeOther {
		t.Errorf("a cookie without the prefix opens over TLS: %d", w.Code)
	}
}

// By which names, and from where in the clear, a console answers.
func TestAConsoleAnswersToItsNamesAlone(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:8083", "console.internal:8083", "10.0.0.7:8083"} {
		h := newHouse(t, func(o *console.Options) {
			o.Addr = addr
			o.Proxies = []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12")}
		})
		for _, tt := range []struct {
			remote, host string
			want         int
		}{
			{"127.0.0.1:1", "localhost", 200}, {"127.0.0.1:1", "LOCALHOST.:8083", 200}, {"127.0.0.1:1", "[::1]:8083", 200}, {"127.0.0.1:1", "127.0.0.2", 200},
			{"127.0.0.1:1", "evil-localhost", 421}, {"127.0.0.1:1", "localhost.evil.example", 421}, {"127.0.0.1:1", "", 421}, {"127.0.0.1:1", "10.0.0.8:8083", 421},
			{"203.0.113.9:1", "localhost", 403}, {"203.0.113.9:1", "127.0.0.1:8083", 403}, // a key of somebody far away, by a forward that says it is near
			{"172.17.0.1:1", "localhost", 200}, // the network of a container
		} {
			if w := h.from(tt.remote, tt.host, "GET", "/sign-in"); w.Code != tt.want {
				t.Errorf("at %s: %q from %s: %d, want %d", addr, tt.host, tt.remote, w.Code, tt.want)
			}
		}
		if w := h.from("127.0.0.1:1", addr, "GET", "/sign-in"); w.Code == http.StatusMisdirectedRequest {
			t.Errorf("it does not answer to its own address %s", addr)
		}
	}
}

// What the file says of a person counts at their next request, whatever it said when they signed in.
func TestAPersonMayWhatTheFileSaysAtEachRequest(t *testing.T) {
	h := newHouse(t, nil)
	dead, _ := h.fill()
	b := h.signedIn(adminKey)
	oleg := &h.people[2]
	reveal := "/events/" + dead.String() + "/reveal"
	if got := b.post(reveal, nil); got.status != http.StatusOK {
		t.Fatal(got.status)
	}
	oleg.Reveal = false
	if got := b.post(reveal, nil); got.status != http.StatusForbidden {
		t.Errorf("no longer allowed, and shown: %d", got.status)
	}
	oleg.Role = console.See
	if got := b.get("/audit"); got.status != http.StatusForbidden {
		t.Errorf("no longer an admin, and shown the audit: %d", got.status)
	}
	oleg.Role = "boss"
	if got := b.get("/"); got.status != http.StatusForbidden {
		t.Errorf("a role that nobody knows opens: %d", got.status)
	}
	for what, change := range map[string]func(){"a program's": func() { oleg.Program = true }, "without a key": func() { oleg.NoKey = true }} {
		*oleg = console.Person{Name: "oleg", Role: console.Admin, Hash: sha256.Sum256([]byte(adminKey))}
		b := h.signedIn(adminKey)
		change()
		if got := b.get("/"); got.status != http.StatusSeeOther {
			t.Errorf("a line that is %s now: %d", what, got.status)
		}
		if got := h.browser().post("/sign-in", url.Values{"key": {adminKey}}); got.status != http.StatusForbidden {
			t.Errorf("a line that is %s now signs in: %d", what, got.status)
		}
	}
}

// A key is the whole key: blanks around it are of the copying, and none is no key.
func TestAKeyIsTheWholeKey(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *console.Options) {
		o.Token = ""
		o.Now = func() time.Time { now = now.Add(time.Minute); return now } // wrong keys slow nobody down
	})
	h.people = append(h.people, console.Person{Name: "empty", Role: console.Admin, NoKey: true}, console.Person{Name: "nobody", Role: console.Admin, NoKey: true, Hash: sha256.Sum256(nil)})
	want := sha256.Sum256([]byte(adminKey))
	like := ""
	for i := 0; like == ""; i++ {
		if text := fmt.Sprint(i); sha256.Sum256([]byte(text))[0] == want[0] {
			like = text
		}
	}
	for key, status := range map[string]int{" " + adminKey + "\r\n": 303, "": 403, " ": 403, adminKey[:len(adminKey)-1]: 403, strings.ToUpper(adminKey): 403} {
		if got := h.browser().post("/sign-in", url.Values{"key": {key}}); got.status != status {
			t.Errorf("%q: %d, want %d", key, got.status, status)
		}
	}
	if got := h.browser().post("/sign-in", url.Values{"key": {adminKey}, "much": {strings.Repeat("x", 20<<10)}}); got.status != http.StatusForbidden {
		t.Errorf("with much more than a key: %d", got.status)
	}
	for _, header := range []string{"Bearer", "Bearer ", "Basic " + adminKey, adminKey, "Bearer " + like} {
		if w := h.from("127.0.0.1:1", "localhost", "GET", "/api/v1/status", "Authorization", header); w.Code != http.StatusUnauthorized {
			t.Errorf("%q: %d", header, w.Code)
		}
	}
	if w := h.from("127.0.0.1:1", "localhost", "GET", "/api/v1/status", "Authorization", "bearer "+programKey); w.Code != http.StatusOK {
		t.Errorf("the scheme in small letters: %d", w.Code)
	}
}

// Whoever invents senders before their own is slowed down by their own.
func TestWrongKeysCountForWhoReallySentThem(t *testing.T) {
	h := newHouse(t, func(o *console.Options) { o.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	try := func(i int, remote string) int {
		return h.from(remote, "localhost", "POST", "/sign-in?key=wrong", "X-Forwarded-For", fmt.Sprintf("198.51.100.%d, 2001:db8::1", i)).Code
	}
	for i := range 5 {
		if got := try(i, "10.0.0.1:1"); got != http.StatusForbidden {
			t.Fatalf("try %d: %d", i, got)
		}
	}
	if got := try(9, "10.0.0.1:1"); got != http.StatusTooManyRequests {
		t.Errorf("a sixth under another invented sender: %d", got)
	}
	for i := range 5 { // of whom no proxy speaks, the header says nothing
		try(i, "127.0.0.1:1")
	}
	if got := try(10, "127.0.0.1:1"); got != http.StatusTooManyRequests {
		t.Errorf("a sixth from this machine: %d", got)
	}
	if audited := h.audited(); strings.Count(audited, "sign_in_refused") != 1 {
		t.Errorf("each wrong key stands in the audit:\n%s", audited)
	}
}

// Personal data is looked at one event after the other, and not by the hundred.
func TestWhoLooksAtTooMuchPersonalDataIsStopped(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *console.Options) { o.Now = func() time.Time { return now } })
	dead, _ := h.fill()
	b := h.signedIn(adminKey)
	reveal := func() int { return b.post("/events/"+dead.String()+"/reveal", nil).status }
	for i := range 50 {
		if got := reveal(); got != http.StatusOK {
			t.Fatalf("the %dth: %d", i+1, got)
		}
	}
	if got := reveal(); got != http.StatusTooManyRequests {
		t.Errorf("the 51st within an hour: %d", got)
	}
	if audited := h.audited(); strings.Count(audited, "oleg reveal "+dead.String()) != 50 {
		t.Error("the audit has another number of them")
	}
	now = now.Add(2 * time.Minute)
	if got := reveal(); got != http.StatusOK {
		t.Errorf("two minutes later: %d", got)
	}
}

// What a search has found is opened for ten minutes.
func TestWhatASearchHasFoundIsForgotten(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *console.Options) { o.Now = func() time.Time { return now } })
	h.fill()
	b := h.signedIn(seeKey)
	at := b.post("/find", url.Values{"what": {person.phone}}).location
	if got := b.get(at); got.status != http.StatusOK {
		t.Fatal(got.status)
	}
	now = now.Add(11 * time.Minute)
	if got := b.get(at); got.status != http.StatusNotFound {
		t.Errorf("eleven minutes later: %d", got.status)
	}
}

// All consoles' browsers together take so many streams, and no more.
func TestStreamsOfManyPeopleAreBounded(t *testing.T) {
	waittest.Slow(t, "32 streams")
	h := newHouse(t, nil)
	var ends []func()
	for range 8 {
		b := h.signedIn(seeKey)
		for range 4 {
			ends = append(ends, b.stream(t))
		}
	}
	if got := h.signedIn(actKey).get("/live/stream?lang=en"); !strings.Contains(got.body, "event: full") {
		t.Errorf("the 33rd: %s", got.body)
	}
	for _, end := range ends {
		end()
	}
}

// A part of a page is one that the script asks for: no other template of it is given by itself.
func TestAPartThatIsNoneIsTheWholePage(t *testing.T) {
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	for _, part := range []string{"main", "base.html", "links", "part-", "part-nothing"} {
		r := b.request("GET", "/", nil)
		r.Header.Set("X-Part", part)
		if got := b.do(r); got.status != http.StatusOK || !strings.Contains(got.body, "<html") {
			t.Errorf("%s: %d %.80s", part, got.status, got.body)
		}
	}
}
