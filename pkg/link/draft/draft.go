// Package draft writes the links for an operation that a specification describes, and puts them into touchbox.yaml.
//
// What flows in is what pkg/link/spec read, and a Plan: which events, which numbers, which operations. What flows out is the text of
// one link or two, and, with Splice, the text of a file with them at their place, of which no other byte is changed. Put
// writes that file. The package asks nobody and prints nothing.
package draft

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// Numbers says which events a draft's links take: those of visitors that Mindbox knows, the others, or all.
type Numbers string

// The choices. A call to a number of the dynamic pool brings the visitor's deviceUUID.
const (
	Dynamic Numbers = "dynamic" // with a deviceUUID
	Static  Numbers = "static"  // without one
	Both    Numbers = "both"    // a link for each, with one body
	Any     Numbers = "any"     // all of them, by one link that sends no deviceUUID
)

// AllNumbers are the choices in the order in which they are offered.
func AllNumbers() []Numbers { return []Numbers{Dynamic, Static, Both, Any} }

// Plan is what is decided about a draft's links. What is "" is still to be decided by a person.
type Plan struct {
	ID        string // of the link; of two it is what both begin with; "" = made of the events
	Kinds     []event.Kind
	Numbers   Numbers
	Operation string   // of a link for Dynamic or Any, and of one for Static alone
	Static    string   // of the static one of two links
	Sites     []string // names in the file
	To        string
	Shadow    bool // the links do all but the sending
	Answers   map[string]string
	// Answers are what a person decided about fields, by their paths: the value as it stands in the file,
	// or "" to leave the field out.
	Language lang.Language // of titles and comments
	// Hint is what is known of the last value of a word of the vocabulary, masked; nil, or "": nothing.
	Hint func(field string) string
}

// Draft is the links that a specification comes to.
type Draft struct {
	Links  []string // their ids
	Fields []spec.Proposal
	ToDo   []string // what is still to be decided: keys of the links, paths of fields
	Notes  []spec.Note
	Twice  []string // links of the file that send the same operations for the same events
	plan   Plan
	file   string // the text of the file that the links are for
}

// Suggest is the plan that a specification and the file speak for. A file of nil is none.
func Suggest(s spec.Spec, f *link.File) Plan {
	p := Plan{Kinds: kindsOf(s)}
	for _, name := range s.Operations {
		switch {
		case isStatic(name) && p.Static == "":
			p.Static = name
		case !isStatic(name) && p.Operation == "":
			p.Operation = name
		}
	}
	switch {
	case p.Operation == "" && p.Static != "":
		p.Operation, p.Static, p.Numbers = p.Static, "", Static
	case p.Static != "":
		p.Numbers = Both
	case s.Device:
		p.Numbers = Dynamic
	default:
		p.Numbers = Any
	}
	if f != nil {
		p.Sites, p.To = onlySite(f), destinationOf(f, s)
	}
	return p
}

var static = regexp.MustCompile(`(?i)static|statik`)

func isStatic(operation string) bool { return static.MatchString(operation) }

var (
	ofRequests = regexp.MustCompile(`(?i)заявк|форм[аыуе]|request|form|lead`)
	ofCalls    = regexp.MustCompile(`(?i)звон|call`)
)

// kindsOf are the events of which a specification speaks more: form requests, or else calls that have ended.
func kindsOf(s spec.Spec) []event.Kind {
	words := slices.Clone(s.Operations)
	for _, f := range s.Fields {
		words = append(append(words, f.Path), f.Said...)
	}
	all := strings.Join(words, "\n")
	if len(ofRequests.FindAllString(all, -1)) > len(ofCalls.FindAllString(all, -1)) {
		return []event.Kind{event.Request}
	}
	return []event.Kind{event.CallEnded}
}

// onlySite is the site of a file that has one; nil leaves the choice to a person.
func onlySite(f *link.File) []string {
	if len(f.Sites) == 1 {
		return []string{f.Sites[0].Name}
	}
	return nil
}

// destinationOf is the destination with the specification's endpoint, or the only one.
func destinationOf(f *link.File, s spec.Spec) string {
	for _, d := range f.Destinations {
		if d.Endpoint == s.Endpoint {
			return d.Name
		}
	}
	if len(f.Destinations) == 1 {
		return f.Destinations[0].Name
	}
	return ""
}

// New drafts the links of a plan. The text is that of the file which f was read from; both may be empty.
func New(s spec.Spec, p Plan, f *link.File, text []byte) Draft {
	d := Draft{Notes: slices.Clone(s.Notes), plan: p, file: string(text)}
	c := spec.Context{Kinds: p.Kinds, Known: map[string][]string{}}
	if f != nil {
		for _, name := range p.Sites {
			if site := f.Site(name); site != nil {
				c.Attrs = append(c.Attrs, site.Attrs...)
				c.Elsewhere = c.Elsewhere || !sameClock(site.Location)
			}
		}
		slices.Sort(c.Attrs)
		c.Attrs = slices.Compact(c.Attrs)
		c.Known = known(f, p.Kinds)
	}
	d.Fields = s.Propose(c)
	d.answer()
	d.Links = d.ids(f)
	d.note(s, f)
	d.collectToDo()
	return d
}

// sameClock reports whether a zone has Moscow's time all year.
func sameClock(zone *time.Location) bool {
	const moscow = 3 * 60 * 60
	year := time.Now().Year()
	for _, month := range []time.Month{time.January, time.July} {
		if _, offset := time.Date(year, month, 1, 0, 0, 0, 0, zone).Zone(); offset != moscow {
			return false
		}
	}
	return true
}

