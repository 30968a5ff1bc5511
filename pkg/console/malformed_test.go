package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
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
