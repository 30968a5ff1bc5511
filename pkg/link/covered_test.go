package link_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

const secretFile = `calltouch:
  - site: 10001
    name: clinic
    key: KEY
    token: TOKEN
    api: API
mindbox:
  - name: clinic
    url: URL
    endpoint: clinic.Website
    secret: SECRET
    authorization: mindbox
    headers: HEADERS
    query: QUERY
links:
  - id: calls
    from: clinic
    event: call.ended
    to: clinic
    operation: CallTouch
    body: {customer.mobilePhone: "${phone(callerphone)}"}
`

var rightPlaces = map[string]string{
	"KEY": "0000aaaa1111bbbb", "TOKEN": "abcd", "API": "https://api.calltouch.ru", "URL": "https://api.mindbox.ru",
	"SECRET": "abcd", "HEADERS": "{}", "QUERY": "{}",
}

// spellings are ways in which a marked secret stands in a file: most are refused.
var spellings = []string{
	"%s", "'%s'", `"%s"`, `"%s"tail`, `'%s'tail`, "<%s>", "{%s}", "{%s: x}", "[%s: x]", "{env: %s}", "{file: %s}", "{file: /%s}",
	"{evn: %s}", "[%s, %s, %s]", "[[%s]]", "0123%s", "%s # x", "%s #x", "@%s", "`%s`", "%%%s", "!%s", "*%s", "&%s", "| %s", "|%s", ">-%s",
	"{{%s}}", "${%s}", "${nosuch(%s)}", "%s: %s", `{"%s`, `[%s`, "'%s", "\t%s", " %s", "~\n      %s: 1", "\n      %s: 1", "\n      - %s\n      - 0%s", "\n%s", "|\n      %s\n     %s",
	"https://%s", "https://bob:%s@host.example", "https://%s@host.example", "https://host:%s", "http://host/%s?x", "bob:%s@host", "%s%%zz",
	"{%s x: y}", "{X-Api-Key: 0%s}", "{X-Api-Key: {env: [%s]}}", "{X-Api-Key: [%s]}", "{X-Api-Key: ~, %s: y}", "{X-Api-Key: \"${%s}\"}", "0x%s", "%s\x7f", "\u00a0%s",
	"{env: A, %s: B}", "\n      env: %s\n       file: x", "\n    - %s\n    -%s", "<<: %s", "{<<: %s}", "yes%s: no",
}

// No problem quotes what stands where a secret belongs, whatever is wrong with the file.
func TestProblemsQuoteNoSecret(t *testing.T) {
	const upper, lower, number = "HUNTER2X7Q", "hunter2x7q", "0771236655"
	for place := range rightPlaces {
		for _, spelling := range spellings {
			for _, marker := range []string{upper, lower, number} {
				value := strings.ReplaceAll(strings.ReplaceAll(spelling, "%s", marker), "%%", "%")
				text, _, _ := strings.Cut(secretFile, "links:") // compiling links takes most of the time
				for name, right := range rightPlaces {
					if name == place {
						right = value
					}
					text = strings.Replace(text, ": "+name+"\n", ": "+right+"\n", 1)
				}
				if strings.Contains(spelling, "{env: %s}") && marker == upper {
					continue // it cannot be told from a variable's name, which must be said
				}
				if strings.Contains(spelling, "/%s}") {
					continue // nor this from a path
				}
				seesNoMarker(t, fmt.Sprintf("%s: %q", place, value), text, marker)
			}
		}
	}
}

