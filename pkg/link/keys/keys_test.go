package keys_test

import (
	"slices"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/keys"
)

func TestUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "10d": 240 * time.Hour, "0m": 0} {
		if got, ok := keys.ParseDuration(text); !ok || got != want {
			t.Errorf("%s: got %s, %v", text, got, ok)
		}
	}
	for text, want := range map[string]int64{"10GB": 10e9, "1.5MB": 1.5e6} {
		if got, ok := keys.ParseSize(text); !ok || got != want {
			t.Errorf("%s: got %d, %v", text, got, ok)
		}
	}
	for text, want := range map[string]float64{"100/s": 100, "6000/m": 100, "360000/h": 100, "0.5/s": 0.5} {
		if got, ok := keys.ParseRate(text); !ok || got != want {
			t.Errorf("%s: got %g, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "5", "5w", "-5s", "1.5h", "999999999d", "5 s"} {
		if _, ok := keys.ParseDuration(text); ok {
			t.Errorf("%q is taken for a span of time", text)
		}
	}
	if _, ok := keys.ParseRate("0/s"); ok {
		t.Error("no rate at all is taken for one")
	}
}

// all are the sections of both sorts of file.
func all() []*keys.Section { return slices.Concat(keys.Sections(), keys.TestSections()) }

// TestTable holds the rows of the table to what the reader expects of their kinds.
func TestTable(t *testing.T) {
	for _, s := range all() {
		for _, k := range s.Keys {
			name := s.Name + "." + k.Name
			read := map[keys.Kind]func(string) bool{
				keys.Duration: func(text string) bool { _, ok := keys.ParseDuration(text); return ok },
				keys.Size:     func(text string) bool { _, ok := keys.ParseSize(text); return ok },
			}[k.Kind]
			for _, text := range []string{k.Default, k.Least} {
				if read != nil && text != "" && !read(text) {
					t.Errorf("%s: %q cannot be read", name, text)
				}
			}
			switch {
			case k.About == "":
				t.Errorf("%s: nothing is said about it", name)
			case (k.Kind == keys.Mapping) != (k.Of != nil):
				t.Errorf("%s: a mapping has a section, and nothing else has", name)
			case (k.Kind == keys.Choice) != (len(k.Choices) > 0):
				t.Errorf("%s: a choice has words to choose from, and nothing else has", name)
			case k.Kind == keys.Choice && k.Default != "" && !slices.Contains(k.Choices, k.Default):
				t.Errorf("%s: its default is none of its words", name)
			case (k.Kind == keys.Word) != (k.Pattern != "" && k.Form != ""):
				t.Errorf("%s: a word has a form with a name, and nothing else has", name)
			case k.Kind == keys.Duration && k.Default == "":
				t.Errorf("%s: a span of time has a default", name)
			case k.Required && k.Default != "":
				t.Errorf("%s: what is required has no default", name)
			case k.Of != nil && !slices.Contains(all(), k.Of):
				t.Errorf("%s: its section is not among the sections", name)
			}
		}
	}
}

// TestTextsHaveTwins covers the texts that stand in the table and not in a call.
func TestTextsHaveTwins(t *testing.T) {
	texts := []string{keys.AddressForm}
	for _, s := range all() {
		texts = append(texts, s.About)
		for _, k := range s.Keys {
			texts = append(texts, k.About)
			if k.Form != "" {
				texts = append(texts, k.Form)
			}
		}
	}
	for _, text := range texts {
		if _, ok := lang.Twin(text); !ok {
			t.Errorf("no Russian twin of %q", text)
		}
	}
}
