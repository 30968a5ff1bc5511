package console

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// TestWordsHaveTwins covers the words that stand in tables and not in a call.
func TestWordsHaveTwins(t *testing.T) {
	var texts []string
	for _, table := range []map[string]string{streamWords, admin.ReasonHints, doneTexts, wanted, byWords, fieldTitles, valueWords} {
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
	for _, k := range event.Kinds {
		texts = append(texts, admin.KindWord(string(k)))
	}
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

func TestSpansAndZonesAreWrittenInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 с", 250 * time.Millisecond: "250 мс", 90 * time.Second: "1 мин 30 с", time.Hour: "1 ч", 26 * time.Hour: "1 дн. 2 ч", 24*time.Hour + time.Second: "1 дн.", 5*time.Minute + 3*time.Millisecond: "5 мин",
	} {
		if got := spanText(lang.Russian, d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, want := range map[string]string{"Europe/Moscow": "Europe/Moscow, UTC+3", "Asia/Kolkata": "Asia/Kolkata, UTC+5:30", "America/New_York": "America/New_York, UTC-5", "UTC": "UTC"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := zoneText(at.In(zone)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What tells a call from others comes first, under the words of Calltouch's settings; the rest, and only that, is folded.
func TestTheFieldsThatTellWhichCallItIsComeFirst(t *testing.T) {
	values := []admin.Value{{Name: "browser", Text: "Chrome"}, {Name: "duration", Text: "30"}, {Name: "callerphone", Text: "*67"}, {Name: "utm_source", Text: "yandex"}, {Name: "ourAttribute", Text: "x"}, {Name: "unique", Text: "true"}}
	want := []valueView{
		{Name: "callerphone", Meaning: "Номер телефона клиента", Text: "*67"}, {Name: "duration", Meaning: "Длительность разговора, с", Text: "30"},
		{Name: "unique", Meaning: "Уникальный звонок", Text: "да", Code: "true"}, {Name: "utm_source", Text: "yandex"},
	}
	if got := told(lang.Russian, values, true); !slices.Equal(got, want) {
		t.Errorf("first: %q", got)
	}
	if got := told(lang.English, values, false); !slices.Equal(got, []valueView{{Name: "browser", Meaning: "Browser", Text: "Chrome"}, {Name: "ourAttribute", Text: "x"}}) {
		t.Errorf("then: %q", got)
	}
}
