package console

import (
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
)

// TestEachKindOfAttentionHasItsWords: what happened, what to do, and a page of the console, in both languages.
func TestEachKindOfAttentionHasItsWords(t *testing.T) {
	routes := []string{"/settings", "/health", "/links/", "/causes/", "/sites/", "/aside?", "/events?"}
	for _, l := range languages {
		v := &visit{c: &Console{Options: Options{Admin: func() admin.Admin { return admin.Admin{} }}}, lang: l}
		said := map[string]bool{}
		for _, kind := range admin.AttentionKinds {
			since := time.Now()
			line := v.inWords(admin.Attention{Kind: kind, Subject: "subject", Since: since, N: 81, Why: "server_error", Cause: "cause", By: "Anna"})
			known := false
			for _, route := range routes {
				known = known || strings.HasPrefix(line.Href, route)
			}
			if line.What == "" || line.Hint == "" || line.Link == "" || !known || !line.Since.Equal(since) || said[line.What] {
				t.Errorf("%s in %s: %+v", kind, l, line)
			}
			said[line.What] = true
			if l == lang.Russian && !strings.ContainsAny(line.What+line.Hint, "абвгдежзиклмнопрст") {
				t.Errorf("%s has no Russian: %+v", kind, line)
			}
		}
	}
}

// A file that was mended and has mistakes again has them since then.
func TestAFileIsBrokenSinceItBrokeLast(t *testing.T) {
	broken, now := true, time.Now()
	c := New(Options{Admin: func() admin.Admin { return admin.Admin{} }, Broken: func() bool { return broken }, Now: func() time.Time { return now }})
	first := c.brokenSince()
	now = now.Add(time.Hour)
	if got := c.brokenSince(); !got.Equal(first) || first.IsZero() {
		t.Errorf("since %s, then since %s", first, got)
	}
	broken = false
	if got := c.brokenSince(); !got.IsZero() {
		t.Errorf("mended, and broken since %s", got)
	}
	if broken = true; !c.brokenSince().Equal(now) {
		t.Error("broken again, and since another time")
	}
}
