package cases

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/show"
)

// Recording is an event of which a case is to be made.
type Recording struct {
	Event  event.Event
	Site   *link.Site
	Links  []*link.Link // of which is written what they make of it
	Keep   []string     // fields and attributes that stay as they came: "subject", "attrs.promo"
	MadeUp MadeUp
	Lang   lang.Language // of the name of the case
}

// Recorded is a case, as it stands in a file of tests.
type Recorded struct {
	Text  string   // the lines of an item of `cases`
	Other []string // links that make something else of the case than of the event that came: a made-up value decides there
}

// Record makes a case of an event, with other values in the place of those that say who somebody is. What links make of the case is
// what is expected. The error is calltouch.ErrUnreadable.
func Record(r Recording) (Recorded, error) {
	view := r.Site.View()
	came, err := calltouch.Parse(r.Event, view)
	if err != nil {
		return Recorded{}, err
	}
	r.MadeUp.TenDigits = r.Site.TenDigits
	g := given{site: r.Site, named: r.named(came)}
	g.named["kind"], g.named["origin"] = r.Event.Key.Kind.Dotted(), string(r.Event.Origin)
	fields := g.fields()
	if t, ok := came["time"].(time.Time); ok && !t.Equal(timeOf(fields)) {
		g.named["time"] = t.Format(time.RFC3339)
		fields = g.fields()
	}
	out := Recorded{}
	trials := make([]link.Trial, len(r.Links))
	for i, l := range r.Links {
		trials[i] = l.Try(fields, timeOf(fields))
		if trials[i].Outcome != l.Try(came, timeOf(came)).Outcome {
			out.Other = append(out.Other, l.ID)
		}
	}
	out.Text = r.text(g, fields, trials)
	return out, nil
}

func timeOf(f calltouch.Fields) time.Time {
	t, _ := f["time"].(time.Time)
	return t
}

// named are the fields that came, made up where they have to be. What is derived of others is left out.
func (r Recording) named(came calltouch.Fields) map[string]any {
	private := r.private(came)
	named := map[string]any{}
	for _, f := range calltouch.Vocabulary() {
		value := came[f.Name]
		if value == nil || f.Name == "siteId" || f.Derived && f.Name != "email" && f.Name != "comment" && f.Name != "tags" {
			continue
		}
		if !slices.Contains(r.Keep, f.Name) {
			value = r.madeUp(f, value, private)
		}
		named[f.Name] = value
	}
	if attrs, _ := named["attrs"].(map[string]any); len(attrs) == 0 {
		delete(named, "attrs")
	}
	for _, f := range calltouch.Vocabulary() { // tags are the union of these
		if strings.HasPrefix(f.Name, "tags_") && named[f.Name] != nil {
			delete(named, "tags")
		}
	}
	return named
}

// pages are the fields with the address of a page, or of a recording.
var pages = []string{"url", "ref", "callUrl", "requestUrl", "reclink"}

// clocks are the fields that hold times: they say when, not who.
var clocks = []string{"calltime", "requestDate", "orderDate"}

// ownLine is the field with the company's own number that was called: links choose by it.
const ownLine = "phonenumber"

// madeUp is what stands in a case for a value of a field.
func (r Recording) madeUp(f calltouch.Field, value any, private []string) any {
	m := r.MadeUp
	if list, ok := value.([]string); ok {
		out := make([]any, len(list))
		for i, one := range list {
			out[i] = m.free(one, private)
		}
		return out
	}
	if attrs, ok := value.(map[string]string); ok {
		return r.attributes(attrs)
	}
	text, ok := value.(string)
	if !ok || slices.Contains(f.Values, text) {
		return value
	}
	switch {
	case slices.Contains(clocks, f.Name), f.Name == ownLine:
		return value
	case slices.Contains(pages, f.Name):
		return m.URL(text)
	case f.Name == "callerphone", f.Name == "redirectNumber":
		return m.Phone(text)
	case f.Name == "email":
		return m.Email(text)
	case f.Name == "ip":
		return m.IP(text)
	case f.Whole, slices.Contains(namedIDs, f.Name):
		return m.ID(text)
	case f.Personal:
		return m.personal(text)
	}
	return m.free(text, private)
}

// namedIDs are ids that may hold letters.
var namedIDs = []string{"sip_call_id", "callReferenceNumber", "requestNumber", "callClientUniqueId", "orderNumber"}

// attributes makes up the values of a site's attributes in their form: a UUID stays one.
func (r Recording) attributes(came map[string]string) map[string]any {
	out := map[string]any{}
	for name, value := range came {
		switch {
		case !slices.Contains(r.Site.Attrs, name): // no link can read it, and its name may be anything
		case slices.Contains(r.Keep, attributes+name):
			out[name] = value
		case hexadecimal.MatchString(value):
			out[name] = r.MadeUp.ID(value)
		default:
			out[name] = r.MadeUp.personal(value)
		}
	}
	return out
}

// personal makes up what a person said or left.
func (m MadeUp) personal(text string) string {
	if made, ok := m.JSON(text); ok {
		return made
	}
	return m.Text(text)
}

