package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/show"
)

// listing is how a command shows rows of one kind: a table to a person, JSON to a script. A command
// that lists says this much of its rows, asks for them, and prints them.
type listing[T any] struct {
	header string           // of the table, in the person's language: the columns with tabs between them
	cells  func(T) []string // of a row, one for each column: print makes any text safe to print
	json   func(T) any      // of a row; nil: the row itself
	line   string           // the format of a row's cells where --follow prints one at a time
}

// print shows rows, or says that there are none; on standard error it says when total is more than they are.
func (l listing[T]) print(c *cli, rows []T, total int) error {
	defer c.more(len(rows), total)
	if !c.json && len(rows) == 0 {
		c.say("The list is empty.")
		return nil
	}
	if !c.json {
		return l.table(c, rows)
	}
	list := make([]any, len(rows)) // no rows are [], not null
	for i, row := range rows {
		list[i] = l.object(row)
	}
	return c.printJSON(list)
}

// table prints rows to a person. The columns that a terminal has no room for stand below each row.
func (l listing[T]) table(c *cli, rows []T) error {
	lines := [][]string{strings.Split(l.header, "\t")}
	for _, row := range rows {
		lines = append(lines, l.printable(row))
	}
	_, err := io.WriteString(c.out, folded(lines, app.TerminalWidth(c.out)))
	return err
}

// folded lays rows out in columns, the header first. What does not fit into width (0 is any) follows its row, each cell behind the name of
// its column.
func folded(rows [][]string, width int) string {
	header := rows[0]
	fits, used := 0, 0
	for ; fits < len(header); fits++ {
		widest := 0
		for _, row := range rows {
			widest = max(widest, utf8.RuneCountInString(row[fits]))
		}
		if used += widest; width > 0 && fits > 0 && used > width {
			break
		}
		used += columnGap
	}
	var columns strings.Builder
	table := tabwriter.NewWriter(&columns, 0, 0, columnGap, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(table, strings.Join(row[:fits], "\t"))
	}
	_ = table.Flush()
	if fits == len(header) {
		return columns.String()
	}
	var b strings.Builder
	for i, line := range slices.Collect(strings.Lines(columns.String())) {
		b.WriteString(line)
		if i == 0 {
			continue // the names stand with what they name
		}
		var words []string
		for column := fits; column < len(header); column++ {
			if cell := strings.Fields(rows[i][column]); len(cell) > 0 {
				words = append(words, strings.Fields(header[column])...)
				cell[len(cell)-1] += ";"
				words = append(words, cell...)
			}
		}
		wrap(&b, words, width)
	}
	return b.String()
}

// columnGap is the space between two columns, and what is folded below a row stands that far in, twice.
const columnGap = 2

// wrap writes words, the last without the sign that divides cells, on lines of so many characters.
func wrap(b *strings.Builder, words []string, width int) {
	used := 0
	for i, word := range words {
		if i == len(words)-1 {
			word = strings.TrimSuffix(word, ";")
		}
		long := utf8.RuneCountInString(word)
		switch {
		case used == 0:
			b.WriteString(strings.Repeat(" ", 2*columnGap))
			used = 2 * columnGap
		case used+1+long > width:
			b.WriteString("\n" + strings.Repeat(" ", 2*columnGap))
			used = 2 * columnGap
		default:
			b.WriteString(" ")
			used++
		}
		b.WriteString(word)
		used += long
	}
	if used > 0 {
		b.WriteString("\n")
	}
}

// follow shows one row as it comes: a line of text, or an object on one line.
func (l listing[T]) follow(c *cli, row T) error {
	if c.json {
		return c.printJSONLine(l.object(row))
	}
	var cells []any
	for _, cell := range l.printable(row) {
		cells = append(cells, cell)
	}
	_, err := fmt.Fprintf(c.out, l.line+"\n", cells...)
	return err
}

func (l listing[T]) object(row T) any {
	if l.json == nil {
		return row
	}
	return l.json(row)
}

// printable are a row's cells, safe to print whoever chose their texts.
func (l listing[T]) printable(row T) []string {
	cells := l.cells(row)
	for i := range cells {
		cells[i] = show.Printable(cells[i])
	}
	return cells
}

// printJSON prints a value as indented JSON.
func (c *cli) printJSON(v any) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// printJSONLine prints a value as one line of a stream.
func (c *cli) printJSONLine(v any) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// more says on standard error that a list was cut.
func (c *cli) more(shown, total int) {
	if total == admin.Uncounted {
		_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("the newest %d shown, what is older was not read; --limit shows more", shown))
	}
	if total > shown {
		_, _ = fmt.Fprintln(c.errs, c.lang.Sprintf("%d of %d shown; --limit shows more", shown, total))
	}
}

// when writes a time for a person, "" for none.
func (d *desk) when(t time.Time) string {
	return d.lang.Moment(t.In(d.zone), time.Now())
}

// zoneName is the zone in which a list shows its times, as MSK.
func (d *desk) zoneName() string { return time.Now().In(d.zone).Format("MST") }

// widest is how many characters a cell has that says why.
const widest = 80

// reasonCell says a reason in words, with its code, which --reason takes, and the status of the answer.
func (c *cli) reasonCell(reason string, status int) string {
	cell := c.reasonWord(reason)
	if status != 0 {
		cell += fmt.Sprintf(" %d", status)
	}
	return cell
}
