package link

import (
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
)

func (l *loader) readLinks() {
	for _, n := range l.root.items("links") {
		link, o, ok := l.readLink(n)
		if !ok {
			continue
		}
		if link.ID != "" && l.file.Link(link.ID) != nil {
			l.mistake(o.pos("id"), "the link %s stands here a second time", link.ID)
		}
		l.file.Links = append(l.file.Links, link)
	}
}

func (l *loader) readLink(n *node) (*Link, object, bool) {
	o, ok := l.object(n, linkSection())
	if !ok {
		return nil, o, false
	}
	link := &Link{
		ID:        o.matching("id", linkPattern, "", "id of a link (small letters, digits and -, at most 32)"),
		Title:     o.text("title", ""),
		Kinds:     l.kinds(o),
		To:        l.destination(o),
		Operation: o.matching("operation", operationPattern, "", "name of an operation"),
		Delay:     o.duration("delay", 0, 0),
		Expire:    o.duration("expire", 0, 0),
		Shadow:    o.choice("mode", Live, Shadow) == Shadow,
	}
	link.sites = l.sitesOf(o)
	for _, s := range link.sites {
		link.Sites = append(link.Sites, s.ID)
	}
	link.Since = l.since(o, link.sites)
	link.pos = n.pos
	l.compileLink(link, o)
	if link.ID != "" && link.To != nil {
		l.seal(link, o)
	}
	return link, o, true
}

func (l *loader) kinds(o object) []event.Kind {
	var kinds []event.Kind
	for _, n := range o.nodes("event") {
		s, ok := l.scalarText(n)
		if !ok {
			continue
		}
		k, err := event.ParseKind(s)
		if err != nil || s != k.Dotted() {
			l.mistake(n.pos, "%s is no kind of event: %s", s, strings.Join(kindNames(), ", ")).suggest(s, kindNames())
			continue
		}
		if slices.Contains(kinds, k) {
			l.mistake(n.pos, "%s stands here a second time", s)
			continue
		}
		kinds = append(kinds, k)
	}
	return kinds
}

func dotted(kinds []event.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.Dotted()
	}
	return strings.Join(names, ", ")
}

func (l *loader) sitesOf(o object) []*Site {
	var sites []*Site
	for _, n := range o.nodes("from") {
		name, ok := l.scalarText(n)
		if !ok {
			continue
		}
		i := slices.IndexFunc(l.file.Sites, func(s *Site) bool { return s.Name == name })
		if i < 0 {
			l.mistake(n.pos, "no site has the name %s", name).suggest(name, l.siteNames())
			continue
		}
		if slices.Contains(sites, l.file.Sites[i]) {
			l.mistake(n.pos, "%s stands here a second time", name)
			continue
		}
		sites = append(sites, l.file.Sites[i])
	}
	return sites
}

func (l *loader) siteNames() []string {
	var names []string
	for _, s := range l.file.Sites {
		names = append(names, s.Name)
	}
	return names
}

func (l *loader) destination(o object) *Destination {
	n := o.node.get("to")
	name, ok := l.scalarText(n)
	if !ok {
		return nil
	}
	if d := l.file.Destination(name); d != nil {
		return d
	}
	var names []string
	for _, d := range l.file.Destinations {
		names = append(names, d.Name)
	}
	l.mistake(n.pos, "no destination has the name %s", name).suggest(name, names)
	return nil
}

// since reads a day, in the zone of the first site, or a moment.
func (l *loader) since(o object, sites []*Site) time.Time {
	n := o.node.get("since")
	s, ok := l.scalarText(n)
	if !ok {
		return time.Time{}
	}
	zone := time.UTC
	if len(sites) > 0 {
		zone = sites[0].Location
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		l.mistake(n.pos, "%s is no day and no moment", s).code(`"2026-11-01", "2026-11-01T10:00:00+03:00"`)
	}
	return t
}
