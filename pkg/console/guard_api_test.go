package console_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// keyed are those who ask the API, by their keys.
var keyed = []struct {
	name, cookie, key string
	role              console.Role // "" opens nothing
}{
	{"nobody", "", "", ""}, {"a cookie of an admin", "admin", "", ""}, {"a wrong key", "", "wrong", ""}, {"a program", "", programKey, console.See}, {"who may act", "", actKey, console.Act},
	{"an admin", "", adminKey, console.Admin}, {"an admin with a cookie too", "admin", adminKey, console.Admin},
}

// roles are those of the console, the one that may most last.
var roles = []console.Role{console.See, console.Act, console.Admin}

func may(has, needs console.Role) bool {
	place := map[console.Role]int{}
	for i, role := range roles {
		place[role] = i + 1
	}
	return place[has] >= place[needs]
}

// TestGuardOfTheAPIAsATable asks for every route of the API that there is, by every method, origin, host and key, and knows of each what is
// to come of it by the rules alone.
func TestGuardOfTheAPIAsATable(t *testing.T) {
	waittest.Slow(t, "some ten thousand requests")
	h := newHouse(t, func(o *console.Options) {
		o.URL = &url.URL{Scheme: "https", Host: "touchbox.example.com"}
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	dead, _ := h.fill()
	admin := h.guardPeople()[6].cookie
	done := map[string]int{ // by who may, without a body
		"GET /api/v1/replays/{id}": 404, "GET /api/v1/jobs/{id}": 404, "POST /api/v1/replays": 400, "POST /api/v1/replays/{id}/stop": 404, "POST /api/v1/links/{id}/stop": 400,
		"POST /api/v1/retries/now": 202,
	}
	asked := 0
	for pattern, needs := range console.APIRoles() {
		routed, template, _ := strings.Cut(pattern, " ")
		id := map[bool]string{true: "dynamic", false: "none"}[strings.Contains(template, "/links/")]
		path := strings.NewReplacer("{site}/{kind}/{id}", dead.String(), "{id}", id).Replace(template)
		for _, method := range []string{"GET", "POST", "DELETE", "OPTIONS"} {
			for _, origin := range guardOrigins {
				for _, host := range guardHosts {
					for _, who := range keyed {
						cookie := ""
						if who.cookie != "" {
							cookie = admin
						}
						w := h.asked(guardAsk{method, path, origin, host, cookie, who.key, asked})
						asked++
						want := map[bool]int{true: 200, false: 405}[method == routed]
						if n := done[pattern]; n != 0 && method == routed {
							want = n
						}
						if method == "GET" && path == "/api/v1/replays/preview" {
							want = http.StatusNotFound // no replay is called so
						}
						switch {
						case !host.known:
							want = http.StatusMisdirectedRequest
						case host.plain(), method != "GET" && who.cookie != "" && origin.silent, method != "GET" && method != "OPTIONS" && !origin.ours && !origin.silent:
							want = http.StatusForbidden
						case who.role == "":
							want = http.StatusUnauthorized
						case method == routed && !may(who.role, needs):
							want = http.StatusForbidden
						}
						where := fmt.Sprintf("%s %s at %q by %s, %s", method, path, host.name, who.name, origin.name)
						if w.Code != want {
							t.Fatalf("%s: %d, want %d: %s", where, w.Code, want, w.Body)
						}
						if kind := w.Header().Get("Content-Type"); w.Code >= 400 && kind != "application/problem+json" {
							t.Errorf("%s: as %s", where, kind)
						}
						if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Content-Security-Policy") == "" {
							t.Errorf("%s: %v", where, w.Header())
						}
						impersonal(t, where, w.Body.String())
					}
				}
			}
		}
	}
	if asked < 20_000 {
		t.Errorf("%d combinations alone", asked)
	}
}
