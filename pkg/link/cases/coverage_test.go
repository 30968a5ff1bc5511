package cases_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/cases"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/link/linktest"
)

// TestCoverageNamesWhatNoCaseDecides: each place that decides, once, with the way that is missing; cases that decide the other way take it
// from the list.
func TestCoverageNamesWhatNoCaseDecides(t *testing.T) {
	text := linktest.File{
		Links: []linktest.Link{
			{ID: "one", More: "when: [known, duration > 5 and (unique or spam)]", Body: "a: \"${utm_source ?? source ?? 'none'}\"\nb: \"${duration > 60 ? 'long' : 'short'}\"\nc: ${places[phonenumber]}\nd: ${lookup(names, city, 'x')}"},
			{ID: "two", More: "when: not known and spam", Body: "a: 'from ${utm_source ?? source}'"},
			{ID: "three", More: "when: phonenumber in places"},
		},
		Bottom: "conditions:\n  known: filled(utm_source) or rating > 3\ntables:\n  places: {\"7812\": a, \"7495\": b}\n  names: {moscow: m, kazan: k}\n",
	}.Text()
	decided := func(events ...string) []string {
		c := &expression.Coverage{}
		f, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: os.Getenv, Coverage: c})
		if err != nil {
			t.Fatal(problems)
		}
		var b strings.Builder
		b.WriteString("cases:\n")
		for _, e := range events {
			fmt.Fprintf(&b, "  - name: a\n    event: {callerphone: \"79000000001\", %s}\n    links: {one: delivered, two: delivered, three: delivered}\n", e)
		}
		tests, problems := cases.Parse("calls.yaml", []byte(b.String()), f, lang.English)
		if tests == nil {
			t.Fatal(problems)
		}
		tests.Run()
		var out []string
		for _, g := range cases.Cover(c).Gaps {
			out = append(out, fmt.Sprintf("%s: %s", g.Kind, g.Text(lang.English)))
		}
		return out
	}
	got := decided(`utm_source: yandex, duration: 30, unique: true, phonenumber: "7812", city: moscow`)
	want := []string{
		`condition: duration > 5 and (unique or spam): holds in every case`,
		`condition: duration > 5: holds in every case`,
		`condition: unique: holds in every case`,
		`condition: spam: no case gets here`,
		`alternative: (utm_source ?? source) ?? "none": in every case the left side has come`,
		`alternative: utm_source ?? source: in every case the left side has come`,
		`choice: duration > 60: holds in no case`,
		`condition: not known and spam: holds in no case`,
		`condition: not known: holds in no case`,
		`condition: spam: no case gets here`,
		`alternative: utm_source ?? source: no case gets here`,
		`condition: phonenumber in places: holds in every case`,
		`condition: filled(utm_source) or rating > 3: holds in every case`,
		`condition: filled(utm_source): holds in every case`,
		`condition: rating > 3: no case gets here`,
		`row: places[7495]: no case asks for this row`,
		`row: names[kazan]: no case asks for this row`,
	}
	sorted := cmp.Transformer("sort", func(s []string) map[string]int {
		m := map[string]int{}
		for _, one := range s {
			m[one]++
		}
		return m
	})
	if diff := cmp.Diff(want, got, sorted); diff != "" {
		t.Error(diff)
	}
	got = decided(
		`utm_source: yandex, duration: 30, unique: true, phonenumber: "7812", city: moscow`,
		`utm_source: yandex, duration: 70, spam: true, phonenumber: "7495", city: kazan`,
		`rating: 5, duration: 70, spam: true`, `rating: 5, duration: 70, spam: true, source: a`, `rating: 5, duration: 7`, `duration: 3, spam: true`, `duration: 3, spam: true, utm_source: a`, `duration: 3`,
	)
	if diff := cmp.Diff([]string{"alternative: utm_source ?? source: in no case the left side has come"}, got); diff != "" { // where `two` takes an event, nothing came
		t.Error(diff)
	}
}

// TestCoverageChangesNoVerdict: links that are watched make the same of every event.
func TestCoverageChangesNoVerdict(t *testing.T) {
	f := demoLinks(t)
	watched := &expression.Coverage{}
	text := linktest.File{Site: "attrs: [promo]", Links: []linktest.Link{
		{ID: "one", More: "when: [known or spam, not (duration > 5 and unique)]", Body: "a: ${utm_source ?? source}\nb: \"${known ? city : nil}\"\nc: ${places[city] ?? lookup(places, medium)}\nd: \"${any(tags, # == 'a') ? 1 : 2}\""},
	}, Bottom: "conditions: {known: filled(utm_source)}\ntables:\n  places: {moscow: m, cpc: c}\n"}.Text()
	plain, _, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: os.Getenv})
	if err != nil {
		t.Fatal(err)
	}
	covered, _, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: os.Getenv, Coverage: watched})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range demoEvents(t, f.Sites[0]) {
		one, two := record(t, plain, e), record(t, covered, e)
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("%s: %s", e.Key, diff)
		}
	}
	if len(watched.Points()) < 10 {
		t.Errorf("%v", watched.Points())
	}
}
