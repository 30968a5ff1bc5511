package site_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/site"
)

// TestDocs holds the two pages of documentation to each other and to the code: the same parts, the
// same code blocks but for their comments, the tag as Tag gives it, pictures that exist.
func TestDocs(t *testing.T) {
	picture := regexp.MustCompile(`!\[[^\]]+\]\(([^)]+)\)`)
	outlines := map[string][]string{}
	for _, name := range []string{"site-script.md", "site-script.ru.md"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		outlines[name] = outline(text)
		if !strings.Contains(text, site.Tag("https://touchbox.example", "10001")) {
			t.Errorf("%s does not show the tag", name)
		}
		pictures := picture.FindAllStringSubmatch(text, -1)
		if len(pictures) != 2 {
			t.Errorf("%s shows %d pictures, want 2", name, len(pictures))
		}
		for _, found := range pictures {
			if _, err := os.Stat(filepath.Join("..", "..", "docs", found[1])); err != nil {
				t.Error(err)
			}
		}
	}
	if diff := cmp.Diff(outlines["site-script.md"], outlines["site-script.ru.md"]); diff != "" {
		t.Errorf("the two languages differ (-en +ru):\n%s", diff)
	}
}

// outline is the beginnings of headings, list items and table rows, and the lines of code.
func outline(text string) (lines []string) {
	begin := regexp.MustCompile(`^(#+|\d\.|-|\||!)`)
	comment := regexp.MustCompile(` +#.*`)
	code := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		fence := strings.HasPrefix(line, "```")
		switch {
		case fence || code:
			lines = append(lines, comment.ReplaceAllString(line, ""))
		case begin.MatchString(line):
			lines = append(lines, begin.FindString(line))
		}
		code = code != fence
	}
	return lines
}
