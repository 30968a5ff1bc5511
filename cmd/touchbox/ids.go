package main

import (
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// mostIDs bounds a list of ids, in bytes.
const mostIDs = 256 << 20

// idColumns are names of columns that hold Calltouch's ids, without what is no letter.
var idColumns = []string{"callid", "calltouchid", "requestid", "id", "idзвонка", "номерзвонка", "идзвонка", "idзаявки", "номерзаявки", "идзаявки"}

// readIDs reads the ids of a file, - for standard input: one a line, or a column of a CSV, whose separator is found.
func (d *desk) readIDs(name, column string) ([]string, error) {
	in := d.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, app.Mistake{Err: err}
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, mostIDs+1))
	if err != nil {
		return nil, err
	}
	if len(data) > mostIDs {
		return nil, app.Mistakef("%s", d.lang.Sprintf("--ids: the file is larger than %d MB", mostIDs>>20))
	}
	rows, err := readTable(plainText(data))
	if err != nil {
		return nil, app.Mistakef("--ids: %w", err)
	}
	ids, err := d.columnOf(rows, column)
	if err == nil && len(ids) == 0 {
		err = app.Mistakef("%s", d.lang.Sprintf("--ids: there is no id in %s", name))
	}
	return ids, err
}

// plainText is a text without its byte order mark; UTF-16 and windows-1251, as spreadsheets write them, become UTF-8.
func plainText(data []byte) []byte {
	if text, ok := spelling.DecodeUTF16(data, ""); ok {
		return text
	}
	text, _ := spelling.Decode(string(bytes.TrimPrefix(data, []byte("\ufeff"))), "")
	return []byte(text)
}

// readTable reads rows whose separator is the one that stands in the first line most often.
func readTable(data []byte) ([][]string, error) {
	first, _, _ := strings.Cut(string(data[:min(len(data), 64<<10)]), "\n")
	comma, most := ',', 0
	for _, one := range []rune{',', ';', '\t'} {
		if n := strings.Count(first, string(one)); n > most {
			comma, most = one, n
		}
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace, r.ReuseRecord = comma, -1, true, true, false
	return r.ReadAll()
}

// columnOf are the ids of the column that is named, or that is known by its name, or that is the only one.
func (d *desk) columnOf(rows [][]string, column string) ([]string, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	head := rows[0]
	n, err := strconv.Atoi(column)
	switch {
	case column == "" && len(head) == 1:
		n = 0
	case column == "":
		n = slices.IndexFunc(head, func(name string) bool { return slices.Contains(idColumns, lettersOf(name)) })
	case err == nil:
		n--
	default:
		n = slices.IndexFunc(head, func(name string) bool { return lettersOf(name) == lettersOf(column) })
	}
	if n < 0 || n >= len(head) {
		return nil, app.Mistakef("%s", d.lang.Sprintf("--column: which column holds the ids? Its name or number, of: %s", show.Mask(show.Printable(strings.Join(head, ", ")))))
	}
	var ids []string
	for i, row := range rows {
		if n >= len(row) {
			continue
		}
		id := strings.TrimSpace(row[n])
		if id == "" || i == 0 && !strings.ContainsFunc(id, unicode.IsDigit) { // a head
			continue
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// lettersOf is a name in small letters, without blanks and signs.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}
