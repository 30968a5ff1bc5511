package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Of a form or an address that is malformed a part is missing: nothing is done by what is left of it.
func TestWhatIsMalformedSelectsNothing(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b := h.signedIn(adminKey)
	before := h.audited()
	for _, form := range []string{"link=%zz", "link=other;reason=x", "link=other&%", "link=other" + strings.Repeat("&a=1", 20_000)} {
		r := withBody(b.request(http.MethodPost, "/deadletters/drop", nil), "application/x-www-form-urlencoded", "shown=1&why=test&"+form)
		if got := b.do(r); got.status != http.StatusBadRequest {
			t.Errorf("%.20s: %d %s", form, got.status, got.location)
		}
	}
	for _, cut := range []string{"--B\r\nContent-Disposition: form-data; name=\"link\"\r\n\r\noth", "--B\r\nlink"} {
		part := "--B\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n"
		r := withBody(b.request(http.MethodPost, "/deadletters/drop", nil), "multipart/form-data; boundary=B", fmt.Sprintf(part, "shown", "1")+fmt.Sprintf(part, "why", "test")+cut)
		if got := b.do(r); got.status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", cut, got.status, got.location)
		}
	}
	for _, path := range []string{"/events?link=%zz", "/deadletters?status=99999", "/events?since=1d&until=2d"} {
		if got := b.get(path); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if after := h.audited(); after != before {
		t.Errorf("something was done:\n%s", after)
	}
}

func TestTheAPITakesNoMalformedAddress(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b := h.browser()
	for _, path := range []string{"/events?link=%zz", "/events?link=dynamic;site=1", "/events?link=", "/deadletters?status=-5", "/deadletters?status=600", "/events?since=2026-11-02&until=2026-11-01"} {
		r := b.request(http.MethodGet, "/api/v1"+path, nil)
		r.Header.Set("Authorization", "Bearer "+programKey)
		if got := b.do(r); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func withBody(r *http.Request, kind, body string) *http.Request {
	out, err := http.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
	if err != nil {
		panic(err) // the address was one already
	}
	out.Header = r.Header.Clone()
	out.Header.Set("Content-Type", kind)
	return out
}

// What is named and is not there is said, in the reader's words: an empty list would be taken for an answer. A form that names it does nothing.
func TestWhatIsNotThereIsNoEmptyList(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b, program := h.signedIn(adminKey), h.browser()
	far := time.Now().AddDate(0, 0, 2).Format(time.DateOnly)
	for query, lists := range map[string][]string{
		"link=nobody": {"events", "causes", "deadletters", "retries"}, "site=99": {"events", "causes", "deadletters", "retries", "aside"},
		"site=clinick": {"events", "causes", "deadletters", "retries", "aside"}, "reason=validation": {"causes", "deadletters", "retries", "aside"},
		"reason=ping": {"causes", "deadletters"}, "kind=deal": {"events", "causes"}, "outcome=fine": {"events"}, "cause=none": {"deadletters"}, "cause=ABCDEF012345": {"deadletters"},
		"status=99": {"deadletters"}, "status=0": {"deadletters"}, "since=soon": {"events", "audit"}, "since=" + far: {"events", "deadletters", "audit"}, "since=1e300d": {"events"}, "since=Infd": {"events"},
		"since=1d&until=2d": {"events", "audit"}, "verb=looked": {"audit"}, "before=0": {"events", "retries"}, "before=-1": {"events"}, "before=x": {"aside"},
	} {
		name, _, _ := strings.Cut(query, "=")
		for _, list := range lists {
			got := b.get("/" + list + "?lang=en&" + query)
			if got.status != http.StatusBadRequest || !strings.Contains(got.body, "this is no empty list") {
				t.Errorf("/%s?%s: %d", list, query, got.status)
			}
			if ru := b.get("/" + list + "?lang=ru&" + query); !strings.Contains(ru.body, "это не пустой список") {
				t.Errorf("/%s?%s in Russian: %s", list, query, ru.body)
			}
			if list == "retries" || list == "aside" || name == "before" {
				continue
			}
			r := program.request(http.MethodGet, "/api/v1/"+list+"?"+query, nil)
			r.Header.Set("Authorization", "Bearer "+adminKey)
			if got := program.do(r); got.status != http.StatusBadRequest || !strings.Contains(got.body, `"detail": "`+name+": ") && !strings.Contains(query, "until") {
				t.Errorf("the API's /%s?%s: %d %s", list, query, got.status, got.body)
			}
		}
	}
	before := h.audited()
	for path, form := range map[string]url.Values{
		"/deadletters/drop": {"reason": {"validation"}}, "/retries/now": {"site": {"99"}}, "/retries/cancel": {"link": {"nobody"}}, "/aside/take": {"reason": {"validation_error"}}, "/jobs": {"cause": {"none"}},
	} {
		if got := b.post(path, with(form, "why", "x", "shown", "1")); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, got.status, got.location)
		}
	}
	if after := h.audited(); after != before {
		t.Errorf("something was done:\n%s", after)
	}
	for _, there := range []string{"/events?site=clinic", "/events?site=10001", "/aside?reason=ping", "/deadletters?reason=validation_error", "/audit?verb=sign_in", "/events?until=" + far} {
		if got := b.get(there); got.status != http.StatusOK {
			t.Errorf("%s: %d", there, got.status)
		}
	}
}

// A field of a body that stands there twice, is empty or is spelt in another way would select something else than was meant.
func TestTheAPITakesNoBodyThatSaysTwoThings(t *testing.T) {
	h, d := newHouse(t, nil), readDescription(t)
	h.fill()
	c := h.caller(d, adminKey)
	before := h.audited()
	for body, says := range map[string]string{
		`{"link": "dynamic", "link": "other"}`: "link stands in the body more than once", `{"Link": "dynamic"}`: "Link: there is no such field here; there are: link, site",
		`{"link": ""}`: "link is empty", `{"link": null}`: "link is empty", `{"site": "  "}`: "site is empty", `{"status": 0}`: "status: want", `{"status": -0}`: "status: want",
		`{"status": "400"}`: "status: want", `{"reason": "nonsense"}`: "reason: there is none", `{"link": "dynamic"} {}`: "more than one value", `{"link": "dynamic"`: "want an object",
		`[]`: "want an object", `null`: "want an object", `"link"`: "want an object", `{"link": "dynamic",}`: "want an object", `{"since": "2099-01-01"}`: "since: this time has not come yet",
	} {
		if got := c.expects(http.StatusBadRequest, "POST", "/api/v1/retries/now", body); !strings.Contains(got.body, says) {
			t.Errorf("%s: %s", body, got.body)
		}
	}
	c.expects(http.StatusBadRequest, "POST", "/api/v1/replays", `{"unseen": true, "link": "dynamic", "unseen": false}`)
	c.expects(http.StatusBadRequest, "POST", "/api/v1/replays", `{"unseen": true, "as": "nobody"}`)
	c.expects(http.StatusBadRequest, "POST", "/api/v1/replays/preview", `{"outcome": ""}`)
	c.expects(http.StatusBadRequest, "GET", "/api/v1/events?format=xml", "")
	c.expects(http.StatusBadRequest, "GET", "/api/v1/status?format=csv", "")
	if after := h.audited(); after != before {
		t.Errorf("something was done:\n%s", after)
	}
	c.expects(http.StatusOK, "POST", "/api/v1/links/dynamic/start", `{"why": ""}`)
}
