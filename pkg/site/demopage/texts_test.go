package demopage

import (
	"regexp"
	"testing"
)

// TestTexts holds the page to texts that exist in both languages, and the texts to the page.
func TestTexts(t *testing.T) {
	page, err := files.ReadFile("page.html")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, found := range regexp.MustCompile(`\.T "(\w+)"`).FindAllSubmatch(page, -1) {
		used[string(found[1])] = true
	}
	for name := range used {
		for _, lang := range []string{"en", "ru"} {
			if (view{Lang: lang}).T(name) == "" {
				t.Errorf("no text %q in %s", name, lang)
			}
		}
	}
	for name := range texts {
		if !used[name] {
			t.Errorf("the text %q is nowhere on the page", name)
		}
	}
}
