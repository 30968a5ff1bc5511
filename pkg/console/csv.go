package console

import (
	"encoding/csv"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
)

// A table is a list as CSV: what the list shows, masked, row by row, so that a long one needs no memory. That somebody
// took it away stands in the audit before the first row goes out. A program gets names of columns and values as the JSON has
// them; a person gets words, times in the site's zone, and what Excel needs to read them.

// formatParameter is by what an address asks for the table of its list, where nobody can send Accept.
const formatParameter = "format"

// mostOfTable is how many rows a table has at most; one that would be longer says so in its last line.
const mostOfTable = 100_000

// wantsTable reports whether a list is asked for as CSV.
func (v *visit) wantsTable() bool {
	if v.r.URL.Query().Get(formatParameter) == "csv" {
		return true
	}
	for part := range strings.SplitSeq(v.r.Header.Get("Accept"), ",") {
		if kind, _, _ := strings.Cut(part, ";"); strings.TrimSpace(kind) == "text/csv" {
			return true
		}
	}
	return false
}

// column is one of a table's.
type column struct {
	name  string // for programs
	title string // for people, in English
}

// table is a list to be taken away.
type table struct {
	name    string // of the list, in file name and audit
	on      string // what it selects, in words
	columns []column
	rows    iter.Seq2[[]any, error]
}

// takeAway writes a table, once it stands in the audit.
func (v *visit) takeAway(t table) error {
	started := false
	_, err := v.admin.Recorded(v.ctx(), admin.AuditEntry{Verb: admin.VerbExport, On: t.name + ": " + t.on}, func() (n int, err error) {
		next, stop := iter.Pull2(t.rows)
		defer stop()
		row, err, ok := next() // before anything is sent: what cannot be read is an error, and no table
		if err != nil {
			return 0, err
		}
		started = true
		out := v.tableWriter(t)
		for ; ok && err == nil && n < mostOfTable; row, err, ok = next() {
			if err = out.row(row); err != nil {
				return n, err
			}
			n++
		}
		if ok && err == nil {
			err = out.row([]any{v.lang.Sprintf("not all: a table has %d rows at most", mostOfTable)})
		}
		return n, errors.Join(err, out.flush())
	})
	if err != nil && started {
		v.c.Log.Warn().Err(err).Str("table", t.name).Msg("console: a page failed")
		panic(http.ErrAbortHandler) // a table that lacks its end must not look whole
	}
	return err
}

// tableWriter writes rows as CSV.
type tableWriter struct {
	v       *visit
	taken   *http.ResponseController
	csv     *csv.Writer
	columns int
	written int
}

// byteOrderMark tells Excel that a text is UTF-8.
const byteOrderMark = "\ufeff"

// flushEvery is how many rows go out at once.
const flushEvery = 500

