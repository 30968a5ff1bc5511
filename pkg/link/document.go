package link

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Document is the version of a link as a file of its own, in JSON: the link, the conditions and
// tables that it uses, and of its sites and its destination what changes what is rendered. Parse
// reads it back, with Lenient set, into a link that filters and renders as this one does. It
// holds no secret.
func (l *Link) Document() []byte { return l.document }

// seal writes the document and takes the version from it.
func (l *loader) seal(link *Link, o object) {
	used := l.used(o.node)
	t := l.templates[link.To.Name]
	for _, n := range slices.Concat(t.headers, t.query) {
		l.collect(n.value, used)
	}
	b := append([]byte(nil), `{"calltouch":[`...)
	for i, s := range link.sites {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.append(b)
	}
	b = append(b, `],"mindbox":[`...)
	b = l.appendDestination(b, link.To)
	b = append(b, `],"conditions":{`...)
	b = appendNamed(b, slices.DeleteFunc(l.conditionNames(), func(n string) bool { return !used[n] }),
		func(b []byte, name string) []byte { return l.conditions[name].node.append(b) })
	b = append(b, `},"tables":{`...)
	b = appendNamed(b, slices.DeleteFunc(l.tableNames(), func(n string) bool { return !used[n] }),
		func(b []byte, name string) []byte { return l.tables[name].node.append(b) })
	b = append(b, `},"links":[`...)
	b = o.node.append(b)
	link.document = append(b, `]}`...)
	sum := sha256.Sum256(link.document)
	link.Version = hex.EncodeToString(sum[:8])
}

func (l *loader) tableNames() []string {
	var names []string
	for name := range l.tables {
		names = append(names, name)
	}
	return sorted(names)
}

func appendNamed(b []byte, names []string, value func([]byte, string) []byte) []byte {
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = value(append(appendString(b, name), ':'), name)
	}
	return b
}

// append writes a node as JSON.
func (n *node) append(b []byte) []byte {
	switch n.kind {
	case mapping:
		b = append(b, '{')
		for i, e := range n.entries {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.value.append(append(appendString(b, e.key), ':'))
		}
		return append(b, '}')
	case sequence:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.append(b)
		}
		return append(b, ']')
	}
	if n.literal() {
		return append(b, n.text...)
	}
	return appendString(b, n.text)
}

func (s *Site) append(b []byte) []byte {
	b = appendString(append(b, `{"site":`...), s.ID)
	b = appendString(append(b, `,"name":`...), s.Name)
	b = appendString(append(b, `,"timezone":`...), s.Location.String())
	b, _ = appendValue(append(b, `,"attrs":`...), s.Attrs)
	b = appendString(append(b, `,"device":`...), s.Device)
	if s.TenDigits != "" {
		b = appendString(append(b, `,"tenDigits":`...), s.TenDigits)
	}
	return append(b, '}')
}

func (l *loader) appendDestination(b []byte, d *Destination) []byte {
	b = appendString(append(b, `{"name":`...), d.Name)
	b = appendString(append(b, `,"url":`...), d.URL)
	b = appendString(append(b, `,"endpoint":`...), d.Endpoint)
	b = appendString(append(b, `,"timeFormat":`...), d.TimeFormat)
	t := l.templates[d.Name]
	b = appendTemplates(append(b, `,"headers":{`...), t.headers)
	b = appendTemplates(append(b, `},"query":{`...), t.query)
	return append(b, `}}`...)
}

func appendTemplates(b []byte, list []named) []byte {
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = n.value.append(append(appendString(b, n.name), ':'))
	}
	return b
}

// used finds the conditions and tables whose names stand in a link's expressions, directly or in
// a condition.
func (l *loader) used(n *node) map[string]bool {
	used := map[string]bool{}
	l.collect(n, used)
	return used
}

func (l *loader) collect(n *node, used map[string]bool) {
	for _, e := range n.entries {
		l.collect(e.value, used)
	}
	for _, item := range n.items {
		l.collect(item, used)
	}
	if n.kind != scalar {
		return
	}
	for _, name := range append(l.conditionNames(), l.tableNames()...) {
		if used[name] || !strings.Contains(n.text, name) {
			continue
		}
		used[name] = true
		if c := l.conditions[name]; c != nil {
			l.collect(c.node, used)
		}
	}
}
