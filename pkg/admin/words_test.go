package admin

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
)

func TestEveryWordHasItsTwin(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]map[string]string{
		"verbs": verbWords, "notes": noteWords, "reasons": reasonWords, "states of jobs": jobStateWords, "whys": whyWords,
	} {
		for code, word := range table {
			if _, ok := lang.Twin(word); !ok {
				t.Errorf("%s: no Russian twin of %q (%s)", name, word, code)
			}
		}
	}
}
