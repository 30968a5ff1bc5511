package cases_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/cases"
	"github.com/touchbox/touchbox/pkg/link/linktest"
)

// TestUpdateWritesWhatComes: each expectation that is wrong becomes right, and no other byte changes.
func TestUpdateWritesWhatComes(t *testing.T) {
	for _, tt := range [][2]string{
		{"static: filtered\n", "static: delivered   # a comment\n"},
		{"operation: CallTouch\n", "operation: 'CallTouch2'\n"},
		{"        deviceUUID: " + device, "        deviceUUID: x"},
		{"seconds: 42", "seconds: 43"},
		{"condition: duration > 5", "condition: filled(deviceUUID)"},
		{"{outcome: shadow, body", "{outcome: filtered, body"},
		{"13:00:01\"\n    event: {callerphone: \"+7 900 000-00-01\", calltime: \"2026-11-01 12:00:00\"}\n    links: {static: dead}", "13:00:00\"\n    event: {callerphone: \"+7 900 000-00-01\", calltime: \"2026-11-01 12:00:00\"}\n    links: {static: dead}"},
		{"| 79000000001  ", "| 79000000009  "},
		{"| undeliverable |", "| delivered |"},
	} {
		if !strings.Contains(good, tt[0]) {
			t.Fatalf("nothing to replace: %s", tt[0])
		}
		f, changed := parse(t, strings.Replace(good, tt[0], tt[1], 1)).Update(links(t))
		if got := failures(f); !changed || got != nil {
			t.Errorf("%s: changed %v, still %q", tt[1], changed, got)
		}
		before, after := strings.Split(strings.Replace(good, tt[0], tt[1], 1), "\n"), strings.Split(string(f.Text()), "\n")
		different := 0
		for i := range before {
			if i >= len(after) || before[i] != after[i] {
				different++
			}
		}
		if different != 1 || len(before) != len(after) {
			t.Errorf("%s: more than one line changed:\n%s", tt[1], cmp.Diff(before, after))
		}
		if strings.Contains(tt[1], "# a comment") && !strings.Contains(string(f.Text()), "static: filtered   # a comment\n") {
			t.Errorf("the comment went:\n%s", f.Text())
		}
	}
	if f, changed := parse(t, good).Update(links(t)); changed || string(f.Text()) != good {
		t.Error("a file that is right is changed")
	}
}

// TestUpdateWritesAWholeBody: a field that is new or gone is written where the body stands line by line.
func TestUpdateWritesAWholeBody(t *testing.T) {
	const before = `cases:
  - name: lines
    event: {callerphone: "79000000001", id: "7", duration: 42}
    links:
      # above
      static:
        body:
          customer.mobilePhone: "79000000002"
          gone: 5

        outcome: delivered
  - name: JSON
    event: {callerphone: "79000000001", id: "7", duration: 42}
    links:
      static:
        body: |
          {
            "gone": 5
          }
  - name: in braces
    event: {callerphone: "79000000001", id: "7", duration: 42}
    links:
      static: {body: {gone: 5}}
`
	const after = `cases:
  - name: lines
    event: {callerphone: "79000000001", id: "7", duration: 42}
    links:
      # above
      static:
        body:
          customer.mobilePhone: "79000000001"
          customerAction.customFields.callId: "7"

        outcome: delivered
  - name: JSON
    event: {callerphone: "79000000001", id: "7", duration: 42}
    links:
      static:
        body: |
          {
            "customer": {
              "mobilePhone": "79000000001"
            },
            "customerAction": {
              "customFields": {
                "callId": "7"
              }
            }
          }
  - name: in braces
    event: {callerphone: "79000000001", id: "7", duration: 42}
    links:
      static: {body: {gone: 5}}
`
	f, _ := parse(t, before).Update(links(t))
	if diff := cmp.Diff(after, string(f.Text())); diff != "" {
		t.Error(diff)
	}
	if got := failures(f); len(got) != 3 || !strings.HasPrefix(got[0], "30 static: gone 5 -> ") { // left for a person
		t.Errorf("%q", got)
	}
}

// TestUpdateLeavesWhatTwoCasesShare: an anchor's text cannot become two texts.
func TestUpdateLeavesWhatTwoCasesShare(t *testing.T) {
	const text = `cases:
  - name: long
    event: {callerphone: "79000000001", duration: 42}
    links: &both {dynamic: {fields: {customerAction.customFields.seconds: 1}}}
  - name: short
    event: {callerphone: "79000000001", duration: 5}
    links: *both
`
	f, changed := parse(t, text).Update(links(t))
	if changed || len(failures(f)) != 2 {
		t.Errorf("%v, %q in\n%s", changed, failures(f), f.Text())
	}
	one := linktest.File{Links: []linktest.Link{{More: "when: duration > 10"}}}.Parse(t)
	const right = "cases:\n  - name: a\n    event: {duration: 11, callerphone: \"79000000001\"}\n    links: &x {calls: delivered}\n  - name: b\n    event: {duration: 3, callerphone: \"79000000001\"}\n    links: *x\n"
	g, problems := cases.Parse("x.yaml", []byte(right), one, lang.English)
	if g == nil {
		t.Fatal(problems)
	}
	if h, changed := g.Update(one); changed || slices.Equal(failures(h), nil) {
		t.Errorf("what one case is right about is changed for the other:\n%s", h.Text())
	}
}
