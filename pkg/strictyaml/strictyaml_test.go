package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

func Example() {
	r := &strictyaml.Reader{Name: "shop.yaml"}
	root := r.Read([]byte("shop: corner\nopen: yes\ncode: 007\n"))
	if n := root.Get("shop"); n != nil && n.Text == "corner" {
		r.Warn(n.Pos, "no site has the name %s", n.Text).Suggest("corner", []string{"Corner"})
	}
	fmt.Println(r.Problems())
	// Output:
	// shop.yaml:1:7: no site has the name corner (did you mean Corner?)
	// shop.yaml:2:7: yes is a text to some readers of YAML and a boolean to others (write true or false, or put a text in quotes: "yes")
	// shop.yaml:3:7: 007 would lose or change its digits (put it in quotes: "007")
}

// Quotes, escapes and folding stand in the source and not in the text; a place is one of the source.
func TestPlacesInsideTexts(t *testing.T) {
	for _, tt := range []struct{ name, value, part, want string }{
		{"plain", "a: b ${x}", "${x}", "1:6"},
		{"in double quotes", `a: "за \"день\" ${x}"`, "${x}", "1:17"},
		{"in single quotes", "a: 'it''s ${x}'", "${x}", "1:11"},
		{"in a block", "a: |\n  one\n  two ${x}\n", "${x}", "3:7"},
		{"folded", "a: one\n  two ${x}", "${x}", "2:7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &strictyaml.Reader{}
			n := r.Read([]byte(tt.value)).Get("a")
			at := r.At(n, strings.Index(n.Text, tt.part))
			if got := fmt.Sprintf("%d:%d", at.Line, at.Column); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSecretsAreNotQuoted(t *testing.T) {
	r := &strictyaml.Reader{Name: "a", Language: lang.English,
		Secrets: strictyaml.Secrets{Keys: []string{"key"}, Plain: []string{"name"}, Open: []string{"links"}}}
	r.Read([]byte("sites:\n  name: 007\n  key: 008\nlinks:\n  key: 009\n"))
	got := r.Problems().String()
	if !strings.Contains(got, "007") || strings.Contains(got, "008") || !strings.Contains(got, "009") {
		t.Errorf("got\n%s", got)
	}
}

// Pasted JSON makes the same nodes as YAML does.
func TestReadJSON(t *testing.T) {
	r := &strictyaml.Reader{}
	n := r.Read([]byte("body: |\n  {a: [1, true, 'x',], // why\n  \"b\": ${c}}\n")).Get("body")
	root := r.ReadJSON(n, func(rest string) int { return strings.IndexByte(rest, '}') })
	if len(r.Problems()) > 0 || root == nil {
		t.Fatal(r.Problems())
	}
	items := root.Get("a").Items
	if len(items) != 3 || !items[0].Literal() || !items[1].Literal() || items[2].Literal() {
		t.Errorf("items %+v", items)
	}
	if b := root.Get("b"); b.Text != "${c}" || b.Pos != (strictyaml.Pos{Line: 3, Column: 8}) {
		t.Errorf("b is %q at %v", b.Text, b.Pos)
	}
}