func (v *visit) tableWriter(t table) *tableWriter {
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="touchbox-%s.csv"`, t.name))
	out := &tableWriter{v: v, taken: http.NewResponseController(v.w), csv: csv.NewWriter(v.w), columns: len(t.columns)}
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.name
		if !v.program {
			titles[i] = v.lang.Text(c.title)
		}
	}
	if !v.program {
		_, _ = v.w.Write([]byte(byteOrderMark)) // what follows fails too, and says so
		if v.lang == lang.Russian {
			out.csv.Comma = ';' // as Excel in Russian wants it
		}
	}
	_ = out.csv.Write(titles) // likewise
	return out
}

func (w *tableWriter) row(cells []any) error {
	texts := make([]string, w.columns)
	for i, cell := range cells {
		texts[i] = guarded(w.v.cell(cell))
	}
	takenWithin(w.taken, answerWriteFor)
	defer takenWithin(w.taken, 0)
	if err := w.csv.Write(texts); err != nil {
		return err
	}
	if w.written++; w.written%flushEvery == 0 {
		return w.flush()
	}
	return nil
}

func (w *tableWriter) flush() error {
	takenWithin(w.taken, answerWriteFor)
	w.csv.Flush()
	return w.csv.Error()
}

// guarded keeps a spreadsheet from taking a text for a formula: whoever calls may choose what stands in it.
func guarded(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// reason is why something is so, as a cell.
type reason string

// kindName is a kind by its name with a dot, as a cell.
type kindName string

// cell is a value as a table has it: for a program as the JSON has it, for a person in words.
func (v *visit) cell(value any) string {
	switch x := value.(type) {
	case string:
		return x
	case *time.Time:
		if x == nil {
			return ""
		}
		return v.cell(*x)
	case time.Time:
		switch {
		case x.IsZero():
			return ""
		case v.program:
			return x.UTC().Format(time.RFC3339)
		}
		return x.In(v.c.Zone()).Format(time.DateTime)
	case reason:
		if v.program {
			return string(x)
		}
		return v.lang.Text(admin.ReasonWord(string(x)))
	case kindName:
		if v.program {
			return string(x)
		}
		return v.lang.Text(admin.KindWord(string(x)))
	case event.Origin:
		if v.program {
			return string(x)
		}
		return orItself(v.lang, originWords[x], string(x))
	case map[string]event.Outcome:
		return v.outcomesCell(x)
	case bool:
		return strconv.FormatBool(x)
	case int:
		if x == 0 {
			return ""
		}
		return strconv.Itoa(x)
	}
	return fmt.Sprint(value)
}

// outcomesCell writes outcomes by link.
func (v *visit) outcomesCell(outcomes map[string]event.Outcome) string {
	var parts []string
	for link, o := range outcomes {
		text := string(o)
		if !v.program {
			text = inWords(v.lang, outcomeWords[o], text).Text
		}
		parts = append(parts, link+": "+text)
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// cells makes the rows of a table.
func cells[T any](all iter.Seq2[T, error], row func(T) []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for one, err := range all {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(row(one), nil) {
				return
			}
		}
	}
}

var eventColumns = []column{
	{"key", "Event"}, {"site", "Site"}, {"kind", "Kind"}, {"id", "Id"}, {"time", "Happened"}, {"received", "Came"}, {"origin", "By which way"}, {"caller", "Caller"},
	{"outcomes", "What became of it"},
}

func (v *visit) tableOfEvents(q admin.EventQuery) error {
	on := strings.TrimSpace(string(q.Outcome) + " " + admin.FilterText(admin.Filter{Link: q.Link, Site: q.Site, Kind: q.Kind, Since: q.Since, Until: q.Until}))
	return v.takeAway(table{"events", on, eventColumns, cells(v.admin.EachEvent(v.ctx(), q), v.eventCells)})
}

func (v *visit) eventCells(r admin.Row) []any {
	row := admin.Mask{}.Row(r)
	return []any{row.Key, row.Site, kindName(row.Kind), row.ID, row.Time, row.Received, row.Origin, v.admin.Caller(r.Event, admin.Mask{}), row.Outcomes}
}

var deadColumns = []column{
	{"link", "Link"}, {"key", "Event"}, {"kind", "Kind"}, {"died", "Given up"}, {"attempts", "Attempts"}, {"status", "Status"}, {"reason", "Reason"}, {"answer", "Answer"},
}

func (v *visit) tableOfDead(f admin.Filter, cause string) error {
	on := admin.FilterText(f)
	if cause != "" {
		on += ", cause " + cause
	}
	rows := cells(v.admin.EachDead(v.ctx(), f, cause), func(d admin.DeadLetterView) []any {
		return []any{d.Link, d.Key, kindName(d.Kind), d.Died, d.Attempts, d.Status, reason(d.Reason), d.Answer}
	})
	return v.takeAway(table{"deadletters", on, deadColumns, rows})
}

var causeColumns = []column{
	{"id", "Cause"}, {"link", "Link"}, {"status", "Status"}, {"reason", "Reason"}, {"answer", "Answer"}, {"count", "How many"}, {"first", "First"}, {"last", "Last"},
	{"sample", "One of them"},
}

func (v *visit) tableOfCauses(f admin.Filter) error {
	causes, err := v.admin.Causes(v.ctx(), f)
	if err != nil {
		return err
	}
	rows := cells(each(causes), func(c admin.Cause) []any {
		return []any{c.ID, c.Link, c.Status, reason(c.Reason), c.Answer, c.Count, c.First, c.Last, c.Sample}
	})
	return v.takeAway(table{"causes", admin.FilterText(f), causeColumns, rows})
}

// each iterates over a list that is there already.
func each[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range list {
			if !yield(one, nil) {
				return
			}
		}
	}
}

var retryColumns = []column{
	{"link", "Link"}, {"key", "Event"}, {"until", "Next attempt"}, {"due", "Due"}, {"attempts", "Attempts"}, {"status", "Status"}, {"reason", "Reason"}, {"error", "Last error"},
	{"replayed", "Sent again"},
}

func (v *visit) tableOfRetries(f admin.Filter) error {
	rows := cells(v.admin.EachRetry(v.ctx(), f), func(r admin.RetryView) []any {
		return []any{r.Link, r.Key, r.Until, r.Due, r.Attempts, r.Status, reason(r.Reason), r.Error, r.Replayed}
	})
	return v.takeAway(table{"retries", admin.FilterText(f), retryColumns, rows})
}

var asideColumns = []column{
	{"number", "Number"}, {"received", "Came"}, {"site", "Site"}, {"reason", "Reason"}, {"origin", "By which way"}, {"content_type", "Content type"}, {"bytes", "Bytes"},
}

func (v *visit) tableOfAside(q admin.AsideQuery) error {
	rows := cells(v.admin.EachAside(v.ctx(), q), func(s admin.AsideView) []any {
		return []any{s.Number, s.Received, s.Site, reason(s.Reason), s.Origin, s.ContentType, s.Bytes}
	})
	return v.takeAway(table{"aside", q.Text(), asideColumns, rows})
}

var auditColumns = []column{
	{"time", "When"}, {"who", "Who"}, {"role", "Role"}, {"by", "By"}, {"address", "From"}, {"verb", "What"}, {"on", "On"}, {"found", "Found"}, {"done", "Done"}, {"why", "Why"},
}

func (v *visit) tableOfAudit(q admin.AuditQuery) error {
	rows := cells(v.admin.EachAudit(v.ctx(), q), func(e admin.AuditEntry) []any {
		return []any{e.Time, e.Who, e.Role, e.By, e.Address, e.Verb, e.On, e.Found, e.Done, e.Why}
	})
	return v.takeAway(table{"audit", strings.TrimSpace(q.Who + " " + q.Verb), auditColumns, rows})
}
