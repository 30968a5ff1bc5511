package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/lang"
)

func TestPagesAreUpToDate(t *testing.T) {
	for l, file := range map[lang.Language]string{lang.English: "../../docs/keys.md", lang.Russian: "../../docs/keys.ru.md"} {
		var want bytes.Buffer
		if err := write(&want, l); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(got)); diff != "" {
			t.Errorf("%s is not what the code makes; run go run ./tools/keys %s >%s\n%s", file, l, strings.TrimPrefix(file, "../../"), diff)
		}
		var anchors []string
		for _, heading := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(want.String(), -1) {
			anchors = append(anchors, anchor(heading[1]))
		}
		for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(want.String(), -1) {
			if !strings.Contains(strings.Join(anchors, "\n")+"\n", link[1]+"\n") {
				t.Errorf("%s links to #%s, which no heading has", file, link[1])
			}
		}
	}
}
