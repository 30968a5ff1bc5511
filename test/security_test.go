package test_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each promise of the security pages names tests that there are; both languages promise the same.
func TestSecurityPagesNameTestsThatExist(t *testing.T) {
	named := find(read(t, "docs/security.md"), "`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	if len(named) < 20 {
		t.Fatalf("only %d tests are named: the search is broken", len(named))
	}
	if diff := cmp.Diff(named, find(read(t, "docs/security.ru.md"), "`((?:Test|Fuzz)[A-Za-z0-9]+)`")); diff != "" {
		t.Errorf("the pages name other tests (-en +ru):\n%s", diff)
	}
	have := tests(t)
	for _, name := range named {
		if !slices.Contains(have, name) {
			t.Errorf("docs/security.md names %s, and there is no such test", name)
		}
	}
}

// tests lists the names of all tests and fuzz targets of the repository.
func tests(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && elsewhere(file):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(file)
		names = append(names, find(string(text), `(?m)^func ((?:Test|Fuzz)[A-Za-z0-9]+)\(`)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
