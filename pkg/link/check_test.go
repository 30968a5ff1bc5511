package link_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

// twoLinks is a file with two links to the named operations under the given conditions.
func twoLinks(first, second string) string {
	return `
calltouch:
  - {site: 10001, name: clinic, token: 0123456789abcdef}
mindbox:
  - {name: clinic, url: "https://api.mindbox.ru", endpoint: clinic.Website}
links:
  - {id: a, from: clinic, event: call.ended, to: clinic, body: {customer.mobilePhone: "${phone(callerphone)}"}, ` + first + `}
  - {id: b, from: clinic, event: call.ended, to: clinic, body: {customer.mobilePhone: "${phone(callerphone)}"}, ` + second + `}
`
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name, first, second string
		want                []string
	}{
		{"complements", "operation: X, when: filled(deviceUUID)", "operation: X, when: not filled(deviceUUID)", nil},
		{"two operations", "operation: X", "operation: Y", nil},
		{"the same event twice", "operation: X, when: unique", "operation: X", []string{"8:5: the links a and b would send one event twice to X"}},
		{"found by a sample", "operation: X, when: duration > 5", "operation: X, when: duration <= 60",
			[]string{"8:5: the links a and b would send one event twice to X: a call of a visitor known to Mindbox"}},
		{"one of them in shadow", "operation: X", "operation: X, mode: shadow", nil},
		{"a gap", "operation: X, when: duration > 5 and filled(deviceUUID)", "operation: Y, when: not filled(deviceUUID)",
			[]string{"7:5: no link of clinic takes a missed call of a visitor known to Mindbox (if that is meant, nothing is wrong)"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range load(t, twoLinks(tt.first, tt.second)).Check(lang.English) {
				if !p.Warning {
					t.Errorf("a mistake: %s", p)
				}
				got = append(got, strings.TrimPrefix(p.String(), "touchbox.yaml:"))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	before := twoLinks("operation: X", "operation: Y")
	tests := []struct {
		name, after string
		want        []link.Change
	}{
		{"nothing", before, nil},
		{"another order of keys", strings.Replace(before, "id: a, from: clinic", "from: clinic, id: a", 1), []link.Change{{Link: "a", Kind: link.LinkVersion}}},
		{"a new one and one gone", strings.Replace(before, "id: a, from: clinic, event: call.ended", "id: c, from: clinic, event: request", 1),
			[]link.Change{{Link: "c", Kind: link.LinkNew}, {Link: "a", Kind: link.LinkGone}}},
		{"one renamed", strings.Replace(before, "id: a", "id: c, title: x", 1),
			[]link.Change{{Link: "c", Kind: link.LinkNew}, {Link: "c", Kind: link.LinkRenamed, Before: "a"}, {Link: "a", Kind: link.LinkGone}}},
		{"other events", strings.Replace(before, "event: call.ended", "event: request", 1), []link.Change{{Link: "a", Kind: link.LinkSubjects}}},
		{"another start", strings.Replace(before, "id: a", `id: a, since: "2026-11-01"`, 1), []link.Change{{Link: "a", Kind: link.LinkSince}}},
		{"another operation", strings.Replace(before, "operation: X", "operation: Z", 1),
			[]link.Change{{Link: "a", Kind: link.LinkTarget, Before: "clinic.Website X", After: "clinic.Website Z"}}},
		{"into the shadow", strings.Replace(before, "operation: X", "operation: X, mode: shadow", 1),
			[]link.Change{{Link: "a", Kind: link.LinkMode, Before: "live", After: "shadow"}}},
		{"another body", strings.Replace(before, `"${phone(callerphone)}"`, `"${phone(callerphone)}", x: y`, 1), []link.Change{{Link: "a", Kind: link.LinkVersion}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := link.Diff(load(t, before), load(t, tt.after))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			for _, c := range got {
				if c.Text(lang.Russian) == c.Text(lang.English) {
					t.Errorf("%s has no Russian", c.Text(lang.English))
				}
			}
		})
	}
}

// TestDocument: a version of a link, kept under its hash, renders as the link did, and changes
// with all that it renders by.
func TestDocument(t *testing.T) {
	text := strings.Replace(withBody("\n      customer.mobilePhone: ${phone(callerphone)}\n      a: ${places[phonenumber] ?? \"<>\"}\n      n: 7.10\n      t: ${local(time)}\n      q: \"it's \\\"${city}\\\"\\n\"",
		"    when: [known, 'duration > 5']"), "tables:", "conditions: {known: not new, new: empty(deviceUUID), other: unique}\ntables:", 1)
	original := load(t, text).Link("one")
	f, problems, err := link.Parse("version", original.Document(), link.Options{Lenient: true})
	if err != nil {
		t.Fatal(err, problems, string(original.Document()))
	}
	again := f.Link("one")
	if again.Version != original.Version {
		t.Errorf("the version changed: %s\n%s", original.Document(), again.Document())
	}
	want, err := original.Render(fullEvent())
	if err != nil {
		t.Fatal(err)
	}
	expectBody(t, again, fullEvent(), string(want.Body))
	for name, change := range map[string][2]string{
		"the body": {"n: 7.10", "n: 7.1"}, "a condition": {"new: empty(deviceUUID)", "new: empty(sessionId)"},
		"a table": {`"78120000005": nevsky`, `"78120000005": ligovsky`}, "the time format": {"endpoint: clinic.Website}", "endpoint: clinic.Website, timeFormat: yyyy}"},
		"the zone": {"name: clinic, token", "name: clinic, timezone: Asia/Omsk, token"},
	} {
		if changed := load(t, strings.Replace(text, change[0], change[1], 1)).Link("one"); changed.Version == original.Version {
			t.Errorf("%s: the version stays", name)
		}
	}
	for name, change := range map[string][2]string{
		"the token": {"0123456789abcdef", "fedcba9876543210"}, "a condition that it does not use": {"other: unique", "other: spam"},
		"a comment": {"    from: clinic\n", "    from: clinic  # x\n"}, "the rate": {"endpoint: clinic.Website}", "endpoint: clinic.Website, rate: 5/s}"},
	} {
		if changed := load(t, strings.Replace(text, change[0], change[1], 1)).Link("one"); changed.Version != original.Version {
			t.Errorf("%s: the version changes", name)
		}
	}
}
