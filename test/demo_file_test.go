package test_test

import (
	"path/filepath"
	"testing"

	"github.com/touchbox/touchbox/pkg/link"
)

// The file of the demonstration in containers needs no environment and has nothing to complain of.
func TestDemonstrationFileIsRight(t *testing.T) {
	none := func(string) string { return "" }
	file, problems, err := link.Load(filepath.Join(root, "deploy/demo/touchbox.yaml"), link.Options{Getenv: none})
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v\n%v", err, problems)
	}
	if len(file.Links) == 0 {
		t.Error("no links")
	}
}
