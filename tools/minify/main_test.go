package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const folder = "../../pkg/site"

// TestMinifiedIsCurrent holds what is checked in equal to what the minifier gives.
func TestMinifiedIsCurrent(t *testing.T) {
	files, err := generate(folder)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the minifier gives: cd tools/minify && go run . %s", name, folder)
		}
	}
}
