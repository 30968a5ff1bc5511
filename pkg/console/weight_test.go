package console_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Bounds of what a page brings, in bytes, not compressed.
const (
	mostHTML   = 60 << 10
	mostStyle  = 20 << 10
	mostScript = 12 << 10
)

// TestPagesAreLight weighs every page of a walk, and what it brings.
func TestPagesAreLight(t *testing.T) {
	h := newHouse(t, nil)
	h.fillMore()
	for id := 100; id < 260; id++ { // more than a page of a list has
		h.publish(id, 30)
	}
	w := walkAll(h.signedIn(adminKey), "ru")
	heaviest, heavy := 0, ""
	for path, got := range w.pages {
		most := 0
		switch kind := got.header.Get("Content-Type"); {
		case strings.HasPrefix(kind, "text/html"):
			most = mostHTML
			if len(got.body) > heaviest {
				heaviest, heavy = len(got.body), path
			}
		case strings.HasPrefix(kind, "text/css"):
			most = mostStyle
		case strings.HasPrefix(kind, "text/javascript"):
			most = mostScript
		default:
			continue
		}
		if len(got.body) > most {
			t.Errorf("%s has %d bytes, at most %d", path, len(got.body), most)
		}
	}
	t.Logf("the heaviest page, %s, has %d bytes", heavy, heaviest)
}

// TestStaticFilesAreKeptForEver holds that their address changes with what they are, and they then with it.
func TestStaticFilesAreKeptForEver(t *testing.T) {
	h := newHouse(t, nil)
	b := h.browser()
	found := regexp.MustCompile(`"(/static/[0-9a-f]{12}/[a-z.]+)"`).FindAllStringSubmatch(b.get("/sign-in").body, -1)
	if len(found) < 3 {
		t.Fatalf("the page brings %q alone", found)
	}
	for _, m := range found {
		if got := b.get(m[1]); got.status != http.StatusOK || got.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", m[1], got.status, got.header)
		}
		if got := b.get("/static/000000000000" + m[1][strings.LastIndex(m[1], "/"):]); got.status != http.StatusNotFound {
			t.Errorf("under another hash: %d", got.status)
		}
	}
}

// TestTimesAreOfTheSite holds that each moment is written in the site's zone, with its UTC behind it.
func TestTimesAreOfTheSite(t *testing.T) {
	h := newHouse(t, nil)
	h.fillMore()
	moments := 0
	times := regexp.MustCompile(`<time datetime="(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)Z" title="(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC">(?:[\d.-]+ )?(\d\d):(\d\d):(\d\d)</time>`)
	for path, got := range walkAll(h.signedIn(adminKey), "ru").pages {
		if as := machineTime.FindString(got.body); as != "" && strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s has a moment as machines write it: %s", path, as)
		}
		all := times.FindAllStringSubmatch(got.body, -1)
		if len(all) != strings.Count(got.body, "<time") {
			t.Errorf("%s has a moment without its UTC", path)
		}
		for _, m := range all {
			moments++
			if m[1] != m[5] || m[6] != m[2]+":"+m[3]+":"+m[4] || m[7] != hourLater(m[2]) || m[8] != m[3] || m[9] != m[4] {
				t.Errorf("%s: %s", path, m[0])
			}
		}
	}
	if moments == 0 {
		t.Error("no page has a moment")
	}
}

// machineTime is a moment in a text of a page, as RFC 3339 has it.
var machineTime = regexp.MustCompile(`>[^<]*\d{4}-\d\d-\d\dT\d\d:\d\d[^<]*<`)

// hourLater is the hour of Moscow, three hours after that of UTC.
func hourLater(utc string) string {
	hour := (int(utc[0]-'0')*10 + int(utc[1]-'0') + 3) % 24
	return string([]byte{byte('0' + hour/10), byte('0' + hour%10)})
}
