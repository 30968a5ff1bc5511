package draft_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/draft"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// seed is the specification of Calltouch's own recipe.
func seed(t *testing.T) spec.Spec {
	t.Helper()
	text, err := os.ReadFile("../spec/testdata/shapes/01-seed/spec.txt")
	if err != nil {
		t.Fatal(err)
	}
	return spec.Read(string(text), lang.English)
}

func parse(t *testing.T, text string) *link.File {
	t.Helper()
	file, _, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// both is the plan for calls and form requests of all visitors.
func both(s spec.Spec, f *link.File) draft.Plan {
	p := draft.Suggest(s, f)
	p.Kinds, p.Numbers = []event.Kind{event.CallEnded, event.Request}, draft.Both
	return p
}

func TestTheRecipeComesOutOfItsSpecification(t *testing.T) {
	file := linktest.File{}.Text()
	f := parse(t, file)
	s := seed(t)
	p := draft.Suggest(s, f)
	if p.Operation != "CallTouch" || p.Static != "CallTouchStatic" || p.Numbers != draft.Both || !slices.Equal(p.Sites, []string{"clinic"}) || p.To != "clinic" {
		t.Errorf("suggested: %+v", p)
	}
	d := draft.New(s, both(s, f), f, []byte(file))
	text, err := d.Splice([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	problems, err := d.Check("touchbox.yaml", f, text, link.Options{Lenient: true})
	if err != nil || len(d.ToDo) > 0 {
		t.Fatalf("%v, %v, %v\n%s", err, problems, d.ToDo, text)
	}
	after := parse(t, string(text))
	dynamic, static := after.Link("calls-requests-dynamic"), after.Link("calls-requests-static")
	fields := map[string]any{
		"kind": "call.ended", "siteId": linktest.Site, "id": "148071", "callerphone": "79001234567", "utm_source": "yandex",
		"time": time.Date(2026, 11, 2, 9, 15, 0, 0, time.UTC), "deviceUUID": "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84",
	}
	const body = `{"customer":{"mobilePhone":"79001234567"},"customerAction":{"customFields":{"callId":"148071","utmSource":"yandex"}},"executionDateTimeUtc":"2026-11-02 09:15:00.000"}`
	for _, l := range []*link.Link{dynamic, static} {
		v, err := l.Filter(fields)
		if err != nil || v.Pass != (l == dynamic) {
			t.Errorf("%s: %v, %v", l.ID, v, err)
		}
		if r, err := l.Render(fields); err != nil || string(r.Body) != body {
			t.Errorf("%s: %s, %v", l.ID, r.Body, err)
		}
	}
	if r, _ := dynamic.Render(fields); r.DeviceUUID == "" {
		t.Error("the dynamic link sends no deviceUUID")
	}
	request := map[string]any{"kind": "request", "siteId": linktest.Site, "requestId": "230451", "callerphone": "79001234567", "lastName": "Тестов", "time": fields["time"]}
	if r, err := static.Render(request); err != nil || !strings.Contains(string(r.Body), `"callId":"230451"`) || !strings.Contains(string(r.Body), `"lastName":"Тестов"`) {
		t.Errorf("a form request: %s, %v", r.Body, err)
	}
}

const head = "calltouch:\n  - {site: 10001, name: clinic}\nmindbox:\n  - {name: clinic, url: \"https://api.mindbox.ru\", endpoint: clinic.Website}\n"

const old = `  - &base  # do not touch
    id: old
    from: clinic
    event: call.ended
    to: clinic
    operation: Old
    body: &calls-requests {customer.mobilePhone: "${phone(callerphone)}"}
`

func TestNoOtherByteOfTheFileChanges(t *testing.T) {
	tests := []struct{ name, before, after string }{ // the links go between the two
		{"at the end", head + "links:\n" + old, ""},
		{"without a last line's end", head + "links:\n" + strings.TrimSuffix(old, "\n"), ""},
		{"before another section", head + "links:  # all of them\n" + old, "\n# how long\nkeep: {events: 30d}\n"},
		{"items that are not indented", head + "links:\n" + strings.ReplaceAll(strings.TrimPrefix(old, "  "), "\n    ", "\n  "), "keep: {events: 30d}\n"},
		{"items indented by four", head + "links:\n  " + strings.ReplaceAll(strings.TrimSuffix(old, "\n"), "\n", "\n  ") + "\n", "# end\n"},
		{"no links", head, ""},
		{"an empty file's end", head + "\n", ""},
		{"a body pasted under |", head + "links:\n  - id: old\n    from: clinic\n    event: request\n    to: clinic\n    operation: Old\n    body: |\n      {\n      # a comment\n\n        \"customer\": {\"email\": ${email}}\n      }\n", "\n\nkeep: {events: 30d}\n"},
		{"aliases and merges", head + "links:\n" + old + "  - {<<: *base, id: older, operation: Older}\n", ""},
	}
	for _, tt := range tests {
		for eol, name := range map[string]string{"\n": tt.name, "\r\n": tt.name + ", CRLF"} {
			t.Run(name, func(t *testing.T) {
				before, after := strings.ReplaceAll(tt.before, "\n", eol), strings.ReplaceAll(tt.after, "\n", eol)
				text := []byte(before + after)
				f := parse(t, string(text))
				s := seed(t)
				d := draft.New(s, both(s, f), f, text)
				got, err := d.Splice(text)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.HasPrefix(got, []byte(before)) || !bytes.HasSuffix(got, []byte(after)) {
					t.Errorf("more than the links changed:\n%s", got)
				}
				if eol == "\r\n" && strings.Count(string(got), "\n") != strings.Count(string(got), "\r\n") {
					t.Errorf("line ends are mixed: %q", got)
				}
				if problems, err := d.Check("touchbox.yaml", f, got, link.Options{Lenient: true}); err != nil {
					t.Errorf("%v %v\n%s", err, problems, got)
				}
			})
		}
	}
}

func TestBracketsOfNoLinksGo(t *testing.T) {
	text := head + "links: []  # none yet\nkeep: {events: 30d}\n"
	f := parse(t, text)
	s := seed(t)
	d := draft.New(s, both(s, f), f, []byte(text))
	got, err := d.Splice([]byte(text))
	if err != nil || !strings.HasPrefix(string(got), head+"links:  # none yet\n  - id: ") || !strings.HasSuffix(string(got), "\nkeep: {events: 30d}\n") {
		t.Fatalf("%v\n%s", err, got)
	}
	if _, err := d.Check("touchbox.yaml", f, got, link.Options{Lenient: true}); err != nil {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestAFileWithoutAPlaceIsRefused(t *testing.T) {
	for _, text := range []string{
		head + "links: [{id: old, from: clinic, event: request, to: clinic, operation: Old, body: {customer.email: \"${email}\"}}]\n",
		strings.ReplaceAll("  "+head+"links:\n"+old, "\n", "\n  "),
	} {
		f := parse(t, strings.TrimRight(text, " "))
		s := seed(t)
		d := draft.New(s, both(s, f), f, []byte(text))
		got, err := d.Splice([]byte(text))
		if err == nil {
			_, err = d.Check("touchbox.yaml", f, got, link.Options{Lenient: true})
		}
		if err == nil {
			t.Errorf("taken:\n%s", got)
		}
	}
}

func TestWhatIsUndecidedIsRefusedByCheck(t *testing.T) {
	file := linktest.File{}.Text()
	f := parse(t, file)
	s := spec.Read("customer.mobilePhone — телефон\ncustomer.ids.crm — ID клиента в CRM", lang.English)
	p := draft.Suggest(s, f)
	d := draft.New(s, p, f, []byte(file))
	text, err := d.Splice([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.ToDo) != 2 || !strings.Contains(string(text), "customer.ids.crm: TODO  # ID клиента в CRM; perhaps ${") || !strings.Contains(string(text), "operation: TODO\n") {
		t.Errorf("%v\n%s", d.ToDo, text)
	}
	problems, err := d.Check("touchbox.yaml", f, text, link.Options{})
	if _, invalid := errors.AsType[*link.InvalidError](err); !invalid || len(problems.Mistakes()) != 2 || !strings.Contains(problems.String(), "delete the line") {
		t.Errorf("%v %v", err, problems)
	}
	p.Operation, p.Answers = "Crm", map[string]string{"customer.ids.crm": "${ctClientId}"}
	if d = draft.New(s, p, f, []byte(file)); len(d.ToDo) != 0 || !strings.Contains(d.Text(0), "customer.ids.crm: ${ctClientId}") {
		t.Errorf("answered: %v\n%s", d.ToDo, d.Text(0))
	}
	p.Answers["customer.ids.crm"] = ""
	if d = draft.New(s, p, f, []byte(file)); !strings.Contains(d.Text(0), "# customer.ids.crm: left out") || strings.Contains(d.Text(0), "# customer.ids.crm: left out, Calltouch") {
		t.Errorf("left out:\n%s", d.Text(0))
	}
}

// The file decides whether an operation is taken already, whether the id is, and what the specification says otherwise.
func TestTheFileIsComparedWithTheSpecification(t *testing.T) {
	f := parse(t, linktest.File{}.Text())
	s := spec.Read("POST https://api.s.mindbox.ru/v3/operations/async?endpointId=other.Site&operation=CallTouch\nAuthorization: SecretKey abcdefgh12345\nX-Customer-IP: 203.0.113.7\n{\"customer\": {\"mobilePhone\": \"\"}}", lang.English)
	p := draft.Suggest(s, f)
	p.ID = "calls"
	notes := ""
	for _, n := range draft.New(s, p, f, nil).Notes {
		notes += n.Text + "\n"
	}
	for _, want := range []string{"link calls sends the operation CallTouch already", "the file has a link calls already", "endpoint other.Site", "https://api.s.mindbox.ru", "secretkey", "X-Customer-IP", "MINDBOX_SECRET"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no note of %s in\n%s", want, notes)
		}
	}
	p.ID = ""
	if d := draft.New(s, p, f, nil); d.Links[0] != "calls-2" {
		t.Errorf("ids %v", d.Links)
	}
}

func TestPutKeepsTheOldFileItsModeAndALinkToIt(t *testing.T) {
	dir := t.TempDir()
	path, alias := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "touchbox.yaml")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real.yaml", alias); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 2, 9, 15, 0, 0, time.UTC)
	if _, err := draft.Put(alias, []byte("other"), []byte("new"), now); !errors.Is(err, draft.ErrChanged) {
		t.Errorf("over a change: %v", err)
	}
	kept, err := draft.Put(alias, []byte("old"), []byte("new"), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{alias: "new", kept: "old"} {
		got, err := os.ReadFile(name)
		info, statErr := os.Stat(name)
		if err != nil || statErr != nil || string(got) != want || info.Mode().Perm() != 0o640 {
			t.Errorf("%s: %q, %v, %v", name, got, info, err)
		}
	}
	if target, err := os.Readlink(alias); err != nil || target != "real.yaml" {
		t.Errorf("the link to the file: %s, %v", target, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestWhatAKilledProcessLeftIsInNobodysWay: in a container the next process has the number of the one before it.
func TestWhatAKilledProcessLeftIsInNobodysWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	for name, text := range map[string]string{path: "old", filepath.Join(filepath.Dir(path), fmt.Sprintf(".touchbox.yaml.%d", os.Getpid())): "half"} {
		if err := os.WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := draft.Replace(path, []byte("old"), []byte("new")); err != nil {
		t.Fatal(err)
	}
}
