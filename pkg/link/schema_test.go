package link_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/touchbox/touchbox/pkg/link"
)

const schemaFile = "../../schemas/config.schema.json"

// TestSchemaAndReaderAgree holds the two equal on what a schema can see: shapes, names of keys,
// required keys and forms of values.
func TestSchemaAndReaderAgree(t *testing.T) {
	text, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	validator, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, old, new string // a piece of the documentation's example, and what stands there instead
		valid          bool
	}{
		{"the example", "", "", true},
		{"site in quotes", "site: 10001", `site: "10001"`, true},
		{"site is a word", "site: 10001", "site: clinic", false},
		{"negative site", "site: 10001", "site: -5", false},
		{"name is a number", "name: clinic\n    key", "name: 5\n    key", false}, // `from` finds none
		{"title is a number", "title: Звонки, динамический пул", "title: 5", true},
		{"empty title", "title: Звонки, динамический пул", `title: " "`, false},
		{"unknown key", "mode: live", "mod: live", false},
		{"unknown key at the top", "tables:", "table:", false},
		{"no url", "    url: https://api.mindbox.ru\n", "", false},
		{"url without scheme", "url: https://api.mindbox.ru", "url: api.mindbox.ru", false},
		{"mode", "mode: live", "mode: shadow", true},
		{"unknown mode", "mode: live", "mode: dark", false},
		{"kinds", "event: call.ended  ", "event: [call.ended, call.started]  ", true},
		{"unknown kind", "event: call.ended  ", "event: call.lost  ", false},
		{"no kinds", "event: call.ended  ", "event: []  ", false},
		{"from a list", "from: clinic  ", "from: [clinic]  ", true},
		{"from a mapping", "from: clinic  ", "from: {a: b}  ", false},
		{"duration in parts", "timeout: 30s", "timeout: 1m30s", true},
		{"duration without unit", "timeout: 30s", "timeout: 30", false},
		{"duration in words", "timeout: 30s", "timeout: 30 sec", false},
		{"rate a minute", "rate: 100/s", "rate: 6000/m", true},
		{"rate without span", "rate: 100/s", "rate: 100", false},
		{"size", "disk: 10GB", "disk: 1.5TB", true},
		{"size without unit", "disk: 10GB", "disk: 1000000000", false},
		{"secret text", "secret: {env: MINDBOX_SECRET}", "secret: s3cret", true},
		{"two secrets", "secret: {env: MINDBOX_SECRET}", "secret: [older, {env: NEW}]", true},
		{"three secrets", "secret: {env: MINDBOX_SECRET}", "secret: [a, b, c]", false},
		{"secret from elsewhere", "secret: {env: MINDBOX_SECRET}", "secret: {vault: a}", false},
		{"secret from two places", "secret: {env: MINDBOX_SECRET}", "secret: {env: A, file: b}", false},
		{"authorization", "authorization: mindbox ", "authorization: secretkey ", true},
		{"unknown authorization", "authorization: mindbox ", "authorization: bearer ", false},
		{"counter", "counter: abcd1234", "counter: ab-cd", false},
		{"require a text", "require: [customer.mobilePhone]", "require: customer.mobilePhone", false},
		{"require nothing", "require: [customer.mobilePhone]", "require: []", true},
		{"id with capitals", "id: calls-static", "id: Calls", false},
		{"id too long", "id: calls-static", "id: " + strings.Repeat("a", 33), false},
		{"operation with a blank", "operation: CallTouchStatic", "operation: Call Touch", false},
		{"when a list", "when: not dynamic", "when: [not dynamic]", true},
		{"when a mapping", "when: not dynamic", "when: {a: b}", false},
		{"body a list", "body: {customer.mobilePhone", "body: [a] #", false},
		{"body empty", "body: {customer.mobilePhone", "body: {} #", false},
		{"body with an empty name", "body: {customer.mobilePhone", "body: {customer..x: y, customer.mobilePhone", false},
		{"body with null", "body: {customer.mobilePhone", "body: {x: null, customer.mobilePhone", false},
		{"body with a list", "body: {customer.mobilePhone", "body: {x: [1, {a: true}], customer.mobilePhone", true},
		{"table with a list", `places: {"78120000005": nevsky}`, "places: [a]", false},
		{"table with a number", `places: {"78120000005": nevsky}`, "places: {a: 5}", true},
		{"attrs a text", "attrs: [mindboxDeviceUUID]", "attrs: mindboxDeviceUUID", false},
		{"requests from elsewhere", "requests: {from: poll,", "requests: {from: mail,", false},
		{"headers a list", "headers: {}", "headers: []", false},
		{"headers", "headers: {}", `headers: {X-A: "${id}"}`, true},
		{"ten digits", "timezone: Europe/Moscow", "tenDigits: 7", true},
		{"ten digits of a word", "timezone: Europe/Moscow", "tenDigits: ru", false},
		{"consent", "timezone: Europe/Moscow", "script: {consent: analytics}", true},
		{"unknown key of script", "timezone: Europe/Moscow", "script: {consents: analytics}", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(string(text), tt.old) {
				t.Fatalf("the example has no %q", tt.old)
			}
			changed := strings.Replace(string(text), tt.old, tt.new, 1)
			_, problems, _ := link.Parse("touchbox.yaml", []byte(changed), link.Options{Getenv: func(string) string { return "0123456789abcdef" }})
			if read := len(problems.Mistakes()) == 0; read != tt.valid {
				t.Errorf("reader: valid %v, want %v\n%s", read, tt.valid, problems)
			}
			if tt.name == "name is a number" {
				return // only the reader knows whom `from` means
			}
			if err := validator.Validate(asJSONValue(t, changed)); (err == nil) != tt.valid {
				t.Errorf("schema: %v, want valid %v", err, tt.valid)
			}
		})
	}
}

// asJSONValue reads YAML as an editor does.
func asJSONValue(t *testing.T, text string) any {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
