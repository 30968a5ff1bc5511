package link

import (
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

func (l *loader) readLinks() {
	for _, n := range few(l, l.root.items("links"), "links") {
		link, o, ok := l.readLink(n)
		if !ok {
			continue
		}
		if link.ID != "" && l.file.Link(link.ID) != nil {
			l.Mistake(o.pos("id"), "the link %s stands here a second time", link.ID)
		}
		l.file.Links = append(l.file.Links, link)
	}
}

func (l *loader) readLink(n *strictyaml.Node) (*Link, object, bool) {
	o, ok := l.object(n, &keys.Link)
	if !ok {
		return nil, o, false
	}
	link := &Link{
		ID:        o.word("id"),
		Title:     o.text("title"),
		Kinds:     l.kinds(o),
		To:        l.destination(o),
		Operation: o.word("operation"),
		Delay:     o.duration("delay"),
		Expire:    o.duration("expire"),
		Shadow:    o.choice("mode") == keys.Shadow,
	}
	link.sites = l.sitesOf(o)
	for _, s := range link.sites {
		link.Sites = append(link.Sites, s.ID)
	}
	link.Since = l.since(o, link.sites)
	link.pos = n.Pos
	l.compileLink(link, o)
	if link.ID != "" && link.To != nil {
		l.seal(link, o)
	}
	return link, o, true
}

func (l *loader) kinds(o object) []event.Kind {
	var kinds []event.Kind
	for _, n := range o.nodes("event") {
		s, ok := l.ScalarText(n)
		if !ok {
			continue
		}
		k, err := event.ParseKind(s)
		if err != nil || s != k.Dotted() {
			l.Mistake(n.Pos, "%s is no kind of event: %s", s, strings.Join(keys.EventKinds(), ", ")).Suggest(s, keys.EventKinds())
			continue
		}
		if slices.Contains(kinds, k) {
			l.Mistake(n.Pos, "%s stands here a second time", s)
			continue
		}
		kinds = append(kinds, k)
	}
	return kinds
}

func (l *loader) sitesOf(o object) []*Site {
	var sites []*Site
	for _, n := range o.nodes("from") {
		name, ok := l.ScalarText(n)
		if !ok {
			continue
		}
		i := slices.IndexFunc(l.file.Sites, func(s *Site) bool { return s.Name == name })
		if i < 0 {
			l.Mistake(n.Pos, "no site has the name %s", name).Suggest(name, l.siteNames())
			continue
		}
		if slices.Contains(sites, l.file.Sites[i]) {
			l.Mistake(n.Pos, "%s stands here a second time", name)
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
	n := o.node.Get("to")
	name, ok := l.ScalarText(n)
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
	l.Mistake(n.Pos, "no destination has the name %s", name).Suggest(name, names)
	return nil
}

// since reads a day, in the zone of the first site, or a moment.
func (l *loader) since(o object, sites []*Site) time.Time {
	n := o.node.Get("since")
	s, ok := l.ScalarText(n)
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
		l.Mistake(n.Pos, "%s is no day and no moment", s).Code(`"2026-11-01", "2026-11-01T10:00:00+03:00"`)
	}
	return t
}
