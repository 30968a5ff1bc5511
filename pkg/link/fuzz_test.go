package link_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/expression"
)

// FuzzParse: no file makes the reader fail otherwise than by a mistake with a place, and every
// file that is taken filters and renders any event.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(configuration("unique", "${city}")))
	f.Add([]byte(withBody(" |\n      {\"a\": [1, ${duration}, \"x ${city}\",], // c\n      }", "    require: []")))
	f.Add([]byte("a: !x\nb: &y {<<: *y}\n? c\n: |\n\td\n--- e"))
	f.Add([]byte("calltouch: [{site: 1, name: \"\\u0001\\x41\", attrs: [a, A]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, problems, err := link.Parse("touchbox.yaml", data, link.Options{Lenient: true, Language: lang.Russian})
		if (err == nil) != (len(problems.Mistakes()) == 0) || (err == nil) != (file != nil) {
			t.Fatalf("error %v with problems\n%s", err, problems)
		}
		for _, p := range problems {
			if p.Pos.Line < 1 || p.Pos.Column < 1 || p.Text == "" {
				t.Errorf("no place or text: %+v", p)
			}
		}
		if file == nil {
			return
		}
		file.Check(lang.English)
		for _, l := range file.Links {
			tryLink(t, l)
			if _, problems, err := link.Parse("version", l.Document(), link.Options{Lenient: true}); err != nil {
				t.Errorf("the document of a version is refused:\n%s\n%s", problems, l.Document())
			}
		}
	})
}

// FuzzExpression: an expression is refused with its place, or it runs on every event.
func FuzzExpression(f *testing.F) {
	for _, tt := range conditions {
		f.Add(tt.when)
	}
	for _, value := range []string{`utc(time)`, `places[city] ?? "x"`, `map(tags, {# + "!"})`, `reduce(tags, #acc + #, "")`, `sortBy(tags, #)`, `groupBy(tags, len(#))`,
		`toJSON(attrs)`, `fromJSON(city)`, `city?.x`, `((((`, `"\u0000"`, "`}`", `1..2`, `let a = 1; let b = a; b`, `$env`, `::now()`, `repeat(city, 1000000)`, `-city`, `tags[-1]`, `split("a", "")`, `::duration("1h")`, `sum([nil])`} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		if strings.ContainsAny(expression, "\n\r") {
			return
		}
		for _, text := range []string{configuration(expression, "x"), configuration("unique", "${"+expression+"}"), configuration("unique", "a ${"+expression+"}")} {
			file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{})
			if err == nil {
				tryLink(t, file.Link("one"))
				continue
			}
			for _, p := range problems {
				if p.Pos.Line < 1 || p.Pos.Column < 1 {
					t.Errorf("no place: %+v", p)
				}
			}
		}
	})
}

// tryLink runs a link on events of all sorts.
func tryLink(t *testing.T, l *link.Link) {
	for _, fields := range []calltouch.Fields{fullEvent(), {}, nilEvent(), {"duration": "abc", "unique": "x", "attrs": map[string]string{"promo": "1"}}} {
		v, err := l.Filter(fields)
		if _, ok := errorsAs[*expression.Error](err); err != nil && !ok {
			t.Errorf("filter: %v", err)
		}
		if !v.Pass && err == nil && len(v.Conditions) == 0 {
			t.Error("filtered without a condition")
		}
		r, err := l.Render(fields)
		if _, ok := errorsAs[*expression.Error](err); err != nil && !ok {
			t.Errorf("render: %v", err)
		}
		if err == nil && !json.Valid(r.Body) {
			t.Errorf("no JSON: %s", r.Body)
		}
		l.Explain(fields, false)
	}
}
