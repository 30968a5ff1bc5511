package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/link/draft"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// writeTests writes a file of tests beside a configuration.
func writeTests(t *testing.T, config, name, text string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(config), "tests", name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const oneCall = `cases:
  - name: a call
    event: {callerphone: "79000000001", duration: 42}
    links: {calls: delivered}
`

func TestTestsOfLinks(t *testing.T) {
	config := linktest.File{Links: []linktest.Link{{More: "when: duration > 5"}}}.Write(t, t.TempDir())
	if _, errs, code := command(t, config, "test"); code != 2 || !strings.Contains(errs, "touchbox test record KEY") {
		t.Errorf("without tests: exit code %d, %s", code, errs)
	}
	good := writeTests(t, config, "good.yaml", oneCall)
	if out, _, _ := command(t, config, "test", "--lang", "ru"); !regexp.MustCompile(`, за [\d,]+ (мкс|мс|с)\n`).MatchString(out) {
		t.Errorf("how long it took is not said in Russian: %s", out)
	}
	if out, errs, code := command(t, config, "test"); code != 0 || !strings.Contains(out, "as expected: 1 of 1") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	bad := writeTests(t, config, "bad.yaml", strings.Replace(oneCall, "42", "4", 1))
	out, errs, code := command(t, config, "test")
	if code != 1 || !strings.Contains(out, "bad.yaml:2  a call\n  calls: delivered expected, filtered came") || strings.Contains(out, "good.yaml") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	if out, _, code := command(t, config, "test", "-v", good); code != 0 || !strings.Contains(out, "calls: delivered, as expected") {
		t.Errorf("one file: exit code %d, %s", code, out)
	}
	junit := filepath.Join(t.TempDir(), "out.xml")
	out, _, code = command(t, config, "test", "--json", "--junit", junit, filepath.Dir(bad))
	var report tested
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 || report.Failed != 1 || len(report.Results) != 2 || report.Results[0].Differences[0].Got != "filtered" {
		t.Errorf("--json: exit code %d, %v, %s", code, err, out)
	}
	if xml, err := os.ReadFile(junit); err != nil || !strings.Contains(string(xml), `failures="1"`) {
		t.Errorf("--junit: %v, %s", err, xml)
	}
	if out, _, _ := command(t, config, "test", "--coverage", good); !strings.Contains(out, "touchbox.yaml:12: duration > 5: holds in every case\ndecided both ways: 0 of 1") {
		t.Errorf("--coverage: %s", out)
	}
	if out, _, _ := command(t, config, "test", "--coverage"); !strings.Contains(out, "decided both ways: 1 of 1") {
		t.Errorf("--coverage: %s", out)
	}
	if _, errs, code := command(t, config, "test", "--update"); code != 0 || !strings.Contains(errs, "bad.yaml is updated") || strings.Contains(errs, "good.yaml") {
		t.Errorf("--update: exit code %d, %s", code, errs)
	}
	if text, err := os.ReadFile(bad); err != nil || string(text) != strings.NewReplacer("42", "4", "delivered", "filtered").Replace(oneCall) {
		t.Errorf("--update: %v\n%s", err, text)
	}
	writeTests(t, config, "bad.yaml", strings.Replace(oneCall, "delivered", "deliverd", 1))
	if out, errs, code := command(t, config, "test"); code != 2 || !strings.Contains(errs, "bad.yaml:4:20: deliverd is no outcome") || !strings.Contains(errs, "did you mean delivered?") || out != "" {
		t.Errorf("a mistake: exit code %d, %s%s", code, out, errs)
	}
	if out, _, code := command(t, config, "test", "--json"); code != 2 || json.Unmarshal([]byte(out), &report) != nil || len(report.Problems) != 1 {
		t.Errorf("a mistake with --json: exit code %d, %s", code, out)
	}
	if _, _, code := command(t, config, "test", "nosuch.yaml"); code != 2 {
		t.Errorf("no such file: exit code %d", code)
	}
	if err := os.WriteFile(config, []byte("links: 5"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, code := command(t, config, "test"); code != 2 {
		t.Errorf("a mistake in touchbox.yaml: exit code %d", code)
	}
}

// TestRecordMakesATestOfAStoredEvent: on a running Touchbox, and twice the same person is the same made-up one.
func TestRecordMakesATestOfAStoredEvent(t *testing.T) {
	o := newOperator(t)
	o.hook(148071, 148072)
	again := queuetest.Call(148073)
	again.Body = []byte("id=148073&callerphone=8(916)014-80-71&duration=3&callphase=calldisconnected")
	queuetest.Publish(t, o.queue, again)
	if out, _ := o.runs(0, "test", "record", "148071", "10001/call-ended/148072"); !strings.Contains(out, "recorded.yaml: 2.") {
		t.Errorf("%s", out)
	}
	o.runs(0, "test", "record", "148073", "--link", "calls")
	path := filepath.Join(os.Getenv("TOUCHBOX_DATA"), "tests", "recorded.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	phones := regexp.MustCompile(`mobilePhone: "(\d+)"|callerphone: (?:"([^"]+)"|(\S+))`).FindAllStringSubmatch(string(text), -1)
	if len(phones) != 5 { // the third call is filtered: it has no body
		t.Fatalf("%v in\n%s", phones, text)
	}
	first, third := onlyDigits(phones[0][2]), onlyDigits(phones[4][2])
	if first[1:] != third[1:] || !strings.HasPrefix(first, "7100") || first == onlyDigits(phones[2][2]) {
		t.Errorf("made up: %v", phones)
	}
	for _, original := range []string{"0148071", "148072", "148073"} {
		if strings.Contains(onlyDigits(string(text)), original) {
			t.Errorf("%s stays in\n%s", original, text)
		}
	}
	if out, _ := o.runs(0, "test"); !strings.Contains(out, "as expected: 3 of 3") {
		t.Errorf("%s", out)
	}
	out, _ := o.runs(0, "test", "record", "148071", "--to", "-")
	if !strings.Contains(string(text), out) {
		t.Errorf("another time it is another person:\n%s", out)
	}
	for _, args := range [][]string{{"148071", "--keep", "callerphone"}, {"148071", "--keep", "nosuch"}, {"148071", "--link", "nosuch"}, {"99/call-ended/1"}, {}} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), append([]string{"test", "record"}, args...), nil, &stdout, &stderr); code == 0 {
			t.Errorf("%v: exit code 0", args)
		}
	}
	other := filepath.Join(t.TempDir(), "flow.yaml")
	const flow = "cases: [{name: a, event: {duration: 5}, links: {calls: filtered}}]\n"
	if err := os.WriteFile(other, []byte(flow), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, errs := o.runs(2, "test", "record", "148071", "--to", other); !strings.Contains(errs, "--to names another file") {
		t.Errorf("%s", errs)
	}
	if got, _ := os.ReadFile(other); string(got) != flow {
		t.Errorf("the file was changed: %s", got)
	}
}

// TestInitWritesTests: the first tests pass at once, cover the links, and stay when the file is written anew.
func TestInitWritesTests(t *testing.T) {
	for _, language := range []string{"en", "ru"} {
		config := filepath.Join(t.TempDir(), "touchbox.yaml")
		t.Setenv("TOUCHBOX_CONFIG", config)
		line := func(args ...string) (string, int) {
			var out bytes.Buffer
			code := run(t.Context(), append(args, "--lang", language), strings.NewReader(""), &out, &out)
			return out.String(), code
		}
		if out, code := line("init"); code != 0 || !strings.Contains(out, filepath.Join("tests", "calls.yaml")) {
			t.Fatalf("init: %d, %s", code, out)
		}
		if out, code := line("test", "--coverage"); code != 0 || !strings.Contains(out, "5") || strings.Contains(out, "touchbox.yaml:") {
			t.Errorf("test: %d, %s", code, out)
		}
		path := writeTests(t, config, "calls.yaml", "# mine\n")
		if out, code := line("init", "--force"); code != 0 {
			t.Errorf("init --force: %d, %s", code, out)
		}
		if text, _ := os.ReadFile(path); string(text) != "# mine\n" {
			t.Errorf("the tests were written over: %s", text)
		}
	}
}

// onlyDigits are the digits of a text.
func onlyDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}

// What writes a file of tests leaves a link to it a link, and what a person wrote meanwhile as it is.
func TestAFileOfTestsIsReplacedWithCare(t *testing.T) {
	config := linktest.File{Links: []linktest.Link{{More: "when: duration > 5"}}}.Write(t, t.TempDir())
	elsewhere := filepath.Join(t.TempDir(), "calls.yaml")
	if err := os.WriteFile(elsewhere, []byte(strings.Replace(oneCall, "42", "4", 1)), 0o640); err != nil {
		t.Fatal(err)
	}
	path := writeTests(t, config, "calls.yaml", "")
	if err := errors.Join(os.Remove(path), os.Symlink(elsewhere, path)); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := command(t, config, "test", "--update"); code != 0 {
		t.Fatalf("exit code %d, %s", code, errs)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("%v %v", info, err)
	}
	if text, err := os.ReadFile(elsewhere); err != nil || !strings.Contains(string(text), "filtered") {
		t.Errorf("%s %v", text, err)
	}
	if err := writeTestFile(path, []byte(oneCall), []byte("cases: []")); !errors.Is(err, draft.ErrChanged) {
		t.Errorf("over what was changed meanwhile: %v", err)
	}
}
