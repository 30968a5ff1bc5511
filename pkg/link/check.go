package link

import (
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// Check warns of what a loaded file says without being wrong: links that would send one event
// twice to one operation, and usual sorts of events that no link of a site takes.
func (f *File) Check(l lang.Language) Problems {
	r := &reader{name: f.Path, lang: l}
	twice := map[[2]*Link]bool{}
	for i, a := range f.Links {
		for _, b := range f.Links[i+1:] {
			if overlap(a, b) && a.sameConditions(b) {
				r.twice(a, b, "", twice)
			}
		}
	}
	for _, s := range f.Sites {
		for _, one := range samples(s) {
			f.checkSample(r, s, one, twice)
		}
	}
	return r.problems.sorted()
}

func (f *File) checkSample(r *reader, s *Site, one sample, twice map[[2]*Link]bool) {
	var asked, taking []*Link
	for _, l := range f.Links {
		if !slices.Contains(l.Sites, s.ID) || !slices.Contains(l.Kinds, one.kind) {
			continue
		}
		asked = append(asked, l)
		if v, err := l.Filter(one.fields); err == nil && v.Pass {
			taking = append(taking, l)
		}
	}
	if len(asked) > 0 && len(taking) == 0 {
		r.warn(asked[0].pos, "no link of %s takes %s", s.Name, r.lang.Text(one.about)).
			hint("if that is meant, nothing is wrong")
	}
	for i, a := range taking {
		for _, b := range taking[i+1:] {
			if overlap(a, b) {
				r.twice(a, b, one.about, twice)
			}
		}
	}
}

// overlap reports whether two links could send one event to one operation.
func overlap(a, b *Link) bool {
	return a.To == b.To && a.Operation == b.Operation && !a.Shadow && !b.Shadow &&
		slices.ContainsFunc(a.Sites, func(s string) bool { return slices.Contains(b.Sites, s) }) &&
		slices.ContainsFunc(a.Kinds, func(k event.Kind) bool { return slices.Contains(b.Kinds, k) })
}

// sameConditions reports whether all conditions of one link are conditions of the other: then
// what the other passes, it passes too.
func (l *Link) sameConditions(other *Link) bool {
	a, b := l.variants[0].texts, other.variants[0].texts
	if len(a) > len(b) {
		a, b = b, a
	}
	return !slices.ContainsFunc(a, func(text string) bool { return !slices.Contains(b, text) })
}

func (r *reader) twice(a, b *Link, about string, said map[[2]*Link]bool) {
	if said[[2]*Link{a, b}] {
		return
	}
	said[[2]*Link{a, b}] = true
	if about == "" {
		r.warn(b.pos, "the links %s and %s would send one event twice to %s", a.ID, b.ID, a.Operation)
		return
	}
	r.warn(b.pos, "the links %s and %s would send one event twice to %s: %s", a.ID, b.ID, a.Operation, r.lang.Text(about))
}

// ChangeKind says what a new file does to a link.
type ChangeKind string

// All kinds of change.
const (
	LinkNew      ChangeKind = "new"      // it starts, at its since or when it is first seen
	LinkGone     ChangeKind = "gone"     // it is paused and keeps its place until it is removed
	LinkSubjects ChangeKind = "subjects" // its from or event changed: it runs as before until it is reset
	LinkSince    ChangeKind = "since"    // its since changed: the start stands until it is reset
	LinkTarget   ChangeKind = "target"   // its operation or destination changed: what was sent may be sent anew there
	LinkMode     ChangeKind = "mode"     // between live and shadow
	LinkVersion  ChangeKind = "version"  // anything else that it filters or renders by
)

// Change is what a new file does to one link.
type Change struct {
	Link   string     `json:"link"`
	Kind   ChangeKind `json:"kind"`
	Before string     `json:"before,omitempty"` // of a target or mode
	After  string     `json:"after,omitempty"`  // of a target or mode; the start of a new link
}

// Text says the change to a person.
func (c Change) Text(l lang.Language) string {
	return c.Link + ": " + c.text(l)
}

func (c Change) text(l lang.Language) string {
	switch {
	case c.Kind == LinkNew && c.After == "":
		return l.Sprintf("new: it takes what comes from the moment when it is first seen")
	case c.Kind == LinkNew:
		return l.Sprintf("new: it takes what came since %s", c.After)
	case c.Kind == LinkGone:
		return l.Sprintf("gone: it is paused and keeps its place and what waits; `touchbox links remove %s` ends it", c.Link)
	case c.Kind == LinkSubjects:
		return l.Sprintf("from or event changed: it runs as before until `touchbox links reset %s`", c.Link)
	case c.Kind == LinkSince:
		return l.Sprintf("since changed: its start stands until `touchbox links reset %s`", c.Link)
	case c.Kind == LinkTarget:
		return l.Sprintf("it sends to %s instead of %s; what may have been executed keeps the old one", c.After, c.Before)
	case c.Kind == LinkMode && c.After == Live:
		return l.Sprintf("from shadow to live: it begins to send")
	case c.Kind == LinkMode:
		return l.Sprintf("from live to shadow: it ceases to send")
	}
	return l.Sprintf("changed: from now on it filters and renders anew, what waits too")
}

// Diff says what replacing the file before by the file after does to running links, in the order
// of the files.
func Diff(before, after *File) []Change {
	var out []Change
	for _, a := range after.Links {
		if b := before.Link(a.ID); b != nil {
			out = append(out, diffLink(b, a)...)
			continue
		}
		start := ""
		if !a.Since.IsZero() {
			start = a.Since.Format("2006-01-02 15:04 -07:00")
		}
		out = append(out, Change{Link: a.ID, Kind: LinkNew, After: start})
	}
	for _, b := range before.Links {
		if after.Link(b.ID) == nil {
			out = append(out, Change{Link: b.ID, Kind: LinkGone})
		}
	}
	return out
}

func diffLink(b, a *Link) []Change {
	var out []Change
	add := func(kind ChangeKind, before, after string) {
		out = append(out, Change{a.ID, kind, before, after})
	}
	if !slices.Equal(sorted(b.Subjects()), sorted(a.Subjects())) {
		add(LinkSubjects, "", "")
	}
	if !b.Since.Equal(a.Since) {
		add(LinkSince, "", "")
	}
	if b.target() != a.target() {
		add(LinkTarget, b.target(), a.target())
	}
	if b.Shadow != a.Shadow {
		add(LinkMode, b.mode(), a.mode())
	}
	if b.Version != a.Version && len(out) == 0 {
		add(LinkVersion, "", "")
	}
	return out
}

// target is where the link sends to: endpoint and operation.
func (l *Link) target() string { return l.To.Endpoint + " " + l.Operation }

func (l *Link) mode() string {
	if l.Shadow {
		return Shadow
	}
	return Live
}
