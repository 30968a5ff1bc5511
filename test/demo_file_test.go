package test_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/link"
)

// The file of the demonstration in containers needs no environment and has nothing to complain of.
func TestDemonstrationFileIsRight(t *testing.T) {
	none := func(string) string { return "" }
	// Parse and not Load: that others can read this file is meant, its key is no secret.
	file, problems, err := link.Parse("touchbox.yaml", []byte(read(t, "deploy/demo/touchbox.yaml")), link.Options{Getenv: none})
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v\n%v", err, problems)
	}
	if len(file.Links) == 0 {
		t.Error("no links")
	}
}
