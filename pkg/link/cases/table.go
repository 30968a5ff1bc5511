package cases

import (
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// column is what the cells below its head say: a value of a field, an outcome of a link, or a field of a link's body.
type column struct {
	head string
	link *link.Link // nil for a field of the event
	path string     // of the body; "" for the outcome
}

// tableReader reads one table.
type tableReader struct {
	*reader
	node    *strictyaml.Node
	columns []column
	site    *link.Site
}

// cell is a text between two bars, with where it begins in the table.
type cell struct {
	text string
	at   int
}

// table reads the cases of a table: each line is the event with other values, and what links make of it.
func (r *reader) table(n *strictyaml.Node, base Case, e given, c common) []*Case {
	if n.Kind != strictyaml.Scalar || n.Style != strictyaml.Block {
		r.NotA(n, "a table under |")
		return nil
	}
	t := &tableReader{reader: r, node: n, site: c.site}
	var out []*Case
	at := 0
	for line := range strings.Lines(n.Text) {
		begin := at
		at += len(line)
		cells := cells(line, begin)
		switch {
		case len(cells) == 0 || t.columns != nil && ruled(cells):
		case t.columns == nil:
			if !t.head(cells, e) {
				return nil
			}
		default:
			if one := t.row(cells, base, e, c); one != nil {
				out = append(out, one)
			}
		}
	}
	if len(out) == 0 {
		r.Mistake(n.Pos, "the table has no line below its head")
	}
	return out
}

// cells takes a line apart at its bars; where one begins and one ends it, these are its frame. An empty line, and a comment, have none.
func cells(line string, at int) []cell {
	text := strings.TrimRight(line, " \t\r\n")
	if trimmed := strings.TrimLeft(text, " \t"); trimmed == "" || trimmed[0] == '#' {
		return nil
	}
	var out []cell
	for part := range strings.SplitSeq(text, "|") {
		blanks := len(part) - len(strings.TrimLeft(part, " \t"))
		out = append(out, cell{strings.TrimSpace(part), at + blanks})
		at += len(part) + 1
	}
	if framed := strings.HasPrefix(strings.TrimLeft(text, " \t"), "|"); framed && len(out) > 2 && strings.HasSuffix(text, "|") {
		return out[1 : len(out)-1]
	}
	return out
}

// ruled reports whether a line only parts the head from what is below.
func ruled(cells []cell) bool {
	return !slices.ContainsFunc(cells, func(c cell) bool { return strings.Trim(c.text, "-:") != "" || c.text == "" })
}

func (t *tableReader) pos(c cell) strictyaml.Pos { return t.At(t.node, c.at) }

// head reads the first line.
func (t *tableReader) head(cells []cell, e given) bool {
	before := t.Reported()
	judged := false
	for _, c := range cells {
		id, path, dotted := strings.Cut(c.text, ".")
		if l := t.links.Link(id); l != nil && (id != "attrs" || !dotted) {
			t.columns, judged = append(t.columns, column{c.text, l, path}), true
			continue
		}
		if t.checkHead(c, e) {
			t.columns = append(t.columns, column{head: c.text})
		}
	}
	if t.FailedSince(before) {
		return false
	}
	if !judged {
		t.Mistake(t.pos(cells[0]), "no column of the table is a link: it would show nothing").Hint("the head of a column is the id of a link: %s", strings.Join(t.linkIDs(), ", "))
	}
	return judged
}

// checkHead refuses the head of a column that is neither a field nor a link.
func (t *tableReader) checkHead(c cell, e given) bool {
	_, isField := calltouch.Lookup(c.text)
	switch {
	case isField && e.whole != nil:
		t.Mistake(t.pos(c), "a table gives values to the fields of an event that is written by names and values").
			Hint("event: {callerphone: \"79000000001\", duration: 42}")
		return false
	case isField:
		return true
	case strings.HasPrefix(c.text, attributes):
		return t.checkName(c.text, t.pos(c), t.site)
	}
	t.Mistake(t.pos(c), "%s is neither a field of an event nor the id of a link", c.text).Suggest(c.text, append(t.linkIDs(), fieldNames()...))
	return false
}

// row is the case of a line.
func (t *tableReader) row(cells []cell, base Case, e given, c common) *Case {
	if len(cells) != len(t.columns) {
		t.Mistake(t.pos(cells[0]), "the line has %d cells, the head has %d", len(cells), len(t.columns)).Hint("an empty cell stands for nothing")
		return nil
	}
	one := base
	one.Line, one.Expect = t.pos(cells[0]).Line, nil
	values, said := map[string]any{}, []string{}
	for i, cell := range cells {
		column := t.columns[i]
		if column.link != nil {
			t.expect(&one, base.Expect, column, cell)
			continue
		}
		if f, _ := calltouch.Lookup(column.head); t.checkText(f, unquoted(cell.text), t.pos(cell)) {
			values[column.head] = unquoted(cell.text)
			if cell.text != "" {
				said = append(said, column.head+" = "+cell.text)
			}
		}
	}
	for _, x := range base.Expect { // of links that the table does not name
		if !slices.ContainsFunc(one.Expect, func(y *Expectation) bool { return y.Link == x.Link }) {
			one.Expect = append(one.Expect, x)
		}
	}
	one.Name += ": " + strings.Join(said, ", ")
	t.finish(&one, e.with(values), c)
	return &one
}

// expect adds what a cell says of a link; an empty one says nothing of the outcome, and of a field of the body that it is not there.
func (t *tableReader) expect(one *Case, base []*Expectation, c column, cell cell) {
	i := slices.IndexFunc(one.Expect, func(x *Expectation) bool { return x.Link == c.link })
	if i < 0 {
		i = len(one.Expect)
		one.Expect = append(one.Expect, &Expectation{Link: c.link, Line: one.Line})
		if j := slices.IndexFunc(base, func(x *Expectation) bool { return x.Link == c.link }); j >= 0 {
			copied := *base[j]
			copied.Line = one.Line
			one.Expect[i] = &copied
		}
	}
	x := one.Expect[i]
	w := written{text: cell.text, span: t.span(cell)}
	switch {
	case c.path == "" && cell.text != "":
		x.outcome = t.knownOutcome(&w, t.pos(cell))
	case c.path == "":
	case cell.text == "":
		x.without = append(slices.Clone(x.without), written{text: c.path})
	default:
		x.fields = x.fields.with(c.path, written{text: cellJSON(cell.text), span: w.span, loose: cell.text == unquoted(cell.text)})
	}
}

// with are the values and one more.
func (v *values) with(path string, w written) *values {
	out := &values{at: map[string]written{}}
	if v != nil {
		for _, p := range v.paths {
			out.paths = append(out.paths, p)
			out.at[p] = v.at[p]
		}
	}
	if _, ok := out.at[path]; !ok {
		out.paths = append(out.paths, path)
	}
	out.at[path] = w
	return out
}

func (t *tableReader) span(c cell) span {
	from := t.source.offset(t.pos(c))
	if from < 0 || !strings.HasPrefix(t.source.text[from:], c.text) {
		return span{}
	}
	return span{from, from + len(c.text)}
}

// cellJSON is a cell as a value of a body: a number or boolean where it looks like one and stands in no quotes.
func cellJSON(text string) string {
	if plain := unquoted(text); plain != text {
		return textJSON(plain)
	}
	return jsonOf(&strictyaml.Node{Kind: strictyaml.Scalar, Text: text})
}

// unquoted is a cell without quotes around it.
func unquoted(text string) string {
	if len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' {
		return text[1 : len(text)-1]
	}
	return text
}
