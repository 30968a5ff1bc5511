package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/link/linktest"
)

// The shell is told the values of flags and arguments, from the file and from closed lists, with no server there.
func TestCompletionOfValues(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	text := linktest.File{Links: []linktest.Link{{More: "title: Calls of the clinic\n"}, {ID: "forms", Event: "request"}}}.Text()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		typed string // the last word is begun, or "" is
		want  string // lines, one after the other
	}{
		{"deadletters --link ", "calls\tCalls of the clinic\nforms\n"},
		{"deadletters --link f", "forms\n"},
		{"explain --link c", "calls\t"},
		{"replay --as f", "forms\n"},
		{"links stop ", "calls\t"},
		{"links history f", "forms\n"},
		{"links stop calls ", ":4"},
		{"backfill --site c", "clinic\t10001\n"},
		{"gaps --site 1", "10001\tclinic\n"},
		{"events --kind call", "call.started\ncall.ended\n"},
		{"events --outcome d", "delivered\ndead\n"},
		{"deadletters --reason exp", "expired\nexpression\n"},
		{"deadletters --reason link", "link_removed\n"},
		{"retries --reason server", "server_error\n"},
		{"aside --reason no", "no_id\n"},
		{"test record --keep utm_s", "utm_source\n"},
		{"check --lang r", "ru\n"},
	}
	for _, tt := range tests {
		out, errs, _ := completed(t, path, tt.typed)
		if !strings.HasPrefix(out, tt.want) {
			t.Errorf("%q: got %q, want %q first (%s)", tt.typed, out, tt.want, errs)
		}
	}
	if out, _, _ := completed(t, path, "simulate calltouch --site "); strings.Contains(out, "clinic") {
		t.Errorf("the simulated site is none of the file's: %q", out)
	}
	if err := os.WriteFile(path, []byte("links: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, _ := completed(t, path, "deadletters --link "); !strings.HasPrefix(out, ":4") {
		t.Errorf("a broken file: %q", out)
	}
}

func completed(t *testing.T, path, typed string) (out, errs string, code int) {
	t.Helper()
	t.Setenv("TOUCHBOX_CONFIG", path)
	var o, e strings.Builder
	code = run(t.Context(), append([]string{"__complete"}, strings.Split(typed, " ")...), strings.NewReader(""), &o, &e)
	return o.String(), e.String(), code
}
