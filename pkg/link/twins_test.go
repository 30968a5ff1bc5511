package link

import (
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/lang"
)

// TestWordsHaveTwins covers the messages that stand in tables and not in a call.
func TestWordsHaveTwins(t *testing.T) {
	var words []string
	for _, s := range samples(&Site{Site: calltouch.Site{Location: time.UTC}}) {
		words = append(words, s.about)
	}
	for _, w := range append(words, "a list", "a text", "a mapping (key: value)") {
		if _, ok := lang.Twin(w); !ok {
			t.Errorf("no Russian twin of %q", w)
		}
	}
}
