package link

import (
	"slices"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/keys"
)

// ChangeKind says what a new file does to a link.
type ChangeKind string

// All kinds of change.
const (
	LinkNew      ChangeKind = "new"      // it starts, at its since or when it is first seen
	LinkRenamed  ChangeKind = "renamed"  // it is new, and does what one that is gone did: rather that one under another id
	LinkGone     ChangeKind = "gone"     // it is paused and keeps its place until it is removed
	LinkReturns  ChangeKind = "returns"  // it was gone, and goes on where it stood
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
	Before string     `json:"before,omitempty"` // of a target or mode; the id that a renamed link had
	After  string     `json:"after,omitempty"`  // of a target or mode; the start of a new link; how much one that returns has to send
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
	case c.Kind == LinkRenamed:
		return l.Sprintf("it does what %s did, which is gone: where it is that one renamed, keep the id %s and change the title; under a new id Mindbox executes again what comes again, and what waits stays behind", c.Before, c.Before)
	case c.Kind == LinkReturns:
		return l.Sprintf("it returns: it goes on where it stood, with what came meanwhile and what waits; events: %s", c.After)
	case c.Kind == LinkGone:
		return l.Sprintf("gone: it is paused and keeps its place and what waits; `touchbox links remove %s` ends it", c.Link)
	case c.Kind == LinkSubjects:
		return l.Sprintf("from or event changed: it runs as before until `touchbox links reset %s`", c.Link)
	case c.Kind == LinkSince:
		return l.Sprintf("since changed: its start stands until `touchbox links reset %s`", c.Link)
	case c.Kind == LinkTarget:
		return l.Sprintf("it sends to %s instead of %s; what may have been executed keeps the old one", c.After, c.Before)
	case c.Kind == LinkMode && c.After == keys.Live:
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
		if was := Renamed(before, after, a); was != "" {
			out = append(out, Change{Link: a.ID, Kind: LinkRenamed, Before: was})
		}
	}
	for _, b := range before.Links {
		if after.Link(b.ID) == nil {
			out = append(out, Change{Link: b.ID, Kind: LinkGone})
		}
	}
	return out
}

// Renamed is the id of the link of the file before that is gone from the file after and did what the new link a
// does, by its sites, events, target and conditions; "" where there is none.
func Renamed(before, after *File, a *Link) string {
	for _, b := range before.Links {
		if after.Link(b.ID) == nil && sameSubjects(a, b) && a.target() == b.target() &&
			len(a.variants[0].when) == len(b.variants[0].when) && a.sameConditions(b) {
			return b.ID
		}
	}
	return ""
}

func sameSubjects(a, b *Link) bool {
	return slices.Equal(slices.Sorted(slices.Values(a.Subjects())), slices.Sorted(slices.Values(b.Subjects())))
}

func diffLink(b, a *Link) []Change {
	var out []Change
	add := func(kind ChangeKind, before, after string) {
		out = append(out, Change{a.ID, kind, before, after})
	}
	if !sameSubjects(a, b) {
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
		return keys.Shadow
	}
	return keys.Live
}
