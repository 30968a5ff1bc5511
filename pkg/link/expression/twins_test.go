package expression

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
)

// TestWordsHaveTwins covers the texts of problems that stand in tables and not in a call.
func TestWordsHaveTwins(t *testing.T) {
	words := []string{"a table", "a list"}
	for _, w := range typeWords {
		words = append(words, w)
	}
	for _, why := range withheld {
		words = append(words, why)
	}
	for _, w := range words {
		if _, ok := lang.Twin(w); !ok {
			t.Errorf("no Russian twin of %q", w)
		}
	}
}
