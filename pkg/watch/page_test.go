package watch

import (
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The pages stand in another room, which this one must not know: its table of addresses is read as text.
func TestEveryAlertLeadsToAPageThatTheConsoleHas(t *testing.T) {
	text, err := os.ReadFile("../console/console.go")
	if err != nil {
		t.Fatal(err)
	}
	var routes []*regexp.Regexp
	for _, found := range regexp.MustCompile(`"GET (/[^"]*)"`).FindAllStringSubmatch(string(text), -1) {
		path := strings.TrimSuffix(found[1], "{$}")
		routes = append(routes, regexp.MustCompile("^"+regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(path, "[^/]+")+"$"))
	}
	for cause, subjects := range map[Cause][]string{
		CauseParked: {"link/calls-dynamic", "endpoint/clinic.Website"}, CauseDeadLetters: {"calls"}, CauseDisk: {"events", "deadletters", "aside", "audit", "history"},
		CauseSilence: {"10001"}, CauseAside: {"10001"}, CauseAbandoned: {"calls"}, CauseLostRetries: {"calls"}, CauseUnread: {"10001"}, CauseQueue: {"host"},
		CauseConfig: {"host"}, CauseTest: {""},
	} {
		for _, subject := range subjects {
			page, err := url.Parse(pageOf("https://touchbox.example.com/prefix/", cause, subject))
			if err != nil || page.Host != "touchbox.example.com" || !strings.HasPrefix(page.Path, "/prefix/") {
				t.Errorf("%s of %q: %v, %v", cause, subject, page, err)
				continue
			}
			path, known := strings.TrimPrefix(page.Path, "/prefix"), false
			for _, route := range routes {
				known = known || route.MatchString(path)
			}
			if !known {
				t.Errorf("%s of %q: the console has no page %s", cause, subject, path)
			}
		}
	}
}

func TestAnAlertEndsWithTheAddressOfItsPage(t *testing.T) {
	b := newBell(t)
	x := alert{Cause: CauseDeadLetters, Subject: "calls", Stage: stageBegun, Text: "link calls: not delivered: 1."}
	if _, err := NewReceiver(b.url, "https://touchbox.example.com", "Touchbox/test").post(t.Context(), x.notice()); err != nil {
		t.Fatal(err)
	}
	if one, want := <-b.rung, "https://touchbox.example.com/causes?link=calls"; one.Page != want || one.Text != "Touchbox: link calls: not delivered: 1.\n"+want {
		t.Errorf("%+v", one)
	}
}
