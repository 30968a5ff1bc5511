package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSchemaIsThatOfTheRepository: what the command prints is the file that editors fetch.
func TestSchemaIsThatOfTheRepository(t *testing.T) {
	config := filepath.Join(t.TempDir(), "touchbox.yaml")
	for name, args := range map[string][]string{"config": {"schema"}, "tests": {"schema", "tests"}} {
		want, err := os.ReadFile("../../schemas/" + name + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		out, errs, code := command(t, config, args...)
		if diff := cmp.Diff(string(want), out); code != 0 || diff != "" {
			t.Errorf("%s: exit code %d, %s%s", name, code, errs, diff)
		}
	}
	if _, _, code := command(t, config, "schema", "nosuch"); code != 2 {
		t.Errorf("an unknown schema: exit code %d", code)
	}
}