// free leaves a text as it is unless something in it says who somebody is, as far as that can be seen.
func (m MadeUp) free(text string, private []string) string {
	if made, ok := m.JSON(text); ok {
		return made
	}
	lower := strings.ToLower(text)
	if show.Mask(text) != text || strings.Contains(text, "://") || slices.ContainsFunc(private, func(p string) bool { return strings.Contains(lower, p) }) {
		return m.Text(text)
	}
	return text
}

// private are the words and numbers of an event by which other fields are searched, in lower case: a form may put the client's name
// into its subject.
func (r Recording) private(came calltouch.Fields) []string {
	var out []string
	add := func(text string) {
		const shortest = 3
		if len([]rune(text)) >= shortest {
			out = append(out, strings.ToLower(text))
		}
	}
	for _, f := range calltouch.Vocabulary() {
		text, ok := came[f.Name].(string)
		if !ok || !f.Personal {
			continue
		}
		add(text)
		if number := phone.Normalize(text, phone.Options{TenDigits: r.Site.TenDigits}); number != "" {
			add(number[max(0, len(number)-10):])
		}
		if f.Name == "fio" || f.Name == "manager" {
			for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return !unicode.IsLetter(c) }) {
				add(word)
			}
		}
	}
	return out
}

// text writes the case.
func (r Recording) text(g given, fields calltouch.Fields, trials []link.Trial) string {
	var b strings.Builder
	w := writer{&b}
	outcomes := make([]string, len(trials))
	for i, t := range trials {
		outcomes[i] = r.Links[i].ID + " " + string(t.Outcome)
	}
	w.line(2, "- name: %s", yamlText(r.Lang.Sprintf("%s by %s: %s", r.Event.Key.Kind.Dotted(), r.Lang.Text(string(r.Event.Origin)), strings.Join(outcomes, ", "))))
	w.line(4, "site: %s", r.Site.ID)
	w.line(4, "event:")
	for _, name := range append([]string{"kind", "origin", "time"}, fieldNames()...) {
		if value, ok := g.named[name]; ok {
			w.value(6, name, value)
			delete(g.named, name)
		}
	}
	w.line(4, "links:")
	for i, l := range r.Links {
		w.expectation(l, trials[i])
	}
	return b.String()
}

// writer writes a file of tests line by line.
type writer struct{ *strings.Builder }

func (w writer) line(indent int, format string, args ...any) {
	fmt.Fprintf(w, "%*s%s\n", indent, "", fmt.Sprintf(format, args...))
}

// value writes a name with its value.
func (w writer) value(indent int, name string, value any) {
	switch v := value.(type) {
	case map[string]any:
		w.line(indent, "%s:", name)
		for _, inner := range slices.Sorted(maps.Keys(v)) {
			w.value(indent+2, yamlText(inner), v[inner])
		}
	case []any:
		texts := make([]string, len(v))
		for i, one := range v {
			texts[i] = textJSON(fmt.Sprint(one))
		}
		w.line(indent, "%s: [%s]", name, strings.Join(texts, ", "))
	case string:
		w.line(indent, "%s: %s", name, yamlText(v))
	default:
		w.line(indent, "%s: %v", name, v)
	}
}

// expectation writes what a link makes of an event.
func (w writer) expectation(l *link.Link, t link.Trial) {
	switch t.Outcome {
	case event.Delivered, event.Shadow:
		w.line(6, "%s:", l.ID)
		w.line(8, "outcome: %s", t.Outcome)
		w.line(8, "operation: %s", yamlText(l.Operation))
		if t.Rendered.DeviceUUID != "" {
			w.line(8, "deviceUUID: %s", yamlText(t.Rendered.DeviceUUID))
		}
		w.line(8, "body:")
		w.body(10, t.Rendered.Body)
	case event.Filtered:
		w.line(6, "%s:", l.ID)
		w.line(8, "outcome: %s", t.Outcome)
		w.line(8, "condition: %s", yamlText(failing(t)[0]))
	default:
		w.line(6, "%s: %s", l.ID, t.Outcome)
	}
}

// body writes the leaves of a body, a line each.
func (w writer) body(indent int, body []byte) {
	leaves := leavesOf(body)
	for _, path := range leaves.paths {
		w.line(indent, "%s: %s", yamlText(path), leaves.at[path].text)
	}
}

// yamlText is a text as a value or key of YAML: as it is where nothing reads it otherwise, else in quotes.
func yamlText(text string) string {
	if plain.MatchString(text) && !strings.Contains(text, ": ") && !strings.Contains(text, " #") && !strings.HasSuffix(text, ":") && !slices.Contains(notPlain, strings.ToLower(text)) {
		return text
	}
	return textJSON(text)
}

// plain is what YAML reads as the text that it is, whoever reads it: it begins with a letter, and no sign of YAML's own is in it.
var plain = regexp.MustCompile(`^\pL[\pL\pN _.,/()=<>!&@+|*?;:%-]*[\pL\pN_.)]$|^\pL$`)

// notPlain are words that mean something to YAML.
var notPlain = []string{"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
