package draft

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/link/spec"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Text is the draft as items of the list `links`, each line with so many blanks before it.
func (d *Draft) Text(indent int) string {
	var b strings.Builder
	anchor := ""
	if d.plan.Numbers == Both {
		anchor = d.anchor()
	}
	for i, id := range d.Links {
		if i > 0 {
			b.WriteString("\n")
		}
		d.link(&b, i, id)
		if i == 0 {
			b.WriteString(strings.TrimRight("  body: &"+anchor, " &") + "\n")
			d.body(&b)
		} else {
			b.WriteString("  body: *" + anchor + "\n")
		}
	}
	return indented(b.String(), indent)
}

func indented(text string, indent int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			line = strings.Repeat(" ", indent) + line
		}
		b.WriteString(line)
	}
	return b.String()
}

// anchor is a name that no anchor of the file has.
func (d *Draft) anchor() string {
	base := strings.TrimSuffix(d.Links[0], "-dynamic")
	name := base
	for n := 2; regexp.MustCompile(`[&*]` + regexp.QuoteMeta(name) + `(\s|$)`).MatchString(d.file); n++ {
		name = fmt.Sprintf("%s-%d", base, n)
	}
	return name
}

// listed is one name, or a list of several.
func listed(names []string) string {
	all := strings.Join(names, ", ")
	if len(names) > 1 {
		return "[" + all + "]"
	}
	return all
}

func (d *Draft) from() string {
	if len(d.plan.Sites) == 0 {
		return orToDo("")
	}
	names := make([]string, len(d.plan.Sites))
	for i, name := range d.plan.Sites {
		names[i] = scalar(name)
	}
	return listed(names)
}

// link writes all keys of a link but its body.
func (d *Draft) link(b *strings.Builder, i int, id string) {
	dynamic := d.plan.Numbers == Dynamic || d.plan.Numbers == Both && i == 0
	kinds := make([]string, len(d.plan.Kinds))
	for k, kind := range d.plan.Kinds {
		kinds[k] = kind.Dotted()
	}
	line := func(key, value string) { fmt.Fprintf(b, "  %s: %s\n", key, value) }
	fmt.Fprintf(b, "- id: %s\n", id)
	line("title", scalar(d.title(dynamic)))
	line("from", d.from())
	line("event", listed(kinds))
	switch {
	case dynamic:
		line("when", "filled(deviceUUID)")
	case d.plan.Numbers != Any:
		line("when", "empty(deviceUUID)")
	}
	line("to", orToDo(d.plan.To))
	line("operation", orToDo(d.operations()[i]))
	if dynamic {
		line("deviceUUID", "${deviceUUID}")
	}
	if d.plan.Shadow {
		line("mode", keys.Shadow)
	}
}

func orToDo(name string) string {
	if name == "" {
		return strictyaml.ToDo
	}
	return scalar(name)
}

// title says in a person's words what a link takes.
func (d *Draft) title(dynamic bool) string {
	l := d.plan.Language
	names := map[event.Kind]string{event.CallStarted: l.Text("Calls that began"), event.CallEnded: l.Text("Calls"), event.Request: l.Text("Form requests")}
	var all []string
	for _, k := range d.plan.Kinds {
		all = append(all, names[k])
	}
	title := strings.Join(all, ", ")
	if first, others, several := strings.Cut(title, ", "); several {
		title = first + ", " + strings.ToLower(others)
	}
	switch {
	case d.plan.Numbers == Any:
		return title
	case dynamic:
		return title + ", " + l.Text("dynamic numbers")
	}
	return title + ", " + l.Text("static numbers")
}

// body writes the fields, each with what the specification says of it beside.
func (d *Draft) body(b *strings.Builder) {
	fields := 0
	for _, f := range d.Fields {
		if f.Certainty != spec.Absent {
			fields++
		}
		b.WriteString("    " + d.field(f) + "\n")
	}
	if fields == 0 {
		fmt.Fprintf(b, "    customer.mobilePhone: %s\n", strictyaml.ToDo)
	}
}

func (d *Draft) field(f spec.Proposal) string {
	key := f.Path
	if !plainKey.MatchString(key) {
		key = string(expression.AppendString(nil, key))
	}
	said := strings.Join(f.Said, "; ")
	switch f.Certainty {
	case spec.Absent:
		why := "left out, Calltouch does not tell it"
		if _, answered := d.plan.Answers[f.Path]; answered { // a person's decision
			why = "left out"
		}
		return strings.TrimRight("# "+key+": "+d.plan.Language.Text(why)+"; "+said, "; ")
	case spec.Unsure:
		return commented(key+": "+strictyaml.ToDo, strings.Trim(said+"; "+d.candidates(f), "; "))
	}
	return commented(key+": "+scalar(f.Value), said)
}

// candidates are what a field could be, each with the last value of its word.
func (d *Draft) candidates(f spec.Proposal) string {
	var all []string
	for _, c := range f.Candidates {
		one := c.Value
		if last := d.Last(c.Field); last != "" {
			one += " (" + last + ")"
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		return ""
	}
	return d.plan.Language.Sprintf("perhaps %s", strings.Join(all, ", "))
}

// Last is the last value of a word of the vocabulary, masked; "" where none is known.
func (d *Draft) Last(field string) string {
	if d.plan.Hint == nil || field == "" {
		return ""
	}
	return d.plan.Hint(field)
}

func commented(text, comment string) string {
	if comment == "" {
		return text
	}
	return text + "  # " + comment
}

var (
	plainKey  = regexp.MustCompile(`^[\pL_][\pL\pN_-]*(\.[\pL\pN_-]+)*$`)
	plainText = regexp.MustCompile(`^[\pL][\pL\pN_. ,-]*[\pL\pN_-]$`)
)

// scalar writes a value so that YAML reads it as it is: an expression or a plain text bare where that is the same,
// JSON as it stands, anything else in quotes.
func scalar(value string) string {
	switch {
	case strings.HasPrefix(value, `"`), strictyaml.IsNumber(value), value == "true", value == "false":
		return value
	case strings.HasPrefix(value, "${") && !strings.Contains(value, ": ") && !strings.Contains(value, " #") && !strings.HasSuffix(value, ":"):
		return value
	case plainText.MatchString(value) && strictyaml.Unambiguous(value):
		return value
	}
	return string(expression.AppendString(nil, value))
}
