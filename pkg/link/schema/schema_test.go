package schema_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/schema"
)

var cyrillic = regexp.MustCompile(`\p{Cyrillic}`)

// TestDescriptionsAreInBothLanguages: whatever an editor shows, a Russian and an English reader understand.
func TestDescriptionsAreInBothLanguages(t *testing.T) {
	for _, name := range schema.All() {
		var b bytes.Buffer
		if err := schema.Which(name).Write(&b); err != nil {
			t.Fatal(err)
		}
		var root any
		if err := json.Unmarshal(b.Bytes(), &root); err != nil {
			t.Fatal(err)
		}
		seen := 0
		walk(root, func(path, text string) {
			seen++
			_, same := lang.Twin(text) // utm_source, User agent / User-Agent: the words of both languages have no Russian letter
			if !cyrillic.MatchString(text) && !same && !strings.Contains(text, " / ") && !strings.HasPrefix(text, "utm_") {
				t.Errorf("%s: %s has no Russian: %s", name, path, text)
			}
		})
		if seen < 50 {
			t.Errorf("%s: only %d descriptions", name, seen)
		}
		if !strings.Contains(b.String(), "Duration, seconds / Длительность разговора, с") {
			t.Errorf("%s: the fields have no meaning", name)
		}
	}
}

// walk visits the descriptions and titles of a schema.
func walk(v any, visit func(path, text string)) {
	var inside func(path string, v any)
	inside = func(path string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				inside(path, item)
			}
		case map[string]any:
			for name, item := range v {
				if text, ok := item.(string); ok && (name == "description" || name == "title") {
					visit(path, text)
				}
				if name != "examples" {
					inside(path+"/"+name, item)
				}
			}
		}
	}
	inside("", v)
}