// Nor where the key itself is misspelt, stands without its colon, or is in a flow.
func TestMisspeltKeysQuoteNoSecret(t *testing.T) {
	const marker = "0771236655"
	for _, line := range []string{
		"secert: 0771236655", "Secret: 0771236655", "secret = 0771236655", "secret 0771236655", "secret:0771236655", "password: \"0771236655\"x",
		"- secret: 0771236655", "? secret\n    : 0771236655", "'secret': 0771236655", "\"secret\": \"0771236655\"x", "authorization: Mindbox secretKey=0771236655",
		"authorization: 0771236655", "0771236655", "\"0771236655\"x", "secret:\n    0771236655", "secret:\n\n\n      0771236655", "secret: {env: X,\nfile: 0771236655}",
	} {
		text := strings.Replace(secretFile, "secret: SECRET\n", line+"\n", 1)
		for name, right := range rightPlaces {
			text = strings.Replace(text, ": "+name+"\n", ": "+right+"\n", 1)
		}
		seesNoMarker(t, line, text, marker)
	}
	seesNoMarker(t, "flow", `{calltouch: [{site: 1, name: a, key: 0771236655}], mindbox: [{name: m, secret: 0771236655, url: "0771236655"}]}`, marker)
	seesNoMarker(t, "flow in a section", "mindbox: [{name: m, secret: 0771236655, url: \"0771236655\"}]\n", marker)
}

func seesNoMarker(t *testing.T, what, text, marker string) {
	t.Helper()
	for _, o := range []link.Options{{Lenient: true}, {Language: lang.Russian}, {Without: link.MindboxSide}} {
		file, problems, err := link.Parse("touchbox.yaml", []byte(text), o)
		data, _ := json.Marshal(problems)
		said := problems.String() + string(data) + fmt.Sprint(err)
		if file != nil {
			said += fmt.Sprintf("%+v %#v", file.Destinations[0], file.Sites[0].Key)
		}
		if strings.Contains(strings.ToLower(said), strings.ToLower(marker)) && !(file != nil && strings.Contains(file.Destinations[0].URL+file.Sites[0].API, marker)) {
			t.Errorf("%s: the secret is quoted:\n%s", what, said)
		}
	}
}

// A mistake elsewhere on the file is said in full: what is hidden is what may be a secret alone.
func TestProblemsElsewhereAreSaidInFull(t *testing.T) {
	text := secretFile
	for name, right := range rightPlaces {
		text = strings.Replace(text, ": "+name+"\n", ": "+right+"\n", 1)
	}
	for old, want := range map[string]string{
		"name: clinic\n    key": "name: 0123\n    key|0123 would lose",
		"endpoint: clinic.":     "endpoint: <x>clinic.|<x>clinic.Website is no endpointId",
		"from: clinic":          "from: nowhere|nowhere",
		"callerphone":           "calerphone|calerphone",
		"headers: {}":           "headers: {Content-Type: x}|Content-Type",
		"site: 10001":           "site: 010001|010001",
	} {
		change, said, _ := strings.Cut(want, "|")
		_, problems, err := link.Parse("touchbox.yaml", []byte(strings.Replace(text, old, change, 1)), link.Options{})
		if _, invalid := errors.AsType[*link.InvalidError](err); !invalid || !strings.Contains(problems.String(), said) {
			t.Errorf("%s: %v does not say %q", change, problems, said)
		}
	}
}

