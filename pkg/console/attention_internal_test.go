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
