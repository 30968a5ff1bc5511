package link_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// Sizes of files in bytes: as large as a file may be, and large enough to tell what grows with the square.
const (
	full  = 930_000
	large = 300_000
)

// largeFile is a file whose section holds as much as fits, item by item.
func largeFile(size int, before string, item func(i int) string, after string) string {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; b.Len() < size; i++ {
		b.WriteString(item(i))
	}
	return b.String() + after
}

// TestLargeFilesAreReadOrRefusedSoon: what is compared with all the rest of a file, for each of its
// parts, took a minute and more.
func TestLargeFilesAreReadOrRefusedSoon(t *testing.T) {
	waittest.Slow(t, "files of megabytes")
	const head = `
calltouch:
  - {site: 10001, name: clinic, token: 0123456789abcdef, attrs: [promo]}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website}
`
	const tail = "links:\n  - {id: one, from: clinic, event: call.ended, to: clinic, operation: X, require: [], body: {a: x}}\n"
	const open = head + "links:\n  - id: one\n    from: clinic\n    event: call.ended\n    to: clinic\n    operation: X\n    require: []\n    body:"
	same := func(text string) func(int) string { return func(int) string { return text } }
	numbered := func(format string) func(int) string { return func(i int) string { return fmt.Sprintf(format, i) } }
	tests := []struct{ name, text, problem string }{
		{"rows of a table", largeFile(large, head+"tables:\n  t:\n", numbered("    k%d: x\n"), tail), "more than 20000 keys"},
		{"rows of a table in braces", largeFile(full, head+"tables:\n  t: {\n", numbered("    k%d: x,\n"), "    z: x}\n"+tail), ""},
		{"links", largeFile(large, head+"links:\n", numbered("  - {id: l%d, from: clinic, event: call.ended, to: clinic, operation: X, require: [], body: {a: x}}\n"), ""), "more than 1000 entries in links"},
		{"conditions that use each other", largeFile(large, head+"conditions: {c0: unique\n", func(i int) string { return fmt.Sprintf("  , c%d: c%d\n", i+1, i) }, "  }\n"+tail), "more than 1000 entries in conditions"},
		{"pasted JSON of expressions", largeFile(large, open+" |\n      {", numbered("\"b%d\": \"a fairly long text ${id}\",\n      "), "\"z\": 1}\n"), ""},
		{"mistakes", largeFile(large, open+" |\n      {", numbered("\"b%d\": \"a fairly long text ${ix}\",\n      "), "\"z\": 1}\n"), "unknown name ix"},
		{"tags", largeFile(large, head+"tables: {t: {\n", same("    a: !a b,\n"), "    z: x}}\n"+tail), "!a is a YAML tag"},
		{"aliases of nothing", largeFile(large, head+"tables: {t: {\n", numbered("    a%[1]d: *a%[1]d,\n"), "    z: x}}\n"+tail), "no anchor"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			began := time.Now()
			_, problems, err := link.Parse("touchbox.yaml", []byte(tt.text), link.Options{})
			// Far more than a few seconds, for a machine with other work.
			if took := time.Since(began); took > 45*time.Second {
				t.Errorf("it took %v", took)
			}
			switch {
			case tt.problem == "" && err != nil:
				t.Errorf("refused: %v", problems[0])
			case tt.problem != "" && !strings.Contains(problems.String(), tt.problem):
				t.Errorf("%d problems, none with %q", len(problems), tt.problem)
			}
		})
	}
}

// TestAsManyKeysAsMayBe: the bound is for one mapping, not for all together.
func TestAsManyKeysAsMayBe(t *testing.T) {
	var b strings.Builder
	b.WriteString("a:\n")
	for i := range 15_000 {
		fmt.Fprintf(&b, "  - x: 1\n    y: %d\n", i)
	}
	_, problems, _ := link.Parse("touchbox.yaml", []byte(b.String()), link.Options{})
	if strings.Contains(problems.String(), "keys in one mapping") {
		t.Error("keys of several mappings were counted together")
	}
}
