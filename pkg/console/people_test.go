package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/console"
)

// second is another console over the same queue and file, as another process serves one, and the same browser at it.
func (h *house) second(b *browser, o console.Options) *browser {
	h.t.Helper()
	server := httptest.NewServer(console.New(o))
	h.t.Cleanup(server.Close)
	other := *h
	other.server = server
	from, err := url.Parse(h.server.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	to, err := url.Parse(server.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	there := other.browser()
	there.client.Jar.SetCookies(to, b.client.Jar.Cookies(from))
	return there
}

// TestASessionEndsAtEveryConsole: at sign-out, when nothing is done in it, when its person leaves the file, when an admin ends it.
func TestASessionEndsAtEveryConsole(t *testing.T) {
	for name, end := range map[string]func(*house, *browser){
		"signed out":            func(_ *house, b *browser) { b.post("/sign-out", nil) },
		"idle":                  func(h *house, _ *browser) { h.admin.Now = func() time.Time { return time.Now().Add(13 * time.Hour) } },
		"taken out of the file": func(h *house, _ *browser) { h.people = h.people[1:] },
		"ended by an admin": func(h *house, _ *browser) {
			if got := h.signedIn(adminKey).post("/people/sara/sign-out", nil); got.location != "/people?done=sessions-ended&n=1" {
				h.t.Errorf("%d %s", got.status, got.location)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var options console.Options
			h := newHouse(t, func(o *console.Options) { options = *o })
			here := h.signedIn(seeKey)
			there := h.second(here, options)
			for _, b := range []*browser{here, there} {
				if got := b.get("/events"); got.status != http.StatusOK {
					t.Fatalf("before: %d", got.status)
				}
			}
			end(h, here)
			for where, b := range map[string]*browser{"here": here, "there": there} {
				if got := b.get("/events"); got.status != http.StatusSeeOther || !strings.HasPrefix(got.location, "/sign-in") {
					t.Errorf("%s: %d %s", where, got.status, got.location)
				}
			}
		})
	}
}

func TestAnAdminEndsOneSessionOfAPersonOrAll(t *testing.T) {
	h := newHouse(t, nil)
	boss, first, second, third := h.signedIn(adminKey), h.signedIn(actKey), h.signedIn(actKey), h.signedIn(actKey)
	page := boss.get("/people").body
	wellFormed(t, "/people", page, "en")
	sessions, err := h.admin.Sessions(t.Context())
	if err != nil || len(sessions) != 4 {
		t.Fatalf("%+v, %v", sessions, err)
	}
	for _, s := range sessions {
		if !strings.Contains(page, s.Name) {
			t.Errorf("the page lacks %s", s.Name)
		}
	}
	id := sessions[1].ID // of the first
	if got := boss.post("/people/anna/sign-out", url.Values{"session": {id}}); got.location != "/people?done=sessions-ended&n=1" {
		t.Errorf("%d %s", got.status, got.location)
	}
	alive := func() (n int) {
		for _, b := range []*browser{first, second, third} {
			if b.get("/events").status == http.StatusOK {
				n++
			}
		}
		return n
	}
	if n := alive(); n != 2 {
		t.Errorf("%d sessions are left, want 2", n)
	}
	boss.post("/people/anna/sign-out", nil)
	if n := alive(); n != 0 {
		t.Errorf("%d sessions are left, want none", n)
	}
	if got := boss.get("/people"); got.status != http.StatusOK {
		t.Errorf("the admin was signed out too: %d", got.status)
	}
	if got := h.signedIn(actKey).post("/people/oleg/sign-out", nil); got.status != http.StatusForbidden {
		t.Errorf("by who may not: %d", got.status)
	}
	if audited := h.audited(); strings.Count(audited, "oleg session_end sessions of anna") != 4 {
		t.Errorf("the audit:\n%s", audited)
	}
}