// A header or parameter that is a secret, and one that is a plain text, are sent as they are, shown to
// nobody, and not in what is stored.
func TestHeadersAndQueryKeepSecrets(t *testing.T) {
	text := strings.NewReplacer("HEADERS", `{X-Api-Key: {env: GATEWAY_KEY}, X-Literal: plainhunter2, X-Id: "${id}"}`,
		"QUERY", `{gate: {env: GATEWAY_QUERY}, literal: queryhunter2, id: "${id}"}`).Replace(secretFile)
	for name, right := range rightPlaces {
		text = strings.Replace(text, ": "+name+"\n", ": "+right+"\n", 1)
	}
	env := map[string]string{"GATEWAY_KEY": "envhunter2", "GATEWAY_QUERY": "envqueryhunter2"}
	file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(problems)
	}
	l := file.Links[0]
	fields := map[string]any{"id": "77", "callerphone": "79161234567", "kind": "call.ended"}
	rendered, err := l.Render(fields)
	if err != nil {
		t.Fatal(err)
	}
	if rendered.Header["X-Api-Key"] != "envhunter2" || rendered.Header["X-Literal"] != "plainhunter2" || rendered.Query["gate"] != "envqueryhunter2" || rendered.Header["X-Id"] != "77" {
		t.Errorf("sent: %v %v", rendered.Header, rendered.Query)
	}
	for _, reveal := range []bool{false, true} {
		shown, _ := json.Marshal(l.Explain(fields, reveal))
		if strings.Contains(string(shown), "hunter2") || !strings.Contains(string(shown), "X-Api-Key") {
			t.Errorf("explained with reveal=%t: %s", reveal, shown)
		}
	}
	if strings.Contains(string(l.Document()), "hunter2") || !strings.Contains(string(l.Document()), "GATEWAY_KEY") {
		t.Errorf("stored: %s", l.Document())
	}
	again, problems, err := link.Parse("stored", l.Document(), link.Options{Lenient: true})
	if err != nil {
		t.Fatalf("the stored document cannot be read: %v", problems)
	}
	if got := again.Links[0].Explain(fields, true).Request.Header; got["X-Api-Key"] != "***" || got["X-Literal"] != "***" || got["X-Id"] != "77" {
		t.Errorf("as it was: %v", got)
	}
	if missing := again.Links[0].MissingSecrets(lang.Russian); missing != "переменная GATEWAY_KEY здесь не задана, переменная GATEWAY_QUERY здесь не задана" {
		t.Errorf("missing: %q", missing)
	}
	if _, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{}); err == nil || !strings.Contains(problems.String(), "GATEWAY_KEY") {
		t.Errorf("a header's variable that is not set: %v", problems)
	}
}

// Each role reads the secrets of its side alone, and the links come out the same.
func TestWithoutTheSecretsOfOneSide(t *testing.T) {
	text := strings.NewReplacer("KEY", "{env: CALLTOUCH_KEY}", "TOKEN", "{file: /nowhere/token}", "SECRET", "{env: MINDBOX_SECRET}",
		"HEADERS", "{X-Api-Key: {env: GATEWAY_KEY}}", "API", "https://api.calltouch.ru", "URL", "https://api.mindbox.ru", "QUERY", "{}").Replace(secretFile)
	for without, names := range map[link.Side][2]string{
		link.CalltouchSide: {"MINDBOX_SECRET GATEWAY_KEY", "CALLTOUCH_KEY /nowhere/token"},
		link.MindboxSide:   {"CALLTOUCH_KEY /nowhere/token", "MINDBOX_SECRET GATEWAY_KEY"},
	} {
		_, problems, _ := link.Parse("touchbox.yaml", []byte(text), link.Options{Without: without})
		for _, name := range strings.Fields(names[0]) {
			if !strings.Contains(problems.String(), name) {
				t.Errorf("without side %d %s is not missed: %v", without, name, problems)
			}
		}
		for _, name := range strings.Fields(names[1]) {
			if strings.Contains(problems.String(), name) {
				t.Errorf("without side %d %s is asked for: %v", without, name, problems)
			}
		}
	}
	text = strings.ReplaceAll(text, "/nowhere/token", "/dev/null")
	env := func(string) string { return "0123456789abcdef" }
	whole, problems, err := link.Parse("touchbox.yaml", []byte(strings.ReplaceAll(text, "{file: /dev/null}", "abcd")), link.Options{Getenv: env})
	if err != nil {
		t.Fatal(problems)
	}
	worker, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: env, Without: link.CalltouchSide})
	if err != nil {
		t.Fatal(problems)
	}
	if worker.Links[0].Version != whole.Links[0].Version || !worker.Sites[0].Token.Set() || len(worker.Sites[0].Keys()) != 0 || worker.Destinations[0].Secret.Value() == "" {
		t.Errorf("the worker's file: version %s, token %t, keys %v", worker.Links[0].Version, worker.Sites[0].Token.Set(), worker.Sites[0].Keys())
	}
}
