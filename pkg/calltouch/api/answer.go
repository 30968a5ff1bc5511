package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// errNoList reports an answer that is JSON, but neither a list nor a record.
var errNoList = errors.New("the answer holds no records")

// errBehind reports an answer that goes on behind its end: what stands there may be records.
var errBehind = errors.New("the answer goes on behind its end")

// errTooLong reports an answer without an end in sight.
var errTooLong = fmt.Errorf("the answer is longer than %d MB", maxAnswer>>20)

// maxAnswer bounds one answer: a day of 50,000 calls has about 200 MB.
const maxAnswer = 2 << 30

// readRecords reads an answer of either method as a stream and hands every record on with its own
// bytes; no more than one record is in memory at a time. An answer is a bare array, a page
// ({pageTotal, records: [...]}), or, from a file server, a single record. It returns how many
// pages there are, 0 when the answer does not say. An error of each is returned as it is.
//
// A record that is no JSON is handed on as it is, and those behind it, too; of one that is too
// large its first bytes.
func readRecords(r io.Reader, each func(rawValue) error) (pages int, err error) {
	s := newScanner(io.LimitReader(r, maxAnswer))
	pages, err = readAnswer(s, each)
	if err != nil && s.read >= maxAnswer {
		return 0, errTooLong
	}
	return pages, err
}

// readAnswer tells the three shapes of an answer apart.
func readAnswer(s *scanner, each func(rawValue) error) (pages int, err error) {
	b, err := s.first()
	switch {
	case err != nil:
		return 0, err
	case b == '[':
		return 0, readArray(s, each)
	case b == '{':
		return readObject(s, each)
	}
	s.unread(b)
	return 0, readNull(s)
}

// readNull reads null, which is nothing. All else is no list.
func readNull(s *scanner) error {
	for _, want := range []byte("null") {
		b, err := s.next()
		if err == nil && b != want {
			err = errNoList
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readArray reads a list after its opening bracket, up to its closing one: without that the answer
// was cut. A bracket behind which more follows than may was one of a broken record.
func readArray(s *scanner, each func(rawValue) error) error {
	for {
		b, err := s.first()
		if err != nil {
			return err
		}
		var v rawValue
		switch {
		case b == ',':
			continue
		case b == ']' && s.ends():
			return nil
		case b != '"' && b != ']' && b != '}' && b != ':':
			s.unread(b)
			v, err = s.record()
		default: // no record, or what is left of a broken one
			v, err = s.broken(piece{raw: []byte{b}})
		}
		if err != nil {
			return err
		}
		if err := each(v); err != nil {
			return err
		}
	}
}

// readObject reads a page, or a single record, after its opening brace.
func readObject(s *scanner, each func(rawValue) error) (pages int, err error) {
	list, record := false, false
	count, total := 0, 0
	counted := func(v rawValue) error {
		count++
		return each(v)
	}
	lone := &capture{kept: []byte{'{'}}
	s.lone = lone
	for {
		name, more, err := s.name()
		if err != nil {
			return 0, err
		}
		if !more {
			break
		}
		if name == "records" {
			s.lone, s.page, list = nil, true, true
			if err := readList(s, counted); err != nil {
				return 0, err
			}
			continue
		}
		b, err := s.first()
		if err != nil {
			return 0, err
		}
		s.unread(b)
		v, err := s.cut()
		if err != nil {
			return 0, err
		}
		switch name {
		case "pageTotal":
			pages = number(v.raw)
		case "recordsTotal":
			total = number(v.raw)
		case "callId", "requestId":
			record = true
		}
	}
	s.lone, s.page = nil, false
	switch {
	case !s.ends():
		return 0, errBehind
	case list && count > 0: // either figure may be missing or stale: the larger one says whether to ask for more
		return max(pages, (total+count-1)/count), nil
	case list:
		return pages, nil
	case record && !lone.full:
		return 0, each(newRawValue(lone.kept))
	}
	return 0, errNoList
}

// number is a count that an answer names, also in quotes; 0 when the value is none. One that nothing can have is cut.
func number(raw []byte) int {
	n, _ := strconv.Atoi(string(bytes.Trim(raw, `"`)))
	return min(max(n, 0), 1<<30)
}

// readList reads a list that may be null.
func readList(s *scanner, each func(rawValue) error) error {
	b, err := s.first()
	if err == nil && b == '[' {
		return readArray(s, each)
	}
	if err != nil {
		return err
	}
	s.unread(b)
	return readNull(s)
}

// rawValue is one record of an answer as it came.
type rawValue struct {
	raw    []byte // JSON, unless broken; only the first bytes where size is more
	size   int
	broken bool
}

// newRawValue is one record, with its raw control characters escaped where only they keep it from being JSON.
func newRawValue(raw []byte) rawValue {
	v := rawValue{raw: bytes.Clone(raw), size: len(raw)}
	if json.Valid(v.raw) {
		return v
	}
	if cleaned := calltouch.EscapeControls(v.raw); json.Valid(cleaned) {
		return rawValue{raw: cleaned, size: len(cleaned)}
	}
	v.broken = true
	return v
}

// capture keeps the bytes that are added, up to the bound of a record. A nil one keeps nothing.
type capture struct {
	kept []byte
	full bool
}

func (c *capture) add(b byte) {
	switch {
	case c == nil || c.full:
	case len(c.kept) == maxRead:
		c.full, c.kept = true, nil
	default:
		c.kept = append(c.kept, b)
	}
}

// drop takes the last byte back.
func (c *capture) drop() {
	if c != nil && !c.full {
		c.kept = c.kept[:len(c.kept)-1]
	}
}

var idPattern = regexp.MustCompile(`"(?:callId|requestId)"\s*:\s*"?(\d{1,20})\b`)

// idIn finds an id in what is no JSON, so that a person can look the record up; "" for none.
func idIn(raw []byte) string {
	if m := idPattern.FindSubmatch(raw); m != nil {
		return string(m[1])
	}
	return ""
}
