package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example is one of the page's: a specification, the command, and what it prints.
var example = regexp.MustCompile("(?s)```text\n(.*?)```\n\n```sh\ntouchbox (link new spec\\.txt [^\n]*)\n```\n\n```yaml\n(.*?)```")

// Each example of docs/first-link comes out as the page says, stands in the file with --write, and passes check; the page's call is
// sent by the links of the first.
func TestTheExamplesOfTheFirstLinkRun(t *testing.T) {
	for language, page := range map[string]string{"en": "first-link.md", "ru": "first-link.ru.md"} {
		text, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		examples := example.FindAllStringSubmatch(string(text), -1)
		if len(examples) != 3 {
			t.Fatalf("%s: %d examples", page, len(examples))
		}
		call := pageCall.FindStringSubmatch(string(text))
		for i, one := range examples {
			t.Run(fmt.Sprintf("%s, example %d", page, i+1), func(t *testing.T) {
				runExample(t, language, one)
				if i > 0 {
					return
				}
				if err := os.WriteFile("call.txt", []byte(call[1]), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, errs, code := runs(t, strings.Fields(call[2])...); code != 0 || !strings.Contains(out, "CallTouchStatic") {
					t.Errorf("%s: %d\n%s%s", call[2], code, out, errs)
				}
			})
		}
	}
}

// pageCall is the page's invented call with the command that explains it.
var pageCall = regexp.MustCompile(`echo '([^']+)' > call\.txt\ntouchbox (explain [^\n]*)`)

// runExample runs an example in a folder of its own.
func runExample(t *testing.T, language string, one []string) {
	t.Helper()
	config, given := fileAndSpec(t, one[1])
	t.Chdir(filepath.Dir(given))
	t.Setenv("TOUCHBOX_CONFIG", config)
	args := append(strings.Fields(strings.ReplaceAll(one[2], "'", "")), "--lang", language)
	if out, errs, code := runs(t, args...); code != 0 || out != one[3] {
		t.Errorf("exit code %d, %s\n%s", code, errs, out)
	}
	if _, errs, code := runs(t, append(args, "--write")...); code != 0 {
		t.Errorf("--write: %d, %s", code, errs)
	}
	if out, errs, code := runs(t, "check"); code != 0 {
		t.Errorf("check: %d, %s%s", code, out, errs)
	}
}

// runs runs a command, whose arguments name the language.
func runs(t *testing.T, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &o, &e)
	return o.String(), e.String(), code
}
