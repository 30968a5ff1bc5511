package cases_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/cases"
)

// TestPagesAreRight runs the tests of both pages over their links, and checks them as an editor does.
func TestPagesAreRight(t *testing.T) {
	for _, page := range []string{"tests.md", "tests.ru.md"} {
		text, err := os.ReadFile("../../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		var blocks []string
		for _, rest := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ := strings.Cut(rest, "```")
			blocks = append(blocks, block)
		}
		if len(blocks) != 4 {
			t.Fatalf("%s has %d blocks", page, len(blocks))
		}
		f, problems, err := link.Parse("touchbox.yaml", []byte(blocks[0]), link.Options{})
		if err != nil || len(problems) > 0 {
			t.Fatal(page, problems)
		}
		ran := 0
		for _, block := range blocks[1:] {
			failed, all := failing(t, []byte(block), f)
			if ran += len(all); failed > 0 {
				var b bytes.Buffer
				cases.Print(&b, all, false, lang.English)
				t.Errorf("%s:\n%s", page, &b)
			}
			if err := validate(t, block); err != nil {
				t.Errorf("%s: the schema refuses: %v\n%s", page, err, block)
			}
		}
		if ran != 11 {
			t.Errorf("%s: %d results", page, ran)
		}
	}
}

// TestSchemaAndReaderAgree holds the two equal on what a schema can see.
func TestSchemaAndReaderAgree(t *testing.T) {
	for _, tt := range []struct {
		old, new string
		valid    bool
	}{
		{"", "", true},
		{"  - name: a short one\n    event:", "  - event:", false},
		{"static: filtered\n", "static: waiting\n", false},
		{"duration: 42\n", "durration: 42\n", false},
		{"utm_source: yandex\n", "status: succesful\n", false},
		{"utm_source: yandex\n", "tags: [a, b]\n", true},
		{"attrs: {promo: x}", "attrs.promo: x", true},
		{"attrs: {promo: x}", "attrs: x", false},
		{"requests: {outcome: shadow", "requests: {outcom: shadow", false},
		{"without: [", "without: [a, ", true},
		{"without: [customerAction.customFields.utm]", "without: a", false},
		{"cases:\n", "more: 5\ncases:\n", false},
		{"cases:\n", "clock: \"2026-11-01\"\nsite: 10001\ncases:\n", true},
	} {
		text := strings.Replace(good, tt.old, tt.new, 1)
		if f, problems := cases.Parse("calls.yaml", []byte(text), links(t), lang.English); (f != nil) != tt.valid {
			t.Errorf("reader: %s: valid %v\n%s", tt.new, f != nil, problems)
		}
		if err := validate(t, text); (err == nil) != tt.valid {
			t.Errorf("schema: %s: %v", tt.new, err)
		}
	}
}

// validate checks a file of tests as an editor does.
func validate(t *testing.T, text string) error {
	t.Helper()
	validator, err := jsonschema.NewCompiler().Compile("../../../schemas/tests.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return validator.Validate(v)
}
