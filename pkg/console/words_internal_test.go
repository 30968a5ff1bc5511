package console

import (
	"maps"
	"slices"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// TestWordsHaveTwins covers the words that stand in tables and not in a call.
func TestWordsHaveTwins(t *testing.T) {
	var texts []string
	for _, table := range []map[string]string{streamWords, admin.ReasonHints, doneTexts, wanted, byWords, fieldTitles} {
		texts = slices.AppendSeq(texts, maps.Values(table))
	}
	for _, columns := range [][]column{eventColumns, deadColumns, causeColumns, retryColumns, asideColumns, auditColumns} {
		for _, c := range columns {
			texts = append(texts, c.title)
		}
	}
	for _, w := range outcomeWords {
		texts = append(texts, w.Text)
	}
	for _, w := range stateWords {
		texts = append(texts, w.Text)
	}
	texts = slices.AppendSeq(texts, maps.Values(originWords))
	texts = slices.AppendSeq(texts, maps.Values(kindWords))
	texts = slices.AppendSeq(texts, maps.Values(roleWords))
	for _, text := range texts {
		if _, ok := lang.Twin(text); !ok {
			t.Errorf("no Russian twin of %q", text)
		}
	}
	for _, o := range event.Outcomes {
		if outcomeWords[o].Sign == "" {
			t.Errorf("no word for %s", o)
		}
	}
}
