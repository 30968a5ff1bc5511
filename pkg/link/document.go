package link

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Document is the version of a link as a file of its own, in JSON: the link, the conditions and
// tables that it uses, and of its sites and its destination what changes what is rendered. Parse
// reads it back, with Lenient set, into a link that filters and renders as this one does. It
// holds no secret: of a header or parameter that is a secret it names the source alone, and in place
// of a plain text, which may be one, stands ***.
func (l *Link) Document() []byte { return l.document }

// DocumentText writes a document as YAML, as a person reads it.
func DocumentText(document []byte) (string, error) { return strictyaml.FromJSON(document) }

// Source is the link in the file's own words, with its comments, behind the conditions and tables that it uses. No secret
// stands in it. It is empty where one of them is written in the brackets of a line with others.
func (l *Link) Source() []Excerpt { return l.source }

// excerpts finds the lines of a link and of what it uses, in the order of the file.
func (l *loader) excerpts(o object, used map[string]bool) []Excerpt {
	own, ok := l.ExcerptOfItem(o.node.Pos)
	found := []Excerpt{own}
	for _, section := range []map[string]*strictyaml.Node{l.conditions, l.tables} {
		for _, name := range namesOf(section, used) {
			one, has := l.ExcerptOfKey(name, section[name].Pos)
			ok = ok && has
			found = append(found, one)
		}
	}
	if !ok {
		return nil
	}
	slices.SortFunc(found, func(x, y Excerpt) int { return cmp.Compare(x.Line, y.Line) })
	return found
}

// seal writes the document and takes the version from it.
func (l *loader) seal(link *Link, o object) {
	used := l.used(o.node)
	t := l.templates[link.To.Name]
	for _, n := range slices.Concat(t.headers, t.query) {
		l.collect(n.value, used)
	}
	whole := l.write(link, o, used, func(n named) *strictyaml.Node { return n.value })
	sum := sha256.Sum256(whole)
	link.Version = hex.EncodeToString(sum[:8])
	link.document = l.write(link, o, used, stored)
	link.source = l.excerpts(o, used)
}

// concealedValue stands in a stored document for a plain text of a header or parameter.
var concealedValue = &strictyaml.Node{Kind: strictyaml.Scalar, Style: strictyaml.Quoted, Text: show.Hidden}

// stored is the value of a header or parameter as the document holds it.
func stored(n named) *strictyaml.Node {
	if n.secret.Set() || strings.Contains(strings.ReplaceAll(n.value.Text, "$${", ""), "${") {
		return n.value
	}
	return concealedValue
}

// write writes the document, with the headers and parameters as value gives them.
func (l *loader) write(link *Link, o object, used map[string]bool, value func(named) *strictyaml.Node) []byte {
	b := append([]byte(nil), `{"calltouch":[`...)
	for i, s := range link.sites {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.append(b)
	}
	b = append(b, `],"mindbox":[`...)
	b = l.appendDestination(b, link.To, value)
	b = append(b, `],"conditions":{`...)
	b = appendNamed(b, namesOf(l.conditions, used),
		func(b []byte, name string) []byte { return appendNode(b, l.conditions[name]) })
	b = append(b, `},"tables":{`...)
	b = appendNamed(b, namesOf(l.tables, used),
		func(b []byte, name string) []byte { return appendNode(b, l.tables[name]) })
	b = append(b, `},"links":[`...)
	b = appendNode(b, o.node)
	return append(b, `]}`...)
}

// namesOf are the names that are used, in order.
func namesOf(all map[string]*strictyaml.Node, used map[string]bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return !used[name] })
}

func appendNamed(b []byte, names []string, value func([]byte, string) []byte) []byte {
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = value(append(expression.AppendString(b, name), ':'), name)
	}
	return b
}

// appendNode writes a node as JSON.
func appendNode(b []byte, n *strictyaml.Node) []byte {
	switch n.Kind {
	case strictyaml.Mapping:
		b = append(b, '{')
		for i, e := range n.Entries {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendNode(append(expression.AppendString(b, e.Key), ':'), e.Value)
		}
		return append(b, '}')
	case strictyaml.Sequence:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendNode(b, item)
		}
		return append(b, ']')
	}
	if n.Literal() {
		return append(b, n.Text...)
	}
	return expression.AppendString(b, n.Text)
}

func (s *Site) append(b []byte) []byte {
	b = expression.AppendString(append(b, `{"site":`...), s.ID)
	b = expression.AppendString(append(b, `,"name":`...), s.Name)
	b = expression.AppendString(append(b, `,"timezone":`...), s.Location.String())
	b, _ = expression.AppendJSON(append(b, `,"attrs":`...), s.Attrs)
	b = expression.AppendString(append(b, `,"device":`...), s.Device)
	if s.TenDigits != "" {
		b = expression.AppendString(append(b, `,"tenDigits":`...), s.TenDigits)
	}
	return append(b, '}')
}

func (l *loader) appendDestination(b []byte, d *Destination, value func(named) *strictyaml.Node) []byte {
	b = expression.AppendString(append(b, `{"name":`...), d.Name)
	b = expression.AppendString(append(b, `,"url":`...), d.URL)
	b = expression.AppendString(append(b, `,"endpoint":`...), d.Endpoint)
	b = expression.AppendString(append(b, `,"timeFormat":`...), d.TimeFormat)
	t := l.templates[d.Name]
	b = appendTemplates(append(b, `,"headers":{`...), t.headers, value)
	b = appendTemplates(append(b, `},"query":{`...), t.query, value)
	return append(b, `}}`...)
}

func appendTemplates(b []byte, list []named, value func(named) *strictyaml.Node) []byte {
	for i, n := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNode(append(expression.AppendString(b, n.name), ':'), value(n))
	}
	return b
}

// used finds the conditions and tables whose names stand in a link's expressions, directly or in
// a condition.
func (l *loader) used(n *strictyaml.Node) map[string]bool {
	used := map[string]bool{}
	l.collect(n, used)
	return used
}

func (l *loader) collect(n *strictyaml.Node, used map[string]bool) {
	for _, e := range n.Entries {
		l.collect(e.Value, used)
	}
	for _, item := range n.Items {
		l.collect(item, used)
	}
	if n.Kind != strictyaml.Scalar {
		return
	}
	isName := func(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsNumber(c) }
	for name := range strings.FieldsFuncSeq(n.Text, func(c rune) bool { return !isName(c) }) {
		c := l.conditions[name]
		if used[name] || c == nil && l.tables[name] == nil {
			continue
		}
		used[name] = true
		if c != nil {
			l.collect(c, used)
		}
	}
}
