package spec

import (
	"regexp"
	"slices"
	"strings"
)

// path is a field's name: dotted, or one word.
var path = regexp.MustCompile(`^[A-Za-z_][\w-]*(?:\.[\pL\w-]+|\[\d+\])*$`)

// row is one line of a table.
type row struct {
	line  int
	cells []string
}

// readTable reads a table whose columns a tab, | or ; separates. The column with most names of fields is that of the fields; what stands in
// the others is said of them.
func (r *reader) readTable(text string) []Field {
	for _, separator := range []string{"\t", "|", ";"} {
		rows := tableRows(text, separator)
		names := nameColumn(rows)
		if names < 0 {
			continue
		}
		aside := asideColumns(rows, names)
		var fields []Field
		for _, row := range rows {
			at := min(names, len(row.cells)-1)
			if !isPath(row.cells[at]) || isHeading(row.cells[at]) {
				continue
			}
			f := Field{Path: plainPath(row.cells[at]), Line: row.line}
			for i, cell := range row.cells {
				if i != at && cell != "" && !aside[i] {
					f.cell(cell)
				}
			}
			fields = append(fields, f)
		}
		r.spec.Shape = Table
		return fields
	}
	return nil
}

// cell takes what a table says of a field: what it means, or an example of it.
func (f *Field) cell(text string) {
	if strings.Contains(text, "${") {
		f.Written = text
		return
	}
	f.Said = append(f.Said, said(strings.Trim(text, "<>{}[] ")))
}

// tableRows are the lines with a separator in them, and those of a name alone, of which nothing is said.
func tableRows(text, separator string) []row {
	var rows []row
	for i, line := range strings.Split(text, "\n") {
		if name := strings.TrimSpace(line); !strings.Contains(line, separator) {
			if isPath(name) && isRoot(firstSegment(name)) {
				rows = append(rows, row{i + 1, []string{name}})
			}
			continue
		}
		if separator == "|" {
			line = strings.Trim(strings.TrimSpace(line), "|")
		}
		var cells []string
		for cell := range strings.SplitSeq(line, separator) {
			cells = append(cells, strings.Trim(cell, " \"'`*“”«»"))
		}
		rows = append(rows, row{i + 1, cells})
	}
	return rows
}

// asideColumns are the columns that say nothing of what a field means: those headed as examples, which may be about a person, and those
// that say whether it has to be there. Their heads stand above the first field, perhaps below another table.
func asideColumns(rows []row, names int) map[int]bool {
	aside := map[int]bool{}
	for _, row := range rows {
		if at := min(names, len(row.cells)-1); isPath(row.cells[at]) && isRoot(firstSegment(row.cells[at])) {
			break
		}
		for i, cell := range row.cells {
			aside[i] = aside[i] || headsAside.MatchString(cell)
		}
	}
	return aside
}

var headsAside = regexp.MustCompile(`(?i)^(?:example|sample|пример|обязател|required|mandatory)`)

// tabledOperations reads operations that stand in a table of their own: below a head that speaks of them, in cells that are nothing but a name.
func (r *reader) tabledOperations(text string) {
	for _, separator := range []string{"\t", "|", ";"} {
		below := false
		for _, row := range tableRows(text, separator) {
			below = below && !slices.ContainsFunc(row.cells, func(cell string) bool { return isRoot(firstSegment(cell)) }) ||
				slices.ContainsFunc(row.cells, func(cell string) bool { return ofOperations.MatchString(cell) && !isPath(cell) })
			for _, cell := range row.cells {
				if below && isPath(cell) && looksNamed(cell) {
					r.addOperation(cell)
				}
			}
		}
	}
}

