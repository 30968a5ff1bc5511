package link

import (
	"slices"
	"strconv"

	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// inText reports the problems of a text of the file, each at its place in the file.
type inText struct {
	reader *strictyaml.Reader
	node   *strictyaml.Node
}

// Mistake implements expression.Reporter.
func (t inText) Mistake(at int, format string, args ...any) expression.Note {
	return t.reader.Mistake(t.reader.At(t.node, at), format, args...)
}

// Warn implements expression.Reporter.
func (t inText) Warn(at int, format string, args ...any) expression.Note {
	return t.reader.Warn(t.reader.At(t.node, at), format, args...)
}

// Text implements expression.Reporter.
func (t inText) Text(english string) string { return t.reader.Language.Text(english) }

// Line implements expression.Reporter.
func (t inText) Line(at int) int { return t.reader.At(t.node, at).Line }

// atName reports the problems of a name, which is a key of the file.
type atName struct {
	inText
	pos strictyaml.Pos
}

// Mistake implements expression.Reporter.
func (n atName) Mistake(_ int, format string, args ...any) expression.Note {
	return n.reader.Mistake(n.pos, format, args...)
}

func (l *loader) inText(n *strictyaml.Node) inText { return inText{l.Reader, n} }

func (l *loader) atName(e strictyaml.Entry) atName { return atName{l.inText(e.Value), e.Pos} }

func (l *loader) readTables() {
	for _, e := range few(l, l.root.entries("tables"), "tables") {
		if !l.names.Free(e.Key, l.atName(e)) {
			continue
		}
		if e.Value.Kind != strictyaml.Mapping {
			l.NotA(e.Value, "a mapping (key: value)")
			continue
		}
		rows := map[string]any{}
		for _, row := range e.Value.Entries {
			if row.Value.Kind != strictyaml.Scalar {
				l.NotA(row.Value, "a text")
				continue
			}
			rows[row.Key] = scalarValue(row.Value)
		}
		l.names.AddTable(e.Key, rows, func(row string) int { return e.Value.Get(row).Pos.Line })
		l.tables[e.Key] = e.Value
	}
}

// scalarValue is a scalar with the type that its spelling has.
func scalarValue(n *strictyaml.Node) any {
	if !n.Literal() {
		return n.Text
	}
	if n.Text == "true" || n.Text == "false" {
		return n.Text == "true"
	}
	if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
		return i
	}
	f, _ := strconv.ParseFloat(n.Text, 64)
	return f
}

func (l *loader) readConditions() {
	for _, e := range few(l, l.root.entries("conditions"), "conditions") {
		if !l.names.Free(e.Key, l.atName(e)) {
			continue
		}
		if text, ok := l.ScalarText(e.Value); ok {
			l.names.AddCondition(e.Key, text, l.inText(e.Value), l.atName(e))
		} else {
			l.names.AddBroken(e.Key)
		}
		l.conditions[e.Key] = e.Value
	}
	l.names.Scope(l.allEvents()).CheckConditions()
}

// allEvents are those of all sites: for what belongs to no link.
func (l *loader) allEvents() expression.Events {
	all := expression.Events{Device: defaultDevice}
	for _, site := range l.file.Sites {
		all.Attrs = append(all.Attrs, site.Attrs...)
	}
	return all
}

// eventsOf are those that a link reads from its sites, read as one of them reads them.
func (l *loader) eventsOf(link *Link, as *Site) expression.Events {
	events := l.allEvents()
	if len(link.sites) > 0 {
		events.Attrs, events.Kinds, events.Device = nil, link.Kinds, link.sites[0].Device
		events.Unpolled = !slices.ContainsFunc(link.sites, func(s *Site) bool { return s.Token.Set() })
		for _, site := range link.sites {
			events.Attrs = append(events.Attrs, site.Attrs...)
		}
	}
	events.Location, events.TenDigits = as.Location, as.TenDigits
	return events
}