// known is what the links of a file have in their bodies, of those that read all of the kinds.
func known(f *link.File, kinds []event.Kind) map[string][]string {
	values := map[string][]string{}
	for _, l := range f.Links {
		if slices.ContainsFunc(kinds, func(k event.Kind) bool { return !slices.Contains(l.Kinds, k) }) {
			continue
		}
		for path, source := range l.Sources() {
			if !slices.Contains(values[path], source) {
				values[path] = append(values[path], source)
			}
		}
	}
	return values
}

// answer puts a person's answers in place of the proposals.
func (d *Draft) answer() {
	for i := range d.Fields {
		f := &d.Fields[i]
		value, answered := d.plan.Answers[f.Path]
		switch {
		case !answered:
		case value == "":
			f.Value, f.Certainty, f.Candidates = "", spec.Absent, nil
		default:
			f.Value, f.Certainty, f.Candidates = value, spec.Sure, nil
		}
	}
}

// ids are free ids for the links.
func (d *Draft) ids(f *link.File) []string {
	base := d.plan.ID
	if base == "" {
		base = nameOf(d.plan.Kinds)
	}
	free := func(id string) bool { return f == nil || f.Link(id) == nil }
	for n := 1; ; n++ {
		numbered := base
		if n > 1 {
			numbered = fmt.Sprintf("%s-%d", base, n)
		}
		ids := d.named(numbered)
		if d.plan.ID != "" || !slices.ContainsFunc(ids, func(id string) bool { return !free(id) }) {
			return ids
		}
	}
}

func (d *Draft) named(base string) []string {
	switch {
	case d.plan.Numbers == Both:
		return []string{base + "-dynamic", base + "-static"}
	case d.plan.ID == "" && d.plan.Numbers != Any:
		return []string{base + "-" + string(d.plan.Numbers)}
	}
	return []string{base}
}

// nameOf is what the links of some kinds of event are called.
func nameOf(kinds []event.Kind) string {
	names := map[event.Kind]string{event.CallStarted: "started-calls", event.CallEnded: "calls", event.Request: "requests"}
	var all []string
	for _, k := range kinds {
		all = append(all, names[k])
	}
	slices.Sort(all)
	return strings.Join(all, "-")
}

// operations are those of the links, in their order.
func (d *Draft) operations() []string {
	if d.plan.Numbers == Both {
		return []string{d.plan.Operation, d.plan.Static}
	}
	return []string{d.plan.Operation}
}

func (d *Draft) say(line int, format string, args ...any) {
	d.Notes = append(d.Notes, spec.Note{Line: line, Text: d.plan.Language.Sprintf(format, args...)})
}

// note remarks on what the file does with the same operation, and on what it has to have besides.
func (d *Draft) note(s spec.Spec, f *link.File) {
	if f == nil {
		return
	}
	to := f.Destination(d.plan.To)
	for _, l := range f.Links {
		if slices.Contains(d.operations(), l.Operation) && (to == nil || l.To == to) && d.sharesKinds(l) && d.sharesSites(f, l) {
			d.Twice = append(d.Twice, l.ID)
			d.say(0, "link %s sends the operation %s already: an event that both take goes to Mindbox twice", l.ID, l.Operation)
		}
	}
	if d.plan.ID != "" {
		for _, id := range d.Links {
			if f.Link(id) != nil {
				d.say(0, "the file has a link %s already: choose another id", id)
			}
		}
	}
	if to != nil {
		d.compare(s, to)
	}
	if s.Secret {
		d.say(0, "keep the secret outside the file: secret: {env: MINDBOX_SECRET} at the destination, and the variable where Touchbox starts")
	}
}

// sharesSites reports whether a link of the file reads a site that the draft reads, too; one that is still to be named may be any.
func (d *Draft) sharesSites(f *link.File, l *link.Link) bool {
	return len(d.plan.Sites) == 0 || slices.ContainsFunc(d.plan.Sites, func(name string) bool {
		site := f.Site(name)
		return site != nil && slices.Contains(l.Sites, site.ID)
	})
}

func (d *Draft) sharesKinds(l *link.Link) bool {
	return slices.ContainsFunc(d.plan.Kinds, func(k event.Kind) bool { return slices.Contains(l.Kinds, k) })
}

// compare remarks on what a destination says otherwise than the specification.
func (d *Draft) compare(s spec.Spec, to *link.Destination) {
	if s.Endpoint != "" && s.Endpoint != to.Endpoint {
		d.say(0, "the specification names the endpoint %s, the destination %s has %s", s.Endpoint, to.Name, to.Endpoint)
	}
	if s.URL != "" && s.URL != to.URL {
		d.say(0, "the specification names the address %s, the destination %s has another", s.URL, to.Name)
	}
	if s.Authorization != "" && s.Authorization != to.Authorization {
		d.say(0, "the specification shows authorization: %s, the destination %s has %s", s.Authorization, to.Name, to.Authorization)
	}
	if len(s.Headers) > 0 {
		d.say(0, "the specification shows headers that Touchbox does not set by itself: %s; they belong into headers of the destination %s", strings.Join(s.Headers, ", "), to.Name)
	}
}

// collectToDo lists what a person has still to say.
func (d *Draft) collectToDo() {
	for key, value := range map[string]string{"from": strings.Join(d.plan.Sites, ","), "to": d.plan.To} {
		if value == "" {
			d.ToDo = append(d.ToDo, key)
		}
	}
	if slices.Contains(d.operations(), "") {
		d.ToDo = append(d.ToDo, "operation")
	}
	slices.Sort(d.ToDo)
	for _, f := range d.Fields {
		if f.Certainty == spec.Unsure {
			d.ToDo = append(d.ToDo, f.Path)
		}
	}
}