// nameColumn is the column that holds names of fields; -1 where none does.
func nameColumn(rows []row) int {
	count := map[int]int{}
	for _, row := range rows {
		for i, cell := range row.cells {
			if len(row.cells) > 1 && isPath(cell) && !isHeading(cell) {
				count[i]++
				if isRoot(firstSegment(cell)) {
					count[i]++
				}
			}
		}
	}
	best, most := -1, 1
	for i, n := range count {
		if n > most || n == most && best > i {
			best, most = i, n
		}
	}
	if best >= 0 && !slices.ContainsFunc(rows, func(row row) bool { return best < len(row.cells) && strings.Contains(row.cells[best], ".") }) && most < len(rows) {
		return -1
	}
	return best
}

func isPath(s string) bool { return path.MatchString(s) }

// plainPath writes items of lists as links do: subscriptions[0].topic is subscriptions.0.topic.
func plainPath(s string) string {
	return strings.NewReplacer("[", ".", "]", "").Replace(s)
}

func firstSegment(path string) string {
	first, _, _ := strings.Cut(path, ".")
	first, _, _ = strings.Cut(first, "[")
	return first
}

// isHeading is true of the words that head a column.
func isHeading(cell string) bool {
	return slices.Contains([]string{"field", "fields", "name", "parameter", "param", "key", "path", "value", "type", "meaning", "description", "example"}, strings.ToLower(cell))
}

// named is a line that begins with the name of a field, after what numbers or marks it in a list; then what is said of it.
var named = regexp.MustCompile("^\\s*(?:[-–—*•·]+\\s*|\\d+[.)]\\s*)?[`\"'“«]?([A-Za-z_][\\w-]*(?:\\.[\\pL\\w-]+|\\[\\d+\\])*)[`\"'”»*]{0,2}\\s*(?:[,;]?\\s*$|(?:[-–—:=(,;]+|//|#|->|→)\\s*(.+?)\\s*\\)?\\s*$)")

// readNames reads a list of names, one a line. Where other lines stand between them, only names that Mindbox has
// begin a field.
func (r *reader) readNames(text string) []Field {
	var all, known []Field
	lines := 0
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		lines++
		for _, f := range namesIn(line, i+1) {
			if slices.Contains(r.spec.Operations, f.Path) || ofRequest.MatchString(f.Path) {
				continue
			}
			all = append(all, f)
			if isRoot(firstSegment(f.Path)) {
				known = append(known, f)
			}
		}
	}
	fields := known
	if 10*len(all) >= 7*lines && slices.ContainsFunc(all, func(f Field) bool { return strings.Contains(f.Path, ".") }) {
		fields = all
	}
	if len(fields) > 0 {
		r.spec.Shape = Names
	}
	return fields
}

// ofRequest are the words that name what is around the body: Operation: CallTouch.
var ofRequest = regexp.MustCompile(`(?i)^(?:operations?|endpoint(?:Id)?|authorization|secretKey)$`)

// markdownLink is [customer.email](https://...).
var markdownLink = regexp.MustCompile(`\[([^\[\]]+)\]\([^()]*\)`)

// namesIn are the fields of a line: one with what is said of it, or several with commas between them.
func namesIn(line string, at int) []Field {
	if parts := strings.Split(strings.Trim(line, " ,;"), ","); len(parts) > 1 && !slices.ContainsFunc(parts, func(p string) bool { return !isPath(strings.TrimSpace(p)) }) {
		var fields []Field
		for _, p := range parts {
			fields = append(fields, Field{Path: plainPath(strings.TrimSpace(p)), Line: at})
		}
		return fields
	}
	m := named.FindStringSubmatch(markdownLink.ReplaceAllString(strings.TrimLeft(line, "> "), "$1"))
	if m == nil || strings.HasPrefix(m[2], "/") { // https://...
		return nil
	}
	f := Field{Path: plainPath(m[1]), Line: at}
	if about := m[2]; about != "" {
		if strings.Count(about, "(") > strings.Count(about, ")") {
			about += ")" // the end of the line was taken for that of a bracket around it all
		}
		f.cell(about)
	}
	return []Field{f}
}
