package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/strictyaml"
)

func TestAnExcerptIsTheTextWithItsComments(t *testing.T) {
	const text = `conditions:
  # about the first
  first: a > 1   # behind it

  second: >-
    b
    > 2
links:

  # of nobody

  # of one
  # of one too
  - id: one

    body: |
      # no comment
      x

  # of two
  - # odd
    id: two
  -
    id: three
flow: [{id: four}, {id: five}]
secrets:
  - token: do-not-show
    name: x
`
	r := &strictyaml.Reader{Secrets: strictyaml.Secrets{Keys: []string{"token"}, Plain: []string{"name"}, Open: []string{"conditions", "links", "flow"}}}
	root := r.Read([]byte(text))
	if root == nil {
		t.Fatal(r.Problems())
	}
	conditions, links := root.Get("conditions"), root.Get("links").Items
	for name, want := range map[string]string{
		"first": "  # about the first\n  first: a > 1   # behind it", "second": "  second: >-\n    b\n    > 2",
	} {
		if got, ok := r.ExcerptOfKey(name, conditions.Get(name).Pos); !ok || got.Text != want {
			t.Errorf("%s: %q, %v", name, got.Text, ok)
		}
	}
	for i, want := range []string{
		"  # of one\n  # of one too\n  - id: one\n\n    body: |\n      # no comment\n      x", "  # of two\n  - # odd\n    id: two", "  -\n    id: three",
	} {
		if got, ok := r.ExcerptOfItem(links[i].Pos); !ok || got.Text != want || !strings.HasPrefix(strings.Split(text, "\n")[got.Line-1], strings.Split(want, "\n")[0]) {
			t.Errorf("%d: line %d %q, %v", i, got.Line, got.Text, ok)
		}
	}
	if got, ok := r.ExcerptOfItem(root.Get("flow").Items[1].Pos); ok {
		t.Errorf("an item in brackets: %q", got.Text)
	}
	if got, ok := r.ExcerptOfItem(root.Get("secrets").Items[0].Pos); !ok || strings.Contains(got.Text, "do-not-show") || !strings.Contains(got.Text, "***") {
		t.Errorf("a secret: %q, %v", got.Text, ok)
	}
}
