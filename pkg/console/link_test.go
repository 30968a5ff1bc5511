package console_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
)

func TestTheLinksPageShowsTheTextOfTheFileWithItsComments(t *testing.T) {
	h := newHouse(t, nil)
	const text = `calltouch: [{site: 10001, name: clinic, timezone: Europe/Moscow}]
mindbox: [{name: m, endpoint: clinic.Website, url: "https://api.mindbox.ru", secret: do-not-show}]
conditions:
  # who talks for long
  long: duration > 60 and callerphone != "79161234567"
links:
  # for Anna
  - id: dynamic
    from: clinic
    event: call.ended
    to: m
    operation: CallTouch
    when: long
    body: {customer: {mobilePhone: "${phone(callerphone)}"}} # the number
`
	file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{})
	if err != nil {
		t.Fatal(err, problems)
	}
	h.admin.File = file
	page := h.signedIn(seeKey).get("/links/dynamic").body
	wellFormed(t, "the page", page, "en")
	for _, want := range []string{"  # who talks for long\n  long: duration &gt; 60", "  # for Anna\n  - id: dynamic", "# the number", "line 4", "line 7"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	impersonal(t, "the page", page)
	if strings.Contains(page, "do-not-show") {
		t.Error("the page has the secret")
	}
}

func TestTwoVersionsOfALinkDifferAsText(t *testing.T) {
	h := newHouse(t, nil)
	old := h.admin.File.Link("dynamic")
	changed := config
	changed.Links = append(changed.Links[:0:0], changed.Links...)
	changed.Links[0].More = "title: Звонки, динамика\nwhen: duration > 7"
	if _, err := h.admin.Queue.State().Put(t.Context(), event.VersionKeys.Of(old.Version), rawJSON(old.Document())); err != nil {
		t.Fatal(err)
	}
	h.admin.File = changed.Parse(t)
	b := h.signedIn(seeKey)
	path := "/links/dynamic/versions/" + old.Version + "/" + h.admin.File.Link("dynamic").Version
	if page := b.get("/links/dynamic").body; !strings.Contains(page, path) {
		t.Errorf("the page leads to no difference:\n%s", page)
	}
	page := b.get(path).body
	wellFormed(t, path, page, "en")
	if !strings.Contains(page, "-    when: duration &gt; 5") && !strings.Contains(page, "-  when: duration &gt; 5") {
		t.Errorf("the difference:\n%s", page)
	}
	h.admin.File = &link.File{}
	if page := b.get("/links/dynamic").body; !strings.Contains(page, "as it is kept") || !strings.Contains(page, "when: duration &gt; 5") {
		t.Errorf("of a link that has left the file:\n%s", page)
	}
}

// rawJSON is a value of STATE as it stands.
type rawJSON []byte

// MarshalJSON gives it.
func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }
