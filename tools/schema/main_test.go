package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/link/schema"
)

func TestSchemasAreUpToDate(t *testing.T) {
	for _, name := range schema.All() {
		file := "../../schemas/" + name + ".schema.json"
		var want bytes.Buffer
		if err := schema.Which(name).Write(&want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), string(got)); diff != "" {
			t.Errorf("%s is not what the code makes; run go run ./tools/schema %s >schemas/%s.schema.json\n%s", file, name, name, diff)
		}
	}
}
