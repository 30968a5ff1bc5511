package expression_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/expression"
)

// heard collects the problems of one text: what is said, and what stands at its place.
type heard struct {
	text  string
	lines *[]string
}

func (h heard) say(at int, kind, format string, args ...any) expression.Note {
	*h.lines = append(*h.lines, fmt.Sprintf("%s at %q: %s", kind, h.text[at:], fmt.Sprintf(format, args...)))
	return hints{h.lines}
}

func (h heard) Mistake(at int, format string, args ...any) expression.Note {
	return h.say(at, "mistake", format, args...)
}

func (h heard) Warn(at int, format string, args ...any) expression.Note {
	return h.say(at, "warning", format, args...)
}

func (h heard) Text(english string) string { return english }

func (h heard) Line(int) int { return 7 }

type hints struct{ lines *[]string }

func (h hints) add(hint string) {
	(*h.lines)[len(*h.lines)-1] += " (" + hint + ")"
}

func (h hints) Hint(format string, args ...any) { h.add(fmt.Sprintf(format, args...)) }
func (h hints) Code(format string, args ...any) { h.add(fmt.Sprintf(format, args...)) }
func (h hints) Suggest(wrong string, names []string) bool {
	h.add(wrong + " among names")
	return true
}

// names are a table, a condition on it, and two conditions that stand on each other.
func names(t *testing.T, lines *[]string) *expression.Names {
	t.Helper()
	n := expression.NewNames()
	n.AddTable("places", map[string]any{"78120000005": "nevsky"}, nil)
	for name, text := range map[string]string{"ours": `phonenumber in places`, "egg": `hen`, "hen": `not egg`, "wrong": `ours and cty == "x"`} {
		n.AddCondition(name, text, heard{text, lines}, heard{name, lines})
	}
	n.AddBroken("broken")
	n.Scope(expression.Events{Attrs: []string{"promo"}}).CheckConditions()
	return n
}

func TestConditionsAreCheckedOnce(t *testing.T) {
	var lines []string
	n := names(t, &lines)
	want := []string{
		`mistake at "egg": the condition egg stands on itself`,
		`mistake at "hen": the condition hen stands on itself`,
		`mistake at "cty == \"x\"": unknown name cty (cty among names)`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	lines = nil
	s := n.Scope(expression.Events{})
	for _, text := range []string{"wrong", "not broken", "egg or unique"} {
		if s.Condition(text, heard{text, &lines}) != nil {
			t.Errorf("%s compiles, though a condition in it has a mistake", text)
		}
	}
	if len(lines) > 0 {
		t.Errorf("what uses a condition with a mistake has one of its own: %q", lines)
	}
}

func TestNamesThatCannotBe(t *testing.T) {
	var lines []string
	n := names(t, &lines)
	for _, name := range []string{"9x", "in", "city", "phone", "now", "places"} {
		if n.Free(name, heard{name, new([]string)}) {
			t.Errorf("%s is free", name)
		}
	}
	if !n.Free("повторный", heard{"повторный", new([]string)}) {
		t.Error("a name in Russian is refused")
	}
}

// TestPlaces: a problem stands at its byte of the text, whatever letters are before it.
func TestPlaces(t *testing.T) {
	var lines []string
	text := "Звонок из ${city} ${citi} ${attrs.promo == \"я\" and age > 5}"
	s := names(t, new([]string)).Scope(expression.Events{Attrs: []string{"promo"}, Kinds: []event.Kind{event.CallEnded}})
	if s.Template(text, heard{text, &lines}) != nil {
		t.Error("a template with mistakes compiles")
	}
	want := []string{
		`mistake at "citi} ${attrs.promo == \"я\" and age > 5}": unknown name citi (citi among names)`,
		`mistake at "age > 5}": unknown name age (age among names)`,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	lines = nil
	if s.Condition(`filled(subject)`, heard{`filled(subject)`, &lines}) == nil || len(lines) != 1 || !strings.HasPrefix(lines[0], `warning at "subject)": subject never comes with call.ended`) {
		t.Errorf("got %q", lines)
	}
}

func TestConditionAndTemplate(t *testing.T) {
	var lines []string
	s := names(t, new([]string)).Scope(expression.Events{})
	ours := s.Condition("ours and duration > 30", heard{"ours and duration > 30", &lines})
	text := `Звонок ${id}: ${lookup(places, phonenumber, "?")}`
	template := s.Template(text, heard{text, &lines})
	if ours == nil || template == nil || len(lines) > 0 {
		t.Fatalf("got %q", lines)
	}
	if diff := cmp.Diff([]string{"phonenumber", "duration"}, ours.Reads()); diff != "" {
		t.Error(diff)
	}
	var machines expression.Machines
	m := machines.Get()
	defer machines.Put(m)
	fields := map[string]any{"id": "148071", "phonenumber": "78120000005", "duration": int64(42)}
	if value, holds, err := ours.Holds(m, fields); value != true || !holds || err != nil {
		t.Errorf("got %v, %v, %v", value, holds, err)
	}
	if got, ok, err := template.Text(m, fields); got != "Звонок 148071: nevsky" || !ok || err != nil {
		t.Errorf("got %q, %v, %v", got, ok, err)
	}
	if _, ok, err := template.Text(m, nil); !ok || err != nil { // lookup() gives its fallback
		t.Errorf("of nothing: %v, %v", ok, err)
	}
	fields["duration"] = "much"
	_, _, err := ours.Holds(m, fields)
	if want := "the expression `ours and duration > 30` (line 7) met a value that it cannot use in phonenumber, duration"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
