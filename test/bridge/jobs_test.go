package bridge_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// visitor is a browser that has signed in to the console.
type visitor struct {
	t       testing.TB
	address string
	client  http.Client
}

// withConsole has `touchbox up` serve a console, from its next start on.
func (s *stack) withConsole() {
	for i, v := range s.env {
		if strings.HasPrefix(v, "CONSOLE_ADDR=") {
			s.env[i] = "CONSOLE_ADDR=" + ports.Free(s.t)
		}
	}
}

// visitor signs in by a link, as a person at the terminal does.
func (s *stack) visitor() *visitor {
	s.t.Helper()
	stdout, stderr, code := run(s.t, s.env, "", "touchbox", "console", "sign-in", "--json")
	var link struct{ Address string }
	if err := json.Unmarshal([]byte(stdout), &link); err != nil || code != 0 {
		s.t.Fatalf("sign-in: %d, %v: %s%s", code, err, stdout, stderr)
	}
	address, key, _ := strings.Cut(link.Address, "/sign-in#")
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := &visitor{t: s.t, address: address, client: http.Client{
		Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if code, body, _ := v.ask(http.MethodPost, "/sign-in", url.Values{"key": {key}}); code != http.StatusSeeOther {
		s.t.Fatalf("sign in: %d %s", code, body)
	}
	return v
}

// ask sends one request; 0 when nobody answers.
func (v *visitor) ask(method, path string, form url.Values) (code int, body, location string) {
	v.t.Helper()
	r, err := http.NewRequest(method, v.address+path, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := v.client.Do(r)
	if err != nil {
		return 0, "", ""
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, "", ""
	}
	return answer.StatusCode, string(text), answer.Header.Get("Location")
}

// jobAt is the job of a page's address, as the command shows it.
func (s *stack) jobAt(location string) (j struct {
	State       string
	Who, Why    string
	Found, Done int
	Changed     int
	Filled      counts
}) {
	s.t.Helper()
	stdout, _, code := run(s.t, s.env, "", "touchbox", "jobs", "show", strings.TrimPrefix(location, "/jobs/"), "--json")
	if code != 0 {
		return j // the bridge is being started
	}
	if err := json.Unmarshal([]byte(stdout), &j); err != nil {
		s.t.Fatalf("jobs show: %v: %s", err, stdout)
	}
	return j
}

// A replay is asked for on a page, and the bridge, which serves the page and works at it, is killed again and again.
func TestAReplayFromThePageOutlivesKills(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "processes are killed, and their leases run out")
	const dead = 300
	m := newRefuser(t)
	s := newStack(t)
	s.withConsole()
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", m.url))
	up := s.up()
	s.refused(1, dead)
	m.mended.Store(true)
	v := s.visitor()
	code, body, location := v.ask(http.MethodPost, "/jobs", url.Values{"link": {"dynamic"}, "shown": {strconv.Itoa(dead)}, "rate": {"30"}, "why": {"the field is named anew"}})
	if code != http.StatusSeeOther || !strings.HasPrefix(location, "/jobs/") {
		t.Fatalf("%d %s", code, body)
	}
	for kill := range 2 {
		eventually(t, 90*time.Second, "a part is replayed", func() bool { return len(m.executions()) > (kill+1)*dead/4 })
		up.kill()
		up = s.up()
		eventually(t, 90*time.Second, "the page answers", func() bool {
			code, page, _ := v.ask(http.MethodGet, location+"?lang=en", nil)
			return code == http.StatusOK && strings.Contains(page, "the field is named anew")
		})
	}
	eventually(t, 3*time.Minute, "the job is done", func() bool { return s.jobAt(location).State == "done" })
	eventually(t, 90*time.Second, "every call is executed", func() bool { return len(m.executions()) == dead })
	for id, n := range m.executions() {
		if n != 1 || len(m.transactions(id)) != 1 {
			t.Errorf("call %s was executed %d times, under %v", id, n, m.transactions(id))
		}
	}
	if stdout, stderr, code := run(t, s.env, "", "touchbox", "deadletters", "--json"); code != 0 || strings.TrimSpace(stdout) != "[]" {
		t.Errorf("dead letters are left: %s%s", stdout, stderr)
	}
	if j := s.jobAt(location); j.Why != "the field is named anew" || j.Who == "" || j.Done != j.Found {
		t.Errorf("%+v", j)
	}
}
