package test_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// find returns what the first group of pattern matches in text, sorted, each once.
func find(text, pattern string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// The tables of both pages name every variable that the processes read, and no other but those
// that Go itself reads, and the locale.
func TestPagesNameEveryVariable(t *testing.T) {
	want := append(find(read(t, "cmd/internal/app/settings.go"), `envconfig:"([A-Z_]+)"`), "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "LANG")
	slices.Sort(want)
	for _, name := range []string{"docs/environment.md", "docs/environment.ru.md"} {
		var got []string
		for _, row := range find(read(t, name), "(?m)^\\| (`[A-Z][A-Z_`, ]+`) \\|") {
			got = append(got, find(row, "`([A-Z_]+)`")...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-settings +page):\n%s", name, diff)
		}
	}
}

// Both guides list every metric; alerts and the dashboard use no other.
func TestGuidesListEveryMetric(t *testing.T) {
	code := read(t, "cmd/internal/app/metrics.go")
	want := find(code, `Name: +"(touchbox_\w+)"`)
	for _, name := range find(code, `(?:counter|gauge|seconds)\("(\w+)"`) {
		want = append(want, "touchbox_"+name)
	}
	slices.Sort(want)
	for _, name := range []string{"docs/operations.md", "docs/operations.ru.md"} {
		if diff := cmp.Diff(want, find(read(t, name), "`(touchbox_\\w+)`")); diff != "" {
			t.Errorf("%s (-metrics +guide):\n%s", name, diff)
		}
	}
	want = append(want, "touchbox_delivery_seconds_bucket", "touchbox_mindbox_request_seconds_bucket")
	for _, file := range []string{"deploy/alerts.yml", "deploy/grafana.json"} {
		for _, name := range find(read(t, file), `(touchbox_\w+)`) {
			if !slices.Contains(want, name) {
				t.Errorf("%s uses %s, which nothing exports", file, name)
			}
		}
	}
}
